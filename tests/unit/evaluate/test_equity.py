"""The recorded equity: once a day, blind to cash that comes and goes, and what DRAWDOWN makes of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bellwether.adapters.memory.lake import MemoryLake
from bellwether.domain.entities import Portfolio, Position
from bellwether.domain.equity import EquityDay, growth, last_close, next_day, recorded_drawdown
from bellwether.domain.portfolio_value import Book, Market, valued
from bellwether.domain.prices import History
from bellwether.domain.proposals import Check
from bellwether.usecases.check_risk import CheckRisk, OrderRequest, RiskRequest
from bellwether.usecases.equity import EquityRecord, RecordEquity, key_of
from tests.unit.evaluate.test_evaluate import EVERYTHING, evaluating, keeping
from tests.unit.trading import NOW, Desk, bars, weekdays

START = date(2026, 1, 5)
DAYS = weekdays(date(2026, 4, 30), 84)


def at(day: date) -> datetime:
    """Two in the morning after a day's close."""
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC) + timedelta(days=1)


def history(symbol: str, closes: Sequence[float], adjusted: Sequence[float] | None = None) -> History:
    """Closes from the first of DAYS on."""
    days, c = DAYS[: len(closes)], list(closes)
    return History(symbol, days, c, c, c, c, list(adjusted or closes), [1e6] * len(c))


def book(day: date, cash: float, held: dict[str, float], *histories: History) -> Book:
    market = Market(as_of=at(day), histories={h.symbol: h for h in histories}, assets={}, days=1)
    positions = tuple(Position(symbol=s, quantity=q, cost=1.0) for s, q in held.items())
    return valued(market, Portfolio(name="core", cash=cash, positions=positions))


def chained(*nights: Book) -> list[EquityDay]:
    """The records of one night after the other."""
    records: list[EquityDay] = []
    for night in nights:
        made = next_day(records[-1] if records else None, night)
        if made is not None:
            records.append(made)
    return records


def test_returns_are_chained_and_cash_flows_are_no_returns() -> None:
    """100 shares at 10 and 1,000 in cash: the shares gain 100, 8,000 come in, the shares lose 110."""
    prices = history("ACME", [10.0, 11.0, 9.9])
    records = chained(
        book(DAYS[0], 1_000, {"ACME": 100}, prices),
        book(DAYS[1], 9_000, {"ACME": 100}, prices),
        book(DAYS[2], 9_000, {"ACME": 100}, prices),
    )
    assert [r.day for r in records] == DAYS[:3]
    assert [r.equity for r in records] == pytest.approx([2_000, 10_100, 9_990])
    assert [r.index for r in records] == pytest.approx([1.0, 1.05, 1.05 * (1 - 110 / 10_100)])


@given(
    closes=st.lists(st.floats(50, 150), min_size=4, max_size=20),
    flows=st.lists(st.floats(-20_000, 50_000), min_size=20, max_size=20),
)
def test_whatever_cash_comes_or_goes_the_index_is_that_of_the_holdings(
    closes: list[float], flows: list[float]
) -> None:
    """All in one asset, of which more or less is held each night: the index is its price."""
    prices = history("ACME", closes)
    nights = [book(DAYS[n], 0.0, {"ACME": 10 + abs(flows[n]) / 1000}, prices) for n in range(len(closes))]
    records = chained(*nights)
    assert records[-1].index == pytest.approx(closes[-1] / closes[0])
    quiet = [book(DAYS[n], 5_000.0, {}, prices) for n in range(len(closes))]
    noisy = [book(DAYS[n], 60_000 + flows[n], {}, prices) for n in range(len(closes))]
    assert [r.index for r in chained(*quiet)] == [r.index for r in chained(*noisy)] == [1.0] * len(closes)


def test_a_split_or_dividend_is_no_loss_and_a_short_gains_when_it_falls() -> None:
    split = history("ACME", [100.0, 50.0], [50.0, 50.0])
    assert chained(*(book(d, 0, {"ACME": 10}, split) for d in DAYS[:2]))[-1].index == 1.0
    falling = history("ACME", [100.0, 90.0])
    short = chained(*(book(d, 3_000, {"ACME": -10}, falling) for d in DAYS[:2]))
    assert short[-1].index == pytest.approx(1 + 100 / 2_000)


def test_a_day_is_recorded_once_and_an_unknown_price_not_at_all() -> None:
    prices = history("ACME", [10.0, 11.0])
    first = chained(book(DAYS[0], 0, {"ACME": 1}, prices))[-1]
    assert next_day(first, book(DAYS[0], 999, {"ACME": 5}, prices)) is None
    assert next_day(None, book(DAYS[0], 0, {"GONE": 1}, prices)) is None
    assert next_day(first, book(DAYS[1], 10, {}, prices)) is not None, "sold: cash alone is worth something"
    assert next_day(first, book(DAYS[1], 10, {})) is None, "what was sold has no price any more"


