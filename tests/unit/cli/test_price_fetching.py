"""`prices fetch`: symbol by symbol from a provider on loopback into a desk in memory."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.prices.stooq import ADJUSTED
from bellwether.adapters.providers.sources import Sources
from bellwether.cli import owner, price_fetching
from bellwether.cli.failures import Failure, Refused, WrongUse
from bellwether.cli.price_fetching import Days, days_of
from bellwether.cli.stage import Stage
from bellwether.domain.corporate_actions import Dividend
from bellwether.domain.entities import Asset
from bellwether.domain.prices import History
from bellwether.domain.problems import NotFound
from tests.peers import polygon
from tests.peers.feeds import Peer, feed_peer
from tests.peers.market_data import (
    KEY,
    STOOQ_KEY_PAGE,
    Waits,
    price_sources,
    serve_tiingo,
    stooq_path,
    stooq_table,
    tiingo_bar,
)
from tests.peers.web import site
from tests.unit.cli.conftest import Done

pytestmark = pytest.mark.enable_socket

Typed = Callable[..., Done]
FIRST, LAST = date(2024, 1, 2), date(2024, 1, 31)
SPAN = ("--from", "2024-01-02", "--to", "2024-01-31")
ROWS = ("2024-01-02,59.5,61,59,60.25,1000", "2024-01-03,60,61,59,60.5,0")


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """Both providers, on loopback instead of where they are."""
    for variable in price_fetching.KEY_VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    with feed_peer() as started:
        at_peer(monkeypatch, started.address, started.host)
        yield started


def at_peer(monkeypatch: pytest.MonkeyPatch, address: str, host: str) -> None:
    waits = Waits()

    def sources_of(ports: MemoryPorts, keys: Mapping[str, str]) -> Sources:
        return price_sources(address, {host}, waits, records=ports.providers, keys=keys)

    monkeypatch.setattr(price_fetching, "sources_of", sources_of)


def keys(monkeypatch: pytest.MonkeyPatch, told: Callable[[], dict[str, Any]]) -> None:
    monkeypatch.setattr(MemoryPorts, "provider_keys", lambda _ports: told(), raising=False)


def serve_stooq(peer: Peer, symbol: str, body: bytes, status: int = 200) -> None:
    peer.serve(stooq_path(symbol, FIRST, LAST), body, status)


@pytest.mark.req("A3")
def test_bars_of_stooq_go_in_and_a_symbol_that_fails_stops_no_other(
    typed: Typed, ports: MemoryPorts, peer: Peer
) -> None:
    ports.entities.put("asset", "KO", Asset(symbol="KO", name="Coca-Cola"))
    serve_stooq(peer, "xqz.us", b"No data")
    serve_stooq(peer, "ko.us", stooq_table(*ROWS, "2024-01-04,nan,61,59,60,5", "2024-01-05,60,61,59,0,5"))
    serve_stooq(peer, "pep.us", b"<html>")
    serve_stooq(peer, "mmm.us", stooq_table("2024-01-02,100,101,99,100,7"))
    done = typed("prices", "fetch", "XQZ", "$ko", "KO", "PEP", "two words", "MMM", *SPAN, "--json")
    assert done.code == 0
    told = done.document
    assert (told["provider"], told["from"], told["to"]) == ("stooq", "2024-01-02", "2024-01-31")
    assert (told["bars"], told["changed"], told["held_back_total"], told["without_trade"]) == (3, 3, 2, 1)
    assert (told["symbols"], told["untracked"], told["notes"]) == (["KO", "MMM"], ["MMM"], [ADJUSTED])
    assert [(one["symbol"], one["code"]) for one in told["results"]] == [
        ("XQZ", "no_bars"),
        ("KO", None),
        ("PEP", "bad_answer"),
        ("TWO WORDS", "no_symbol"),
        ("MMM", None),
    ]
    assert [row["code"] for row in told["results"][1]["held_back"]] == ["no_figure", "invalid_bar"]
    assert {"symbol", "date", "code", "observed", "limit", "detail"} == set(
        told["results"][1]["held_back"][0]
    )
    history = ports.prices.history("KO")
    assert history.dates == [date(2024, 1, 2), date(2024, 1, 3)]
    assert history.close == history.adj_close == [60.25, 60.5]
    assert history.volume == [1000.0, 0.0]
    again = typed("prices", "fetch", "KO", *SPAN, "--json").document
    assert (again["bars"], again["changed"], len(again["notes"])) == (2, 0, 1)
    assert {frozenset(one) for one in told["results"]} == {frozenset(again["results"][0])}


@pytest.mark.req("A3", "S4")
@pytest.mark.parametrize("place", ["environment", "secret"])
def test_tiingos_key_comes_from_the_environment_or_the_stages_secret(
    typed: Typed, ports: MemoryPorts, peer: Peer, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "environment":
        monkeypatch.setenv("TIINGO_API_KEY", KEY)
        keys(monkeypatch, lambda: {"tiingo_api_key": "another"})
    else:
        keys(monkeypatch, lambda: {"tiingo_api_key": f" {KEY}\n"})
    rows = [
        tiingo_bar("2024-01-02", adjClose=28.5),
        tiingo_bar("2024-01-03", close=61.0, adjClose=None),
    ]
    serve_tiingo(peer, "KO", FIRST, LAST, rows)
    done = typed("prices", "fetch", "KO", "XQZ", "--provider", "tiingo", *SPAN)
    assert done.code == 0
    assert "1 bars, 2024-01-02 to 2024-01-02" in done.out
    assert "Tiingo knows no ticker XQZ" in done.out
    assert "adj_close is missing" in done.out
    assert KEY not in done.out + done.err
    assert ports.prices.history("KO").adj_close == [28.5]


def no_secret() -> dict[str, Any]:
    raise NotFound("there is no such secret")


@pytest.mark.parametrize("told", [dict, no_secret, lambda: {"tiingo_api_key": "  "}])
def test_without_a_key_one_line_says_how_to_go_on(
    typed: Typed,
    ports: MemoryPorts,
    peer: Peer,
    monkeypatch: pytest.MonkeyPatch,
    told: Callable[[], dict[str, Any]],
) -> None:
    keys(monkeypatch, told)
    done = typed("prices", "fetch", "KO", "--provider", "tiingo", "--json")
    assert done.code == 4
    error = done.document["error"]
    assert error["title"] == "No key for Tiingo"
    for word in ("TIINGO_API_KEY", "tiingo_api_key", "--provider stooq"):
        assert word in error["hint"]
    assert peer.requests == []


def test_a_secret_that_is_no_document_is_told(
    ports: MemoryPorts, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys(monkeypatch, lambda: msgspec.json.decode(b"{broken", type=dict[str, Any]))
    with pytest.raises(Failure, match="not a JSON object"):
        price_fetching.key_of("tiingo", ports)


def test_what_is_no_key_is_not_sent(ports: MemoryPorts, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIINGO_API_KEY", "two words")
    with pytest.raises(Refused) as refused:
        price_fetching.source_of("tiingo", ports)
    assert "two words" not in refused.value.detail


@pytest.mark.req("C5")
def test_a_provider_that_refuses_everybody_is_asked_once(
    typed: Typed, ports: MemoryPorts, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_tiingo(peer, "KO", FIRST, LAST, [])
    monkeypatch.setenv("TIINGO_API_KEY", "wrong")
    done = typed("prices", "fetch", "KO", "PEP", "MMM", "--provider", "tiingo", *SPAN, "--json")
    assert done.code == 1
    assert {one["code"] for one in done.document["results"]} == {"key_refused"}
    assert done.document["results"][2]["detail"] == "not asked for: Tiingo refuses the key"
    assert len(peer.requests) == 1
    assert "TIINGO_API_KEY" in typed("prices", "fetch", "KO", "--provider", "tiingo", *SPAN).out


def test_stooqs_page_on_keys_is_no_price_and_names_the_ways_on(
    typed: Typed, ports: MemoryPorts, peer: Peer
) -> None:
    serve_stooq(peer, "ko.us", STOOQ_KEY_PAGE)
    done = typed("prices", "fetch", "KO", *SPAN)
    assert done.code == 1
    assert "Stooq asks for a key" in done.out
    assert "--provider tiingo" in done.out
    assert "prices import" in done.out
    assert ports.prices.history("KO").dates == []


@pytest.mark.req("C5")
def test_a_network_that_is_not_there_is_3_and_not_tried_for_every_symbol(
    typed: Typed, ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_peer(monkeypatch, "http://127.0.0.1:1", "127.0.0.1:1")
    done = typed("prices", "fetch", "KO", "PEP", "MMM", "XOM", *SPAN, "--json")
    assert done.code == 3
    error = done.document["error"]
    assert error["title"] == "The provider cannot be reached"
    assert "stooq does not answer" in error["detail"]
    assert [one["symbol"] for one in error["results"]] == ["KO", "PEP", "MMM", "XOM"]
    assert [one["detail"].startswith("not asked for") for one in error["results"]] == [False] * 3 + [True]
    assert ports.prices.history("KO").dates == []


def test_rows_none_of_which_is_a_bar_are_a_failure(typed: Typed, ports: MemoryPorts, peer: Peer) -> None:
    serve_stooq(peer, "ko.us", stooq_table("2024-01-02,0,0,0,0,0", "2024-02-01,1,1,1,1,1"))
    done = typed("prices", "fetch", "KO", *SPAN, "--json")
    assert done.code == 1
    (result,) = done.document["results"]
    assert (result["code"], result["held_back_total"]) == ("no_bars", 2)
    assert [row["code"] for row in result["held_back"]] == ["invalid_bar", "in_the_future"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--provider", "bloomberg"),
        ("--from", "yesterday"),
        ("--to", "2024-02-30"),
        ("--from", "2024-02-01", "--to", "2024-01-01"),
        ("--from", "2999-01-01"),
    ],
)
def test_options_that_make_no_sense_are_wrong_use(
    typed: Typed, ports: MemoryPorts, peer: Peer, arguments: tuple[str, ...]
) -> None:
    assert typed("prices", "fetch", "KO", *arguments).code == 2
    assert peer.requests == []


def test_the_last_day_is_one_that_is_over() -> None:
    # nine in the evening in New York: the day is over in UTC, and so is its session
    now = datetime(2024, 3, 1, 21, tzinfo=timezone(timedelta(hours=-5)))
    assert days_of(None, None, now=now) == Days(date(2019, 3, 2), date(2024, 3, 1))
    assert days_of("2024-03-01", "2030-01-01", now=now) == Days(date(2024, 3, 1), date(2024, 3, 1))
    with pytest.raises(WrongUse):
        days_of("2024-03-02", None, now=now)


@pytest.mark.req("A3")
def test_after_a_split_the_whole_history_is_fetched_again(
    typed: Typed, ports: MemoryPorts, peer: Peer
) -> None:
    older = date(2023, 12, 28)
    same = [120.5, 120.5]
    ports.prices.merge(History("KO", [older, FIRST], same, same, same, same, same, [5.0, 5.0]))
    serve_stooq(peer, "ko.us", stooq_table(*ROWS))
    peer.serve(stooq_path("ko.us", older, LAST), stooq_table("2023-12-28,60.25,60.25,60.25,60.25,10", *ROWS))
    told = typed("prices", "fetch", "KO", *SPAN, "--json").document
    assert [note for note in told["notes"] if "fetched again" in note]
    assert ports.prices.history("KO").adj_close == [60.25, 60.25, 60.5]


@pytest.mark.req("A3")
def test_a_bar_that_cannot_be_believed_is_listed_and_not_merged(
    typed: Typed, ports: MemoryPorts, peer: Peer
) -> None:
    serve_stooq(peer, "ko.us", stooq_table(*ROWS, "2024-01-04,6050,6060,6040,6050,900"))
    done = typed("prices", "fetch", "KO", *SPAN)
    assert "held back: KO 2024-01-04: units" in done.out
    assert ports.prices.history("KO").dates == [date(2024, 1, 2), date(2024, 1, 3)]


@pytest.mark.req("A3")
def test_splits_and_dividends_are_kept_beside_the_bars(
    typed: Typed, ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site() as served:
        at_peer(monkeypatch, served.address, served.host)
        monkeypatch.setenv("POLYGON_API_KEY", polygon.KEY)
        polygon.Polygon(
            served,
            bars={"KO": [polygon.aggregate("2024-01-02"), polygon.aggregate("2024-01-03", 59.5)]},
            dividends=[polygon.dividend("KO", "2024-01-03", 0.5)],
        )
        done = typed("prices", "fetch", "KO", "--provider", "polygon", *SPAN, "--json")
    assert done.code == 0
    assert polygon.KEY not in done.out + done.err
    assert ports.prices.actions("KO").dividends == (Dividend(date=date(2024, 1, 3), cash=0.5),)
    assert ports.prices.history("KO").adj_close == pytest.approx([59.5, 59.5])
    assert ports.providers.get("polygon").state == "ok"


class Function:
    """The Lambda service, as far as it is asked for a function's environment."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables
        self.asked: list[str] = []

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803  AWS names it
        self.asked.append(FunctionName)
        return {"Environment": {"Variables": self.variables}} if self.variables else {}


@pytest.mark.parametrize("variables", [{"PRICES_SECRET_ARN": "arn:secret"}, {}])
def test_the_stages_secret_is_found_by_the_function_that_reads_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    from bellwether.adapters.memory import MemorySecrets

    function = Function(variables)
    monkeypatch.setattr(owner, "owner_client", lambda _stage, _service: function)
    stage = Stage(name="s", api_url="", region="eu-central-2", outputs={"fetchpricesfunction": "f-1"})
    found = owner.OwnerPorts(stage)
    secrets = MemorySecrets({"arn:secret": '{"tiingo_api_key": "k"}'})
    monkeypatch.setattr(found._composition, "secrets", lambda: secrets)
    assert found.provider_keys() == ({"tiingo_api_key": "k"} if variables else {})
    assert function.asked == ["f-1"]
