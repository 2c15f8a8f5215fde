"""The night's bars: provider after provider, symbol after symbol, whatever either of them does."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.prices.choosing import SECRET
from bellwether.adapters.providers.prices.rounds import CHECKED, last_complete_day
from bellwether.domain.entities import Asset, ProviderSwitch
from bellwether.domain.prices import History
from bellwether.domain.problems import Unavailable
from bellwether.handlers import fetch_prices
from bellwether.handlers.fetch_prices import Parts
from bellwether.handlers.scheduled_function import Failed
from tests.peers import market_data, web
from tests.peers.market_data import Waits
from tests.peers.web import Asked, Said, Site, said
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context

pytestmark = pytest.mark.enable_socket

# Wednesday evening in New York, half past midnight in Zürich
NIGHT = datetime(2024, 1, 24, 23, 30, tzinfo=UTC)
SESSIONS = [date(2024, 1, day) for day in (16, 17, 18, 19, 22, 23, 24)]
SCHEDULED = {"source": "bellwether.schedule"}


@pytest.fixture
def served() -> Iterator[Site]:
    with web.site() as started:
        yield started


class Market:
    """Tiingo and Stooq at one address, with the same bars. `sessions` are those over by now."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sessions = list(SESSIONS)
        self.closes: dict[str, float] = {}
        self.adjusted = 1.0
        self.unknown: set[str] = set()
        self.asked: list[tuple[str, str, str]] = []
        site.route("GET", "/tiingo/daily/*", self._tiingo)
        site.route("GET", "/q/d/l/", self._stooq)

    def _close(self, symbol: str, day: date) -> float:
        return self.closes.get(symbol, 60.0) + day.day / 100

    def _tiingo(self, asked: Asked) -> Said:
        symbol = asked.path.split("/")[3]
        first, last = str(asked.one("startDate")), str(asked.one("endDate"))
        self.asked.append(("tiingo", symbol, first))
        if symbol in self.unknown:
            return said({"detail": "Not found."}, 404)
        days = [day for day in self.sessions if first <= day.isoformat() <= last]
        return said([self._bar(symbol, day) for day in days])

    def _bar(self, symbol: str, day: date) -> dict[str, Any]:
        close = self._close(symbol, day)
        return market_data.tiingo_bar(
            day.isoformat(),
            close,
            open=close,
            high=close + 1,
            low=close - 1,
            adjClose=close * self.adjusted,
        )

    def _stooq(self, asked: Asked) -> Said:
        symbol = str(asked.one("s")).removesuffix(".us").upper()
        first, last = str(asked.one("d1")), str(asked.one("d2"))
        self.asked.append(("stooq", symbol, first))
        if symbol in self.unknown:
            return Said(200, b"No data")
        rows = []
        for day in self.sessions:
            if first <= f"{day:%Y%m%d}" <= last:
                close = self._close(symbol, day) * self.adjusted
                rows.append(f"{day},{close},{close + 1},{close - 1},{close},{1000 + day.day}")
        return Said(200, market_data.stooq_table(*rows))


@pytest.fixture
def market(served: Site) -> Market:
    return Market(served)


@pytest.fixture
def waits() -> Waits:
    return Waits(now=NIGHT)


def parts(ports: MemoryPorts, served: Site, waits: Waits, **keys: str) -> Parts:
    return Parts(
        entities=ports.entities,
        prices=ports.prices,
        lake=ports.lake,
        counts=ports.counts,
        records=ports.providers,
        http=GuardedHttp(trusted={served.host}, seconds=10),
        keys=lambda: {SECRET: keys},
        addresses=dict.fromkeys(market_data.NAMES, served.address),
        clock=waits.clock,
        sleep=waits.sleep,
    )


def track(ports: MemoryPorts, *symbols: str) -> None:
    for symbol in symbols:
        ports.entities.put("asset", symbol, Asset(symbol=symbol, name=symbol))


def run(made: Parts, seconds: int = 240) -> dict[str, Any]:
    return fetch_prices.handler.serve(SCHEDULED, Context(seconds * 1_000), lambda: made)


KEY = {"tiingo_api_key": market_data.KEY}


