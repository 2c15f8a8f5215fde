"""Finnhub: company news by symbol, its rate limit, its errors, and whatever breaks."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bellwether.adapters.providers.finnhub import targets
from bellwether.adapters.providers.provider import Cursor
from bellwether.domain.entities import Asset
from tests.peers import web
from tests.peers.finnhub import PATH, Finnhub, article
from tests.peers.web import said
from tests.unit.providers.news_rig import KEY, NOW, Broken, Rig, faults, titles

pytestmark = pytest.mark.enable_socket

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with web.site() as site:
        made = Rig("finnhub", site, targets, keys={"news": {"finnhub_key": KEY}})
        made.track(Asset(symbol="AAPL", name="Apple Inc."))
        yield made


@pytest.fixture
def finnhub(rig: Rig) -> Finnhub:
    return Finnhub(rig.site, KEY)


def test_a_target_for_each_american_symbol(rig: Rig) -> None:
    rig.track(
        Asset(symbol="BRK-B", name="Berkshire"),
        Asset(symbol="NESN.SW", name="Nestlé"),
        Asset(symbol="7203.T", name="Toyota"),
    )
    assert [target.target for target in rig.targets()] == ["AAPL", "BRK-B"]
    rig.keys = {}
    assert rig.targets() == []


@pytest.mark.req("C5")
def test_news_of_a_symbol_come_once(rig: Rig, finnhub: Finnhub) -> None:
    finnhub.articles = [article(2, "Second", NOW - HOUR), article(1, "First", NOW - 2 * HOUR)]
    first = rig.fetch()
    assert titles(first) == ["Second", "First"]
    (item, _) = first.items
    assert (item.source, item.source_id, item.author) == ("finnhub", "2", "Yahoo")
    assert (item.published_at, item.text) == (NOW - HOUR, 'More about "Second".')
    (asked,) = rig.site.asked
    assert (asked.one("from"), asked.one("to")) == ("2026-11-21", "2026-11-24")
    assert "token" not in asked.query
    finnhub.articles.insert(0, article(3, "Late", NOW - 20 * HOUR))
    rig.time.later(hours=1)
    assert titles(rig.fetch(first.cursor)) == ["Late"]


def test_a_share_class_is_written_after_a_dot(rig: Rig, finnhub: Finnhub) -> None:
    rig.track(Asset(symbol="BRK-B", name="Berkshire"))
    assert rig.fetch(target=1).health.state == "ok"
    assert rig.site.asked[0].one("symbol") == "BRK.B"


def test_more_than_an_answer_holds_is_said(rig: Rig, finnhub: Finnhub) -> None:
    finnhub.articles = [article(n, f"News {n}", NOW - n * MINUTE) for n in range(300)]
    fetched = rig.fetch()
    assert (fetched.health.state, fetched.health.code, len(fetched.items)) == ("ok", "left_out", 250)
    rig.time.later(hours=1)
    away = rig.fetch(Cursor(since=NOW - timedelta(days=60)))
    assert away.health.code == "left_out"


def test_an_exhausted_minute_is_waited_for(rig: Rig, finnhub: Finnhub) -> None:
    rig.track(Asset(symbol="KO", name="Coca-Cola Co"))
    finnhub.headers = {
        "X_Ratelimit_Remaining": "0",
        "X_Ratelimit_Reset": str(int((NOW + 2 * MINUTE).timestamp())),
    }
    assert rig.fetch().health.state == "ok"
    assert rig.fetch(target=1).health.state == "waiting"
    rig.time.later(minutes=2)
    finnhub.headers = {}
    assert rig.fetch(target=1).health.state == "ok"


def test_a_429_says_in_its_own_header_when_to_come_back(rig: Rig, finnhub: Finnhub) -> None:
    reset = NOW + 7 * MINUTE
    headers = {"X_Ratelimit_Reset": str(int(reset.timestamp()))}
    rig.site.faults.append(web.status(429, b'{"error":"API limit reached."}', **headers))
    fetched = rig.fetch()
    assert (fetched.health.state, fetched.health.code) == ("failing", "too_many_requests")
    assert rig.ports.providers.get("finnhub").not_before == reset
    # a server whose clock is wrong cannot make it wait for ever
    rig.time.later(hours=1)
    rig.site.faults.append(web.status(429, b"", X_Ratelimit_Reset="99999999999"))
    rig.fetch()
    until = rig.ports.providers.get("finnhub").not_before
    assert until is not None
    assert until <= rig.time.now + timedelta(hours=24)


@pytest.mark.parametrize(
    "broken", faults(truncated="bad_answer", not_there="http_404"), ids=lambda one: one.name
)
def test_whatever_breaks_is_known_by_a_code_and_moves_no_cursor(
    rig: Rig, finnhub: Finnhub, broken: Broken, caplog: pytest.LogCaptureFixture
) -> None:
    finnhub.articles = [article(n, f"News {n}", NOW - n * MINUTE) for n in range(1, 9)]
    rig.seconds = 0.5 if broken.name == "trickle" else 5.0
    rig.site.faults.append(broken.fault)
    before = Cursor(since=NOW - 3 * HOUR, seen=("kept",))
    fetched = rig.fetch(before)
    assert fetched.health.code == broken.code, fetched.health.detail
    assert KEY not in f"{fetched}{caplog.text}{rig.ports.providers.get('finnhub')}"
    if broken.code is None:
        assert len(fetched.items) == 8
        return
    assert (fetched.health.state, fetched.items) == ("failing", [])
    assert (fetched.cursor.since, fetched.cursor.seen) == (before.since, ("kept",))
    rig.seconds = 5.0
    rig.time.later(hours=3)
    assert len(rig.fetch(fetched.cursor).items) == 8


@pytest.mark.parametrize(
    ("answer", "code", "of_all"),
    [
        (said({"error": f"Invalid API key {KEY}"}, 401), "key_refused", True),
        (said({"error": "You don't have access to this resource."}, 403), "plan_limit", False),
        (said({"error": f"Something about {KEY}"}), "bad_query", False),
        (said({}), "bad_answer", False),
        (web.Said(200, b"[" * 200_000), "bad_answer", False),
        (said({"error": "Wrong date."}, 422), "http_422", True),
    ],
)
def test_its_own_errors(rig: Rig, answer: web.Said, code: str, of_all: bool) -> None:
    rig.site.route("GET", PATH, lambda _: answer)
    fetched = rig.fetch()
    assert (fetched.health.state, fetched.health.code) == ("failing", code)
    assert KEY not in f"{fetched}{rig.ports.providers.get('finnhub')}"
    assert (fetched.cursor.not_before is None) == of_all


def test_a_symbol_the_plan_does_not_include_is_left_alone_for_a_day_and_others_are_read(
    rig: Rig, finnhub: Finnhub
) -> None:
    rig.track(Asset(symbol="KO", name="Coca-Cola Co"))
    finnhub.closed = {"AAPL"}
    closed = rig.fetch()
    assert closed.cursor.not_before == NOW + timedelta(hours=24)
    assert rig.fetch(target=1).health.state == "ok"


def test_entries_that_are_none_and_dates_that_cannot_be(rig: Rig, finnhub: Finnhub) -> None:
    finnhub.articles = [
        article(1, "Undated", NOW, datetime=0),
        article(2, "Future", NOW, datetime=9_999_999_999),
        article(3, "Number as text", NOW, datetime=str(int((NOW - HOUR).timestamp()))),
        article(4, "", NOW, summary=""),
        article(5, "Without an id", NOW, id=None),
        article(6, "Twice", NOW - HOUR),
        article(6, "Twice", NOW - HOUR),
    ]
    fetched = rig.fetch()
    assert titles(fetched) == ["Undated", "Future", "Number as text", "Twice"]
    assert [item.published_at for item in fetched.items] == [NOW, NOW, NOW - HOUR, NOW - HOUR]
    assert fetched.health.refused == 2
