"""Daily bars from Tiingo and Stooq: what a bar is made of, and every way of getting none."""

import math
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.adapters.providers.prices.alphavantage import AlphaVantage
from bellwether.adapters.providers.prices.asking import PriceProvider
from bellwether.adapters.providers.prices.polygon import Polygon
from bellwether.adapters.providers.prices.stooq import ADJUSTED, Stooq, stooq_symbol
from bellwether.adapters.providers.prices.tiingo import Tiingo, ticker_of
from tests.peers.feeds import Peer, feed_peer
from tests.peers.market_data import (
    KEY,
    STOOQ_KEY_PAGE,
    Waits,
    asked,
    price_sources,
    serve_in_turn,
    serve_tiingo,
    serve_without_end_mark,
    stooq_path,
    stooq_table,
    tiingo_bar,
)

pytestmark = pytest.mark.enable_socket

FIRST, LAST = date(2024, 1, 2), date(2024, 1, 31)
TIINGO_PATH = "/tiingo/daily/KO/prices?startDate=2024-01-02&endDate=2024-01-31&format=json"
STOOQ_PATH = stooq_path("ko.us", FIRST, LAST)
ROW = "2024-01-02,59.5,61,59,60.25,1000"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with feed_peer() as started:
        yield started


@pytest.fixture
def waits() -> Waits:
    return Waits()


def tiingo(peer: Peer, waits: Waits, key: str = KEY) -> Tiingo:
    return Tiingo(key, price_sources(peer.address, {peer.host}, waits), patience=60)


def stooq(peer: Peer, waits: Waits, key: str | None = None) -> Stooq:
    return Stooq(price_sources(peer.address, {peer.host}, waits), patience=60, key=key)


def refusal(provider: PriceProvider, symbol: str = "KO") -> Refused:
    with pytest.raises(Refused) as refused:
        provider.fetch(symbol, FIRST, LAST)
    return refused.value


@pytest.mark.req("A3")
def test_a_bar_of_tiingo_is_as_traded_with_its_own_adjusted_close(peer: Peer, waits: Waits) -> None:
    serve_tiingo(peer, "KO", FIRST, LAST, [tiingo_bar("2024-01-02", adjClose=28.75, open=59.5)])
    told = tiingo(peer, waits).fetch("KO", FIRST, LAST)
    assert told.bars == [
        {
            "symbol": "KO",
            "date": "2024-01-02T00:00:00.000Z",
            "open": 59.5,
            "high": 61.0,
            "low": 59.0,
            "close": 60.0,
            "adj_close": 28.75,
            "volume": 1_000.0,
        }
    ]
    assert told.notes == []


@pytest.mark.req("S4")
def test_the_key_is_in_a_header_and_nowhere_else(peer: Peer, waits: Waits) -> None:
    serve_tiingo(peer, "BRK-B", FIRST, LAST, [tiingo_bar("2024-01-02")])
    told = tiingo(peer, waits).fetch("BRK.B", FIRST, LAST)
    assert [bar["symbol"] for bar in told.bars] == ["BRK.B"]
    ((path, headers),) = peer.requests
    assert headers["authorization"] == f"Token {KEY}"
    assert KEY not in path


@pytest.mark.req("S4")
def test_the_key_does_not_follow_a_redirect_to_another_host(peer: Peer, waits: Waits) -> None:
    with feed_peer() as other:
        other.serve("/prices", b"[]")
        peer.serve(TIINGO_PATH, b"", 302, Location=other.url("/prices"))
        sources = price_sources(peer.address, {peer.host, other.host}, waits)
        with pytest.raises(Refused):
            Tiingo(KEY, sources, patience=60).fetch("KO", FIRST, LAST)
        assert "authorization" in peer.requests[0][1]
        assert "authorization" not in other.requests[0][1]


def test_the_key_follows_a_redirect_within_the_host(peer: Peer, waits: Waits) -> None:
    path = serve_tiingo(peer, "KO", FIRST, LAST, [tiingo_bar("2024-01-02")])
    peer.serve("/old", b"", 308, Location=path)
    response = GuardedHttp(trusted={peer.host}).get(peer.url("/old"), {"Authorization": f"Token {KEY}"})
    assert response.status == 200


@pytest.mark.req("S4")
@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_what_cannot_be_a_key_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(Refused) as refused:
        Tiingo(key, price_sources("http://127.0.0.1:1", ()), patience=60)
    assert refused.value.code == "key_refused"
    assert not key or key not in refused.value.detail


