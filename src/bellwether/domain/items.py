"""Source items: posts and articles as they arrive, and what makes two of them the same."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Source = Literal["x", "reddit", "rss", "newsapi", "gdelt", "edgar", "finnhub", "alphavantage", "upload"]
Kind = Literal["social", "news"]
Instant = Annotated[datetime, Meta(tz=True)]

HISTORY_AFTER = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=5)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing is dated before: days are keys of four-digit years, and times near year 1 overflow."""


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A post or article as a caller sends it. Needs a `title` or a `text`.

    `author` may be a handle here; it is replaced by a salted hash before anything is stored.
    `engagement` holds counts such as `likes`, `reposts`, `replies`, `views`, `author_followers`, and
    `author_age_days`, as far as the provider tells them.
    """

    source: Source
    source_id: Annotated[str, Meta(min_length=1, max_length=512)]
    published_at: Instant
    author: Annotated[str, Meta(max_length=256)] | None = None
    observed_at: Instant | None = None
    title: Annotated[str, Meta(max_length=2_000)] | None = None
    text: Annotated[str, Meta(max_length=100_000)] | None = None
    url: Annotated[str, Meta(max_length=4_096)] | None = None
    lang: Annotated[str, Meta(max_length=35)] | None = None
    repost_of: Annotated[str, Meta(max_length=512)] | None = None
    engagement: Annotated[dict[Annotated[str, Meta(max_length=40)], float], Meta(max_length=24)] = {}


class StoredItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item as the lake keeps it: author hashed, times settled, cluster named.

    `known_at` is when the desk may use it: replays for an earlier `as_of` never see it (see `settle`).
    An item with `deleted_at` was found to be gone at its source then, and has no words (`domain.forgetting`).
    """

    item_id: str
    kind: Kind
    source: Source
    source_id: str
    published_at: Instant
    observed_at: Instant
    known_at: Instant
    cluster_id: str
    author: str | None = None
    title: str | None = None
    text: str | None = None
    url: str | None = None
    lang: str | None = None
    repost_of: str | None = None
    engagement: dict[str, float] = {}
    deleted_at: Instant | None = None
    deleted_because: str | None = None

    @property
    def words(self) -> str:
        """Title and text as one string, as the agents read it."""
        return _words(self.title, self.text)


class Rejection(Struct, frozen=True, kw_only=True):
    """Why the item at `index` of a batch was not taken."""

    index: int
    code: str
    detail: str


class RawBatch(Struct, frozen=True, kw_only=True):
    """One accepted request or fetch: one object under `raw-data/`. `duplicates` are indexes into `items`."""

    batch_id: str
    kind: Kind
    received_at: Instant
    submitted_by: str
    items: list[StoredItem]


class RejectedItem(ValueError):
    """One item cannot be taken; the rest of its batch can."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


_RETWEET = re.compile(r"^\s*(?:rt|mt|via)\s+@\w+\s*:?\s*", re.IGNORECASE)
_LINK = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_RUN = re.compile(r"[\w$]+")
# the same for plain letters in lower case: patterns that begin with characters to search for
_LOWER_LINK = re.compile(r"https?://\S+|www\.\S+")
_LOWER_ADDRESS = re.compile(r"https?://\S+")
_LOWER_RUNS = "".join(chr(code) if _RUN.match(chr(code)) else " " for code in range(128)).lower().encode()
_LOWER_RUNS += bytes(range(128, 256))

_FEWEST_WORDS = 4


def item_id(source: str, source_id: str) -> str:
    """Identity of an item, short enough for a key: `source` and 128 bits of SHA-256 of the identity."""
    digest = hashlib.sha256(f"{source}\x00{source_id}".encode()).hexdigest()
    return f"{source}-{digest[:32]}"


def author_hash(salt: bytes, source: str, author: str) -> str:
    """Keyed hash of an author (HMAC-SHA-256, 80 bits kept): stable for counting, useless without the salt."""
    return hmac.digest(salt, f"{source}\x00{author}".encode(), "sha256").hex()[:20]


def normalised_words(text: str) -> str:
    """Text without what reposts change: retweet prefix, links, case, punctuation, spacing."""
    return _normalised(text).decode()


def _normalised(text: str) -> bytes:
    """The normalised words in UTF-8, one space between two of them."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if retweeted := _RETWEET.match(text):
        text = text[retweeted.end() :]
    if text.isascii():
        return b" ".join(_without_lower_links(text.lower()).encode().translate(_LOWER_RUNS).split())
    return " ".join(_RUN.findall(_without_links(text))).casefold().encode()


