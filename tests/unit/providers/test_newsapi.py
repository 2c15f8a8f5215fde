"""NewsAPI: read backwards in time as deep as the plan goes, its errors, and whatever breaks."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bellwether.adapters.providers.newsapi import REACH, targets
from bellwether.adapters.providers.provider import Cursor
from bellwether.domain.entities import Asset
from tests.peers import web
from tests.peers.newsapi import PATH, NewsApi, article, error
from tests.unit.providers.news_rig import KEY, NOW, Broken, Rig, faults, titles

pytestmark = pytest.mark.enable_socket

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with web.site() as site:
        made = Rig("newsapi", site, targets, keys={"news": {"newsapi_key": KEY}})
        made.track(Asset(symbol="KO", name="Coca-Cola Co"), Asset(symbol="AAPL", name="Apple Inc."))
        yield made


@pytest.fixture
def newsapi(rig: Rig) -> NewsApi:
    return NewsApi(rig.site, KEY)


def test_without_a_key_or_an_asset_nothing_is_asked(rig: Rig) -> None:
    rig.keys = {"news": {"newsapi_key": ""}}
    assert rig.targets() == []
    rig.keys = {"news": {"newsapi_key": KEY}}
    assert len(rig.targets()) == 1
    for symbol in ("KO", "AAPL"):
        rig.ports.entities.remove("asset", symbol)
    assert rig.targets() == []


@pytest.mark.req("C5")
def test_assets_are_asked_for_by_name_and_each_article_comes_once(rig: Rig, newsapi: NewsApi) -> None:
    newsapi.articles = [
        article("Coke &amp; more", NOW - 25 * HOUR),
        article("[Removed]", NOW - 26 * HOUR),
        article("Without words", NOW - 27 * HOUR, description=None),
    ]
    first = rig.fetch()
    assert titles(first) == ["Coke & more", "Without words"]
    assert [item.text for item in first.items] == [
        "What became of Coke & more.",
        "What became of Without words",
    ]
    (asked,) = rig.site.asked
    assert asked.one("q") == '"Apple Inc" OR "Coca-Cola"'
    assert (first.items[0].source, first.items[0].author) == ("newsapi", "Example News")
    assert (first.health.state, first.health.refused) == ("ok", 1)
    # the plan gives articles a day late: the mark is the newest article, not the clock
    assert first.cursor.since == NOW - 25 * HOUR
    newsapi.articles += [article("Late", NOW - 26 * HOUR), article("New", NOW - 24 * HOUR)]
    rig.time.later(hours=1)
    assert titles(rig.fetch(first.cursor)) == ["New", "Late"]


def test_a_full_page_is_followed_by_the_one_before_it(rig: Rig, newsapi: NewsApi) -> None:
    newsapi.articles = [article(f"News {n}", NOW - n * MINUTE) for n in range(250)]
    cursor, seen = Cursor(), set[str]()
    reads = 0
    while reads == 0 or cursor.page is not None:
        fetched = rig.fetch(cursor)
        assert fetched.health.state == "ok", fetched.health
        seen |= {item.source_id for item in fetched.items}
        cursor, reads = fetched.cursor, reads + 1
        if cursor.page is not None:
            assert (cursor.since, cursor.not_before) == (None, None)
        rig.time.later(minutes=16)
    assert (len(seen), reads) == (250, 3)
    assert cursor.since == NOW
    assert cursor.not_before is not None


def test_back_fill_is_bounded_and_says_so(rig: Rig, newsapi: NewsApi) -> None:
    newsapi.articles = [article(f"News {n}", NOW - n * MINUTE) for n in range(1_000)]
    fetched = rig.fetch()
    while fetched.cursor.page is not None:
        rig.time.later(minutes=16)
        fetched = rig.fetch(fetched.cursor)
    assert (fetched.health.state, fetched.health.code) == ("ok", "left_out")
    assert len(rig.site.asked) == REACH.pages
    # as many at one moment as a page holds do not make it ask for ever
    newsapi.articles = [article(f"At once {n}", NOW) for n in range(200)]
    rig.time.later(hours=1)
    fetched = rig.fetch(Cursor(since=NOW - HOUR, page=NOW.isoformat()))
    assert (fetched.cursor.page, fetched.health.code) == (None, "left_out")


def test_a_desk_that_was_away_asks_for_no_more_than_the_plan_has(rig: Rig, newsapi: NewsApi) -> None:
    fetched = rig.fetch(Cursor(since=NOW - timedelta(days=90)))
    assert (fetched.health.state, fetched.health.code) == ("ok", "left_out")


@pytest.mark.parametrize("broken", faults(), ids=lambda one: one.name)
def test_whatever_breaks_is_known_by_a_code_and_moves_no_cursor(
    rig: Rig, newsapi: NewsApi, broken: Broken, caplog: pytest.LogCaptureFixture
) -> None:
    newsapi.articles = [article(f"News {n}", NOW - n * MINUTE) for n in range(1, 9)]
    rig.seconds = 0.5 if broken.name == "trickle" else 5.0
    rig.site.faults.append(broken.fault)
    before = Cursor(since=NOW - 3 * HOUR, seen=("kept",))
    fetched = rig.fetch(before)
    assert fetched.health.code == broken.code, fetched.health.detail
    assert KEY not in f"{fetched}{caplog.text}{rig.ports.providers.get('newsapi')}"
    if broken.code is None:
        assert len(fetched.items) == 8
        return
    assert (fetched.health.state, fetched.items) == ("failing", [])
    assert (fetched.cursor.since, fetched.cursor.page, fetched.cursor.seen) == (before.since, None, ("kept",))
    rig.seconds = 5.0
    rig.time.later(hours=3)
    assert len(rig.fetch(fetched.cursor).items) == 8


@pytest.mark.parametrize(
    ("answer", "code", "of_all"),
    [
        (error(401, "apiKeyInvalid", f"Your API key {KEY} is invalid."), "key_refused", True),
        (error(401, "apiKeyMissing", "Your API key is missing."), "key_refused", True),
        (error(200, "apiKeyDisabled", "Your API key has been disabled."), "key_refused", True),
        (error(429, "rateLimited", "You have made too many requests recently."), "used_up", True),
        (error(401, "apiKeyExhausted", "Your API key has no more requests."), "used_up", True),
        (error(426, "maximumResultsReached", "You have requested too many results."), "plan_limit", False),
        (error(400, "parameterInvalid", f"Your q is malformed. {KEY}"), "bad_query", False),
        (error(200, "unexpectedError", "Oops."), "bad_query", False),
        (error(500, "unexpectedError", "Oops."), "http_500", True),
    ],
)
def test_its_own_errors(rig: Rig, answer: web.Said, code: str, of_all: bool) -> None:
    rig.site.route("GET", PATH, lambda _: answer)
    fetched = rig.fetch(Cursor(since=NOW - HOUR))
    assert (fetched.health.state, fetched.health.code) == ("failing", code)
    assert KEY not in f"{fetched}{rig.ports.providers.get('newsapi')}"
    assert fetched.cursor.since == NOW - HOUR
    assert (fetched.cursor.not_before is None) == of_all


def test_entries_that_are_none_and_dates_that_cannot_be(rig: Rig, newsapi: NewsApi) -> None:
    newsapi.articles = [
        article("Future", NOW + timedelta(days=40_000)),
        article("Undated", NOW, publishedAt="soon"),
        article("Wrong type", NOW, url=7),
        article(None, NOW - MINUTE, description=None, content=None),
        article("Twice", NOW - MINUTE),
        article("Twice", NOW - MINUTE),
        article("Halved \ud83d", NOW - MINUTE, source=None),
    ]
    fetched = rig.fetch()
    assert sorted(map(str, titles(fetched))) == ["Future", "Halved ?", "Twice", "Undated"]
    assert all(item.published_at <= NOW for item in fetched.items)
    assert fetched.health.refused == 2
    assert fetched.cursor.since == NOW - MINUTE
