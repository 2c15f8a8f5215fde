"""JSON objects: NDJSON line by line, arrays and `{"items": […]}` documents whole."""

from collections.abc import Iterator
from typing import IO, Any

import msgspec

from bellwether.cli.readers.formats import FileRefused
from bellwether.cli.readers.tables import Row
from bellwether.domain.items import RejectedItem

LARGEST_DOCUMENT = 256 * 1024 * 1024
LARGEST_LINE = 5 * 1024 * 1024


def json_lines(stream: IO[bytes], encoding: str) -> Iterator[Row]:
    """One object a line; a damaged line is refused by itself. Lines count from 1, blank ones too."""
    number = 0
    while line := stream.readline(LARGEST_LINE + 1):
        number += 1
        if len(line) > LARGEST_LINE and not line.endswith(b"\n"):
            _skip_rest(stream)
            yield number, RejectedItem("too_large", f"the line is longer than {LARGEST_LINE} bytes")
        elif line.strip(b"\xef\xbb\xbf \t\r\n"):
            yield number, _line(line, encoding)


def _skip_rest(stream: IO[bytes]) -> None:
    while (more := stream.readline(LARGEST_LINE)) and not more.endswith(b"\n"):
        pass


def _line(line: bytes, encoding: str) -> dict[str, Any] | RejectedItem:
    try:
        return as_object(msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf")))
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        return RejectedItem("malformed_json", f"{fault} ({encoding})" if encoding == "utf-16" else str(fault))


def as_object(record: Any) -> dict[str, Any] | RejectedItem:
    """The record if it is an object, else why it is no item."""
    if isinstance(record, dict):
        return record
    return RejectedItem("invalid_item", f"expected an object, found {type(record).__name__}")


def json_document(stream: IO[bytes], encoding: str) -> Any:
    """The document as plain values. Raises `FileRefused`."""
    content = stream.read(LARGEST_DOCUMENT + 1)
    if len(content) > LARGEST_DOCUMENT:
        limit = LARGEST_DOCUMENT // (1024 * 1024)
        raise FileRefused(f"it is one JSON document of more than {limit} MB; write it as NDJSON")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as fault:
        reason = f"{fault.reason} at byte {fault.start}"
        raise FileRefused(f"it is not {encoding.upper()} text ({reason})") from None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise FileRefused(f"it is not JSON that can be read: {fault}") from None


def records_of(document: Any) -> list[Any]:
    """The records of an array, of `{"items": […]}`, or the one object itself."""
    if isinstance(document, dict):
        items = document.get("items")
        return items if isinstance(items, list) else [document]
    if isinstance(document, list):
        return document
    raise FileRefused(f"it is a JSON {type(document).__name__}, not a list of items")


def is_json_feed(document: Any) -> bool:
    """Whether a document says it is a JSON Feed (jsonfeed.org)."""
    return isinstance(document, dict) and "jsonfeed.org" in str(document.get("version", ""))
