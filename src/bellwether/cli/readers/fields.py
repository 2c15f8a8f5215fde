"""From a row (of a table, or a JSON object) to an `Item`: names of columns, times, counts.

A column counts when it is called like a field of the Item, or like one of the names below, which other tools
give to the same thing. Anything else is left out and named once, so that nothing goes missing silently.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any, get_args

import msgspec

from bellwether.cli.readers.times import NoTime, read_time
from bellwether.domain.items import Item, Kind, RejectedItem, Source

SOURCES: frozenset[str] = frozenset(get_args(Source))
NEWS_SOURCES = frozenset({"rss", "newsapi", "gdelt", "edgar", "finnhub", "alphavantage"})

FIELDS = frozenset(Item.__struct_fields__)
ALIASES = {
    "id": "source_id",
    "created_at": "published_at",
    "published": "published_at",
    "timestamp": "published_at",
    "date": "published_at",
    "headline": "title",
    "body": "text",
    "content": "text",
    "link": "url",
    "language": "lang",
    "retweet_of": "repost_of",
    "followers": "engagement_author_followers",
    "author_followers": "engagement_author_followers",
    "author_age_days": "engagement_author_age_days",
    "likes": "engagement_likes",
    "reposts": "engagement_reposts",
    "retweets": "engagement_reposts",
    "replies": "engagement_replies",
    "views": "engagement_views",
}
ENGAGEMENT = "engagement_"
_TIMES = ("published_at", "observed_at")
_WORDS = ("title", "text", "url", "lang", "repost_of", "author")


def plain_name(column: str) -> str:
    """A column's name without what differs between tools: case, spaces, dashes, a byte-order mark."""
    return column.strip().lstrip("\ufeff").lower().replace(" ", "_").replace("-", "_")


@dataclass(frozen=True)
class Columns:
    """Which columns of a file mean what. `meaning` maps a column as written to an Item's field."""

    meaning: Mapping[str, str]
    ignored: tuple[str, ...]

    @property
    def has_words(self) -> bool:
        return bool({"title", "text"} & set(self.meaning.values()))

    @property
    def has_time(self) -> bool:
        return "published_at" in self.meaning.values()

    def lacking(self) -> str | None:
        """What an item cannot do without and no column gives, in words; `None` when all is there."""
        if not self.has_words:
            return "no column is called text or title"
        if not self.has_time:
            return "no column is called published_at (an item without its time cannot be used)"
        return None


def columns_of(names: Iterable[str]) -> Columns:
    """Reads a header. A field's own name wins over another name for it; of two equals the first wins."""
    meaning: dict[str, str] = {}
    names = list(names)
    taken: set[str] = set()
    for only_own in (True, False):
        for name in names:
            target = _target(plain_name(name), only_own=only_own)
            if target and target not in taken and name not in meaning:
                meaning[name] = target
                taken.add(target)
    return Columns(meaning=meaning, ignored=tuple(n for n in names if n.strip() and n not in meaning))


def _target(name: str, *, only_own: bool) -> str | None:
    if name in FIELDS or name.startswith(ENGAGEMENT):
        return name
    return None if only_own else ALIASES.get(name)


@dataclass
class RowReader:
    """Turns rows into items. `zone` is what a time without an offset is in; such times are counted."""

    zone: tzinfo = UTC
    zoneless: int = 0
    ignored: set[str] = field(default_factory=set)
    _headers: dict[tuple[str, ...], Columns] = field(default_factory=dict)

    def item(self, row: Mapping[str, Any]) -> Item:
        """The item of one row. Raises `RejectedItem` with a code and what is wrong with which field."""
        columns = self.columns(tuple(row))
        return self.item_of({target: row[name] for name, target in columns.meaning.items()})

    def columns(self, names: tuple[str, ...]) -> Columns:
        """What a header's columns mean; remembers it, and what it leaves out."""
        columns = self._headers.get(names)
        if columns is None:
            columns = columns_of(names)
            if len(self._headers) < 1_000:
                self._headers[names] = columns
            if len(self.ignored) < 100:
                self.ignored.update(columns.ignored)
        return columns

    def item_of(self, cells: Mapping[str, Any]) -> Item:
        """The same for cells already named like the Item's fields."""
        values: dict[str, Any] = {}
        for name in _TIMES:
            if (at := self._time(name, cells.get(name))) is not None:
                values[name] = at
        for name in _WORDS:
            if (words := cell_text(cells.get(name))) is not None:
                values[name] = words
        values["source"] = cell_source(cells.get("source"))
        if "published_at" not in values:
            raise RejectedItem("invalid_item", "published_at is missing")
        values["source_id"] = cell_text(cells.get("source_id")) or derived_id(values)
        values["engagement"] = _engagement(cells)
        try:
            return msgspec.convert(values, Item)
        except msgspec.ValidationError as fault:
            raise RejectedItem("invalid_item", str(fault)) from None

    def _time(self, name: str, cell: Any) -> datetime | None:
        try:
            at, zoneless = read_time(cell, self.zone)
        except NoTime as fault:
            raise RejectedItem("invalid_time", f"{name}: {fault}") from None
        self.zoneless += zoneless
        return at


