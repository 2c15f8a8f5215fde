"""How a text is read: as a whole, or from the place of one entity in it.

Words are kept as objects that carry what the model needs of them, so that a word seen before costs one
look-up and its neighbours a few attribute reads.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from bellwether.agents.text.amounts import compare
from bellwether.agents.text.composition import TURNING, rewrite
from bellwether.agents.text.features import COLUMNS, Places, token_places
from bellwether.agents.text.lexicon import CLASS_OF, CLAUSE_BREAKS, SKELETON, word_list
from bellwether.agents.text.tokens import (
    END,
    ENTITY,
    HERE,
    START,
    fold,
    hide,
    locate,
    pieces,
    split_piece,
    tokenise,
    without_control,
)

WINDOW = 48
"""Tokens read on each side of an entity; the longest training text has fewer, so a longer one (an article) is
read around its mention."""

CACHED_KEYS = 24_000
"""Per cache; one that outgrows it is emptied, which bounds the memory of a long-lived process."""

LONGEST_KEPT = 64
"""Characters; longer tokens and pieces are not kept, so that no text can fill the memory with a few."""

_ONE_SENTENCE = 280
"""A longer text (characters) is cut to the sentence that names the entity; headlines are left whole because
their full stops are mostly abbreviations."""

_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*\s+(?=[^\W_a-z])|\n\s*\n")

WHOLE = ("whole classes", "whole sketch")
"""Tables of sequences of a text read without an entity, in the order of `Seen.sequences`."""

ABOUT = ("classes", "sketch", "entity")
"""The same for a text read about an entity."""


class Word:
    """A token, its word class, its halves of a pair's place, and its weights by where it stands."""

    __slots__ = (*COLUMNS[1:], "first", "kind", "second", "stop", "token")

    def __init__(self, token: str, places: Places, sums: Sequence[complex]) -> None:
        self.token, self.kind, self.stop = token, CLASS_OF.get(token), token in CLAUSE_BREAKS
        self.first, self.second = places.first, places.second
        self.whole, self.left, self.right, self.far_left, self.far_right = sums


Weigh = Callable[[Places, str | None], Sequence[complex]]
"""From a token's places and class to its summed weights in each column but the first, which is in all."""


class Vocabulary(dict[str, Word]):
    """Words by token, made when first met."""

    def __init__(self, weigh: Weigh = lambda _places, _kind: (0j,) * len(COLUMNS[1:])) -> None:
        super().__init__()
        self._weigh = weigh
        self._in_piece = _Pieces(self).__getitem__
        self.start, self.end, self.entity = self[START], self[END], self[ENTITY]

    def __missing__(self, token: str) -> Word:
        places = token_places(token)
        word = Word(token, places, self._weigh(places, CLASS_OF.get(token)))
        if len(token) <= LONGEST_KEPT:
            if len(self) >= CACHED_KEYS:
                self.clear()
            self[token] = word
        return word

    def of_pieces(self, cut: Sequence[str]) -> list[Word]:
        """The words of what stands between spaces."""
        return list(chain.from_iterable(map(self._in_piece, cut)))


class _Pieces(dict[str, tuple[Word, ...]]):
    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._vocabulary = vocabulary

    def __missing__(self, piece: str) -> tuple[Word, ...]:
        words = tuple(map(self._vocabulary.__getitem__, split_piece(piece)))
        if words and len(piece) <= LONGEST_KEPT:
            if len(self) >= CACHED_KEYS:
                self.clear()
            self[piece] = words
        return words


class Seen(NamedTuple):
    """What the model sees of a text.

    `at` is the entity's place among `words` and (`start`, `end`) its clause, or all are -1 without an entity;
    `sequences` are the keys of each table of sequences, to be gone through once.
    """

    words: list[Word]
    at: int
    start: int
    end: int
    sequences: tuple[Iterable[Any], ...]

    def zones(self) -> Iterable[tuple[str, list[Word]]]:
        """Words by the column of `COLUMNS` they stand in."""
        words, at = self.words, self.at
        if at < 0:
            return [("whole", words)]
        parts = (words[self.start : at], words[at + 1 : self.end], words[: self.start], words[self.end :])
        return zip(COLUMNS[2:], parts, strict=True)


BEFORE_OWNER = "at"
PERFORMANCE = word_list("performance")
"""Words that are the entity's own when they stand before `at` and the entity."""


IN_SKETCH = SKELETON | {START, ENTITY, END}
"""Classes in the sketch of a text."""


