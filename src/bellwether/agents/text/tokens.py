"""From raw text to the tokens the sentiment model reads, and from an entity's names to where it stands."""

import re
from collections.abc import Iterable, Sequence

ENTITY = "\x01"
"""The token that stands for the entity itself; no text can contain it, so it never meets a real word."""

START, END = "^", "$"
"""Pseudo-tokens before the first and after the last token."""

_URL = re.compile(r"(?:https?://|www\.)\S*|\S+…$")
_CONTROL = re.compile("\x01")
_FIND = re.compile(
    "\x01|"
    r"\$[^\W\d_][\w.]*|@\w+|'s\b|[^\W\d_]\w*(?:['&.-]\w+)*|0[0,]*(?:\.0+)?|[%;:,?!|()\"-]"
).findall
_SHAPE = str.maketrans("123456789’‘“”–—", "000000000''\"\"--")
_QUOTES = str.maketrans("’‘", "''")


def fold(text: str) -> str:
    """Lower-case `text` without changing its length, so that offsets into one are offsets into the other."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # a handful of letters ("İ") lower to two characters; those stay as they are
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered if lowered.isascii() else lowered.translate(_QUOTES)


def tokenise(folded: str) -> list[str]:
    """Split folded text into words, number shapes (every digit is 0), cashtags, mentions and marks.

    Addresses are dropped, every cashtag is one token and every mention another: which share or whose
    account it is says nothing about the mood of the sentence.
    """
    if "://" in folded or "www." in folded or "…" in folded:
        folded = _URL.sub(" ", folded)
    tokens: list[str] = _FIND(folded.translate(_SHAPE))
    if "$" in folded or "@" in folded:
        return [token[0] + "x" if token[0] in "$@" else token for token in tokens]
    return tokens


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
        start = find_name(folded, name) if name else -1
        while start >= 0:
            folded = f"{folded[:start]} {ENTITY} {folded[start + len(name) :]}"
            start = find_name(folded, name, start + 3)
    return folded


def without_control(folded: str) -> str:
    """`folded` without the one control character this module keeps for itself."""
    return _CONTROL.sub(" ", folded) if ENTITY in folded else folded
