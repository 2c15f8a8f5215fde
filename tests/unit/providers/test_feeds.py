"""A feed over time: asked conditionally, read once, left alone when it says so, and one round over many."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bellwether.adapters.memory import MemoryLake
from bellwether.adapters.providers.feeds import FeedProvider
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.polling import cursor_key, poll, read_cursor, read_health
from bellwether.adapters.providers.provider import Cursor, Fetched, Health
from bellwether.adapters.providers.reddit import query_provider, subreddit_provider
from bellwether.adapters.providers.waiting import retry_after
from bellwether.domain.items import Item, Kind
from bellwether.domain.problems import Unavailable
from tests.peers.feeds import ETAG, LAST_MODIFIED, Peer, feed_peer, rss

pytestmark = pytest.mark.enable_socket

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def peer() -> Iterator[Peer]:
    with feed_peer() as started:
        yield started


def provider(peer: Peer, path: str = "/feed") -> FeedProvider:
    return FeedProvider(peer.url(path), GuardedHttp(trusted={peer.host}, seconds=10))


def titles(fetched: Fetched) -> list[str | None]:
    return [item.title for item in fetched.items]


@pytest.mark.req("A3", "C5")
def test_a_feed_is_asked_conditionally_with_both_validators(peer: Peer) -> None:
    peer.serve_feed("/feed", rss("one", "two"))
    feed = provider(peer)
    first = feed.fetch(Cursor(), NOW)
    assert titles(first) == ["one", "two"]
    assert {item.observed_at for item in first.items} == {NOW}
    assert (first.health.state, first.health.items) == ("ok", 2)
    again = feed.fetch(first.cursor, NOW + MINUTE)
    assert (titles(again), again.health.state) == ([], "unchanged")
    asked = peer.requests[1][1]
    assert (asked["if-none-match"], asked["if-modified-since"]) == (ETAG, LAST_MODIFIED)
    assert again.cursor == first.cursor


@pytest.mark.req("A3")
def test_only_what_is_new_in_a_changed_feed_is_handed_on(peer: Peer) -> None:
    peer.serve("/feed", rss("one", "two"))
    first = provider(peer).fetch(Cursor(), NOW)
    peer.serve("/feed", rss("three", "one", "two"))
    second = provider(peer).fetch(first.cursor, NOW + MINUTE)
    assert titles(second) == ["three"]
    assert titles(provider(peer).fetch(second.cursor, NOW + 2 * MINUTE)) == []


@pytest.mark.req("C5")
def test_a_provider_that_says_when_to_come_back_is_left_alone_until_then(peer: Peer) -> None:
    peer.serve("/feed", b"", 429, Retry_After="600")
    first = provider(peer).fetch(Cursor(), NOW)
    assert (first.health.state, first.health.code) == ("failing", "http_429")
    assert first.cursor.not_before == NOW + 10 * MINUTE
    waiting = provider(peer).fetch(first.cursor, NOW + 9 * MINUTE)
    assert waiting.health.state == "waiting"
    assert waiting.cursor == first.cursor
    assert len(peer.requests) == 1
    peer.serve("/feed", rss("one"))
    assert titles(provider(peer).fetch(first.cursor, NOW + 10 * MINUTE)) == ["one"]


@pytest.mark.req("C5")
def test_what_stays_broken_is_asked_less_and_less_and_recovers_at_once(peer: Peer) -> None:
    peer.serve("/feed", b"<html>maintenance</html>")
    cursor, at, pauses = Cursor(etag="kept", seen=("a",)), NOW, []
    for _ in range(9):
        fetched = provider(peer).fetch(cursor, at)
        assert fetched.health.state == "failing"
        assert (fetched.cursor.etag, fetched.cursor.seen) == ("kept", ("a",))
        assert fetched.cursor.not_before is not None
        pauses.append(fetched.cursor.not_before - at)
        cursor, at = fetched.cursor, fetched.cursor.not_before
    assert pauses[:4] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert max(pauses) <= timedelta(hours=1)
    peer.serve("/feed", rss("back"))
    back = provider(peer).fetch(cursor, at)
    assert titles(back) == ["back"]
    assert (back.cursor.failures, back.cursor.not_before) == (0, None)


@pytest.mark.req("S4")
def test_the_health_of_a_refused_address_says_why(peer: Peer) -> None:
    inside = FeedProvider(peer.url("/feed"), GuardedHttp()).fetch(Cursor(), NOW)
    assert (inside.health.state, inside.health.code) == ("failing", "private_address")
    peer.serve_bomb("/feed", 20_000_000)
    assert provider(peer).fetch(Cursor(), NOW).health.code == "too_large"
    assert provider(peer, "/nothing").fetch(Cursor(), NOW).health.code == "http_404"


def test_validators_that_could_do_harm_are_not_sent_back(peer: Peer) -> None:
    peer.serve("/feed", rss("one"), ETag="x" * 600, Last_Modified="caf\u00e9")
    cursor = provider(peer).fetch(Cursor(), NOW).cursor
    assert (cursor.etag, cursor.last_modified) == (None, None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 23 Nov 2026 06:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 23 Nov 2020 06:05:00 GMT", timedelta(0)),
        ("99999999", timedelta(hours=24)),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_what_retry_after_means(told: str, expected: timedelta | None) -> None:
    assert retry_after({"retry-after": told}, NOW) == expected


REDDIT = b"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>/r/stocks/new.rss</id><title>newest submissions : stocks</title>
<entry><author><name>/u/somebody</name><uri>https://www.reddit.com/user/somebody</uri></author>
<content type="html">&lt;!-- SC_OFF --&gt;
&lt;div class="md"&gt;&lt;p&gt;ACME to the moon&lt;/p&gt;&lt;/div&gt;</content>
<id>t3_abc123</id><link href="https://www.reddit.com/r/stocks/comments/abc123/acme/" />
<updated>2026-11-23T05:50:00+00:00</updated><published>2026-11-23T05:50:00+00:00</published>
<title>ACME</title></entry></feed>"""