def _runs(sequence: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """Runs of three, the last one padded: each carries its first pair too, so every pair is covered once."""
    return zip(sequence, sequence[1:], [*sequence[2:], ""], strict=False)


def _kinds(words: list[Word], vocabulary: Vocabulary) -> tuple[list[Word], list[str | None]]:
    kinds = [word.kind for word in words]
    if TURNING.isdisjoint(kinds):
        return words, kinds
    words = [vocabulary[token] for token in rewrite([word.token for word in words])]
    return words, [word.kind for word in words]


def observe(words: list[Word], vocabulary: Vocabulary) -> Seen:
    """Sees a text as a whole, without an entity."""
    words, kinds = _kinds(words, vocabulary)
    sequence = [START, *filter(None, kinds), END]
    return Seen(words, -1, -1, -1, (_runs(sequence), _runs(list(filter(IN_SKETCH.__contains__, sequence)))))


def _clause(words: Sequence[Word], at: int) -> tuple[int, int]:
    start, end = at, at + 1
    while start > 0 and not words[start - 1].stop:
        start -= 1
    while end < len(words) and not words[end].stop:
        end += 1
    return start, end


def _own_place(words: list[Word], at: int) -> tuple[list[Word], int]:
    """`profit rises at` an entity reads as the entity's `profit rises`."""
    start, _ = _clause(words, at)
    if not any(word.token in PERFORMANCE for word in words[start : at - 1]):
        return words, at
    return [*words[:start], words[at], *words[start : at - 1], *words[at + 1 :]], start


def observe_entity(words: list[Word], at: int, own: Sequence[str], vocabulary: Vocabulary) -> Seen:
    """Sees a text from the place `at` of one entity among its words; `own` are the word classes of its name.

    Only the classes of the name are used (an analyst, a regulator, an index), never its words: the same
    sentence about another company reads the same.
    """
    if at > 1 and words[at - 1].token == BEFORE_OWNER:
        words, at = _own_place(words, at)
    words, kinds = _kinds(words, vocabulary)
    start, end = _clause(words, at)
    sequence = [START, *filter(None, kinds), END]
    sequences = (_runs(sequence), _runs(list(filter(IN_SKETCH.__contains__, sequence))), own)
    return Seen(words, at, start, end, sequences)


@lru_cache(maxsize=4096)
def folded_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names as they are looked for, empty ones left out."""
    return tuple(low for name in names if (low := fold(name).strip()))


@lru_cache(maxsize=4096)
def name_classes(surface: str) -> tuple[str, ...]:
    """The word classes of an entity's name."""
    return tuple(filter(None, map(CLASS_OF.get, tokenise(surface))))


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    first = 0
    for match in _SENTENCE_END.finditer(text, max(0, start - 2000), start):
        first = match.end()
    after = _SENTENCE_END.search(text, end, end + 2000)
    return first, after.start() if after else len(text)


def mark(text: str, names: Sequence[str], span: tuple[int, int] | None) -> tuple[str, str | None]:
    """Folded `text` with `HERE` in place of the entity and `ENTITY` in place of its further mentions, and the
    name that stood there; or the text without a mark and None. What says more than its words is written out
    (`compare`).
    """
    folded = without_control(fold(text))
    low_names = folded_names(tuple(names)) if names else ()
    known = span is not None
    if span is None and low_names:
        span = locate(folded, low_names)
    if span is None:
        return compare(folded), None
    start, end = span
    if len(text) > _ONE_SENTENCE:
        first, last = _sentence(text, start, end)
        folded, start, end = folded[first:last], start - first, end - first
    name = folded[start:end]
    low_names = low_names or (name,)
    # the mention that was looked for is the first one, so that no other can be before it
    before = hide(folded[:start], low_names) if known else folded[:start]
    return compare(f"{before} {HERE} {hide(folded[end:], low_names)}"), name


def see(text: str, names: Sequence[str], span: tuple[int, int] | None, vocabulary: Vocabulary) -> Seen:
    """What the model sees of `text`.

    `names` are the entity's surface names; `span` is its mention when the caller knows it (offsets into
    `text`).
    """
    marked, name = mark(text, names, span)
    cut = pieces(marked)
    if name is None:
        return observe(vocabulary.of_pieces(cut), vocabulary)
    at = cut.index(HERE)
    left, right = vocabulary.of_pieces(cut[:at])[-WINDOW:], vocabulary.of_pieces(cut[at + 1 :])[:WINDOW]
    return observe_entity([*left, vocabulary.entity, *right], len(left), name_classes(name), vocabulary)
