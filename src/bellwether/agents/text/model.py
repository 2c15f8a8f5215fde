"""The sentiment text model at inference: hashed linear weights, the standard library and msgspec."""

import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import exp, log
from operator import xor
from pathlib import Path
from struct import Struct
from sys import byteorder
from typing import Any, Literal, Self

import msgspec

from bellwether.agents.text.features import (
    CLASS,
    WIDTH,
    Places,
    class_row,
    sequence_places,
)
from bellwether.agents.text.observations import (
    ABOUT,
    CACHED_KEYS,
    WHOLE,
    WINDOW,
    Vocabulary,
    folded_names,
    see,
)
from bellwether.agents.text.tokens import fold, locate, without_control

Label = Literal["negative", "neutral", "positive"]

PACKAGED = Path(__file__).with_name("weights.bin")
"""The trained weights that ship with the package."""

_WORDS = re.compile(r"\S+")


class Calibration(msgspec.Struct, frozen=True):
    """Vector scaling of margins against neutral to log-odds: `z * slope + offset` (Guo et al. 2017)."""

    slope: float = 1.0
    negative: float = 0.0
    positive: float = 0.0


class Weights(msgspec.Struct, frozen=True):
    """The trained model as stored (msgpack).

    Weights are toward negative and toward positive, relative to neutral. `rows` holds words: for each column
    of each row two unsigned numbers of 16 bits (the high byte first), `BIAS` above the weight in units of
    `row_scale`. `sequences` holds two signed bytes for each place, in units of `sequence_scale`. `negative`
    and `positive` are the intercepts.
    """

    version: str
    row_scale: float
    sequence_scale: float
    negative: float
    positive: float
    whole: Calibration
    entity: Calibration
    rows: bytes
    sequences: bytes


BIAS = 512
"""Above every weight of a row, so that lanes stay positive and 60 of them fit 16 bits."""

_LANES = Struct(f">{2 * WIDTH}H").unpack


class Reading(msgspec.Struct, frozen=True, gc=False):
    """Probabilities of the three labels (they sum to 1) and the likeliest one.

    `about_entity` is False when no entity was given or none of its names is in the text: the reading is then
    of the text as a whole.
    """

    p_negative: float
    p_neutral: float
    p_positive: float
    label: Label
    about_entity: bool


class Word(msgspec.Struct, frozen=True):
    """A word, where it stands in the text, and what it adds to the label's log-odds."""

    word: str
    start: int
    end: int
    weight: float


class _Decoded(dict[int, complex]):
    """Weights by the two bytes that store them; the real part is toward negative, the imaginary one toward
    positive. Few of the 65,536 occur, so each is decoded once."""

    __slots__ = ("_scale",)

    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def __missing__(self, stored: int) -> complex:
        negative, positive = ((byte ^ 0x80) - 0x80 for byte in (stored & 0xFF, stored >> 8))
        weight = self[stored] = complex(negative * self._scale, positive * self._scale)
        return weight


class _Rows:
    """Weights of words: a row has two lanes of 16 bits for each column, each `BIAS` above its weight.

    Rows are added as whole numbers, all lanes in one addition; `MOST_ROWS` of them fit a lane.
    """

    def __init__(self, weights: Weights) -> None:
        self.stored, self.scale = weights.rows, weights.row_scale
        self._class = cache(self._weigh_class)

    def _sums(self, rows: Sequence[int], value: float) -> list[complex]:
        stored = self.stored
        # a place counts columns of four bytes
        total = sum(map(int.from_bytes, [stored[4 * row : 4 * (row + WIDTH)] for row in rows]))
        lanes, base, unit = _LANES(total.to_bytes(4 * WIDTH, "big")), BIAS * len(rows), value * self.scale
        return [
            complex((negative - base) * unit, (positive - base) * unit)
            for negative, positive in zip(lanes[::2], lanes[1::2], strict=True)
        ]

    def _weigh_class(self, kind: str | None) -> list[complex]:
        return self._sums([class_row(kind)], CLASS) if kind else [0j] * WIDTH

    def weigh(self, places: Places, kind: str | None) -> list[complex]:
        """Summed weights of a word by where it stands."""
        anywhere, *own = self._sums(places.rows, places.value)
        return [anywhere + word + of_class for word, of_class in zip(own, self._class(kind)[1:], strict=True)]


class _Sequences(dict[Any, complex]):
    """Summed weights of one table of sequences, by its keys."""

    __slots__ = ("_name", "_total")

    def __init__(self, name: str, total: Callable[[Iterable[int]], complex]) -> None:
        super().__init__()
        self._name, self._total = name, total

    def __missing__(self, key: Any) -> complex:
        weight = CLASS * self._total(sequence_places(self._name, key))
        if len(self) >= CACHED_KEYS:
            self.clear()
        self[key] = weight
        return weight


@cache
def _packaged() -> "SentimentModel":
    return SentimentModel(msgspec.msgpack.decode(PACKAGED.read_bytes(), type=Weights))


def _reading(z: complex, about_entity: bool) -> Reading:
    negative, positive = z.real, z.imag
    top = max(0.0, negative, positive)
    e_negative, e_neutral, e_positive = exp(negative - top), exp(-top), exp(positive - top)
    total = e_negative + e_neutral + e_positive
    label: Label = "neutral"
    if top > 0.0:
        label = "negative" if negative >= positive else "positive"
    return Reading(e_negative / total, e_neutral / total, e_positive / total, label, about_entity)


