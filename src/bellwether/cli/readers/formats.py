"""What a file holds, told by its content; its name is not trusted."""

import gzip
import re
import zlib
from typing import IO, Literal, cast

Format = Literal["parquet", "feed", "json", "ndjson", "table"]

HEAD_BYTES = 64 * 1024
_BINARY = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; save it as CSV",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard; decompress it first",
    b"BZh": "compressed with bzip2; decompress it first",
    b"\xfd7zXZ": "compressed with xz; decompress it first",
    b"\xd0\xcf\x11\xe0": "an old Office document; save it as CSV",
}
_HTML = re.compile(r"(?:<\?.*?\?>|<!--.*?-->|\s)*(?:<!doctype html|<html)\b", re.IGNORECASE | re.DOTALL)
_KNOWN = "RSS, Atom, JSON Feed, NDJSON, JSON, CSV, TSV or Parquet"


class FileRefused(Exception):
    """A file (or URL, or stdin) nothing can be read from. The text says why and what would help."""


def opened(stream: IO[bytes]) -> IO[bytes]:
    """The stream, decompressed when it is gzip. `stream` must be seekable."""
    magic = stream.read(2)
    stream.seek(0)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=stream)) if magic == b"\x1f\x8b" else stream


def format_of(stream: IO[bytes]) -> tuple[Format, str]:
    """Format and text encoding; leaves the stream at its start. Raises `FileRefused`."""
    try:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
    except (OSError, EOFError, zlib.error) as fault:
        raise FileRefused(f"it cannot be decompressed ({fault})") from None
    if not head:
        raise FileRefused("it is empty")
    if head.startswith(b"PAR1"):
        return "parquet", "binary"
    encoding = _encoding(head)
    text = _text(head, encoding).lstrip("\ufeff \t\r\n")
    if not text:
        raise FileRefused("it holds nothing but blanks")
    return _text_format(text), encoding


def _encoding(head: bytes) -> str:
    for magic, what in _BINARY.items():
        if head.startswith(magic):
            raise FileRefused(f"it is {what}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x00" in head:
        raise FileRefused(f"it is binary, not {_KNOWN}")
    return "utf-8-sig"


def _text(head: bytes, encoding: str) -> str:
    """The head as text; a character cut in two at its end does not matter."""
    return head.decode(encoding, errors="replace")


def _text_format(text: str) -> Format:
    if text.startswith("<"):
        if _HTML.match(text):
            raise FileRefused("it is a web page, not a feed; look for its RSS or Atom address")
        return "feed"
    if text.startswith("["):
        return "json"
    if text.startswith("{"):
        return _object_format(text)
    return "table"


def _object_format(text: str) -> Format:
    """One JSON object a line is NDJSON; an object over several lines, or a whole feed, is a JSON document."""
    import msgspec

    first = text.split("\n", 1)[0].strip()
    try:
        record = msgspec.json.decode(first)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return "json" if first in {"{", '{"items": [', '{"items":['} or "\n" in text[:2] else _cut(text)
    return "json" if isinstance(record.get("items"), list) else "ndjson"


def _cut(text: str) -> Format:
    """The first line is no JSON by itself: a pretty-printed document, a damaged line, or a very long one."""
    rest = text.split("\n", 1)
    if len(rest) == 1:
        return "json"
    second = rest[1].lstrip(" \t\r\n")
    return "ndjson" if second.startswith("{") else "json"
