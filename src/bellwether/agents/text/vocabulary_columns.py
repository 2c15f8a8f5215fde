"""Words as numbers: what the sentiment text model needs of a word, kept in columns (needs numpy).

The same weights as `observations.Vocabulary` gives, made for many words at once: the hashes of all their
substrings are four look-ups each.
"""

from typing import Any
from zlib import crc32

import numpy as np

from bellwether.agents.text.composition import TURNING
from bellwether.agents.text.features import (
    CHARACTERS,
    CLASS,
    MOST_ROWS,
    ROWS,
    WIDTH,
    WORD,
    class_row,
    framed,
    halves,
    hash_of,
)
from bellwether.agents.text.lexicon import CLASS_OF, CLAUSE_BREAKS
from bellwether.agents.text.model import BIAS, SentimentModel
from bellwether.agents.text.observations import IN_SKETCH, LONGEST_KEPT, PERFORMANCE
from bellwether.agents.text.tokens import END, ENTITY, HERE, START

Array = np.ndarray[Any, np.dtype[Any]]

STOP, TURNS, OWN = 1, 2, 4
"""Flags of a word: ends a clause; may be rewritten with its neighbours; is the entity's own before `at`."""

CLASSES = ("", START, END, *sorted(set(CLASS_OF.values())))
"""Classes by number; a word without a class has number 0."""

SKETCHED = np.array([kind in IN_SKETCH for kind in CLASSES])
"""Which classes, by number, are in the sketch of a text."""

_NUMBER = {kind: number for number, kind in enumerate(CLASSES)}


def _flags(token: str) -> int:
    turns = CLASS_OF.get(token) in TURNING
    return STOP * int(token in CLAUSE_BREAKS) + TURNS * int(turns) + OWN * int(token in PERFORMANCE)


_KNOWN = {
    token: (_NUMBER.get(CLASS_OF.get(token, ""), 0), _flags(token))
    for token in {*CLASS_OF, *CLAUSE_BREAKS, *PERFORMANCE}
} | {
    # the ends of a text end a clause too
    START: (_NUMBER[START], STOP),
    END: (_NUMBER[END], STOP),
}


def _hash_tables() -> tuple[Array, ...]:
    # the CRC of as many bytes is linear: that of four is that of four zeros, changed by each byte alone
    zeros = crc32(bytes(4))
    tables = []
    for at in range(4):
        alone = (bytes(at) + bytes([value]) + bytes(3 - at) for value in range(256))
        tables.append(np.array([(crc32(four) ^ zeros) % ROWS for four in alone], np.intp))
    tables[0] ^= zeros % ROWS
    return tuple(tables)


_FIRST, _SECOND, _THIRD, _FOURTH = _hash_tables()


def runs(starts: Array, lengths: Array) -> Array:
    """The whole numbers from each start on, one run after another."""
    ends = np.cumsum(lengths)
    numbers: Array = np.arange(int(lengths.sum())) + np.repeat(starts - (ends - lengths), lengths)
    return numbers


class VocabularyColumns(dict[str, int]):
    """Numbers of tokens, given when a token is first met, and columns by number.

    `weights` has a row of complex numbers for each word: real toward negative, imaginary toward positive, one
    for each column of `features.COLUMNS` but the first. The columns hold the words known at the last `learn`.
    """

    def __init__(self, model: SentimentModel) -> None:
        super().__init__()
        lanes = np.frombuffer(model.rows.stored, ">u2").reshape(ROWS, 2 * WIDTH)
        self._rows, self._scale = lanes.astype(np.uint16), model.rows.scale
        self._of_class = np.zeros((len(CLASSES), WIDTH), complex)
        named = [number for number, kind in enumerate(CLASSES) if kind not in ("", START, END)]
        rows = np.array([class_row(CLASSES[number]) // WIDTH for number in named], np.intp)
        self._of_class[named] = self._sums(rows, np.arange(len(rows)), np.full(len(rows), CLASS))
        self.tokens = list[str]()
        self.weights = np.zeros((0, WIDTH - 1), complex)
        self.first, self.second = np.zeros(0, np.intp), np.zeros(0, np.intp)
        self.kind, self.flags = np.zeros(0, np.uint8), np.zeros(0, np.uint8)
        self.forget()

    def __missing__(self, token: str) -> int:
        number = len(self.tokens)
        self.tokens.append(token)
        if len(token) <= LONGEST_KEPT:
            self[token] = number
        return number

    def forget(self) -> None:
        """Leaves only the tokens that stand for something else."""
        self.clear()
        self.tokens.clear()
        self._known = 0
        self.start, self.end, self.here, self.entity = (self[token] for token in (START, END, HERE, ENTITY))
        self.learn()

    def learn(self) -> None:
        """Fills the columns for the tokens met since."""
        new = self.tokens[self._known :]
        if not new:
            return
        self._make_room(len(self.tokens))
        here = slice(self._known, len(self.tokens))
        known = np.array([_KNOWN.get(token, (0, 0)) for token in new], np.uint8)
        self.kind[here], self.flags[here] = known.T
        hashes = np.array([hash_of(token) for token in new], np.uint64)
        self.first[here], self.second[here] = halves(hashes)
        self.weights[here] = self._weights(new, hashes, known[:, 0])
        self.tokens[here] = [token if len(token) <= LONGEST_KEPT else "" for token in new]
        if not self._known:
            self._set_marks()
        self._known = len(self.tokens)

    def _set_marks(self) -> None:
        # neither the ends nor the entity's own place are words of the text
        self.weights[[self.start, self.end, self.here]] = 0
        self.tokens[self.here] = ENTITY
        for column in (self.first, self.second, self.kind, self.flags):
            column[self.here] = column[self.entity]

    def _make_room(self, needed: int) -> None:
        if needed <= len(self.kind):
            return
        more = max(needed, 2 * len(self.kind)) - len(self.kind)
        for name in ("weights", "first", "second", "kind", "flags"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate((column, np.zeros((more, *column.shape[1:]), column.dtype))))

    def _weights(self, tokens: list[str], hashes: Array, kinds: Array) -> Array:
        words = list(map(framed, tokens))
        lengths = np.array([len(word) for word in words], np.intp)
        parts = np.clip(lengths - 3, 0, MOST_ROWS - 1)
        counts = 1 + parts
        firsts = np.cumsum(counts) - counts
        rows = np.empty(int(counts.sum()), np.intp)
        rows[firsts] = hashes % np.uint64(ROWS)
        rows[runs(firsts + 1, parts)] = _substring_rows(words, lengths, parts)
        values = np.where(parts > 0, CHARACTERS / np.sqrt(counts), WORD)
        sums = self._sums(rows, firsts, values)
        weights: Array = sums[:, :1] + sums[:, 1:] + self._of_class[kinds, 1:]
        return weights

    def _sums(self, rows: Array, firsts: Array, values: Array) -> Array:
        counts = np.diff(firsts, append=len(rows))
        lanes = np.add.reduceat(self._rows[rows], firsts, axis=0, dtype=np.int32) - (BIAS * counts)[:, None]
        sums: Array = (lanes * (values * self._scale)[:, None]).view(complex)
        return sums


def _substring_rows(words: list[bytes], lengths: Array, parts: Array) -> Array:
    """Rows of the first so many substrings of four bytes of each word."""
    joined = np.frombuffer(b"".join(words), np.uint8)
    at = runs(np.cumsum(lengths) - lengths, parts)
    rows: Array = (
        _FIRST[joined[at]] ^ _SECOND[joined[at + 1]] ^ _THIRD[joined[at + 2]] ^ _FOURTH[joined[at + 3]]
    )
    return rows
