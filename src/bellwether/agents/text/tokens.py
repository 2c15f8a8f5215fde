"""From raw text to the tokens the sentiment model reads, and from an entity's names to where it stands."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain

ENTITY = "\x01"
"""The token that stands for the entity itself; no text can contain it, so it never meets a real word."""

HERE = "\x02"
"""Marks the mention that is read, until its place among the tokens is known."""

START, END = "^", "$"
"""Pseudo-tokens before the first and after the last token."""

_URL = re.compile(r"(?:https?://|www\.)\S*")
_CONTROL = str.maketrans("\x01\x02", "  ")
_FIND = re.compile(
    "[\x01\x02]|"
    r"\$[^\W\d_][\w.]*|@\w+|'s\b|[^\W\d_]\w*(?:['&.-]\w+)*|0[0,]*(?:\.0+)?|[%;:,?!|()\"-]"
).findall
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_MARKS = (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("–", "-"), ("—", "-"))
_QUOTES = _MARKS[:2]
_ADDRESS = ("http://", "https://", "www.")


def split_piece(piece: str) -> list[str]:
    """Tokens of what stands between two spaces: words, number shapes, cashtags, mentions and marks.

    Addresses are dropped, every cashtag is one token and every mention another: which share or whose
    account it is says nothing about the mood of the sentence. A possessive is read as its noun.
    """
    if piece.isalpha():
        return [piece]
    if piece.startswith(_ADDRESS):
        return []
    if "://" in piece or "www." in piece:
        piece = _URL.sub(" ", piece)
    return [_token(found) for found in _FIND(piece)]


def _token(found: str) -> str:
    if found[0] in "$@":
        return found[0] + "x"
    return found[:-2] if found.endswith("'s") and len(found) > 2 else found


def fold(text: str) -> str:
    """Lower-case `text` without changing its length, so that offsets into one are offsets into the other."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # a handful of letters ("İ") lower to two characters; those stay as they are
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered if lowered.isascii() else _written_plainly(lowered, _QUOTES)


def _written_plainly(text: str, marks: Iterable[tuple[str, str]]) -> str:
    for mark, plain in marks:
        text = text.replace(mark, plain)
    return text


def shape(folded: str) -> str:
    """Folded text with every digit written as 0, and quotation marks and dashes as on a keyboard."""
    if folded.isascii():
        return folded.encode().translate(_DIGITS).decode()
    # a digit is one byte of UTF-8, and no other character has that byte in it
    shaped = folded.encode("utf-8", "surrogatepass").translate(_DIGITS).decode("utf-8", "surrogatepass")
    return _written_plainly(shaped, _MARKS)


def pieces(folded: str) -> list[str]:
    """Folded text cut at its spaces, every digit written as 0; a last word cut off by the platform is left
    out."""
    cut = shape(folded).split()
    if cut and cut[-1][-1] == "…":
        del cut[-1]
    return cut


def tokenise(folded: str) -> list[str]:
    """The tokens of folded text."""
    return list(chain.from_iterable(map(split_piece, pieces(folded))))


def _word_at(folded: str, start: int, end: int) -> bool:
    return not (
        (start > 0 and folded[start - 1].isalnum() and folded[start].isalnum())
        or (end < len(folded) and folded[end].isalnum() and folded[end - 1].isalnum())
    )


def find_name(folded: str, name: str, begin: int = 0) -> int:
    """Offset of the first whole-word occurrence of the folded `name` at or after `begin`, or -1."""
    start = folded.find(name, begin)
    while start >= 0 and not _word_at(folded, start, start + len(name)):
        start = folded.find(name, start + 1)
    return start


def locate(folded: str, names: Iterable[str]) -> tuple[int, int] | None:
    """The earliest whole-word mention of any of the folded `names`, the longest one where several start
    there.

    A leading `$` belongs to the mention. Returns (start, end) offsets, or None when no name is in the text.
    """
    best: tuple[int, int] | None = None
    for name in names:
        if name and (start := find_name(folded, name)) >= 0:
            span = (start, start + len(name))
            if best is None or (start, -span[1]) < (best[0], -best[1]):
                best = span
    if best is not None and best[0] > 0 and folded[best[0] - 1] == "$":
        best = (best[0] - 1, best[1])
    return best


def hide(folded: str, names: Sequence[str]) -> str:
    """`folded` with every further whole-word mention of the entity's names replaced by `ENTITY`."""
    for name in names:
        if name and name in folded:
            folded = _hidden(folded, name)
    return folded


def _hidden(folded: str, name: str) -> str:
    start = find_name(folded, name)
    while start >= 0:
        folded = f"{folded[:start]} {ENTITY} {folded[start + len(name) :]}"
        start = find_name(folded, name, start + 3)
    return folded


def without_control(folded: str) -> str:
    """`folded` without the two control characters this module keeps for itself."""
    return folded.translate(_CONTROL) if ENTITY in folded or HERE in folded else folded