@pytest.mark.req("A3", "C5")
def test_all_tracked_assets_have_the_bars_of_the_day_and_are_not_asked_for_again(
    ports: MemoryPorts, market: Market, waits: Waits
) -> None:
    track(ports, "KO", "PEP")
    made = parts(ports, market.site, waits, **KEY)
    told = run(made)
    assert (told["symbols"], told["updated"], told["bars"], told["put_off"]) == (2, 2, 14, 0)
    assert ports.prices.history("KO").dates == SESSIONS
    again = run(made)
    assert (again["current"], again["updated"], again["bars"]) == (2, 0, 0)
    assert len(market.asked) == 2
    assert ports.counts.totals()["bellwether_price_bars_total"] == 14
    assert ports.counts.totals()['bellwether_provider_calls_total{provider="tiingo"}'] == 2


@pytest.mark.req("A3")
def test_the_next_night_reads_on_with_an_overlap(ports: MemoryPorts, market: Market, waits: Waits) -> None:
    track(ports, "KO")
    made = parts(ports, market.site, waits, **KEY)
    run(made)
    waits.now += timedelta(days=1)
    market.sessions.append(date(2024, 1, 25))
    told = run(made)
    assert told["bars"] == 1
    assert [first for _, _, first in market.asked] == ["2019-01-24", "2024-01-14"]


@pytest.mark.req("A3")
def test_when_adjusted_closes_have_moved_the_whole_history_is_read_again(
    ports: MemoryPorts, market: Market, waits: Waits
) -> None:
    older = [date(2023, 12, day) for day in (4, 5, 6)]
    market.sessions = older + market.sessions
    track(ports, "KO")
    made = parts(ports, market.site, waits, **KEY)
    run(made)
    waits.now += timedelta(days=1)
    market.adjusted = 0.98
    told = run(made)
    assert told["bars"] == 10
    assert market.asked[-1] == ("tiingo", "KO", "2023-12-04")
    history = ports.prices.history("KO")
    ratios = [a / c for a, c in zip(history.adj_close, history.close, strict=True)]
    assert ratios == pytest.approx([0.98] * 10)


@pytest.mark.req("A3", "C5")
def test_a_provider_that_is_out_of_quota_hands_over_to_the_next(
    ports: MemoryPorts, market: Market, waits: Waits
) -> None:
    track(ports, "KO", "PEP", "MMM")
    market.site.faults.extend([None, web.status(429, b"{}")])
    told = run(parts(ports, market.site, waits, **KEY))
    assert told["updated"] == 3
    assert told["out"] == {"tiingo": "too_many_requests"}
    assert [name for name, _, _ in market.asked] == ["tiingo", "tiingo", "stooq", "stooq"]


@pytest.mark.req("C5")
def test_a_round_goes_on_where_the_last_one_had_no_quota_left(
    ports: MemoryPorts, market: Market, waits: Waits
) -> None:
    symbols = [f"S{number:02}" for number in range(6)]
    track(ports, *symbols)
    ports.entities.put("provider", "stooq", ProviderSwitch(name="stooq", enabled=False))
    market.site.faults.extend([None, None, web.status(429, b"{}")])
    made = parts(ports, market.site, waits, **KEY)
    first = run(made)
    assert (first["updated"], first["put_off"]) == (2, 4)
    waits.sleep(3_600)
    second = run(made)
    assert (second["current"], second["updated"], second["put_off"]) == (2, 4, 0)
    assert [symbol for _, symbol, _ in market.asked] == [*symbols[:3], *symbols[2:]]


