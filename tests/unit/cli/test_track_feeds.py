"""`track feed`: what is found at an address, pages that name their feeds, and the suggestions."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.feed_discovery import MOST_FEEDS, named_feeds
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.cli import track_feeds
from bellwether.cli.suggested_feeds import SUGGESTED, WORKS
from tests.peers.feeds import Peer, feed_peer, rss
from tests.unit.cli.conftest import Done

Typed = Callable[..., Done]
RSS = "application/rss+xml"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    with feed_peer() as started:
        client = GuardedHttp(trusted={started.host}, seconds=5)
        monkeypatch.setattr(track_feeds, "http", lambda: client)
        yield started


def page(*links: str) -> bytes:
    return f"<!DOCTYPE html><html><head>{''.join(links)}</head><body>News</body></html>".encode()


def link(href: str, kind: str = RSS, rel: str = "alternate", title: str = "") -> str:
    return f'<link rel="{rel}" type="{kind}" title="{title}" href="{href}">'


@pytest.mark.enable_socket
def test_a_feed_is_tracked_under_its_own_title(typed: Typed, ports: MemoryPorts, peer: Peer) -> None:
    peer.serve("/feed", rss("one"))
    done = typed("track", "feed", "add", peer.url("/feed"), "--json")
    assert done.code == 0
    assert done.document["found"]["found"] == "feed"
    assert ports.entities.records("feed") == [{"url": peer.url("/feed"), "title": "News"}]
    assert typed("track", "feed", "add", peer.url("/feed"), "--title", "Mine").code == 0
    assert ports.entities.records("feed") == [{"url": peer.url("/feed"), "title": "Mine"}]


@pytest.mark.enable_socket
def test_of_a_page_that_names_one_feed_that_one_is_taken(
    typed: Typed, ports: MemoryPorts, peer: Peer
) -> None:
    peer.serve(
        "/", page('<base href="/news/">', link("feed.xml", title="All  news"), link("/print", "text/html"))
    )
    done = typed("track", "feed", "add", peer.url("/"), "--json")
    assert (done.code, done.document["found"]["found"]) == (0, "page")
    assert ports.entities.records("feed") == [{"url": peer.url("/news/feed.xml"), "title": "All news"}]
    assert "feed.xml" in typed("track", "feed", "add", peer.url("/")).out


@pytest.mark.enable_socket
def test_of_a_page_that_names_several_feeds_none_is_taken(
    typed: Typed, ports: MemoryPorts, peer: Peer
) -> None:
    peer.serve("/", page(link("/a.xml", title="A"), link("/b.xml", "application/atom+xml")))
    done = typed("track", "feed", "add", peer.url("/"), "--json")
    assert done.code == 1
    named = [one["url"] for one in done.document["error"]["feeds"]]
    assert named == [peer.url("/a.xml"), peer.url("/b.xml")]
    assert ports.entities.records("feed") == []
    assert peer.url("/b.xml") in typed("track", "feed", "add", peer.url("/")).err


@pytest.mark.enable_socket
def test_where_there_is_no_feed_none_is_tracked_unless_told_so(
    typed: Typed, ports: MemoryPorts, peer: Peer
) -> None:
    peer.serve("/", page())
    done = typed("track", "feed", "add", peer.url("/"), "--json")
    assert done.code == 1
    assert "no feed" in done.document["error"]["detail"]
    assert ports.entities.records("feed") == []
    assert typed("track", "feed", "add", peer.url("/"), "--unchecked").code == 0
    assert len(peer.requests) == 1
    assert ports.entities.records("feed") == [{"url": peer.url("/")}]


@pytest.mark.enable_socket
def test_what_cannot_be_reached_from_here_is_tracked_and_said(
    typed: Typed, ports: MemoryPorts, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = typed("track", "feed", "add", peer.url("/gone"), "--json")
    assert (done.code, done.document["found"]["code"]) == (0, "http_404")
    monkeypatch.setattr(track_feeds, "http", GuardedHttp)
    done = typed("track", "feed", "add", peer.url("/inside"))
    assert done.code == 0
    assert "private_address" in done.err
    assert len(ports.entities.records("feed")) == 2


def test_an_address_that_is_none_is_wrong_use_before_anything_is_asked(
    typed: Typed, ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_feeds, "http", lambda: pytest.fail("nothing may be asked"))
    both = ["https://n.example/", "--suggested", "bea"]
    for arguments in (["ftp://example.org/feed"], ["two words"], [], both, ["--suggested", "nobody"]):
        assert typed("track", "feed", "add", *arguments).code == 2
    assert ports.entities.records("feed") == []


def test_suggestions_are_tracked_by_name_and_nothing_is_by_itself(typed: Typed, ports: MemoryPorts) -> None:
    assert ports.entities.records("feed") == []
    done = typed("track", "feed", "add", "--suggested", "sec-press", "--suggested", "snb-news", "--json")
    assert done.code == 0
    assert [one["title"] for one in done.document["feeds"]] == [
        "SEC press releases",
        "Swiss National Bank news",
    ]
    assert "user_agent" in done.err
    tracked = {record["url"] for record in ports.entities.records("feed")}
    assert tracked == {SUGGESTED["sec-press"].url, SUGGESTED["snb-news"].url}
    assert typed("track", "feed", "remove", "snb-news").code == 0
    assert len(ports.entities.records("feed")) == 1


def test_suggestions_are_listed_with_what_is_known_of_them(typed: Typed) -> None:
    shown = typed("track", "feed", "suggest")
    assert shown.code == 0
    for name in ("sec-press", "fed-monetary", "nasdaq-halts", "bis-press"):
        assert name in shown.out
    document = typed("track", "feed", "suggest", "--country", "ch", "--json").document
    assert {row["country"] for row in document["suggestions"]} == {"CH"}
    assert all(row.get("terms") and row.get("brings") for row in document["suggestions"])
    assert typed("track", "feed", "suggest", "--country", "XX").code == 2


def test_each_suggestion_is_complete_and_stands_once() -> None:
    urls = [row.url for row in SUGGESTED.values()]
    assert len(set(urls)) == len(urls)
    assert {urlsplit(url).scheme for url in urls} == {"https"}
    assert any(row.seen != WORKS for row in SUGGESTED.values())
    assert all("sec.gov" not in row.url or row.note for row in SUGGESTED.values())


def test_feeds_of_a_page_in_its_order_each_once() -> None:
    named = named_feeds(
        page(
            link("/feed?a=1&amp;b=2", "Application/RSS+xml; charset=utf-8", "ALTERNATE home"),
            link("/feed?a=1&amp;b=2"),
            link("javascript:alert(1)"),
            link("/style.css", "text/css", "stylesheet"),
            link("https://other.example/atom", "application/atom+xml").replace(">", "/>"),
            '<link rel="alternate" type="application/rss+xml">',
            *(link(f"/{n}") for n in range(50)),
        ),
        "https://n.example/x/",
    )
    assert [one.url for one in named][:2] == ["https://n.example/feed?a=1&b=2", "https://other.example/atom"]
    assert len(named) == MOST_FEEDS


@given(st.binary(max_size=300), st.integers(0, 200))
def test_no_page_makes_looking_for_feeds_fail(junk: bytes, at: int) -> None:
    whole = page(link("/feed"), '<base href="http://[">')
    named_feeds(whole[:at] + junk + whole[at:], "https://n.example/")
