"""JSON as providers send it: read strictly where it is right, and as far as it can be where it is not."""

import json
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
    try:
        return msgspec.json.decode(content, type=type_, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = mended(document_text(content))
    try:
        return msgspec.json.decode(told or b"", type=type_, strict=False)
    except msgspec.DecodeError:
        detail = f"{title} answered with something else than it should"
        raise Refused("bad_answer", detail, about_all=False) from None


def mended(text: str) -> bytes | None:
    """The document with what JSON forbids taken out: bare control characters stay, halves of surrogate
    pairs are replaced. `None` for what is no JSON even so."""
    try:
        told = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return json.dumps(told, ensure_ascii=False).encode("utf-8", errors="replace")


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
