"""Reads items from files, URLs and standard input, whatever format they turn out to be in.

    with open_document("posts.parquet") as document:
        for line in read_items(document, RowReader()):
            line.item or line.fault

A row that is no item is one `Line` with a fault; a file nothing can be read from raises `FileRefused`.
"""

import zlib
from collections.abc import Iterator, Sequence
from itertools import chain, count, repeat
from typing import IO, NamedTuple

from bellwether.cli.readers.documents import Document, is_url, open_document
from bellwether.cli.readers.fields import RowReader, columns_of, kind_of
from bellwether.cli.readers.formats import FileRefused, Format, format_of, opened
from bellwether.cli.readers.objects import as_object, is_json_feed, json_document, json_lines, records_of
from bellwether.cli.readers.tables import Row, batch_rows, parquet_batches, table_rows
from bellwether.domain.items import Item, Kind, RejectedItem

__all__ = [
    "Document",
    "FileRefused",
    "Line",
    "RowReader",
    "is_url",
    "open_document",
    "read_batches",
    "read_items",
]

LARGEST_FEED = 64 * 1024 * 1024


class Line(NamedTuple):
    """One row, line or entry: the item in it, or the fault that keeps it from being one."""

    position: int
    item: Item | None = None
    fault: RejectedItem | None = None
    kind: Kind = "social"


def read_items(document: Document, reader: RowReader) -> Iterator[Line]:
    """All items of a document in order. Raises `FileRefused`, possibly after some items of a damaged file."""
    return chain.from_iterable(read_batches(document, reader))


def read_batches(document: Document, reader: RowReader) -> Iterator[Sequence[Line]]:
    """The same, as many at a time as are read at once."""
    try:
        stream = opened(document.stream)
        format_, encoding = format_of(stream)
        if format_ == "parquet":
            yield from _of_batches(stream, reader)
        else:
            for line in _of_rows(stream, format_, encoding, document, reader):
                yield (line,)
    except (OSError, EOFError, zlib.error) as fault:
        raise FileRefused(f"it cannot be read to its end ({fault})") from None


def _of_rows(
    stream: IO[bytes], format_: Format, encoding: str, document: Document, reader: RowReader
) -> Iterator[Line]:
    if format_ == "table":
        return _lines(table_rows(stream, encoding, require_columns), reader)
    if format_ == "ndjson":
        return _lines(json_lines(stream, encoding), reader)
    if format_ == "json":
        return _json(json_document(stream, encoding), document, reader)
    return _feed(stream.read(LARGEST_FEED + 1), document)


def require_columns(names: list[str]) -> None:
    """Refuses a table whose columns cannot make items, naming those it has."""
    lacking = columns_of(names).lacking()
    if lacking:
        listed = ", ".join(names)[:300]
        raise FileRefused(f"{lacking}; its columns are: {listed}")


def _of_batches(stream: IO[bytes], reader: RowReader) -> Iterator[Sequence[Line]]:
    from bellwether.cli.readers.item_columns import items_of

    for first, batch in parquet_batches(stream, require_columns):
        items = items_of(batch, reader)
        if items is None:
            yield list(_lines(batch_rows(first, batch), reader))
        else:
            kinds = map(kind_of, items)
            yield list(map(Line, count(first), items, repeat(None), kinds))


def _lines(rows: Iterator[Row], reader: RowReader) -> Iterator[Line]:
    for position, row in rows:
        if isinstance(row, RejectedItem):
            yield Line(position=position, fault=row)
            continue
        try:
            item = reader.item(row)
        except RejectedItem as fault:
            yield Line(position=position, fault=fault)
        else:
            yield Line(position, item, None, kind_of(item))


def _json(content: object, document: Document, reader: RowReader) -> Iterator[Line]:
    if is_json_feed(content):
        import msgspec

        yield from _feed(msgspec.json.encode(content), document)
        return
    records = ((n, as_object(record)) for n, record in enumerate(records_of(content), start=1))
    yield from _lines(records, reader)


def _feed(content: bytes, document: Document) -> Iterator[Line]:
    if len(content) > LARGEST_FEED:
        raise FileRefused(f"it is a feed of more than {LARGEST_FEED // (1024 * 1024)} MB")
    for position, entry in enumerate(_entries(content, document), start=1):
        if isinstance(entry, RejectedItem):
            yield Line(position=position, fault=entry)
        else:
            yield Line(position=position, item=entry, kind="news")


def _entries(content: bytes, document: Document) -> list[Item | RejectedItem]:
    """Read with the fetchers' own parser, so that both make the same items of an entry."""
    from datetime import UTC, datetime

    from bellwether.adapters.providers.feed_items import parse_feed

    fetched_at = datetime.now(UTC) if document.url else None
    parsed = parse_feed(content, url=document.url, observed_at=fetched_at)
    faults = {refusal.index: RejectedItem(refusal.code, refusal.detail) for refusal in parsed.refused}
    whole = faults.pop(None, None)
    if not parsed.items:
        raise FileRefused(whole.detail if whole else "the feed has no entry with words")
    items = iter(parsed.items)
    entries: list[Item | RejectedItem] = [
        fault if (fault := faults.get(index)) else next(items)
        for index in range(len(parsed.items) + len(faults))
    ]
    return [*entries, whole] if whole else entries
