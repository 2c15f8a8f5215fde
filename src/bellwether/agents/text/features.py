"""What the sentiment model weighs: one definition of its features for training and for inference.

Features have no names at inference, only places in a table of weights, found by hashing (Weinberger et al.
2009). The table has two parts. A row of the first belongs to a word, a substring or a word class, and has a
column for each place a word can stand in (`COLUMNS`), so that all of a word's weights lie side by side. The
second part belongs to sequences: neighbouring words and runs of word classes.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from math import sqrt
from typing import Any, NamedTuple
from zlib import crc32

from bellwether.agents.text.lexicon import CLASS_OF

COLUMNS = ("anywhere", "whole", "left", "right", "far_left", "far_right")
"""Where a word stands: read without an entity, or before and after the entity within its clause and beyond.
The first column is for all of them (Daumé III 2007): what is learned in one place serves in the others."""

WIDTH = len(COLUMNS)

ROWS = 1 << 16
SEQUENCES = 1 << 18
TABLE_SIZE = ROWS * WIDTH + SEQUENCES
"""Training's numbering: all columns of all rows, then the sequences."""

FIRST_SEQUENCE = ROWS * WIDTH

WORD, CHARACTERS, PAIR, CLASS = 0.6, 1.2, 1.0, 0.6
"""Prior scale of each family (under an L2 penalty a larger value is a weaker penalty)."""

MOST_ROWS = 60
"""Of one token: a longer one is read by its beginning."""

_LONGEST = 64


class Places(NamedTuple):
    """Where a token's weights lie: the first columns of its rows, and its two halves of a pair's place.

    Every row counts with `value`; `first ^ second` is the place of a pair of neighbours among the sequences.
    """

    rows: list[int]
    value: float
    first: int
    second: int


def hash_of(token: str) -> int:
    """32 bits."""
    return crc32(token.encode("utf-8", "surrogatepass"))


def framed(token: str) -> bytes:
    """`<token>`, whose substrings of four bytes count; empty unless it is a word of three letters or more."""
    if len(token) > 2 and token[0].isalpha():
        return f"<{token[:_LONGEST]}>".encode("utf-8", "surrogatepass")
    return b""


def halves(whole: Any) -> tuple[Any, Any]:
    """A token's halves of a pair's place, from its hash; of many at once from an array of 64 bits unsigned.

    One hash of 32 bits serves three times: as it is, mixed by an odd number, and by another.
    """
    return (whole * 0x9E3779B1 >> 13) % SEQUENCES, (whole * 0x85EBCA6B >> 11) % SEQUENCES


def token_places(token: str) -> Places:
    """Places of a token; of its substrings too if it is a word: what an unknown inflection shares with known
    ones."""
    whole = hash_of(token)
    rows, value = [whole % ROWS * WIDTH], WORD
    if word := framed(token):
        rows += [crc32(word[at : at + 4]) % ROWS * WIDTH for at in range(min(len(word) - 3, MOST_ROWS - 1))]
        # a word weighs the same whether it is long or short
        value = CHARACTERS / sqrt(len(rows))
    return Places(rows, value, *halves(whole))


def class_row(kind: str) -> int:
    """Place of the first column of a word class."""
    return hash_of(f"class {kind}") % ROWS * WIDTH


def token_features(column: str, token: str) -> list[tuple[int, float]]:
    """Places and values of one word standing in one column."""
    at = COLUMNS.index(column)
    places = token_places(token)
    features = [(row + offset, places.value) for row in places.rows for offset in (0, at)]
    if kind := CLASS_OF.get(token):
        features.append((class_row(kind) + at, CLASS))
    return features


def pair_features(tokens: Sequence[str]) -> list[tuple[int, float]]:
    """Places and values of neighbouring tokens."""
    places = map(token_places, tokens)
    return [(FIRST_SEQUENCE + (one.first ^ two.second), PAIR) for one, two in pairwise(places)]


@cache
def _table_hashes(table: str) -> tuple[int, ...]:
    # what a whole text and a text about an entity have in common comes first
    return tuple(hash_of(part) for part in dict.fromkeys((table.removeprefix("whole "), table)))


def _run_hashes(table: str, run: Sequence[str]) -> Iterator[int]:
    two, third = f" {run[0]} {run[1]}".encode(), f" {run[2]}".encode()
    for beginning in _table_hashes(table):
        # a CRC goes on where that of the beginning ended
        short = crc32(two, beginning)
        yield short
        if run[2]:
            yield crc32(third, short)


def sequence_places(table: str, key: Any) -> list[int]:
    """Places among the sequences of a run of word classes or of a class of the entity's own name; each has
    the value `CLASS`.

    A run is hashed as the table's name and its classes with a space before each: without its third class, and
    with it if there is one.
    """
    hashes = [hash_of(f"entity {key}")] if table == "entity" else _run_hashes(table, key)
    return [found % SEQUENCES for found in hashes]