def test_a_bar_that_comes_late_is_not_skipped() -> None:
    """At night the second day's bar of LATE is missing; the fall it brings is a loss of the day after."""
    acme, late = history("ACME", [10.0, 10.0, 10.0]), history("LATE", [10.0])
    first, second = chained(*(book(d, 0, {"ACME": 1, "LATE": 1}, acme, late) for d in DAYS[:2]))
    assert (second.index, second.priced["LATE"]) == (1.0, DAYS[0])
    came = history("LATE", [10.0, 5.0, 5.0])
    third = next_day(second, book(DAYS[2], 0, {"ACME": 1, "LATE": 1}, acme, came))
    assert third is not None
    assert third.index == pytest.approx(0.75)
    assert first.index == 1.0


def test_of_cash_alone_the_last_whole_weekday_is_recorded() -> None:
    for day, expected in ((3, 2), (4, 2), (5, 2), (6, 5), (7, 6)):
        market = Market(as_of=datetime(2026, 1, day, 12, tzinfo=UTC), histories={}, assets={}, days=1)
        assert last_close(valued(market, Portfolio(name="core", cash=1.0))) == date(2026, 1, expected)


def records_of(indexes: Sequence[float]) -> list[EquityDay]:
    return [
        EquityDay(
            day=DAYS[n],
            recorded_at=at(DAYS[n]),
            equity=100.0,
            cash=100.0,
            values={},
            priced={},
            index=index,
        )
        for n, index in enumerate(indexes)
    ]


def test_the_drawdown_is_from_the_best_of_the_window_and_needs_five_days() -> None:
    records = records_of([1.0, 2.0, 1.0, 1.2, 1.1, 0.9])
    now = at(DAYS[5])
    found = recorded_drawdown(records, {}, now, 63)
    assert found is not None
    assert found.value == pytest.approx(0.55)
    assert (found.days, found.since) == (6, DAYS[0])
    later = recorded_drawdown(records, {}, now, 5)
    assert later is not None
    assert later.value == pytest.approx(1 - 0.9 / 2.0)
    assert recorded_drawdown(records[:4], {}, now, 63) is None
    assert recorded_drawdown([], {}, now, 63) is None
    before = recorded_drawdown(records, {}, at(DAYS[4]), 63)
    assert before is not None
    assert before.value == pytest.approx(1 - 1.1 / 2.0), "what was written later is not known yet"


def test_the_record_is_carried_on_to_now_with_what_was_held() -> None:
    records = records_of([1.0, 1.0, 1.0, 1.0, 1.0])
    records[-1] = structs.replace(records[-1], values={"ACME": 50.0}, priced={"ACME": DAYS[4]})
    prices = {"ACME": history("ACME", [10.0] * 5 + [8.0])}
    found = recorded_drawdown(records, prices, at(DAYS[5]), 63)
    assert found is not None
    assert found.value == pytest.approx(0.1)
    assert recorded_drawdown(records, {}, at(DAYS[5]), 63) is None


def test_an_index_at_its_best_is_no_drawdown() -> None:
    records = records_of([1.0, 0.9, 0.9, 0.9, 1.0])
    records[-1] = structs.replace(records[-1], values={"ACME": 50.0}, priced={"ACME": DAYS[4]})
    prices = {"ACME": history("ACME", [10.0] * 5 + [12.0])}
    found = recorded_drawdown(records, prices, at(DAYS[5]), 63)
    assert found is not None
    assert found.value == 0.0


def test_every_holding_s_gain_counts() -> None:
    """100 in each of two: one gains a tenth, the other loses a fifth."""
    record = structs.replace(
        records_of([1.0])[0],
        equity=200.0,
        values={"ACME": 100.0, "LATE": 100.0},
        priced={"ACME": DAYS[0], "LATE": DAYS[0]},
    )
    prices = {"ACME": history("ACME", [10.0, 11.0]), "LATE": history("LATE", [10.0, 8.0])}
    assert growth(record, prices, at(DAYS[1])) == pytest.approx(1 + (10 - 20) / 200)


def test_what_has_no_bar_of_its_day_has_no_growth() -> None:
    """Its bars begin later, or none is known yet."""
    record = structs.replace(
        records_of([1.0])[0], values={"ACME": 100.0}, priced={"ACME": DAYS[0] - timedelta(days=1)}
    )
    assert growth(record, {"ACME": history("ACME", [10.0, 11.0])}, at(DAYS[1])) is None
    known = structs.replace(record, priced={"ACME": DAYS[0]})
    assert growth(known, {"ACME": history("ACME", [10.0, 11.0])}, at(DAYS[0] - timedelta(days=3))) is None


