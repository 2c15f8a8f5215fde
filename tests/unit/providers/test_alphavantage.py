"""Alpha Vantage: all news in one call, a key that may be shown nowhere, errors with status 200."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bellwether.adapters.providers.alphavantage import LIMIT, targets
from bellwether.adapters.providers.provider import Cursor
from bellwether.domain.entities import Asset
from tests.peers import web
from tests.peers.alphavantage import (
    NO_KEY,
    OLD_NOTE,
    PATH,
    PREMIUM,
    TOO_QUICK,
    AlphaVantage,
    article,
    used_up,
)
from tests.peers.web import said
from tests.unit.providers.news_rig import KEY, NOW, Broken, Rig, faults, titles

pytestmark = pytest.mark.enable_socket

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with web.site() as site:
        made = Rig("alphavantage", site, targets, keys={"news": {"alphavantage_key": KEY}})
        made.track(Asset(symbol="AAPL", name="Apple Inc."), Asset(symbol="BRK.B", name="Berkshire"))
        yield made


@pytest.fixture
def vantage(rig: Rig) -> AlphaVantage:
    return AlphaVantage(rig.site, KEY)


def test_without_a_key_or_an_american_symbol_nothing_is_asked(rig: Rig) -> None:
    assert len(rig.targets()) == 1
    rig.keys = {}
    assert rig.targets() == []
    rig.keys = {"news": {"alphavantage_key": KEY}}
    for symbol in ("AAPL", "BRK.B"):
        rig.ports.entities.remove("asset", symbol)
    assert rig.targets() == []


@pytest.mark.req("C5")
def test_of_all_news_those_about_a_tracked_symbol_are_taken_once(rig: Rig, vantage: AlphaVantage) -> None:
    vantage.articles = [
        article("Apple sells", NOW - HOUR, "MSFT", "AAPL"),
        article("Others sell", NOW - HOUR, "MSFT", "CRYPTO:BTC"),
        article("Berkshire buys", NOW - 2 * HOUR, "BRK-B"),
        article("Nobody", NOW - HOUR),
    ]
    first = rig.fetch()
    assert titles(first) == ["Apple sells", "Berkshire buys"]
    (item, _) = first.items
    assert (item.source, item.author, item.text) == (
        "alphavantage",
        "Example News",
        "More about Apple sells.",
    )
    assert (item.published_at, first.cursor.since) == (NOW - HOUR, NOW - HOUR)
    (asked,) = rig.site.asked
    assert (asked.one("time_from"), asked.one("limit")) == ("20261122T1800", str(LIMIT))
    vantage.articles.append(article("Late about Apple", NOW - 90 * MINUTE, "AAPL"))
    rig.time.later(hours=2)
    assert titles(rig.fetch(first.cursor)) == ["Late about Apple"]


def test_half_of_the_day_is_left_for_prices(rig: Rig, vantage: AlphaVantage) -> None:
    cursor = Cursor()
    for _ in range(24 * 12):
        fetched = rig.fetch(cursor)
        cursor = fetched.cursor if fetched.health.state != "waiting" else cursor
        rig.time.later(minutes=5)
    assert 11 <= 25 - vantage.allowed <= 13


def test_a_full_answer_is_followed_by_the_one_before_it(rig: Rig, vantage: AlphaVantage) -> None:
    vantage.articles = [article(f"News {n}", NOW - n * MINUTE, "AAPL") for n in range(700)]
    fetched = rig.fetch()
    seen = {item.source_id for item in fetched.items}
    assert (fetched.cursor.since, len(seen)) == (None, LIMIT)
    rig.time.later(minutes=5)
    fetched = rig.fetch(fetched.cursor)
    seen |= {item.source_id for item in fetched.items}
    assert (fetched.cursor.since, fetched.cursor.page, len(seen)) == (NOW, None, 700)


@pytest.mark.parametrize("broken", faults(), ids=lambda one: one.name)
def test_whatever_breaks_is_known_by_a_code_and_moves_no_cursor(
    rig: Rig, vantage: AlphaVantage, broken: Broken, caplog: pytest.LogCaptureFixture
) -> None:
    vantage.articles = [article(f"News {n}", NOW - n * MINUTE, "AAPL") for n in range(1, 9)]
    rig.seconds = 0.5 if broken.name == "trickle" else 5.0
    rig.site.faults.append(broken.fault)
    before = Cursor(since=NOW - 3 * HOUR, seen=("kept",))
    fetched = rig.fetch(before)
    assert fetched.health.code == broken.code, fetched.health.detail
    assert KEY not in f"{fetched}{caplog.text}{rig.ports.providers.get('alphavantage')}"
    if broken.code is None:
        assert len(fetched.items) == 8
        return
    assert (fetched.health.state, fetched.items) == ("failing", [])
    assert (fetched.cursor.since, fetched.cursor.page, fetched.cursor.seen) == (before.since, None, ("kept",))
    rig.seconds = 5.0
    rig.time.later(hours=3)
    assert len(rig.fetch(fetched.cursor).items) == 8


@pytest.mark.req("C5")
@pytest.mark.parametrize(
    ("told", "code", "wait"),
    [
        ({"Information": used_up(KEY)}, "used_up", timedelta(hours=6)),
        ({"Note": OLD_NOTE}, "used_up", timedelta(hours=6)),
        ({"Information": TOO_QUICK}, "too_many_requests", timedelta(seconds=5)),
        ({"Error Message": NO_KEY}, "key_refused", HOUR),
        ({"Information": PREMIUM}, "plan_limit", None),
        ({"Information": f"Invalid inputs for {KEY}.\u202e\n"}, "bad_query", None),
    ],
)
def test_errors_come_with_status_200(
    rig: Rig, told: dict[str, str], code: str, wait: timedelta | None
) -> None:
    rig.site.route("GET", PATH, lambda _: said(told))
    fetched = rig.fetch(Cursor(since=NOW - HOUR))
    assert (fetched.health.state, fetched.health.code) == ("failing", code)
    shown = f"{fetched}{rig.ports.providers.get('alphavantage')}"
    assert KEY not in shown
    assert "\u202e" not in shown
    until = rig.ports.providers.get("alphavantage").not_before
    assert until == (NOW + wait if wait else None)
    assert fetched.cursor.since == NOW - HOUR


def test_a_used_up_day_is_known_to_whoever_asks_for_prices_too(rig: Rig, vantage: AlphaVantage) -> None:
    vantage.allowed = 0
    rig.fetch()
    assert rig.fetch().health.state == "waiting"
    assert len(rig.site.asked) == 1


def test_a_redirect_to_another_host_gets_no_key(rig: Rig, vantage: AlphaVantage) -> None:
    with web.site() as other:
        rig.site.faults.append(web.redirect(f"{other.address}/query"))
        fetched = rig.fetch()
        assert fetched.health.code == "private_address"
        assert other.asked == []


def test_entries_that_are_none_and_dates_that_cannot_be(rig: Rig, vantage: AlphaVantage) -> None:
    vantage.articles = [
        article("Future", NOW, "AAPL", time_published="20991231T000000"),
        article("Undated", NOW, "AAPL", time_published="soon"),
        article("To the minute", NOW, "AAPL", time_published="20261123T0530"),
        article("Wrong type", NOW, "AAPL", ticker_sentiment="AAPL"),
        article("", NOW - HOUR, "AAPL", summary=None),
        article("Null ticker", NOW - HOUR, "AAPL", ticker_sentiment=[{"ticker": None}, {"ticker": "AAPL"}]),
        article("No tickers", NOW - HOUR, ticker_sentiment=None),
    ]
    fetched = rig.fetch()
    assert sorted(map(str, titles(fetched))) == ["Future", "Null ticker", "To the minute", "Undated"]
    assert all(item.published_at <= NOW for item in fetched.items)
    assert fetched.health.refused == 2
