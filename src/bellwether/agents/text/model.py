"""The sentiment text model at inference: hashed linear weights, the standard library and msgspec."""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import exp, log
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from bellwether.agents.text.features import SHARED, Observations, expand, observe, observe_entity
from bellwether.agents.text.tokens import fold, hide, locate, tokenise, without_control

Label = Literal["negative", "neutral", "positive"]

PACKAGED = Path(__file__).with_name("weights.bin")
"""The trained weights that ship with the package."""

WINDOW = 48
"""Tokens read on each side of an entity; the longest training text has fewer, so a longer one (an article) is
read around its mention."""

_CACHED_KEYS = 24_000
"""Per table; a table that outgrows it is emptied, which bounds the memory of a long-lived process."""

_WORDS = re.compile(r"\S+")

_ONE_SENTENCE = 280
"""A longer text (characters) is cut to the sentence that names the entity; headlines are left whole because
their full stops are mostly abbreviations."""

_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*\s+(?=[^\W_a-z])|\n\s*\n")


class Calibration(msgspec.Struct, frozen=True):
    """Vector scaling of margins against neutral to log-odds: `z * slope + offset` (Guo et al. 2017)."""

    slope: float = 1.0
    negative: float = 0.0
    positive: float = 0.0


class Weights(msgspec.Struct, frozen=True):
    """The trained model as stored (msgpack).

    `table` holds two signed bytes for each of a power of two of hashed features, its weight toward negative
    and toward positive relative to neutral, in units of `scale`. `negative`/`positive` are the intercepts.
    """

    version: str
    scale: float
    negative: float
    positive: float
    whole: Calibration
    entity: Calibration
    table: bytes


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


class _Table(dict[Any, complex]):
    """Summed weights by observation; the real part is toward negative, the imaginary part toward positive."""

    __slots__ = ("_mask", "_name", "_scale", "_shared", "_weights")

    def __init__(self, name: str, weights: "memoryview[int]", scale: float, shared: "_LookUp | None") -> None:
        super().__init__()
        self._name, self._weights, self._scale, self._shared = name, weights, scale, shared
        self._mask = len(weights) - 2

    def __missing__(self, key: Any) -> complex:
        total = self._shared(key) if self._shared else 0j
        weights, mask = self._weights, self._mask
        for value, numbers in expand(self._name, key):
            negative = positive = 0
            for number in numbers:
                index = 2 * number & mask
                negative += weights[index]
                positive += weights[index + 1]
            if negative or positive:
                total += self._scale * value * complex(negative, positive)
        if len(self) >= _CACHED_KEYS:
            self.clear()
        self[key] = total
        return total


_LookUp = Callable[[Any], complex]


class _Tables(dict[str, _LookUp]):
    """The look-up of each table, made when first asked for."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._weights = memoryview(weights.table).cast("b")
        self._scale = weights.scale

    def __missing__(self, name: str) -> _LookUp:
        shared = self[SHARED[name]] if name in SHARED else None
        look_up = self[name] = _Table(name, self._weights, self._scale, shared).__getitem__
        return look_up


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


@lru_cache(maxsize=4096)
def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(low for name in names if (low := fold(name).strip()))


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    first = 0
    for match in _SENTENCE_END.finditer(text, max(0, start - 2000), start):
        first = match.end()
    after = _SENTENCE_END.search(text, end, end + 2000)
    return first, after.start() if after else len(text)


def observations(
    text: str, names: Sequence[str] = (), span: tuple[int, int] | None = None
) -> tuple[Observations, bool]:
    """What the model sees of `text`, and whether it sees it from an entity's place.

    `names` are the entity's surface names; `span` is its mention when the caller knows it (offsets into
    `text`).
    """
    folded = without_control(fold(text))
    low_names = _folded(tuple(names))
    if span is None and low_names:
        span = locate(folded, low_names)
    if span is None:
        tokens = tokenise(folded)
        return observe(tokens), False
    start, end = span
    low_names = low_names or (folded[start:end],)
    if len(text) > _ONE_SENTENCE:
        first, last = _sentence(text, start, end)
        folded, start, end = folded[first:last], start - first, end - first
    before, after = (tokenise(hide(part, low_names)) for part in (folded[:start], folded[end:]))
    return observe_entity(before[-WINDOW:], after[:WINDOW], tokenise(folded[start:end])), True


class SentimentModel:
    """Reads what a headline or post says, about one entity or as a whole.

    Safe to share between threads: reading only adds to caches. The same text always gives the same reading.
    """

    def __init__(self, weights: Weights) -> None:
        self.version = weights.version
        self._bias = complex(weights.negative, weights.positive)
        self._look_up = _Tables(weights)
        self._whole, self._entity = weights.whole, weights.entity

    @classmethod
    def load(cls, path: Path | None = None) -> Self | "SentimentModel":
        """The packaged model (read once per process), or the one a training run wrote to `path`."""
        if path is None:
            return _packaged()
        return cls(msgspec.msgpack.decode(path.read_bytes(), type=Weights))

    def _log_odds(
        self, text: str, names: Sequence[str], span: tuple[int, int] | None
    ) -> tuple[complex, bool]:
        seen, about_entity = observations(text, names, span)
        total = self._bias
        look_up = self._look_up
        for table, keys in seen.items():
            if keys:
                total = sum(map(look_up[table], keys), total)
        if not about_entity and (length := len(seen["whole"])) > 2 * WINDOW:
            # evidence adds up word by word; beyond the length trained on it is averaged instead
            total *= 2 * WINDOW / length
        scaling = self._entity if about_entity else self._whole
        return total * scaling.slope + complex(scaling.negative, scaling.positive), about_entity

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
            span = locate(without_control(fold(text)), _folded(tuple(all_names)))
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
