"""Reddit's API over HTTP: tokens, listings over rounds, posts that are gone, and all that goes wrong."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers import reddit
from bellwether.adapters.providers.api_target import ApiTarget
from bellwether.adapters.providers.feeds import FeedProvider
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.provider import Cursor, Fetched, Provider
from bellwether.adapters.providers.reddit_access import Access, agent, judge
from bellwether.adapters.providers.reddit_listing import MOST_PAGES, MOST_PAGES_BACK
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.entities import Query, Subreddit
from tests.peers.faults import FAULTS
from tests.peers.reddit import CLIENT, SECRET, RedditPeer
from tests.peers.web import Fault, Said, changed, packed, said, site, status

pytestmark = pytest.mark.enable_socket

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEYS = {"client_id": CLIENT, "client_secret": SECRET, "username": "desk_owner"}


@pytest.fixture
def peer() -> Iterator[RedditPeer]:
    with site() as started:
        yield RedditPeer(started, NOW)


@pytest.fixture(autouse=True)
def _no_token_yet() -> None:
    reddit._accesses.clear()


def ports(*, query: str | None = None) -> MemoryPorts:
    made = MemoryPorts()
    made.entities.put("subreddit", "stocks", Subreddit(name="stocks"))
    if query:
        made.entities.put("query", "q", Query(text=query))
    return made


def sources(peer: RedditPeer, made: MemoryPorts, keys: dict[str, str] | None = None) -> Sources:
    return Sources(
        entities=made.entities,
        http=GuardedHttp(trusted={peer.site.host}, seconds=2),
        records=made.providers,
        clock=lambda: peer.now,
        keys={"reddit": KEYS if keys is None else keys},
        addresses={"reddit": peer.site.address},
        sleep=lambda _: None,
    )


def target(peer: RedditPeer, made: MemoryPorts | None = None) -> Provider:
    return reddit.targets(sources(peer, made or ports()))[0]


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def titles(fetched: Fetched) -> list[str | None]:
    return [item.title for item in fetched.items]


def listings(peer: RedditPeer) -> list[Any]:
    return [asked for asked in peer.site.asked if asked.method == "GET"]


@pytest.mark.req("A2", "A3")
def test_a_post_is_an_item_with_its_counts(peer: RedditPeer) -> None:
    name = peer.add("$KO & friends <3", ago(5), selftext="Words **here**", crosspost_parent="t3_abc")
    (item,) = target(peer).fetch(Cursor(), NOW).items
    assert (item.source, item.source_id, item.title) == ("reddit", name, "$KO & friends <3")
    assert (item.text, item.author, item.repost_of) == ("Words **here**", "/u/somebody", "t3_abc")
    assert (item.published_at, item.observed_at) == (ago(5), NOW)
    assert item.url == f"https://www.reddit.com/r/stocks/comments/{name[3:]}/words/"
    assert item.engagement == {"likes": 1_659, "replies": 41, "reposts": 2}


@pytest.mark.req("A3")
def test_the_same_post_is_the_same_item_with_a_key_and_without(peer: RedditPeer) -> None:
    made, name = ports(), peer.add("$KO rises", ago(5))
    feed = (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><author>'
        "<name>/u/somebody</name><uri>https://www.reddit.com/user/somebody</uri></author>"
        f'<content type="html">words</content><id>{name}</id><link href="{peer.site.address}/r/x" />'
        "<updated>2026-11-25T13:55:00+00:00</updated><title>$KO rises</title></entry></feed>"
    )
    (with_key,) = target(peer, made).fetch(Cursor(), NOW).items
    peer.site.route("GET", "/r/stocks/new.rss", lambda _: Said(200, feed.encode()))
    (public,) = reddit.targets(sources(peer, made, keys={"client_id": CLIENT}))
    assert isinstance(public, FeedProvider)
    (without,) = public.fetch(Cursor(), NOW).items
    assert (without.source, without.source_id) == (with_key.source, with_key.source_id)
    assert (without.author, without.title) == (with_key.author, with_key.title)


@pytest.mark.req("A3")
def test_one_token_serves_all_targets_until_shortly_before_its_end(peer: RedditPeer) -> None:
    made = ports(query="KO")
    peer.add("$KO", ago(5))
    for one in reddit.targets(sources(peer, made)):
        assert one.fetch(Cursor(), NOW).health.state == "ok"
    assert len(peer.tokens) == 1
    assert listings(peer)[0].headers["user-agent"] == agent("desk_owner")
    assert agent("desk_owner") == "server:bellwether-desk:v0.1 (by /u/desk_owner)"
    assert agent("two\r\nlines") == "server:bellwether-desk:v0.1"
    seconds = [0.0]
    access = Access(CLIENT, SECRET, address=peer.site.address, agent=agent(None), clock=lambda: seconds[0])
    calls = sources(peer, made).client("reddit", judge).calls()
    first = access.headers(calls)
    seconds[0] = 86_400 - 121
    assert access.headers(calls) == first
    seconds[0] = 86_400 - 119
    assert access.headers(calls) != first


@pytest.mark.req("A3")
def test_a_token_that_has_ended_is_exchanged_once(peer: RedditPeer) -> None:
    made = ports()
    peer.add("$KO one", ago(5))
    first = target(peer, made).fetch(Cursor(), NOW)
    peer.tokens.clear()
    peer.add("$KO two", ago(1))
    second = target(peer, made).fetch(first.cursor, NOW + MINUTE)
    assert (titles(second), second.health.state, len(peer.tokens)) == (["$KO two"], "ok", 1)
    peer.accepts_tokens = False
    before = len(peer.site.asked)
    third = target(peer, made).fetch(second.cursor, NOW + 2 * MINUTE)
    assert (third.health.code, third.health.state) == ("key_refused", "failing")
    assert [asked.method for asked in peer.site.asked[before:]] == ["GET", "POST", "GET"]
    assert made.providers.get("reddit").failures == 0, "one subreddit's listing is not all of Reddit"


@pytest.mark.req("A3")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (said({"error": "invalid_grant"}), "key_refused"),
        (said({"message": "Unauthorized", "error": 401}, 401), "key_refused"),
        (said({"access_token": None, "expires_in": 1}), "bad_answer"),
        (said({"access_token": "two words", "expires_in": 1}), "bad_answer"),
        (Said(200, b"<html>"), "bad_answer"),
        (Said(200, b""), "bad_answer"),
        (Said(500, b""), "http_500"),
        (Said(429, b"", {"x-ratelimit-reset": "30"}), "too_many_requests"),
    ],
)
def test_without_a_token_nothing_is_asked(peer: RedditPeer, answer: Said, code: str) -> None:
    peer.site.route("POST", "/api/v1/access_token", lambda _: answer)
    made = ports()
    fetched = target(peer, made).fetch(Cursor(since_id="t3_1"), NOW)
    assert (fetched.health.state, fetched.health.code, listings(peer)) == ("failing", code, [])
    assert fetched.cursor.since_id == "t3_1"
    assert made.providers.get("reddit").code == code
    assert SECRET not in f"{fetched.health}{made.providers.get('reddit')}"


@pytest.mark.req("A3")
def test_the_next_read_stops_where_the_last_one_began(peer: RedditPeer) -> None:
    made = ports()
    for n in range(300):
        peer.add(f"old {n}", ago(600 - n))
    first = target(peer, made).fetch(Cursor(), NOW)
    assert len(first.items) == 100, "what was there before is read a page deep"
    peer.add("new", ago(1))
    second = target(peer, made).fetch(first.cursor, NOW + MINUTE)
    assert titles(second) == ["new"]
    assert len(listings(peer)) == 2
    quiet = target(peer, made).fetch(second.cursor, NOW + 2 * MINUTE)
    assert (quiet.items, quiet.health.state, quiet.cursor.since) == ([], "ok", ago(1))


@pytest.mark.req("A3")
def test_what_is_longer_than_a_round_goes_on_in_the_next_and_misses_nothing(peer: RedditPeer) -> None:
    made = ports()
    start = peer.add("start", ago(200))
    first = target(peer, made).fetch(Cursor(), NOW)
    wanted = [peer.add(f"number {n}", ago(100) + timedelta(seconds=n)) for n in range(450)]
    second = target(peer, made).fetch(first.cursor, NOW)
    assert len(second.items) == MOST_PAGES * 100
    assert (second.cursor.since, second.cursor.pages) == (first.cursor.since, MOST_PAGES)
    meanwhile = peer.add("meanwhile", ago(1))
    third = target(peer, made).fetch(second.cursor, NOW + MINUTE)
    fourth = target(peer, made).fetch(third.cursor, NOW + 2 * MINUTE)
    got = [item.source_id for read in (first, second, third, fourth) for item in read.items]
    assert sorted(got) == sorted([start, *wanted, meanwhile])
    assert (third.cursor.since_id, third.cursor.page) == (wanted[-1], None)


def test_a_listing_ends_and_says_what_it_left_out(peer: RedditPeer) -> None:
    made = ports()
    peer.add("start", ago(500))
    cursor, codes, read = target(peer, made).fetch(Cursor(), NOW).cursor, [], 0
    for n in range(1_100):
        peer.add(f"number {n}", ago(100) + timedelta(seconds=n))
    for _ in range(4):
        fetched = target(peer, made).fetch(cursor, NOW)
        cursor, read = fetched.cursor, read + len(fetched.items)
        codes.append(fetched.health.code)
    assert (read, codes) == (MOST_PAGES_BACK * 100, [None, None, None, "left_out"])
    assert cursor.page is None


@pytest.mark.req("A3")
def test_a_post_let_through_later_is_found_and_a_deleted_anchor_hides_nothing(peer: RedditPeer) -> None:
    made = ports()
    late = peer.add("let through later", ago(6), removed_by_category="automod_filtered")
    anchor = peer.add("anchor", ago(5))
    first = target(peer, made).fetch(Cursor(), NOW)
    assert titles(first) == ["anchor"]
    peer.post(late)["removed_by_category"] = None
    peer.delete(anchor)
    peer.add("new", ago(1))
    second = target(peer, made).fetch(first.cursor, NOW + MINUTE)
    assert sorted(str(title) for title in titles(second)) == ["let through later", "new"]


@pytest.mark.req("A3")
@pytest.mark.parametrize(
    "gone",
    [
        {"removed_by_category": "moderator", "selftext": "[removed]"},
        {"removed_by_category": "deleted", "title": "[deleted by user]"},
        {"removed_by_category": "reddit"},
        {"selftext": "[removed]"},
        {"selftext": "[deleted]"},
        {"title": "[deleted by user]"},
        {"author": "[deleted]"},
    ],
)
def test_what_is_deleted_or_removed_is_no_item(peer: RedditPeer, gone: dict[str, str]) -> None:
    peer.add("stays", ago(6))
    post = peer.add("goes", ago(5))
    listing = {"kind": "Listing", "data": {"after": None, "children": []}}
    for one in peer.posts:
        data = {**one, **(gone if one["name"] == post else {})}
        listing["data"]["children"].append({"kind": "t3", "data": data})  # type: ignore[index]
    peer.site.faults.extend([None, changed(lambda _: json.dumps(listing).encode())])
    fetched = target(peer).fetch(Cursor(), NOW)
    assert (titles(fetched), fetched.health.refused) == (["stays"], 0)


def test_an_entry_that_is_none_is_counted_and_sinks_nothing(peer: RedditPeer) -> None:
    for n in range(4):
        peer.add(f"number {n}", ago(5 + n))

    def spoil(body: bytes) -> bytes:
        document = json.loads(body)
        children = document["data"]["children"]
        children[0]["data"]["name"] = None
        children[1]["data"] |= {"created_utc": 1e300, "ups": None, "permalink": "javascript:x"}
        children[2]["data"]["name"] = "../../etc"
        return json.dumps(document).encode()

    peer.site.faults.extend([None, changed(spoil)])
    fetched = target(peer).fetch(Cursor(), NOW)
    assert (titles(fetched), fetched.health.refused) == (["number 1", "number 3"], 2)
    assert (fetched.items[0].published_at, fetched.items[0].url) == (NOW, None)


def test_a_post_from_the_future_does_not_move_the_cursor_there(peer: RedditPeer) -> None:
    made = ports()
    peer.add("soon", NOW + timedelta(days=300))
    peer.add("now", ago(5))
    first = target(peer, made).fetch(Cursor(), NOW)
    assert {item.published_at for item in first.items} == {NOW, ago(5)}
    assert first.cursor.since == ago(5)


def test_search_finds_words_anywhere_and_a_packed_answer_is_read(peer: RedditPeer) -> None:
    peer.add("cola rises", ago(5), subreddit="soda")
    made = ports(query='"cola" OR KO')
    peer.site.faults.extend([None, packed])
    _, search = reddit.targets(sources(peer, made))
    assert (search.target, titles(search.fetch(Cursor(), NOW))) == ('search: "cola" OR KO', ["cola rises"])
    assert isinstance(search, ApiTarget)


@pytest.mark.req("A3")
def test_a_subreddit_that_is_private_or_not_there_fails_alone(peer: RedditPeer) -> None:
    made = ports()
    made.entities.put("subreddit", "hidden", Subreddit(name="hidden"))
    made.entities.put("subreddit", "nowhere", Subreddit(name="nowhere"))
    peer.add("$KO", ago(5))
    peer.private.add("hidden")
    found = {one.target: one.fetch(Cursor(), NOW) for one in reddit.targets(sources(peer, made))}
    codes = {name: fetched.health.code for name, fetched in found.items()}
    assert codes == {"stocks": None, "hidden": "private", "nowhere": "not_found"}
    assert found["hidden"].cursor.not_before == NOW + timedelta(hours=1)
    assert made.providers.get("reddit").state == "ok"


ITS_OWN: dict[str, tuple[Fault, str]] = {
    "a page for people, 403": (status(403, b"<html>blocked</html>"), "blocked"),
    "too often": (status(429, b"{}", x_ratelimit_reset="30"), "too_many_requests"),
    "an error in a 200": (changed(lambda _: b'{"message": "x", "error": 500}'), "bad_answer"),
    "another shape": (changed(lambda _: b'{"data": {"children": {}}}'), "bad_answer"),
}


@pytest.mark.req("A3")
@pytest.mark.parametrize("name", [*FAULTS, *ITS_OWN])
def test_what_goes_wrong_is_told_by_a_code_and_loses_nothing(
    peer: RedditPeer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fault, code = {**FAULTS, **ITS_OWN}[name]
    made = ports()
    peer.add("before", ago(20))
    before = target(peer, made).fetch(Cursor(), NOW).cursor
    peer.add("after", ago(5))
    peer.site.faults.append(fault)
    failed = target(peer, made).fetch(before, NOW)
    assert (failed.items, failed.health.state, failed.health.code) == ([], "failing", code)
    assert (failed.cursor.since, failed.cursor.since_id) == (before.since, before.since_id)
    told = f"{failed.health} {made.providers.get('reddit')} {caplog.text}"
    assert not any(secret in told for secret in (SECRET, *peer.tokens))
    assert len(failed.health.detail or "") <= 200
    peer.now = NOW + timedelta(hours=2)
    later = target(peer, made).fetch(failed.cursor, peer.now)
    assert (titles(later), later.health.state) == (["after"], "ok")


def test_a_window_that_is_used_up_is_waited_for(peer: RedditPeer) -> None:
    made = ports()
    peer.add("$KO", ago(5))
    peer.left = 1.5
    first = target(peer, made).fetch(Cursor(), NOW)
    assert first.health.state == "ok"
    assert made.providers.get("reddit").not_before == NOW + timedelta(seconds=287)
    second = target(peer, made).fetch(first.cursor, NOW + MINUTE)
    assert (second.health.state, second.health.code) == ("waiting", "asked_to_wait")
