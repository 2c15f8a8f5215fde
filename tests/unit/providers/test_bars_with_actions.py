"""Polygon and Alpha Vantage: bars as traded with the splits and dividends told beside; Tiingo's actions."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from bellwether.adapters.providers.guarded_http import Refused
from bellwether.adapters.providers.prices.alphavantage import COMPACT, AlphaVantage
from bellwether.adapters.providers.prices.polygon import MOST_PAGES, Polygon
from bellwether.adapters.providers.prices.stooq import Stooq
from bellwether.adapters.providers.prices.tiingo import Tiingo
from bellwether.domain.corporate_actions import Dividend, Split
from tests.peers import alphavantage as news
from tests.peers import alphavantage_bars as alphavantage
from tests.peers import market_data, polygon
from tests.peers.feeds import feed_peer
from tests.peers.market_data import Waits, price_sources
from tests.peers.web import Site, said, site

pytestmark = pytest.mark.enable_socket

FIRST, LAST = date(2024, 1, 2), date(2024, 1, 31)


@pytest.fixture
def served() -> Iterator[Site]:
    with site() as started:
        yield started


@pytest.fixture
def massive(served: Site) -> polygon.Polygon:
    """Two closes, a split of two to one on the second day and a dividend on the third."""
    return polygon.Polygon(
        served,
        bars={
            "KO": [
                polygon.aggregate("2024-01-02", 120.0),
                polygon.aggregate("2024-01-03", 60.0),
                polygon.aggregate("2024-01-04", 57.0),
            ]
        },
        splits=[polygon.split("KO", "2024-01-03", 1, 2), polygon.split("PEP", "2024-01-03", 1, 3)],
        dividends=[polygon.dividend("KO", "2024-01-04", 3.0)],
    )


@pytest.fixture
def vantage(served: Site) -> alphavantage.AlphaVantage:
    """The same as Alpha Vantage tells it."""
    return alphavantage.AlphaVantage(
        served,
        series={
            "KO": {
                "2024-01-02": alphavantage.daily("120.0000"),
                "2024-01-03": alphavantage.daily("60.0000"),
                "2024-01-04": alphavantage.daily("57.0000"),
            }
        },
        splits=[{"effective_date": "2024-01-03", "split_factor": "2.0000"}],
        dividends=[
            {"ex_dividend_date": "2024-01-04", "amount": "3.0", "declaration_date": "None"},
            {"ex_dividend_date": "None", "amount": "None"},
        ],
    )


def of_polygon(served: Site, waits: Waits | None = None) -> Polygon:
    return Polygon(polygon.KEY, price_sources(served.address, {served.host}, waits), patience=60)


def of_vantage(served: Site, waits: Waits | None = None, key: str = alphavantage.KEY) -> AlphaVantage:
    return AlphaVantage(key, price_sources(served.address, {served.host}, waits), patience=60)


def by_day(bars: list[dict[str, object]]) -> dict[object, object]:
    return {bar["date"]: bar["adj_close"] for bar in bars}


@pytest.mark.req("A3")
def test_adjusted_closes_are_made_from_what_polygon_tells(served: Site, massive: polygon.Polygon) -> None:
    told = of_polygon(served).fetch("KO", FIRST, LAST)
    # the dividend takes 3 of 60 off what was before, the split halves what was before it
    assert by_day(told.bars) == pytest.approx({"2024-01-02": 57.0, "2024-01-03": 57.0, "2024-01-04": 57.0})
    assert [bar["close"] for bar in told.bars] == [120.0, 60.0, 57.0]
    assert told.splits == [Split(date=date(2024, 1, 3), ratio=2.0)]
    assert told.dividends == [Dividend(date=date(2024, 1, 4), cash=3.0)]
    assert told.tells_actions
    assert all(polygon.KEY not in str(asked.query) + asked.path for asked in served.asked)


@pytest.mark.req("A3")
def test_what_was_paid_after_the_last_day_asked_for_is_adjusted_for(
    served: Site, massive: polygon.Polygon
) -> None:
    told = of_polygon(served).fetch("KO", FIRST, date(2024, 1, 3))
    assert by_day(told.bars) == pytest.approx({"2024-01-02": 57.0, "2024-01-03": 57.0})


@pytest.mark.req("A3")
def test_all_pages_are_followed_on_the_same_host_alone(served: Site, massive: polygon.Polygon) -> None:
    massive.page = 2
    assert len(of_polygon(served).fetch("KO", FIRST, LAST).bars) == 3
    assert len(served.asked) == 4
    for elsewhere in (
        "https://api.massive.example",
        "http://127.0.0.1:1",
        f"http://me@{served.host}",
        "http://[",
        "ftp://",
    ):
        massive.next_host = elsewhere
        with pytest.raises(Refused) as refused:
            of_polygon(served).fetch("KO", FIRST, LAST)
        assert refused.value.code == "foreign_page"
        assert elsewhere not in refused.value.detail


def test_an_answer_without_end_is_given_up(served: Site, massive: polygon.Polygon) -> None:
    endless = {"status": "OK", "results": [], "next_url": served.address + "/v2/aggs/ticker/KO"}
    served.route("GET", "/v2/aggs/ticker/*", lambda _: said(endless))
    with pytest.raises(Refused) as refused:
        of_polygon(served, Waits()).fetch("KO", FIRST, LAST)
    assert (refused.value.code, len(served.asked)) == ("too_many_pages", MOST_PAGES)
    assert not refused.value.about_all


def test_days_the_plan_does_not_have_and_unknown_tickers_concern_one_symbol(
    served: Site, massive: polygon.Polygon
) -> None:
    massive.oldest = date(2024, 1, 15)
    for symbol, code in (("KO", "not_in_plan"), ("XQZ", "no_bars")):
        with pytest.raises(Refused) as refused:
            of_polygon(served).fetch(symbol, FIRST if symbol == "KO" else massive.oldest, LAST)
        assert (refused.value.code, refused.value.about_all) == (code, False)


def test_bars_without_a_figure_cost_themselves_alone(served: Site, massive: polygon.Polygon) -> None:
    massive.bars["KO"].append(polygon.aggregate("2024-01-05", None))
    massive.bars["KO"].append(polygon.aggregate("2024-01-08", "56.5"))
    bars = of_polygon(served).fetch("KO", FIRST, LAST).bars
    assert by_day(bars)["2024-01-05"] == ""
    assert by_day(bars)["2024-01-08"] == pytest.approx(56.5)


@pytest.mark.req("A3")
def test_adjusted_closes_are_made_from_what_alpha_vantage_tells(
    served: Site, vantage: alphavantage.AlphaVantage
) -> None:
    told = of_vantage(served).fetch("KO", FIRST, LAST)
    assert by_day(told.bars) == pytest.approx({"2024-01-02": 57.0, "2024-01-03": 57.0, "2024-01-04": 57.0})
    assert told.splits == [Split(date=date(2024, 1, 3), ratio=2.0)]
    assert told.dividends == [Dividend(date=date(2024, 1, 4), cash=3.0)]
    assert told.notes == []
    older = of_vantage(served).fetch("KO", date(2023, 1, 1), LAST)
    assert older.notes == [COMPACT]
    part = of_vantage(served).fetch("KO", date(2024, 1, 3), date(2024, 1, 3))
    assert by_day(part.bars) == pytest.approx({"2024-01-03": 57.0})


@pytest.mark.req("C5", "S4")
@pytest.mark.parametrize(
    ("words", "code", "about_all"),
    [
        ({"Information": alphavantage.DAILY.format(key=alphavantage.KEY)}, "used_up", True),
        ({"Note": alphavantage.MINUTELY}, "too_many_requests", True),
        ({"Information": news.TOO_QUICK}, "too_many_requests", True),
        ({"Note": news.OLD_NOTE}, "too_many_requests", True),
        ({"Information": alphavantage.PREMIUM}, "not_in_plan", False),
        ({"Error Message": alphavantage.BAD_KEY}, "key_refused", True),
        ({"Error Message": alphavantage.UNKNOWN}, "unknown_symbol", False),
        ({"Information": "The **demo** API key is for demo purposes only."}, "key_refused", True),
        ({"Information": {"odd": 1}}, "bad_answer", True),
        ({}, "bad_answer", True),
        ({"Time Series (Daily)": []}, "bad_answer", True),
    ],
)
def test_what_alpha_vantage_says_instead_of_bars(
    served: Site,
    words: dict[str, object],
    code: str,
    about_all: bool,
) -> None:
    served.route("GET", "/query", lambda _: said(words))
    with pytest.raises(Refused) as refused:
        of_vantage(served).fetch("KO", FIRST, LAST)
    assert (refused.value.code, refused.value.about_all) == (code, about_all)
    assert alphavantage.KEY not in refused.value.detail


@pytest.mark.req("C5")
def test_a_quota_that_is_used_up_is_kept_for_everybody_who_asks(
    served: Site, vantage: alphavantage.AlphaVantage
) -> None:
    vantage.calls_left = 0
    sources = price_sources(served.address, {served.host})
    for code in ("used_up", "asked_to_wait"):
        with pytest.raises(Refused) as refused:
            AlphaVantage(alphavantage.KEY, sources, patience=60).fetch("KO", FIRST, LAST)
        assert refused.value.code == code
    assert len(served.asked) == 1


@pytest.mark.req("C5")
def test_calls_are_spaced_as_the_quota_says_and_no_longer_than_patience(
    served: Site, massive: polygon.Polygon
) -> None:
    waits = Waits()
    provider = of_polygon(served, waits)
    for _ in range(3):
        provider.fetch("KO", FIRST, LAST)
    minute = timedelta(minutes=1).total_seconds()
    assert sum(waits.told) >= (len(served.asked) - 5) / 5 * minute - 1
    impatient = Polygon(polygon.KEY, price_sources(served.address, {served.host}, waits), patience=0.0)
    with pytest.raises(Refused) as refused:
        impatient.fetch("KO", FIRST, LAST)
    assert refused.value.code == "quota"


@pytest.mark.req("A3")
def test_tiingos_ex_dates_are_corporate_actions() -> None:
    with feed_peer() as peer:
        rows = [
            market_data.tiingo_bar("2024-01-02"),
            market_data.tiingo_bar("2024-01-03", splitFactor=7.0),
            market_data.tiingo_bar("2024-01-04", divCash=0.5, splitFactor="1.0"),
            market_data.tiingo_bar("2024-01-05", divCash=None, splitFactor=None),
            market_data.tiingo_bar("2024-01-08", divCash="-1", splitFactor=float("inf")),
        ]
        market_data.serve_tiingo(peer, "KO", FIRST, LAST, rows)
        told = Tiingo(market_data.KEY, price_sources(peer.address, {peer.host}), patience=0).fetch(
            "KO", FIRST, LAST
        )
    assert told.splits == [Split(date=date(2024, 1, 3), ratio=7.0)]
    assert told.dividends == [Dividend(date=date(2024, 1, 4), cash=0.5)]
    assert told.tells_actions


@pytest.mark.req("S4")
def test_stooqs_key_goes_with_the_address_and_is_refused_by_name() -> None:
    with feed_peer() as peer:
        path = market_data.stooq_path("ko.us", FIRST, LAST) + "&apikey=stooqkey1"
        peer.serve(path, market_data.stooq_table("2024-01-02,59.5,61,59,60.25,1000"))
        sources = price_sources(peer.address, {peer.host})
        provider = Stooq(sources, patience=60, key="stooqkey1")
        told = provider.fetch("KO", FIRST, LAST)
        assert (len(told.bars), told.tells_actions) == (1, False)
        peer.serve(path, market_data.STOOQ_KEY_PAGE)
        with pytest.raises(Refused) as refused:
            provider.fetch("KO", FIRST, LAST)
        assert refused.value.code == "key_refused"
        assert "stooqkey1" not in refused.value.detail