@pytest.mark.req("A2", "C5")
def test_a_subreddit_is_read_by_its_public_feed(peer: Peer) -> None:
    peer.serve("/r/stocks/new.rss", REDDIT)
    subreddit = subreddit_provider("stocks", GuardedHttp(trusted={peer.host}), address=peer.address)
    assert (subreddit.name, subreddit.target, subreddit.kind) == ("reddit", "stocks", "social")
    (item,) = subreddit.fetch(Cursor(), NOW).items
    assert (item.source, item.source_id, item.author) == ("reddit", "t3_abc123", "/u/somebody")
    assert (item.title, item.text) == ("ACME", "ACME to the moon")


@pytest.mark.req("A2", "C5")
def test_a_query_is_searched_for_newest_first_and_word_for_word(peer: Peer) -> None:
    text = '$KO & "Coca Cola" 100% café'
    peer.serve("/search.rss?q=%24KO+%26+%22Coca+Cola%22+100%25+caf%C3%A9&sort=new", REDDIT)
    query = query_provider(text, GuardedHttp(trusted={peer.host}), address=peer.address)
    assert (query.name, query.target, query.kind) == ("reddit", f"search: {text}", "social")
    fetched = query.fetch(Cursor(), NOW)
    assert fetched.health.state == "ok"
    assert [(item.source, item.source_id) for item in fetched.items] == [("reddit", "t3_abc123")]
    assert query.fetch(fetched.cursor, NOW + MINUTE).items == []


def test_a_query_and_a_subreddit_of_one_name_keep_cursors_of_their_own() -> None:
    both = [make("stocks", GuardedHttp()) for make in (query_provider, subreddit_provider)]
    assert len({cursor_key(one.name, one.target) for one in both}) == 2


class Taken(msgspec.Struct):
    accepted: int
    duplicates: int = 0


class Desk:
    """Takes items, unless it is away."""

    def __init__(self) -> None:
        self.batches: list[tuple[Kind, int, str]] = []
        self.away = False

    def __call__(self, kind: Kind, items: Sequence[msgspec.Raw], submitted_by: str) -> Taken:
        if self.away:
            raise Unavailable("the lake is away")
        for raw in items:
            msgspec.json.decode(raw, type=Item)
        self.batches.append((kind, len(items), submitted_by))
        return Taken(accepted=len(items))


