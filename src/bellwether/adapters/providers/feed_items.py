"""Items of an RSS, Atom or JSON Feed document, as honestly as the document allows.

Dates: `published_at` is the entry's own date of publication, else of its last update. An entry with no date,
or with one later than the moment it was read (which cannot be), counts as published when it was seen:
`published_at` = `observed_at` = that moment. An entry that was changed after its publication is known from
the change on (`observed_at`), since the words that are read are the changed ones.

Identity: the entry's own id when it is an absolute one (an address, a tag, a urn), else the feed's address
and that id, since "42" is an id in many feeds. An id that stands at several entries is none; then the link
is, and failing that a hash of the words.
"""

import calendar
import hashlib
import io
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.feed_dates import foreign_date
from bellwether.adapters.providers.feed_encoding import (
    HostileDocument,
    document_text,
    refuse_crowds,
    refuse_expansion,
)
from bellwether.adapters.providers.json_feed import json_feed_entries
from bellwether.adapters.providers.plain_text import plain_text
from bellwether.domain.items import CLOCK_SKEW, Item, Source

LARGEST_DOCUMENT = 5_000_000
MOST_ENTRIES = 1_000
OLDEST = datetime(1970, 1, 2, tzinfo=UTC)
_ABSOLUTE = re.compile(r"^(?:https?://|tag:|urn:|t[1-6]_[a-z0-9]+$)", re.IGNORECASE)
_BEGUN = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ENDED = re.compile(r"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_ESCAPED = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z]{2,8});", re.IGNORECASE)


class Refusal(Struct, frozen=True, kw_only=True):
    """Why an entry (by its `index`), or with `None` the whole document, gave no item."""

    index: int | None
    code: str
    detail: str


class ParsedFeed(Struct, frozen=True, kw_only=True):
    """The items of a document in its order, and what could not be taken."""

    items: list[Item]
    refused: list[Refusal]
    title: str | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """An entry of any of the formats; `title` and `text` are plain words already."""

    id: str | None = None
    link: str | None = None
    title: str | None = None
    text: str | None = None
    author: str | None = None
    lang: str | None = None
    published: datetime | None = None
    updated: datetime | None = None


class Document(Struct, frozen=True, kw_only=True):
    """A feed of any of the formats. `cut` is one that ends within its last entry."""

    entries: Sequence[Entry]
    scope: str | None
    title: str | None = None
    cut: bool = False


def parse_feed(
    content: bytes,
    *,
    url: str | None = None,
    observed_at: datetime | None = None,
    source: Source = "rss",
) -> ParsedFeed:
    """Reads a document of at most 5 MB and 1,000 entries; what is beyond or broken is in `refused`.

    `url` is where it came from. `observed_at` is when it was fetched: every item then says so. Without it
    the document is a file of unknown age, and only undated and changed entries carry an `observed_at`.
    """
    try:
        document = _document(content, url)
    except Unreadable as fault:
        return ParsedFeed(items=[], refused=[Refusal(index=None, code=fault.code, detail=str(fault))])
    moment = observed_at or datetime.now(UTC)
    items: list[Item] = []
    refused: list[Refusal] = []
    seen: set[str] = set()
    repeated = {name for name, count in Counter(e.id for e in document.entries).items() if count > 1}
    for index, entry in enumerate(document.entries[:MOST_ENTRIES]):
        source_id = _source_id(entry, document.scope or url, entry.id in repeated)
        if document.cut and index == len(document.entries) - 1:
            # what is left of it may be half an id and half a sentence
            refused.append(
                Refusal(index=index, code="cut_short", detail="the document ends within the entry")
            )
        elif not (entry.title or entry.text) or source_id is None:
            refused.append(Refusal(index=index, code="no_words", detail="the entry has no title and no text"))
        elif source_id in seen:
            refused.append(Refusal(index=index, code="repeated", detail="the entry stands there already"))
        else:
            seen.add(source_id)
            items.append(_item(entry, source_id, source, moment, observed_at is not None))
    if len(document.entries) > MOST_ENTRIES:
        detail = f"{len(document.entries) - MOST_ENTRIES} entries beyond the first {MOST_ENTRIES}"
        refused.append(Refusal(index=None, code="too_many_entries", detail=detail))
    return ParsedFeed(items=items, refused=refused, title=document.title)


