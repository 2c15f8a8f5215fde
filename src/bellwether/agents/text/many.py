"""Reads many texts at once: the sentiment text model in columns (needs numpy).

Read one after another, each word of each text costs look-ups in objects scattered over the memory. Here the
words of a thousand texts are one array of numbers, and each kind of weight is gathered and summed for all of
them in one go. The readings are those of `SentimentModel.read`, but for the order of the sums.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from threading import Lock
from typing import NamedTuple

import numpy as np

from bellwether.agents.text.composition import rewrite
from bellwether.agents.text.features import CLASS, sequence_places
from bellwether.agents.text.model import Calibration, SentimentModel
from bellwether.agents.text.observations import (
    ABOUT,
    BEFORE_OWNER,
    LONGEST_KEPT,
    WHOLE,
    WINDOW,
    mark,
    name_classes,
)
from bellwether.agents.text.tokens import END, HERE, START, shape, split_piece
from bellwether.agents.text.vocabulary_columns import (
    CLASSES,
    OWN,
    SKETCHED,
    STOP,
    TURNS,
    Array,
    VocabularyColumns,
)

Asked = tuple[str, Sequence[str], tuple[int, int] | None]
"""A text, its entity's names and the place of its mention, as `SentimentModel.read` takes them."""

AT_ONCE, CHARACTERS_AT_ONCE = 1_000, 1 << 18
"""Texts and characters whose words are computed together: arrays that stay in the processor's cache."""

MOST_PIECES, MOST_WORDS = 1 << 17, 1 << 16
"""Kept; above either all are forgotten. With the tables of weights some 50 MB."""

_BREAK = HERE + HERE
"""Stands between two texts; no text has it."""

_PADDING, _START, _END = (CLASSES.index(name) for name in ("", START, END))
_ZONES = np.array([3, 1, 2, 4])
"""Columns of a word's weights from the first word to the last: far left, left, right, far right."""


class Probabilities(NamedTuple):
    """Columns by text: probabilities of the labels, and whether the reading is about the entity."""

    negative: Array
    neutral: Array
    positive: Array
    about_entity: Array


class _Pieces(dict[str, tuple[int, ...]]):
    """Numbers of the tokens of what stands between spaces."""

    def __init__(self, words: VocabularyColumns) -> None:
        super().__init__()
        self._words = words
        self.forget()

    def forget(self) -> None:
        self.clear()
        self[_BREAK] = (self._words.end, self._words.start)

    def __missing__(self, piece: str) -> tuple[int, ...]:
        numbers = tuple(map(self._words.__getitem__, split_piece(piece)))
        # pieces without words are mostly addresses, which hardly ever come again
        if numbers and len(piece) <= LONGEST_KEPT:
            self[piece] = numbers
        return numbers


class _Runs:
    """Weights of runs of word classes of one table, by three numbers of classes."""

    def __init__(self, table: str, model: SentimentModel) -> None:
        self._table, self._total = table, model.total
        self._weights = np.full(len(CLASSES) ** 3, np.nan, complex)
        self._weights[0] = 0

    def sums(self, kinds: Array) -> Array:
        """Summed weights of each text of a sequence of classes, every text from its start to its end."""
        starts = np.flatnonzero(kinds == _START)
        padded = np.append(kinds, (_PADDING, _PADDING)).astype(np.intp)
        first, second, third = padded[:-2], padded[1:-1], padded[2:].copy()
        third[second == _END] = _PADDING
        runs = (first * len(CLASSES) + second) * len(CLASSES) + third
        runs[first == _END] = 0
        weights = self._weights[runs]
        unknown = np.isnan(weights.real)
        if unknown.any():
            self._learn(set(runs[unknown].tolist()))
            weights = self._weights[runs]
        return np.add.reduceat(weights, starts)

    def _learn(self, runs: Iterable[int]) -> None:
        for run in runs:
            two, third = divmod(run, len(CLASSES))
            first, second = divmod(two, len(CLASSES))
            key = (CLASSES[first], CLASSES[second], CLASSES[third])
            self._weights[run] = CLASS * self._total(sequence_places(self._table, key))