@pytest.mark.req("C5")
def test_a_round_hands_on_what_is_new_and_one_failure_is_nobody_elses(peer: Peer) -> None:
    peer.serve("/one", rss("a", "b"))
    peer.serve("/many", rss(*(f"t{n}" for n in range(700))))
    lake, desk = MemoryLake(), Desk()
    targets = [provider(peer, path) for path in ("/one", "/broken", "/many")]
    done = poll(targets, lake, desk, at=NOW, seconds=60)
    assert (done.fetched, done.accepted, done.put_off) == (702, 702, [])
    assert sorted(desk.batches) == [
        ("news", 2, "provider:rss"),
        ("news", 200, "provider:rss"),
        ("news", 500, "provider:rss"),
    ]
    assert sorted(h.state for h in done.health) == ["failing", "ok", "ok"]
    assert sorted(h.target for h in read_health(lake, "rss")) == sorted(t.target for t in targets)
    again = poll(targets, lake, desk, at=NOW + 10 * MINUTE, seconds=60)
    assert again.fetched == 0
    assert len(desk.batches) == 3


@pytest.mark.req("C5")
def test_a_cursor_moves_only_after_its_items_were_taken(peer: Peer) -> None:
    peer.serve_feed("/feed", rss("one"))
    lake, desk = MemoryLake(), Desk()
    desk.away = True
    with pytest.raises(Unavailable):
        poll([provider(peer)], lake, desk, at=NOW, seconds=60)
    assert read_cursor(lake, provider(peer)) == Cursor()
    desk.away = False
    assert poll([provider(peer)], lake, desk, at=NOW + MINUTE, seconds=60).accepted == 1


class Slow:
    """A target that takes a minute of the round's clock."""

    name, kind = "rss", "news"

    def __init__(self, target: str, ticks: list[float]) -> None:
        self.target = target
        self._ticks = ticks

    def fetch(self, cursor: Cursor, at: datetime) -> Fetched:
        self._ticks[0] += 60
        health = Health(provider="rss", target=self.target, state="ok", checked_at=at)
        return Fetched(items=[], cursor=cursor, health=health)


@pytest.mark.req("C5")
def test_nothing_is_begun_after_the_time_and_whoever_is_put_off_comes_first_another_time() -> None:
    lake, desk = MemoryLake(), Desk()
    fetched: set[str] = set()
    for minute in range(30):
        ticks = [0.0]
        targets = [Slow(f"target-{n:02d}", ticks) for n in range(30)]
        at = NOW + minute * MINUTE
        done = poll(targets, lake, desk, at=at, seconds=100, clock=lambda ticks=ticks: ticks[0])  # type: ignore[misc, arg-type]
        assert len(done.put_off) + len(done.health) == 30
        assert done.put_off
        fetched |= {health.target for health in done.health}
    assert len(fetched) == 30


def test_a_cursor_that_cannot_be_read_is_begun_anew(peer: Peer) -> None:
    lake = MemoryLake()
    feed = provider(peer)
    lake.put(cursor_key(feed.name, feed.target), b"{broken")
    assert read_cursor(lake, feed) == Cursor()


class Stumbling:
    """A target whose reader has a fault."""

    name, kind, target = "gdelt", "news", "ACME"

    def fetch(self, cursor: Cursor, at: datetime) -> Fetched:
        raise ZeroDivisionError("of a secret nature")


@pytest.mark.req("C5")
def test_a_reader_that_stumbles_fails_its_target_and_no_other(peer: Peer) -> None:
    peer.serve_feed("/feed", rss("one"))
    lake, desk = MemoryLake(), Desk()
    targets = [Stumbling(), provider(peer)]
    done = poll(targets, lake, desk, at=NOW, seconds=60)  # type: ignore[arg-type]
    assert done.accepted == 1
    (failing,) = [health for health in done.health if health.state == "failing"]
    assert (failing.provider, failing.code) == ("gdelt", "reader_failed")
    assert failing.detail == "the desk's reader of it fails (ZeroDivisionError)"
    assert read_cursor(lake, Stumbling()).not_before == NOW + 2 * MINUTE  # type: ignore[arg-type]


@pytest.mark.req("C5")
def test_what_others_brought_is_handed_over_although_the_desk_fails_for_one(peer: Peer) -> None:
    peer.serve("/one", rss("a"))
    peer.serve("/two", rss("b"))
    lake, desk = MemoryLake(), Desk()
    first = [True]

    def once_away(kind: Kind, items: Sequence[msgspec.Raw], submitted_by: str) -> Taken:
        if first:
            first.clear()
            raise Unavailable("the lake is away")
        return desk(kind, items, submitted_by)

    targets = [provider(peer, "/one"), provider(peer, "/two")]
    with pytest.raises(Unavailable):
        poll(targets, lake, once_away, at=NOW, seconds=60)
    assert len(desk.batches) == 1
    assert poll(targets, lake, desk, at=NOW + MINUTE, seconds=60).accepted == 1