@pytest.mark.req("C5")
def test_one_bad_symbol_sinks_no_other(
    ports: MemoryPorts, market: Market, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    track(ports, "AAA", "KO", "XQZ")
    market.unknown = {"XQZ"}
    real = ports.prices.history

    def history(symbol: str) -> History:
        if symbol == "AAA":
            json_of = b'{"symbol": "AAA", "dates": [1'
            import msgspec

            return msgspec.json.decode(json_of, type=History)
        return real(symbol)

    monkeypatch.setattr(ports.prices, "history", history)
    told = run(parts(ports, market.site, waits, **KEY))
    assert told["updated"] == 1
    assert told["failures"] == {"kept_unreadable": 1, "no_bars": 1}
    assert ports.counts.totals()['bellwether_price_failures_total{code="no_bars"}'] == 1


@pytest.mark.req("B2")
def test_a_bar_that_is_held_back_is_counted_logged_and_asked_for_again(
    ports: MemoryPorts, market: Market, waits: Waits, logged: Logged
) -> None:
    track(ports, "KO")
    made = parts(ports, market.site, waits, **KEY)
    run(made)
    waits.now += timedelta(days=1)
    market.sessions.append(date(2024, 1, 25))
    bar = market._bar

    def spoiled(symbol: str, day: date) -> dict[str, Any]:
        told = bar(symbol, day)
        if day == date(2024, 1, 25):
            prices = ("open", "high", "low", "close", "adjClose")
            told |= {name: told[name] * 100 for name in prices}
        return told

    market._bar = spoiled  # type: ignore[method-assign]
    told = run(made)
    assert (told["bars"], told["held_back"]) == (0, 1)
    assert ports.counts.totals()['bellwether_price_bars_held_back_total{code="units"}'] == 1
    (line,) = [line for line in logged() if line["message"] == "a bar is held back"]
    assert (line["symbol"], line["day"], line["code"]) == ("KO", "2024-01-25", "units")
    market._bar = bar  # type: ignore[method-assign]
    mended = run(made)
    assert (mended["updated"], mended["bars"], mended["held_back"]) == (1, 1, 0)


@pytest.mark.req("S4", "C5")
def test_without_keys_stooq_is_asked_and_the_others_are_off_by_name(
    ports: MemoryPorts, market: Market, waits: Waits
) -> None:
    track(ports, "KO")
    told = run(parts(ports, market.site, waits))
    assert (told["providers"], told["updated"]) == (["stooq"], 1)
    assert {name: ports.providers.get(name).code for name in ("tiingo", "polygon")} == {
        "tiingo": "no_key",
        "polygon": "no_key",
    }
    assert ports.providers.get("alphavantage").state == "ok"


@pytest.mark.req("C5", "S4")
def test_a_network_that_is_not_there_is_given_up_after_a_few(
    ports: MemoryPorts, market: Market, waits: Waits, logged: Logged
) -> None:
    track(ports, *(f"S{number}" for number in range(9)))
    made = parts(ports, market.site, waits, **KEY)
    market.site.faults.extend([web.reset] * 20)
    told = run(made)
    assert told["updated"] == 0
    assert told["put_off"] >= 6
    assert set(told["out"]) == {"tiingo", "stooq"}
    assert len(market.site.asked) == 6
    assert market_data.KEY not in json.dumps(logged())


@pytest.mark.req("C5")
def test_no_symbol_is_begun_when_the_time_is_up(ports: MemoryPorts, market: Market, waits: Waits) -> None:
    from bellwether.adapters.providers.prices.asking import PriceProvider
    from bellwether.adapters.providers.prices.rounds import PriceRound
    from bellwether.adapters.providers.prices.stooq import Stooq
    from tests.peers.market_data import price_sources

    provider: PriceProvider = Stooq(
        price_sources(market.site.address, {market.site.host}, waits), patience=15
    )
    ticks = iter([0.0, 0.0, 400.0, 700.0, 701.0])
    round_of = PriceRound([provider], ports.prices, ports.lake, clock=waits.clock, timer=lambda: next(ticks))
    done = round_of(["A", "B", "C", "D"], 800.0)
    assert (done.updated, done.put_off) == (2, 2)


def test_a_broken_note_of_the_last_round_costs_calls_and_nothing_else(
    ports: MemoryPorts, market: Market, waits: Waits
) -> None:
    track(ports, "KO")
    ports.lake.put(CHECKED, b"{broken")
    assert run(parts(ports, market.site, waits, **KEY))["updated"] == 1
    assert run(parts(ports, market.site, waits, **KEY))["current"] == 1


@pytest.mark.req("C5")
def test_when_the_desk_itself_fails_the_run_fails(
    ports: MemoryPorts, market: Market, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    track(ports, "KO")

    def away(_history: History) -> int:
        raise Unavailable("bucket lake-1234 is away")

    monkeypatch.setattr(ports.prices, "merge", away)
    with pytest.raises(Failed) as failed:
        run(parts(ports, market.site, waits, **KEY))
    assert "lake-1234" not in str(failed.value)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-11-25T21:59:00+00:00", "2026-11-24"),
        ("2026-11-25T22:00:00+00:00", "2026-11-25"),
        ("2026-11-26T00:30:00+01:00", "2026-11-25"),
        ("2026-07-01T00:30:00+02:00", "2026-06-30"),
        ("2026-11-26T06:30:00+01:00", "2026-11-25"),
    ],
)
def test_a_day_is_over_when_new_york_is(at: str, day: str) -> None:
    assert last_complete_day(datetime.fromisoformat(at)) == date.fromisoformat(day)
