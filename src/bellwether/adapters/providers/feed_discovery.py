"""What is at an address somebody wants to read as a feed: a feed, or a page that names its feeds.

Pages name them in `<link rel="alternate" type="application/rss+xml" href="…">`
(rssboard.org/rss-autodiscovery).
"""

from html.parser import HTMLParser
from typing import Literal

from msgspec import Struct

from bellwether.adapters.providers.feed_encoding import document_text
from bellwether.adapters.providers.feed_items import parse_feed, web_address
from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused

TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}
)
MOST_FEEDS = 20
LARGEST_HEAD = 300_000
"""Characters of a page that are looked at."""


class NamedFeed(Struct, frozen=True, kw_only=True):
    """A feed a page names."""

    url: str
    title: str | None = None


class Look(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found. `unknown` is an address that could not be looked at: `code` and `detail` say why."""

    found: Literal["feed", "page", "nothing", "unknown"]
    title: str | None = None
    feeds: tuple[NamedFeed, ...] = ()
    code: str | None = None
    detail: str | None = None


def look(http: GuardedHttp, url: str) -> Look:
    """Fetches the address once and says what is there."""
    try:
        response = http.get(url)
    except Refused as fault:
        return Look(found="unknown", code=fault.code, detail=fault.detail)
    if response.status != 200:
        return Look(found="unknown", code=f"http_{response.status}", detail=f"it answered {response.status}")
    parsed = parse_feed(response.content, url=response.url)
    broken = next((r for r in parsed.refused if r.index is None and not parsed.items), None)
    if broken is None:
        return Look(found="feed", title=parsed.title)
    if feeds := named_feeds(response.content, response.url):
        return Look(found="page", feeds=feeds)
    return Look(found="nothing", code=broken.code, detail=broken.detail)


def named_feeds(content: bytes, url: str) -> tuple[NamedFeed, ...]:
    """The feeds a page names, in its order, each once."""
    reader = _Links(url)
    reader.feed(document_text(content[: 4 * LARGEST_HEAD])[:LARGEST_HEAD])
    reader.close()
    return tuple(reader.feeds.values())[:MOST_FEEDS]


class _Links(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.feeds: dict[str, NamedFeed] = {}
        self._base = url

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "base" and told.get("href"):
            self._base = web_address(told["href"], self._base) or self._base
        kind = told.get("type", "").partition(";")[0].strip().lower()
        if tag != "link" or kind not in TYPES or "alternate" not in told.get("rel", "").lower().split():
            return
        found = web_address(told.get("href"), self._base)
        if found is not None:
            title = " ".join(told.get("title", "").split())[:200]
            self.feeds.setdefault(found, NamedFeed(url=found, title=title or None))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
