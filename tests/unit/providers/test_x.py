"""X over HTTP: what is searched for, pages and rounds, edits, what it costs, and all that goes wrong."""

import dataclasses
import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.polling import poll, read_cursor
from bellwether.adapters.providers.provider import Cursor, Fetched, Provider
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.terms import TERMS
from bellwether.adapters.providers.x import MOST_PAGES, MOST_PAGES_BACK, targets
from bellwether.adapters.providers.x_queries import LONGEST, asset_queries, length, tracked_query
from bellwether.domain.entities import Asset, Query
from bellwether.domain.items import Kind
from tests.peers.faults import FAULTS
from tests.peers.web import Fault, changed, packed, said, site, status
from tests.peers.x import KEY, XPeer, snowflake

pytestmark = pytest.mark.enable_socket

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AUTHOR = 0.010
POST = 0.005


@pytest.fixture
def peer() -> Iterator[XPeer]:
    with site() as started:
        yield XPeer(started, NOW)


def ports() -> MemoryPorts:
    made = MemoryPorts()
    made.entities.put("asset", "KO", Asset(symbol="KO", name="Coca-Cola Company"))
    return made


def sources(
    peer: XPeer, with_ports: MemoryPorts | None = None, *, key: str = KEY, daily: float = 5.0
) -> Sources:
    made = with_ports or ports()
    terms = {**TERMS, "x": replace(TERMS["x"], daily_dollars=daily)}
    return Sources(
        entities=made.entities,
        http=GuardedHttp(trusted={peer.site.host}, seconds=2),
        records=made.providers,
        clock=lambda: peer.now,
        keys={"x": {"bearer_token": key}},
        terms=terms,
        addresses={"x": peer.site.address},
        sleep=lambda _: None,
    )


def target(peer: XPeer, with_ports: MemoryPorts | None = None) -> Provider:
    return targets(sources(peer, with_ports))[0]


def texts(fetched: Fetched) -> list[str | None]:
    return [item.text for item in fetched.items]


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.req("A3")
def test_a_post_is_an_item_with_its_author_and_counts(peer: XPeer) -> None:
    post = peer.add("$KO &amp; friends rise &lt;3", ago(5))
    fetched = target(peer).fetch(Cursor(), NOW)
    (item,) = fetched.items
    assert (item.source, item.source_id, item.text) == ("x", post, "$KO & friends rise <3")
    assert (item.published_at, item.observed_at) == (ago(5), NOW)
    assert (item.author, item.lang, item.url) == ("2244994945", "en", f"https://x.com/i/web/status/{post}")
    assert item.engagement == {
        "likes": 27, "reposts": 3, "replies": 4, "quotes": 1, "views": 1_234,
        "author_followers": 583_423, "author_age_days": 4_729,
    }  # fmt: skip
    assert fetched.cursor.since_id == post
    assert (fetched.health.state, fetched.cost.calls) == ("ok", 1)


def test_a_long_post_is_read_whole_and_a_quote_is_no_repost(peer: XPeer) -> None:
    whole = "$KO " + "word " * 200
    peer.add("$KO word word…", ago(5), note_tweet={"text": whole})
    peer.add("look at $KO", ago(4), referenced_tweets=[{"type": "quoted", "id": "1"}])
    quote, long = target(peer).fetch(Cursor(), NOW).items
    assert long.text == whole.strip()
    assert quote.repost_of is None


def test_retweets_are_not_paid_for_unless_somebody_asks(peer: XPeer) -> None:
    made = ports()
    made.entities.put("query", "q", Query(text="KO OR is:retweet"))
    peer.add("RT @a: $KO rises", ago(5), referenced_tweets=[{"type": "retweeted", "id": "77"}])
    assets, search = targets(sources(peer, made))
    assert assets.fetch(Cursor(), NOW).items == []
    assert [item.repost_of for item in search.fetch(Cursor(), NOW).items] == ["77"]