class SentimentModel:
    """Reads what a headline or post says, about one entity or as a whole.

    Safe to share between threads: reading only adds to caches. The same text always gives the same reading.
    `text.many` reads many texts at once with the weights kept here.
    """

    def __init__(self, weights: Weights) -> None:
        self.version = weights.version
        self.bias = complex(weights.negative, weights.positive)
        self.rows, self.sequence_scale = _Rows(weights), weights.sequence_scale
        self.sequences = array("H", weights.sequences)
        if byteorder == "big":
            self.sequences.byteswap()
        self._stored, self._decode = self.sequences.__getitem__, _Decoded(weights.sequence_scale).__getitem__
        self._vocabulary = Vocabulary(self.rows.weigh)
        self._start, self._end = self._vocabulary.start.first, self._vocabulary.end.second
        self._whole_tables, self._entity_tables = (
            [_Sequences(name, self.total).__getitem__ for name in names] for names in (WHOLE, ABOUT)
        )
        self.whole, self.entity = weights.whole, weights.entity

    @classmethod
    def load(cls, path: Path | None = None) -> Self | "SentimentModel":
        """The packaged model (read once per process), or the one a training run wrote to `path`."""
        if path is None:
            return _packaged()
        return cls(msgspec.msgpack.decode(path.read_bytes(), type=Weights))

    def total(self, places: Iterable[int]) -> complex:
        """Summed weights of places among the sequences."""
        return sum(map(self._decode, map(self._stored, places)), 0j)

    def _log_odds(
        self, text: str, names: Sequence[str], span: tuple[int, int] | None
    ) -> tuple[complex, bool]:
        words, at, start, end, sequences = see(text, names, span, self._vocabulary)
        total = self.bias
        if at < 0:
            tables, scaling = self._whole_tables, self.whole
            total = sum([word.whole for word in words], total)
        else:
            tables, scaling = self._entity_tables, self.entity
            total = sum([word.far_left for word in words[:start]], total)
            total = sum([word.left for word in words[start:at]], total)
            total = sum([word.right for word in words[at + 1 : end]], total)
            total = sum([word.far_right for word in words[end:]], total)
        for weight_of, keys in zip(tables, sequences, strict=True):
            total = sum(map(weight_of, keys), total)
        firsts, seconds = [word.first for word in words], [word.second for word in words]
        places = map(xor, [self._start, *firsts], [*seconds, self._end])
        # PAIR is 1: pairs need no scaling
        total += self.total(places)
        if at < 0 and len(words) > 2 * WINDOW:
            # evidence adds up word by word; beyond the length trained on it is averaged instead
            total *= 2 * WINDOW / len(words)
        return total * scaling.slope + complex(scaling.negative, scaling.positive), at >= 0

    def read(
        self,
        text: str,
        entity: str | None = None,
        *,
        names: Sequence[str] = (),
        span: tuple[int, int] | None = None,
    ) -> Reading:
        """Probabilities that `text` is negative, neutral or positive about `entity`.

        `entity` and `names` are surface names of the same entity (ticker, cashtag, company name, aliases);
        the earliest mention counts, further ones are recognised as the same. `span` gives the mention's
        offsets in `text` when the caller has linked it already. Without any of them the text is read as a
        whole. Never raises on any text; an empty one reads as the model's prior.
        """
        log_odds, about_entity = self._log_odds(text, (entity, *names) if entity else names, span)
        return _reading(log_odds, about_entity)

    def explain(
        self,
        text: str,
        entity: str | None = None,
        *,
        names: Sequence[str] = (),
        span: tuple[int, int] | None = None,
        limit: int = 5,
    ) -> list[Word]:
        """The words that drove the label, strongest first, at most `limit`.

        A word's weight is the log-odds (natural units) of the label with it minus without it: occlusion,
        which is faithful to the model whatever features the word takes part in (Zeiler, Fergus 2014).
        """
        all_names = (entity, *names) if entity else names
        if span is None and all_names:
            span = locate(without_control(fold(text)), folded_names(tuple(all_names)))
        reading = self._read_at(text, all_names, span)
        words = []
        for match in _WORDS.finditer(text):
            start, end = _strip_marks(text, *match.span())
            if start >= end or (span is not None and start < span[1] and end > span[0]):
                continue
            shifted = span
            if span is not None and end <= span[0]:
                shifted = (span[0] - (end - start), span[1] - (end - start))
            without = self._read_at(text[:start] + text[end:], all_names, shifted)
            weight = _logit(reading, reading.label) - _logit(without, reading.label)
            words.append(Word(text[start:end], start, end, weight))
        return sorted(words, key=lambda word: (-abs(word.weight), word.start))[:limit]

    def _read_at(self, text: str, names: Sequence[str], span: tuple[int, int] | None) -> Reading:
        return _reading(*self._log_odds(text, names if span else (), span))


def _strip_marks(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not (text[start].isalnum() or text[start] in "$%"):
        start += 1
    while end > start and not (text[end - 1].isalnum() or text[end - 1] == "%"):
        end -= 1
    return start, end


def _logit(reading: Reading, label: Label) -> float:
    p = {"negative": reading.p_negative, "neutral": reading.p_neutral, "positive": reading.p_positive}[label]
    clipped = min(max(p, 1e-9), 1.0 - 1e-9)
    return log(clipped / (1.0 - clipped))