def _without_lower_links(text: str) -> str:
    """Plain lower-case text without links."""
    if "www." in text:
        return _LOWER_LINK.sub(" ", text)
    return _LOWER_ADDRESS.sub(" ", text) if "://" in text else text


def _without_links(text: str) -> str:
    """Without links; the pattern, which tries every character, starts where the first one can."""
    if "www." in text.lower():
        return _LINK.sub(" ", text)
    sign = text.find("://")
    if sign < 0:
        return text
    first = max(0, sign - len("https"))
    return text[:first] + _LINK.sub(" ", text[first:])


def cluster_id(item: Item) -> str:
    """The cluster of copies an item belongs to.

    The same normalised words are the same cluster, whoever says them; a repost without words of its own
    joins the original by id. Fewer than four words say too little to call two items copies.
    """
    words = _normalised(_words(item.title, item.text))
    if words.count(b" ") >= _FEWEST_WORDS - 1:
        return "w-" + hashlib.sha256(words).hexdigest()[:24]
    return "i-" + item_id(item.source, item.repost_of or item.source_id)


def _words(title: str | None, text: str | None) -> str:
    return f"{title}\n{text}" if title and text else title or text or ""


def settle(
    item: Item,
    *,
    kind: Kind,
    received_at: datetime,
    salt: bytes,
    hashed: Callable[[bytes, str, str], str] = author_hash,
) -> StoredItem:
    """Checks what a type cannot say and fixes the times. Raises `RejectedItem`.

    An item published more than a day before it arrived, without an `observed_at`, is history: it counts as
    known since its publication, so that an import can be replayed. Any other item is known from when it was
    observed, by default when it arrived. `hashed` is `author_hash`, or the same with a memory.
    """
    if not ((item.title and item.title.strip()) or (item.text and item.text.strip())):
        raise RejectedItem("no_words", "an item needs a title or a text")
    _require_times_of_ours(item.published_at, item.observed_at, received_at + CLOCK_SKEW)
    published = _at_the_latest(received_at, item.published_at)
    observed = _at_the_latest(received_at, item.observed_at or received_at)
    history = item.observed_at is None and received_at - published > HISTORY_AFTER
    return StoredItem(
        item_id=item_id(item.source, item.source_id),
        kind=kind,
        source=item.source,
        source_id=item.source_id,
        published_at=published,
        observed_at=observed,
        known_at=published if history else observed,
        cluster_id=cluster_id(item),
        author=hashed(salt, item.source, item.author) if item.author else None,
        title=item.title,
        text=item.text,
        url=item.url,
        lang=item.lang,
        repost_of=item.repost_of,
        engagement=item.engagement,
    )


def _require_times_of_ours(published: datetime, observed: datetime | None, latest: datetime) -> None:
    if observed is None and EARLIEST <= published <= latest:
        return
    times = [("published_at", published)]
    if observed is not None:
        times.append(("observed_at", observed))
    for name, at in times:
        if at < EARLIEST:
            raise RejectedItem("too_early", f"{name} {at.isoformat()} is before {EARLIEST:%Y}")
    for name, at in times:
        if at > latest:
            raise RejectedItem("in_the_future", f"{name} {at.isoformat()} is in the future")
    if observed is not None and observed < published - CLOCK_SKEW:
        raise RejectedItem("observed_before_published", "observed_at is before published_at")


def _at_the_latest(latest: datetime, at: datetime) -> datetime:
    if at > latest:
        return latest.astimezone(UTC)
    return at.astimezone(UTC)


def decode_item(raw: msgspec.Raw | bytes) -> Item:
    """Decodes one item of a batch. Raises `RejectedItem` with the path of the fault."""
    try:
        return msgspec.json.decode(raw, type=Item)
    except msgspec.ValidationError as fault:
        code = "unknown_field" if "unknown field" in str(fault) else "invalid_item"
        raise RejectedItem(code, str(fault)) from None
    except msgspec.DecodeError as fault:
        raise RejectedItem("malformed_json", str(fault)) from None
