"""An item of a provider's API: cut to what an item may hold, and dated honestly."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from math import isfinite

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.feed_items import OLDEST, web_address
from bellwether.adapters.providers.plain_text import plain_text
from bellwether.domain.items import CLOCK_SKEW, Item, Source


class Told(Struct, frozen=True, kw_only=True):
    """What a provider tells of one post or article. `html` says that the words are markup."""

    source_id: str
    published: datetime | None = None
    title: str | None = None
    text: str | None = None
    url: str | None = None
    author: str | None = None
    lang: str | None = None
    repost_of: str | None = None
    engagement: Mapping[str, object] = {}
    html: bool = False


def api_item(told: Told, source: Source, at: datetime) -> Item | None:
    """The item as read at `at`; `None` for one without an id or without words.

    A date that is missing or later than the reading (which cannot be) is replaced by the moment of reading.
    """
    title = plain_text(told.title or "", longest=2_000, html=told.html)
    text = plain_text(told.text or "", longest=100_000, html=told.html)
    source_id = told.source_id.strip()
    if not source_id or len(source_id) > 512 or not (title or text):
        return None
    published = told.published if told.published and OLDEST <= told.published <= at + CLOCK_SKEW else at
    return msgspec.convert(
        {
            "source": source,
            "source_id": source_id,
            "published_at": min(published, at),
            "observed_at": at,
            "title": _clean(title),
            "text": _clean(text),
            "url": web_address(told.url, None),
            "author": told.author[:256] if told.author else None,
            "lang": told.lang[:35] if told.lang else None,
            "repost_of": told.repost_of[:512] if told.repost_of else None,
            "engagement": _counts(told.engagement),
        },
        Item,
    )


def address_id(url: str) -> str:
    """The id of what has none but its address: the address, or a hash of one that is too long."""
    if len(url) <= 512:
        return url
    return f"sha256-{hashlib.sha256(url.encode('utf-8', errors='replace')).hexdigest()}"


def _clean(text: str | None) -> str | None:
    """Without halves of surrogate pairs, which JSON may hold and UTF-8 cannot."""
    return text.encode("utf-8", errors="replace").decode() if text else None


def _counts(told: Mapping[str, object]) -> dict[str, float]:
    numbers = {name: value for name, value in told.items() if isinstance(value, int | float)}
    return {name: float(value) for name, value in numbers.items() if abs(value) < 1e15 and isfinite(value)}