@pytest.mark.req("A3")
def test_the_next_read_asks_only_for_what_is_newer(peer: XPeer) -> None:
    peer.add("$KO one", ago(5))
    first = target(peer).fetch(Cursor(), NOW)
    newest = peer.add("$KO two", ago(2))
    second = target(peer).fetch(first.cursor, NOW + MINUTE)
    assert texts(second) == ["$KO two"]
    asked = peer.site.asked[-1]
    assert (asked.one("since_id"), asked.one("start_time")) == (first.cursor.since_id, None)
    nothing = target(peer).fetch(second.cursor, NOW + 2 * MINUTE)
    assert (nothing.items, nothing.health.state, nothing.cursor.since_id) == ([], "ok", newest)


@pytest.mark.req("A3")
def test_what_is_longer_than_a_round_goes_on_in_the_next_and_misses_nothing(peer: XPeer) -> None:
    made = ports()
    start = target(peer, made).fetch(Cursor(since_id=peer.add("$KO start", ago(50))), NOW)
    wanted = [peer.add(f"$KO number {n}", ago(40) + timedelta(seconds=n)) for n in range(450)]
    first = target(peer, made).fetch(start.cursor, NOW)
    assert len(first.items) == MOST_PAGES * 100
    assert first.cursor.since_id == start.cursor.since_id, "the cursor moves when the walk is through"
    assert (first.cursor.first_id, first.cursor.pages) == (wanted[-1], MOST_PAGES)
    meanwhile = peer.add("$KO meanwhile", ago(1))
    second = target(peer, made).fetch(first.cursor, NOW + MINUTE)
    third = target(peer, made).fetch(second.cursor, NOW + 2 * MINUTE)
    assert second.cursor == replace(second.cursor, since_id=wanted[-1], page=None, first_id=None, pages=0)
    got = [item.source_id for read in (first, second, third) for item in read.items]
    assert sorted(got) == sorted([*wanted, meanwhile])


def test_a_walk_back_is_bounded_and_says_what_it_left_out(peer: XPeer) -> None:
    made = ports()
    floor = peer.add("$KO floor", ago(50))
    newest = ""
    for n in range(MOST_PAGES_BACK * 100 + 1):
        newest = peer.add(f"$KO number {n}", ago(40) + timedelta(milliseconds=n))
    cursor, read, codes = Cursor(since_id=floor), 0, []
    terms = {**TERMS, "x": replace(TERMS["x"], daily_dollars=None, monthly_dollars=None)}
    one = targets(dataclasses.replace(sources(peer, made), terms=terms))[0]
    for _ in range(7):
        fetched = one.fetch(cursor, NOW)
        cursor, read = fetched.cursor, read + len(fetched.items)
        codes.append(fetched.health.code)
    assert (read, cursor.since_id, cursor.page) == (MOST_PAGES_BACK * 100, newest, None)
    assert codes == [None] * 6 + ["left_out"]


@pytest.mark.req("A3")
def test_a_desk_that_slept_for_weeks_looks_seven_days_back(peer: XPeer) -> None:
    peer.add("$KO ten days", NOW - timedelta(days=10))
    peer.add("$KO six days", NOW - timedelta(days=6))
    slept = Cursor(since_id=snowflake(NOW - timedelta(days=12)))
    fetched = target(peer).fetch(slept, NOW)
    assert (texts(fetched), fetched.health.state) == (["$KO six days"], "ok")


def test_the_server_may_find_an_id_too_old_that_is_not_by_our_clock(peer: XPeer) -> None:
    peer.add("$KO six days", NOW - timedelta(days=6))
    ours = NOW - timedelta(hours=2)
    slept = Cursor(since_id=snowflake(NOW - timedelta(days=7, hours=1)))
    fetched = target(peer).fetch(slept, ours)
    assert (texts(fetched), fetched.health.state) == ([], "failing"), "even the window begins too early"
    fetched = target(peer).fetch(slept, NOW - timedelta(minutes=10))
    assert texts(fetched) == ["$KO six days"]


def test_a_page_that_is_gone_is_walked_to_again(peer: XPeer) -> None:
    made = ports()
    floor = peer.add("$KO floor", ago(50))
    wanted = [peer.add(f"$KO number {n}", ago(40) + timedelta(seconds=n)) for n in range(350)]
    first = target(peer, made).fetch(Cursor(since_id=floor), NOW)
    peer.tokens.clear()
    second = target(peer, made).fetch(first.cursor, NOW + MINUTE)
    third = target(peer, made).fetch(second.cursor, NOW + 2 * MINUTE)
    got = {item.source_id for read in (first, second, third) for item in read.items}
    assert got == set(wanted)