def test_the_object_is_a_line_a_day_and_names_are_kept_apart() -> None:
    lake = MemoryLake()
    record = EquityRecord(lake=lake)
    days = records_of([1.0, 1.1])
    for name in ("core", "a/b", "a", ".."):
        for day in (days[0], days[0], days[1]):
            record.add(name, day)
        assert record.days(name, at(DAYS[1]), 63) == days
        assert record.days(name, at(DAYS[0]), 63) == days[:1]
    assert sorted(lake.list("eval/equity/")) == [
        "eval/equity/%2E%2E/2026.ndjson",
        "eval/equity/a%2Fb/2026.ndjson",
        "eval/equity/a/2026.ndjson",
        "eval/equity/core/2026.ndjson",
    ]
    content = lake.get(key_of("core", 2026))
    assert content is not None
    assert len(content.splitlines()) == 2
    assert record.days("nobody", at(DAYS[1]), 63) == []


def test_a_window_over_new_year_reads_both_years() -> None:
    record = EquityRecord(lake=MemoryLake())
    (day,) = records_of([1.0])
    old = structs.replace(day, day=date(2025, 12, 31), recorded_at=at(date(2025, 12, 31)))
    for one in (old, day):
        record.add("core", one)
    assert record.days("core", at(DAYS[0]), 63) == [old, day]


def falling_desk() -> Desk:
    """ACME falls by half over ten days while 2,000 shares of it are held with 100,000 in cash."""
    made = Desk()
    closes = [100.0] * 300 + [100.0 - 5 * n for n in range(1, 11)]
    made.track("ACME", closes, last=NOW.date() - timedelta(days=1))
    made.track("OTHER", [100.0 + n % 2 for n in range(310)], last=NOW.date() - timedelta(days=1))
    hold(made, 100_000.0, ACME=2_000.0)
    return made


def hold(made: Desk, cash: float, **positions: float) -> None:
    held = tuple(Position(symbol=s, quantity=q, cost=50.0) for s, q in positions.items())
    made.entities.put("portfolio", "core", Portfolio(name="core", cash=cash, positions=held))


def drawdown(made: Desk) -> Check:
    checking = CheckRisk(
        entities=made.entities,
        prices=made.prices,
        controls=made.controls,
        proposals=made.proposals,
        lake=made.lake,
    )
    request = RiskRequest(portfolio="core", orders=[OrderRequest(asset="OTHER", side="buy", quantity=1)])
    (result,) = checking(request, now=NOW).results
    return next(check for check in result.checks if check.code == "DRAWDOWN")


@pytest.mark.req("A6")
def test_who_sold_the_losers_is_still_down_by_them() -> None:
    made = falling_desk()
    for back in range(10, 0, -1):
        RecordEquity(entities=made.entities, prices=made.prices, lake=made.lake)(
            now=at(NOW.date() - timedelta(days=back))
        )
    hold(made, 200_000.0)
    found = drawdown(made)
    assert found.outcome == "deny"
    assert found.observed is not None
    assert found.observed > 0.15
    assert "recorded days since" in found.detail

    fresh = falling_desk()
    hold(fresh, 200_000.0)
    assert drawdown(fresh).outcome == "pass", "without a record the cash of today has never lost anything"
    assert "too little of the equity is on record" in drawdown(fresh).detail


def test_of_recorded_and_hypothetical_the_worse_counts() -> None:
    """Bought only last week: the record has seen little, today's holdings would have lost a third."""
    made = falling_desk()
    hold(made, 300_000.0)
    for back in range(10, 0, -1):
        RecordEquity(entities=made.entities, prices=made.prices, lake=made.lake)(
            now=at(NOW.date() - timedelta(days=back))
        )
    hold(made, 200_000.0, ACME=2_000.0)
    found = drawdown(made)
    assert found.observed == pytest.approx(1 / 4)
    assert "today's holdings are 25.00% below" in found.detail
    assert "recorded: 0.00%" in found.detail


@pytest.mark.req("A8")
def test_every_evaluation_writes_the_day_down_once() -> None:
    made = falling_desk()
    evaluate = evaluating(made, keeping())
    answer = evaluate(EVERYTHING, now=NOW)
    day = answer.equity["core"]
    assert (day.day, day.equity, day.index) == (NOW.date() - timedelta(days=1), 200_000.0, 1.0)
    again = evaluate(EVERYTHING, now=NOW + timedelta(hours=5))
    assert again.equity == answer.equity
    key = key_of("core", NOW.year)
    content = made.lake.get(key)
    assert content is not None
    assert len(content.splitlines()) == 1
    made.prices.merge(bars("ACME", [45.0], last=NOW.date()))
    tomorrow = evaluate(EVERYTHING, now=NOW + timedelta(days=1)).equity["core"]
    assert tomorrow.day == NOW.date()
    assert tomorrow.index == pytest.approx(1 - 10_000 / 200_000)