class _Names(dict[str, complex]):
    """Summed weights of the classes of an entity's name."""

    def __init__(self, model: SentimentModel) -> None:
        super().__init__()
        self._total = model.total

    def __missing__(self, name: str) -> complex:
        places = chain.from_iterable(sequence_places(ABOUT[2], kind) for kind in name_classes(name))
        weight = CLASS * self._total(places)
        if len(name) <= LONGEST_KEPT:
            self[name] = weight
        return weight


class _Stretch(NamedTuple):
    """Numbers of the words of many texts, and the places of each text's start, entity (if it is read about
    one) and end among them."""

    words: Array
    starts: Array
    here: Array
    ends: Array


class ManyReader:
    """Reads as `model` does. Safe to share between threads: they read in turn.

    A reading depends neither on the other texts nor on their order.
    """

    def __init__(self, model: SentimentModel) -> None:
        self._model = model
        self._words = VocabularyColumns(model)
        self._pieces, self._names = _Pieces(self._words), _Names(model)
        stored = np.frombuffer(model.sequences, np.uint16)
        # two signed bytes: the low one toward negative
        self._pairs = np.empty(len(stored), np.complex64)
        self._pairs.real, self._pairs.imag = stored.astype(np.int8), (stored >> 8).astype(np.int8)
        self._whole = [_Runs(table, model) for table in WHOLE]
        self._about = [_Runs(table, model) for table in ABOUT[:2]]
        self._lock = Lock()

    def read(self, asked: Iterable[Asked]) -> Probabilities:
        """The probabilities that `SentimentModel.read` gives each."""
        with self._lock:
            parts = [self._read(texts) for texts in _batches(asked)]
        log_odds = np.concatenate([np.zeros(0, complex), *[odds for odds, _ in parts]])
        about = np.concatenate([np.zeros(0, bool), *[about for _, about in parts]])
        negative, neutral, positive = _probabilities(log_odds)
        return Probabilities(negative, neutral, positive, about)

    def _read(self, asked: Sequence[Asked]) -> tuple[Array, Array]:
        if len(self._pieces) > MOST_PIECES or max(len(self._words.tokens), len(self._names)) > MOST_WORDS:
            self._forget()
        marked = [mark(*one) for one in asked]
        about = np.array([name is not None for _, name in marked], bool)
        log_odds = np.empty(len(marked), complex)
        if about.any():
            log_odds[about] = self._about_entities(
                [text for text, name in marked if name is not None],
                [name for _, name in marked if name is not None],
            )
        if not about.all():
            log_odds[~about] = self._as_a_whole([text for text, name in marked if name is None])
        return log_odds, about

    def _forget(self) -> None:
        self._words.forget()
        self._pieces.forget()
        self._names.clear()

    def _numbers(self, texts: Iterable[str]) -> Array:
        joined = f" {_BREAK} ".join(["", *map(_without_cut_word, texts), ""])
        cut = shape(joined).split()
        numbers = np.fromiter(chain.from_iterable(map(self._pieces.__getitem__, cut)), np.intp)
        self._words.learn()
        # an end before the first text, a start after the last
        return numbers[1:-1]

    def _about_entities(self, texts: Sequence[str], names: Iterable[str]) -> Array:
        seen = self._rewritten(self._own_places(self._window(self._laid_out(self._numbers(texts)))))
        words, starts, here, ends = seen
        stops = np.flatnonzero(self._words.flags[words] & STOP)
        before = np.searchsorted(stops, here)
        first, after = stops[before - 1] + 1, stops[before]
        zones = np.repeat(
            np.tile(_ZONES, len(starts)),
            np.column_stack((first - starts, here - first, after - here, ends + 1 - after)).ravel(),
        )
        total = self._model.bias + np.add.reduceat(self._words.weights[words, zones], starts)
        total = self._with_sequences(total, words, starts, self._about)
        total += np.fromiter(map(self._names.__getitem__, names), complex, len(total))
        return _scaled(total, self._model.entity)

    def _as_a_whole(self, texts: Sequence[str]) -> Array:
        seen = self._rewritten(self._laid_out(self._numbers(texts)))
        words, starts, _, ends = seen
        total = self._model.bias + np.add.reduceat(self._words.weights[words, 0], starts)
        total = self._with_sequences(total, words, starts, self._whole)
        # as `SentimentModel.read` averages the evidence of a long text
        total *= 2 * WINDOW / np.maximum(ends - starts - 1, 2 * WINDOW)
        return _scaled(total, self._model.whole)

    def _with_sequences(self, total: Array, words: Array, starts: Array, tables: Sequence[_Runs]) -> Array:
        kinds = self._words.kind[words]
        kinds = kinds[kinds != _PADDING]
        classes, sketch = tables
        total = total + classes.sums(kinds) + sketch.sums(kinds[SKETCHED[kinds]])
        pairs = self._pairs[self._words.first[words[:-1]] ^ self._words.second[words[1:]]]
        # no pair reaches from one text into the next
        pairs[starts[1:] - 1] = 0
        summed: Array = total + np.add.reduceat(pairs, starts, dtype=complex) * self._model.sequence_scale
        return summed

    def _laid_out(self, words: Array) -> _Stretch:
        marks = (self._words.start, self._words.here, self._words.end)
        return _Stretch(words, *(np.flatnonzero(words == mark) for mark in marks))

    def _window(self, seen: _Stretch) -> _Stretch:
        words, starts, here, ends = seen
        if (here - starts).max() <= WINDOW + 1 and (ends - here).max() <= WINDOW + 1:
            return seen
        kept = np.abs(np.arange(len(words)) - np.repeat(here, ends + 1 - starts)) <= WINDOW
        kept[starts] = kept[ends] = True
        return self._laid_out(words[kept])

    def _own_places(self, seen: _Stretch) -> _Stretch:
        """`observations.observe_entity` with `profit rises at` an entity."""
        words, starts, here, _ = seen
        owner = self._words.get(BEFORE_OWNER, -1)
        dropped = []
        for text in np.flatnonzero(words[here - 1] == owner):
            at = here[text]
            flags = self._words.flags[words[starts[text] : at]]
            first = starts[text] + int(np.flatnonzero(flags & STOP)[-1]) + 1
            if (self._words.flags[words[first : at - 1]] & OWN).any():
                words[first:at] = [words[at], *words[first : at - 1]]
                dropped.append(at)
        return self._laid_out(np.delete(words, dropped)) if dropped else seen

    def _rewritten(self, seen: _Stretch) -> _Stretch:
        """`composition.rewrite` of the texts in which it may change something."""
        words, starts, _, ends = seen
        turning = np.flatnonzero(self._words.flags[words] & TURNS)
        for text in set((np.searchsorted(starts, turning) - 1).tolist()):
            numbers = words[starts[text] + 1 : ends[text]]
            tokens = [self._words.tokens[number] for number in numbers.tolist()]
            for at, (old, new) in enumerate(zip(tokens, rewrite(tokens), strict=True)):
                if new != old:
                    numbers[at] = self._words[new]
        self._words.learn()
        return seen


def _batches(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    left = iter(asked)
    while batch := list(islice(left, AT_ONCE)):
        yield from _halved(batch)


def _halved(batch: list[Asked]) -> Iterator[list[Asked]]:
    if len(batch) == 1 or sum([len(text) for text, _, _ in batch]) <= CHARACTERS_AT_ONCE:
        yield batch
        return
    half = len(batch) // 2
    yield from _halved(batch[:half])
    yield from _halved(batch[half:])


def _without_cut_word(text: str) -> str:
    """As `tokens.pieces` leaves out a last word cut off by the platform."""
    if not text.isascii() and text.rstrip().endswith("…"):
        return " ".join(text.split()[:-1])
    return text


def _scaled(total: Array, scaling: Calibration) -> Array:
    scaled: Array = total * scaling.slope + complex(scaling.negative, scaling.positive)
    return scaled


def _probabilities(log_odds: Array) -> Array:
    odds = np.stack((log_odds.real, np.zeros(len(log_odds)), log_odds.imag))
    powers = np.exp(odds - odds.max(axis=0))
    shares: Array = powers / powers.sum(axis=0)
    return shares