def test_a_page_of_another_query_is_not_asked_for(peer: XPeer) -> None:
    made = ports()
    floor = peer.add("$KO floor", ago(50))
    for n in range(350):
        peer.add(f"$KO number {n}", ago(40) + timedelta(seconds=n))
    first = target(peer, made).fetch(Cursor(since_id=floor), NOW)
    made.entities.put("asset", "AAPL", Asset(symbol="AAPL", name="Apple"))
    target(peer, made).fetch(first.cursor, NOW + MINUTE)
    asked = peer.site.asked[MOST_PAGES]
    assert ("$AAPL" in (asked.one("query") or ""), asked.one("next_token")) == (True, None)
    assert asked.one("since_id") == floor


@pytest.mark.req("A3")
@pytest.mark.parametrize("history", ["edit_history_tweet_ids", "edit_history_post_ids"])
def test_an_edited_post_is_the_same_post(peer: XPeer, history: str) -> None:
    peer.history = history
    made = ports()
    post = peer.add("$KO first version", ago(5))
    first = target(peer, made).fetch(Cursor(), NOW)
    peer.edit(post, "$KO second version", ago(2))
    again = target(peer, made).fetch(first.cursor, NOW + MINUTE)
    assert again.items == [], "it was read under the same id"
    fresh = target(peer, made).fetch(Cursor(), NOW + MINUTE)
    (item,) = fresh.items
    assert (item.source_id, item.text) == (post, "$KO second version")
    assert abs(item.published_at - ago(5)) < timedelta(seconds=1), "when it was first written"
    assert int(fresh.cursor.since_id or 0) > int(post)


def test_an_entry_that_is_none_is_counted_and_sinks_nothing(peer: XPeer) -> None:
    for n in range(4):
        peer.add(f"$KO number {n}", ago(5 + n))

    def spoil(body: bytes) -> bytes:
        document = json.loads(body)
        document["data"][0] = {"id": 12, "text": "number for an id"}
        document["data"][1]["public_metrics"] = {"like_count": None}
        document["data"][2]["text"] = ""
        document["errors"] = [{"title": "Authorization Error", "detail": "not allowed to see a user"}]
        del document["includes"]
        return json.dumps(document).encode()

    peer.site.faults.append(changed(spoil))
    fetched = target(peer).fetch(Cursor(), NOW)
    assert (texts(fetched), fetched.health.refused) == (["$KO number 1", "$KO number 3"], 2)
    assert fetched.items[0].engagement == {}


def test_posts_from_the_future_count_as_written_when_they_were_read(peer: XPeer) -> None:
    peer.add("$KO soon", ago(2), created_at="2031-01-01T00:00:00.000Z")
    peer.add("$KO undated", ago(3), created_at=None)
    soon, undated = target(peer).fetch(Cursor(), NOW).items
    assert soon.published_at == NOW
    assert abs(undated.published_at - ago(3)) < timedelta(seconds=1), "its id says when"


def test_a_packed_answer_is_read(peer: XPeer) -> None:
    peer.add("$KO packed", ago(2))
    peer.site.faults.append(packed)
    assert texts(target(peer).fetch(Cursor(), NOW)) == ["$KO packed"]


@pytest.mark.req("A3")
def test_each_post_and_author_is_paid_for_and_what_did_not_come_is_not(peer: XPeer) -> None:
    made = ports()
    for n in range(120):
        peer.add(f"$KO number {n}", ago(30) + timedelta(seconds=n), author=str(1_000 + n % 7))
    fetched = target(peer, made).fetch(Cursor(), NOW)
    assert (peer.posts_read, peer.users_read) == (120, 14)
    expected = 120 * POST + 14 * AUTHOR
    assert fetched.cost.dollars == pytest.approx(expected)
    assert made.providers.get("x").dollars_today == pytest.approx(expected)


