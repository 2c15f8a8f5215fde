"""JSON as providers send it: read strictly where it is right, and as far as it can be where it is not."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from bellwether.adapters.providers.feed_encoding import document_text
from bellwether.adapters.providers.guarded_http import Refused

T = TypeVar("T")


def read_json(content: bytes, type_: type[T], title: str) -> T:
    """The document. Raises `Refused` (`bad_answer`), which concerns what was asked for and not all calls.

    Numbers may come as text. Bytes that are not UTF-8 are read as what they are (see `document_text`).
    """
    for encoded in (content, None):
        try:
            told = encoded if encoded is not None else document_text(content).encode("utf-8", "replace")
            return msgspec.json.decode(told, type=type_, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    raise Refused("bad_answer", f"{title} answered with something else than it should", about_all=False)


def read_entries(told: Sequence[msgspec.Raw] | None, type_: type[T]) -> tuple[list[T], int]:
    """The entries that are of the type, and how many are not."""
    entries, refused = [], 0
    for raw in told or ():
        try:
            entries.append(msgspec.json.decode(raw, type=type_, strict=False))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            refused += 1
    return entries, refused


def members(content: bytes) -> dict[str, Any]:
    """The members of a JSON object, none when it is something else: for what is said beside an answer."""
    try:
        told = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def refuse_pages(content: bytes, title: str) -> None:
    """Raises `Refused` for nothing at all and for a page where a document was asked for."""
    begin = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not begin:
        raise Refused("bad_answer", f"{title} answered with nothing")
    if begin.startswith(b"<"):
        raise Refused("bad_answer", f"{title} answered with a page instead of a document")