def test_a_wrong_key_and_an_unknown_ticker_are_told_apart(peer: Peer, waits: Waits) -> None:
    serve_tiingo(peer, "KO", FIRST, LAST, [tiingo_bar("2024-01-02")])
    assert refusal(tiingo(peer, waits, key="another")).code == "key_refused"
    unknown = refusal(tiingo(peer, waits), "XQZ")
    assert (unknown.code, unknown.detail) == ("unknown_symbol", "Tiingo knows no ticker XQZ")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "no_bars"),
        (b"", "bad_answer"),
        (b'[{"date": "2024-01-02T00:00', "bad_answer"),
        (b'{"bars": []}', "bad_answer"),
        (b"[1, 2]", "bad_answer"),
        (b"null", "bad_answer"),
        (b"<html>", "bad_answer"),
        (b"[" * 90_000, "bad_answer"),
        (b"\xff\xfe", "bad_answer"),
        (f'{{"detail": "Not for {KEY}\\u0007"}}'.encode(), "bad_answer"),
        (f'{{"detail": "Over the hourly request limit of {KEY}\\u0007"}}'.encode(), "used_up"),
    ],
)
def test_what_is_no_list_of_bars_gives_no_price(peer: Peer, waits: Waits, body: bytes, code: str) -> None:
    peer.serve(TIINGO_PATH, body)
    refused = refusal(tiingo(peer, waits))
    assert refused.code == code
    assert KEY not in refused.detail
    assert refused.detail.isprintable()


@pytest.mark.parametrize("path", [TIINGO_PATH, STOOQ_PATH])
def test_a_truncated_answer_gives_no_price(peer: Peer, waits: Waits, path: str) -> None:
    peer.serve_cut(path, stooq_table(ROW))
    provider: PriceProvider = tiingo(peer, waits) if path == TIINGO_PATH else stooq(peer, waits)
    assert refusal(provider).code in {"cut_short", "unreachable"}


def test_figures_that_are_none_are_left_to_the_check_of_bars(peer: Peer, waits: Waits) -> None:
    rows = [
        tiingo_bar("2024-01-02", close=float("nan")),
        tiingo_bar("2024-01-03", close=None, adjClose=None),
        tiingo_bar("2024-01-04", close=0, volume=10**400, high=[1], low={"a": 1}, open=True),
    ]
    serve_tiingo(peer, "KO", FIRST, LAST, rows)
    nan, missing, odd = tiingo(peer, waits).fetch("KO", FIRST, LAST).bars
    assert math.isnan(nan["close"])
    assert (missing["close"], missing["adj_close"]) == (None, "")
    assert (odd["close"], odd["volume"]) == (0.0, float("inf"))
    assert all(cell is None or isinstance(cell, str | float) for cell in odd.values())


Make = Callable[[Peer, Waits], PriceProvider]
GOOD: dict[str, tuple[Make, str, bytes]] = {
    "tiingo": (
        tiingo,
        TIINGO_PATH,
        b'[{"date":"2024-01-02","open":1,"high":1,"low":1,"close":1,"adjClose":1,"volume":1}]',
    ),
    "stooq": (stooq, STOOQ_PATH, stooq_table(ROW)),
}


@pytest.mark.req("C5")
@pytest.mark.parametrize("name", GOOD)
def test_a_provider_that_was_asked_too_often_is_waited_for_once(peer: Peer, waits: Waits, name: str) -> None:
    make, path, body = GOOD[name]
    provider = make(peer, waits)
    busy = (429, b"", {"Retry-After": "7"})
    serve_in_turn(peer, path, busy, (200, body, {}))
    assert len(provider.fetch("KO", FIRST, LAST).bars) == 1
    assert waits.told == [7.0]
    serve_in_turn(peer, path, busy)
    again = refusal(provider)
    assert (again.code, len(peer.requests)) == ("too_many_requests", 4)
    assert [wait for wait in waits.told if wait > 1] == [7.0, 7.0]
    assert "7 seconds" in again.detail


@pytest.mark.req("C5")
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "3600"}, {"Retry-After": "soon"}])
def test_nobody_waits_without_being_told_or_for_an_hour(
    peer: Peer, waits: Waits, headers: dict[str, str]
) -> None:
    serve_in_turn(peer, STOOQ_PATH, (429, b"", headers))
    assert refusal(stooq(peer, waits)).code == "too_many_requests"
    assert (waits.told, len(peer.requests)) == ([], 1)