@pytest.mark.req("A3")
def test_the_day_s_budget_is_never_passed_and_its_rest_is_used_in_small_pages(peer: XPeer) -> None:
    made = ports()
    for n in range(60):
        peer.add(f"$KO number {n}", ago(30) + timedelta(seconds=n))
    one = targets(sources(peer, made, daily=0.3))[0]
    fetched = one.fetch(Cursor(), NOW)
    assert [asked.one("max_results") for asked in peer.site.asked] == ["10", "10", "10"]
    assert len(fetched.items) == 30
    again = one.fetch(fetched.cursor, NOW + MINUTE)
    assert (again.health.state, again.health.code) == ("waiting", "daily_budget")
    assert peer.posts_read * POST + peer.users_read * AUTHOR <= 0.3
    assert again.cursor.page is not None, "the next day goes on there"


def test_an_answer_that_broke_off_is_counted_as_paid(peer: XPeer) -> None:
    made = ports()
    peer.add("$KO", ago(2))
    peer.site.faults.append(FAULTS["truncated JSON"][0])
    fetched = target(peer, made).fetch(Cursor(), NOW)
    assert fetched.health.code == "bad_answer"
    assert made.providers.get("x").dollars_today == pytest.approx(100 * (POST + AUTHOR))


PROBLEM = b'{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}'
CREDITS = (
    b'{"title":"CreditsDepleted","detail":"Your enrolled account does not have any credits",'
    b'"type":"https://api.twitter.com/2/problems/credits"}'
)
ENROLL = b'{"title":"Client Forbidden","reason":"client-not-enrolled","detail":"enroll","type":"x"}'
TOKEN = json.dumps({"title": "Forbidden", "detail": f"no {KEY} here\x07"}).encode()
ITS_OWN: dict[str, tuple[Fault, str]] = {
    "a refused key": (status(401, PROBLEM), "key_refused"),
    "no credits": (status(402, CREDITS), "used_up"),
    "not enrolled": (status(403, ENROLL), "not_enrolled"),
    "forbidden, with the key in it": (status(403, TOKEN), "forbidden"),
    "gone": (status(404), "http_404"),
    "too often": (status(429, b'{"title":"Too Many Requests"}'), "too_many_requests"),
    "errors alone": (changed(lambda _: b'{"errors":[{"title":"x"}]}'), "bad_answer"),
    "another shape": (changed(lambda _: b'{"data":{"id":"1"}}'), "bad_answer"),
}