def kind_of(item: Item) -> Kind:
    """Social or news, as far as the item tells: by its source, else by whether it has a title."""
    if item.source in NEWS_SOURCES:
        return "news"
    return "news" if item.source == "upload" and item.title else "social"


def cell_text(cell: Any) -> str | None:
    """A cell as text; empty, missing and NaN are all `None`. Whole numbers keep no decimal point."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "surrogateescape")
    if isinstance(cell, datetime | date):
        cell = cell.isoformat()
    if not isinstance(cell, str | int | float):
        raise RejectedItem("invalid_item", f"expected text, found {type(cell).__name__}")
    words = str(cell).replace("\x00", "")
    if not words.isascii() and any("\ud800" <= sign <= "\udfff" for sign in words):
        raise RejectedItem("not_utf8", "the row is not UTF-8 text")
    return words if words.strip() else None


def cell_source(cell: Any) -> str:
    """The source a cell names, `upload` for an empty one. Raises `RejectedItem`."""
    source = cell_text(cell)
    if source is None:
        return "upload"
    source = source.strip().lower()
    if source not in SOURCES:
        raise RejectedItem("invalid_item", f"source {source!r} is none of {', '.join(sorted(SOURCES))}")
    return source


def derived_id(values: Mapping[str, Any]) -> str:
    """An id for a row without one: the same content read again gets the same id, so it counts once."""
    known = [str(values.get(name, "")) for name in ("published_at", "author", "title", "text", "url")]
    digest = hashlib.sha256("\x1f".join(known).encode("utf-8", "surrogatepass")).hexdigest()
    return f"row-{digest[:32]}"


def _engagement(cells: Mapping[str, Any]) -> dict[str, float]:
    """Counts from a JSON (or mapping) cell `engagement` and from cells `engagement_*`."""
    counts: dict[str, Any] = {}
    whole = cells.get("engagement")
    if isinstance(whole, str) and whole.strip():
        try:
            whole = json.loads(whole)
        except ValueError:
            raise RejectedItem("invalid_item", "engagement is not a JSON object") from None
    if isinstance(whole, list | tuple):  # Parquet maps arrive as pairs
        whole = dict(whole) if all(isinstance(pair, tuple) and len(pair) == 2 for pair in whole) else whole
    if isinstance(whole, Mapping):
        counts.update(whole)
    elif whole is not None and not isinstance(whole, float | str):
        raise RejectedItem("invalid_item", "engagement is not an object of counts")
    for name, cell in cells.items():
        if name.startswith(ENGAGEMENT):
            counts[name.removeprefix(ENGAGEMENT)] = cell
    numbers = {str(name): cell_count(str(name), cell) for name, cell in counts.items()}
    return {name: number for name, number in numbers.items() if number is not None}


def cell_count(name: str, cell: Any) -> float | None:
    """A cell as a finite count; empty, missing and NaN are all `None`. Raises `RejectedItem`."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        count = float(cell)
    except (TypeError, ValueError):
        raise RejectedItem("invalid_item", f"engagement {name} is not a number") from None
    if math.isinf(count):
        raise RejectedItem("invalid_item", f"engagement {name} is not finite")
    return None if math.isnan(count) else count