@pytest.mark.req("A3")
def test_a_bar_of_stooq_has_its_close_for_adjusted_close_and_says_so(peer: Peer, waits: Waits) -> None:
    peer.serve(STOOQ_PATH, stooq_table(ROW, "2024-01-03,,nan,0,60,"))
    told = stooq(peer, waits).fetch("KO", FIRST, LAST)
    assert told.bars[0] == {
        "symbol": "KO",
        "date": "2024-01-02",
        "open": "59.5",
        "high": "61",
        "low": "59",
        "close": "60.25",
        "volume": "1000",
        "adj_close": "60.25",
    }
    assert told.bars[1]["open"] == ""
    assert told.notes == [ADJUSTED]
    assert asked(peer) == [("/q/d/l/", {"s": ["ko.us"], "i": ["d"], "d1": ["20240102"], "d2": ["20240131"]})]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (STOOQ_KEY_PAGE, "key_needed"),
        (b"<html><a href='/q/d/?s=ko.us&get_apikey'>key</a></html>", "key_needed"),
        (b"Exceeded the daily hits limit", "used_up"),
        (b"No data", "no_bars"),
        (b"no data\r\n", "no_bars"),
        (b"", "no_bars"),
        (stooq_table(), "no_bars"),
        (b"<!DOCTYPE html><html>wait</html>", "bad_answer"),
        (b"Date,Open,High,Low,Close\r\n2024-01-02,1,1,1,1\r\n", "bad_answer"),
        (b"Something else entirely", "bad_answer"),
    ],
)
def test_what_stooq_says_instead_of_prices_is_no_price(
    peer: Peer, waits: Waits, body: bytes, code: str
) -> None:
    peer.serve(STOOQ_PATH, body)
    assert refusal(stooq(peer, waits)).code == code


def test_a_last_row_that_may_be_half_a_row_is_not_believed(peer: Peer, waits: Waits) -> None:
    whole = stooq_table(ROW)
    serve_without_end_mark(peer, STOOQ_PATH, whole)
    assert len(stooq(peer, waits).fetch("KO", FIRST, LAST).bars) == 1
    serve_without_end_mark(peer, STOOQ_PATH, whole[:-4])
    assert refusal(stooq(peer, waits)).code == "cut_short"


@pytest.mark.parametrize("name", GOOD)
def test_a_fault_of_the_provider_is_named(peer: Peer, waits: Waits, name: str) -> None:
    make, path, body = GOOD[name]
    peer.serve(path, body, 503)
    assert refusal(make(peer, waits)).code == "http_503"
    peer.serve(path, bytes(100_001))
    assert refusal(make(peer, waits)).code == "too_large"


def test_nobody_there_is_told() -> None:
    nobody = price_sources("http://127.0.0.1:1", {"127.0.0.1:1"})
    assert refusal(Stooq(nobody, patience=60)).code == "unreachable"
    stranger = price_sources("http://127.0.0.1:1", ())
    assert refusal(Tiingo(KEY, stranger, patience=60)).code == "private_address"


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("KO", "ko.us"), ("BRK.B", "brk-b.us"), ("VOD.UK", "vod.uk"), ("^SPX", "^spx"), ("DE", "de.us"),
        ("US", "us.us"), ("A", "a.us"), ("BF-B", "bf-b.us"),
    ],
)  # fmt: skip
def test_symbols_are_written_as_stooq_does(symbol: str, expected: str) -> None:
    assert stooq_symbol(symbol) == expected


def test_share_classes_are_written_as_tiingo_does() -> None:
    assert [ticker_of(symbol) for symbol in ("KO", "BRK.B")] == ["KO", "BRK-B"]


class Said(GuardedHttp):
    """Gives one body to whoever asks."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def get(self, url: str, headers: Any = None) -> Response:
        return Response(status=200, url=url, headers={}, content=self._content)


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=100).map(lambda tail: stooq_table(ROW) + tail)))
def test_any_body_whatever_is_bars_or_a_refusal(body: bytes) -> None:
    sources = price_sources("https://prices.example", (), http=Said(body))
    of_all: tuple[PriceProvider, ...] = (
        Stooq(sources, patience=0),
        Tiingo(KEY, sources, patience=0),
        Polygon(KEY, sources, patience=0),
        AlphaVantage(KEY, sources, patience=0),
    )
    for provider in of_all:
        try:
            told = provider.fetch("KO", FIRST, LAST)
        except Refused:
            continue
        assert {bar["symbol"] for bar in told.bars} == {"KO"}