@pytest.mark.req("A3")
@pytest.mark.parametrize("name", [*FAULTS, *ITS_OWN])
def test_what_goes_wrong_is_told_by_a_code_and_loses_nothing(
    peer: XPeer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fault, code = {**FAULTS, **ITS_OWN}[name]
    before = Cursor(since_id=peer.add("$KO before", ago(20)))
    peer.add("$KO after", ago(5))
    peer.site.faults.append(fault)
    made = ports()
    failed = target(peer, made).fetch(before, NOW)
    assert (failed.items, failed.health.state, failed.health.code) == ([], "failing", code)
    assert failed.cursor.since_id == before.since_id
    told = f"{failed.health} {made.providers.get('x')} {caplog.text}"
    assert KEY not in told
    assert len(failed.health.detail or "") <= 200
    assert (failed.health.detail or "").isprintable()
    peer.now = NOW + timedelta(hours=2)
    later = target(peer, made).fetch(failed.cursor, peer.now)
    assert (texts(later), later.health.state) == (["$KO after"], "ok")


def test_a_window_that_is_used_up_is_waited_for_before_it_is_asked(peer: XPeer) -> None:
    made = ports()
    peer.left = 1
    peer.add("$KO", ago(5))
    first = target(peer, made).fetch(Cursor(), NOW)
    assert first.health.state == "ok"
    second = target(peer, made).fetch(first.cursor, NOW)
    assert (second.health.state, second.health.code) == ("waiting", "asked_to_wait")
    assert len(peer.site.asked) == 1
    assert made.providers.get("x").not_before == NOW + timedelta(minutes=10)


def test_429_waits_until_the_window_begins_again(peer: XPeer) -> None:
    made = ports()
    peer.left = 0
    failed = target(peer, made).fetch(Cursor(), NOW)
    assert failed.health.code == "too_many_requests"
    assert made.providers.get("x").not_before == NOW + timedelta(minutes=10)


def test_a_query_x_does_not_take_fails_alone(peer: XPeer) -> None:
    made = ports()
    made.entities.put("query", "q", Query(text="subreddit:stocks KO"))
    made.entities.put("query", "r", Query(text="x" * 512))
    peer.add("$KO", ago(5))
    assets, refused, long = targets(sources(peer, made))
    assert refused.fetch(Cursor(), NOW).health.code == "query_refused"
    assert long.fetch(Cursor(), NOW).health.code == "query_too_long"
    assert assets.fetch(Cursor(), NOW).health.state == "ok"


def test_without_a_key_x_is_not_asked(peer: XPeer) -> None:
    assert targets(sources(peer, key="")) == []


@pytest.mark.req("A3")
def test_a_round_over_x_counts_each_post_once(peer: XPeer) -> None:
    made = ports()
    made.entities.put("query", "q", Query(text='"dividend"'))
    peer.add("$KO dividend", ago(5))
    handed: list[msgspec.Raw] = []

    class Taken:
        accepted, duplicates = 1, 0

    def submit(kind: Kind, items: Sequence[msgspec.Raw], submitted_by: str) -> Taken:
        assert (kind, submitted_by) == ("social", "provider:x")
        handed.extend(items)
        return Taken()

    everything = targets(sources(peer, made))
    poll(everything, made.lake, submit, at=NOW, seconds=10)
    poll(everything, made.lake, submit, at=NOW + MINUTE, seconds=10)
    ids = [json.loads(bytes(raw))["source_id"] for raw in handed]
    assert (len(ids), len(set(ids))) == (2, 1), "once a target, under one id"
    assert read_cursor(made.lake, everything[0]).since_id == ids[0]


def test_queries_hold_cashtags_and_telling_names_and_are_packed_full() -> None:
    assets = [
        Asset(symbol="KO", name="Coca-Cola Company", aliases=("Coke Zero",)),
        Asset(symbol="BRK-B", name="Berkshire Hathaway Inc."),
        Asset(symbol="BTC-USD", name="Bitcoin"),
        Asset(symbol="^GSPC", name="S&P 500"),
        Asset(symbol="AAPL", name="Apple"),
        Asset(symbol="T", name='The "AT&T" Inc.'),
    ]
    (query,) = asset_queries(assets)
    assert query == (
        '($KO OR "Coca-Cola" OR "Coke Zero" OR $BRK.B OR "Berkshire Hathaway" OR $BTC OR "Bitcoin" OR '
        '"S&P 500" OR $AAPL OR $T OR "AT&T") lang:en -is:retweet'
    )
    many = asset_queries(Asset(symbol=f"A{n:03}", name=f"Company number {n} of many") for n in range(300))
    assert max(map(length, many)) <= LONGEST
    assert min(map(length, many[:-1])) > LONGEST - 60
    assert sum(query.count('"') for query in many) == 600
    assert asset_queries([]) == []


def test_a_tracked_query_says_what_it_says_of_language_and_retweets() -> None:
    assert tracked_query("$KO  OR Coke") == "($KO OR Coke) lang:en -is:retweet"
    assert tracked_query("Nestlé lang:de") == "(Nestlé lang:de) -is:retweet"
    assert tracked_query("KO -is:retweet lang:en") == "(KO -is:retweet lang:en)"
    assert length("日本") == 4


def test_a_page_of_long_posts_by_as_many_authors_is_read(peer: XPeer) -> None:
    whole = "$KO " + "word " * 200
    for n in range(100):
        made_at = ago(30) + timedelta(seconds=n)
        peer.add("$KO " + "word " * 50, made_at, author=str(n), note_tweet={"text": whole})
    sizes: list[int] = []

    def measured(body: bytes) -> bytes:
        sizes.append(len(body))
        return body

    peer.site.faults.append(changed(measured))
    fetched = target(peer).fetch(Cursor(), NOW)
    assert len(fetched.items) == 100
    assert {item.text for item in fetched.items} == {whole.strip()}
    assert sizes[0] > 150_000


def test_the_first_read_looks_an_hour_back(peer: XPeer) -> None:
    peer.site.route("GET", "/2/tweets/search/recent", lambda _: said({"meta": {"result_count": 0}}))
    fetched = target(peer).fetch(Cursor(), NOW)
    assert (fetched.items, fetched.health.state) == ([], "ok")
    asked = peer.site.asked[0]
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.one("start_time") == f"{NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