class Unreadable(ValueError):
    """The document as a whole gives nothing."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def _document(content: bytes, url: str | None) -> Document:
    if len(content) > LARGEST_DOCUMENT:
        raise Unreadable("too_large", f"the document is larger than {LARGEST_DOCUMENT:,} bytes")
    text = document_text(content)
    if not text.strip():
        raise Unreadable("empty", "the document is empty")
    if text.startswith("{"):
        return _json_document(text, url)
    try:
        refuse_expansion(text)
        refuse_crowds(text)
    except HostileDocument as fault:
        raise Unreadable("hostile", str(fault)) from None
    return _xml_document(text, url)


def _xml_document(text: str, url: str | None) -> Document:
    # the only reader of XML; imported here since most callers of this module's types never parse
    import feedparser

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = feedparser.parse(
                io.BytesIO(text.encode("utf-8", errors="replace")),
                # without the address: the reader would resolve ids against it as if they were links
                response_headers={"content-type": "application/xml; charset=utf-8"},
                sanitize_html=False,
                resolve_relative_uris=False,
            )
    except (ValueError, TypeError, AssertionError, LookupError, RecursionError) as fault:
        raise Unreadable("not_a_feed", f"the document cannot be parsed ({type(fault).__name__})") from None
    if not parsed.get("version") and not parsed.entries:
        raise Unreadable("not_a_feed", "the document is not RSS, Atom or JSON Feed")
    feed = parsed.feed
    lang = feed.get("language")
    return Document(
        entries=[_xml_entry(entry, url or feed.get("link"), lang) for entry in parsed.entries],
        scope=feed.get("link") or url or feed.get("id"),
        title=_words(feed, "title", 300),
        cut=ends_within_an_entry(text),
    )


def ends_within_an_entry(text: str) -> bool:
    """Whether the last entry that was begun was never ended: the reader of XML takes it all the same."""
    begun = max((found.start() for found in _BEGUN.finditer(text)), default=-1)
    ended = max((found.start() for found in _ENDED.finditer(text)), default=-1)
    return begun > ended


def _xml_entry(entry: Mapping[str, Any], base: str | None, lang: str | None) -> Entry:
    content = entry.get("content") or []
    longest = max(content, key=lambda part: len(part.get("value") or ""), default=None)
    text = _plain(longest, 100_000) if longest else None
    return Entry(
        id=str(entry["id"]).strip() or None if entry.get("id") else None,
        link=web_address(entry.get("link"), base),
        title=_words(entry, "title", 2_000),
        text=text or _words(entry, "summary", 100_000),
        author=entry.get("author") or None,
        lang=(longest or {}).get("language") or lang,
        published=_moment(entry, "published"),
        updated=_moment(entry, "updated"),
    )


def _json_document(text: str, url: str | None) -> Document:
    try:
        feed = json_feed_entries(text)
    except ValueError as fault:
        raise Unreadable("not_a_feed", str(fault)) from None
    entries = [
        Entry(
            id=told.id,
            link=web_address(told.url or told.external_url, url or feed.home_page_url),
            title=plain_text(told.title or "", longest=2_000, html=False),
            text=plain_text(told.content_text or "", longest=100_000, html=False)
            or plain_text(told.content_html or told.summary or "", longest=100_000),
            author=told.author,
            lang=told.language or feed.language,
            published=told.published,
            updated=told.modified,
        )
        for told in feed.entries
    ]
    return Document(entries=entries, scope=feed.feed_url or feed.home_page_url or url, title=feed.title)


def _words(holder: Mapping[str, Any], name: str, longest: int) -> str | None:
    detail = holder.get(f"{name}_detail")
    return _plain(detail or {"value": holder.get(name) or ""}, longest)


def _plain(part: Mapping[str, Any], longest: int) -> str | None:
    value = str(part.get("value") or "")
    html = part.get("type") not in {"text/plain", None} or bool(_ESCAPED.search(value))
    return plain_text(value, longest=longest, html=html)


def _moment(entry: Mapping[str, Any], name: str) -> datetime | None:
    # asking with `in` first: the reader would answer for a missing `updated` with `published`
    parsed = entry.get(f"{name}_parsed") if f"{name}_parsed" in entry else None
    if parsed is None:
        return foreign_date(str(entry.get(name) or "")) if name in entry else None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def web_address(link: str | None, base: str | None) -> str | None:
    """The absolute http(s) address of a link, `None` for anything else."""
    if not link:
        return None
    try:
        absolute = urljoin(base or "", link.strip())
        parts = urlsplit(absolute)
    except ValueError:
        return None
    usable = parts.scheme in {"http", "https"} and parts.netloc and len(absolute) <= 4_096
    return absolute if usable else None


def _source_id(entry: Entry, scope: str | None, id_repeats: bool) -> str | None:
    own = None if id_repeats else entry.id
    if own and not _ABSOLUTE.match(own):
        own = f"{scope}#{own}" if scope else None
    words = "\n".join(part for part in (entry.title, entry.text) if part)
    name = own or entry.link or (f"{scope or ''}#words-{_digest(words)}" if words else None)
    return f"sha256-{_digest(name)}" if name and len(name) > 512 else name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()


def _item(entry: Entry, source_id: str, source: Source, moment: datetime, fetched: bool) -> Item:
    dates = [at for at in (entry.published, entry.updated) if at and OLDEST <= at <= moment + CLOCK_SKEW]
    published = dates[0] if dates else moment
    changed = max(dates, default=moment)
    observed: datetime | None = None
    if fetched or not dates:
        observed = moment
    elif changed - published > timedelta(0):
        observed = changed
    return msgspec.convert(
        {
            "source": source,
            "source_id": source_id,
            "published_at": min(published, observed or published),
            "observed_at": observed,
            "author": entry.author[:256] if entry.author else None,
            "title": entry.title,
            "text": entry.text,
            "url": entry.link,
            "lang": entry.lang[:35] if entry.lang else None,
        },
        Item,
    )
