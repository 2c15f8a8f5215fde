"""Training of the sentiment text model (needs scikit-learn, a development dependency; inference does not).

Trains on SEntFiN 1.0 and on the Twitter financial news set, both MIT-licensed, and on nothing else.
"""

import csv
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from bellwether.agents.text.features import (
    CLASS,
    FIRST_SEQUENCE,
    TABLE_SIZE,
    pair_features,
    sequence_places,
    token_features,
)
from bellwether.agents.text.model import BIAS, Calibration, Weights
from bellwether.agents.text.observations import ABOUT, WHOLE, Seen, Vocabulary, see
from bellwether.agents.text.tokens import END, START

_TRAINING_ONLY = "sentfin_juxtaposed"

LABELS = ("negative", "neutral", "positive")

VERSION = "1"
FOLDS = 5
PENALTY = 0.02
"""Inverse strength of the L2 penalty (scikit-learn's C)."""
PASSES = 25
"""Passes over the examples; held-out figures no longer move after a dozen."""
JUXTAPOSED = 6000
"""Pairs of titles joined into one."""

_URL = re.compile(r"https?://\S+")
_CASHTAG = re.compile(r"\$[A-Za-z]+")
_SEARCH_AND_REPLACE = (("neutral", "Hold"), ("negative", "sell"), ("positive", "buy"))

_JOINTS = ("; ", ", ", " while ", " as ", " but ", ", and ", " | ")
_LONGEST_JOINED = 70

Say = Callable[[str], None]


class Example(msgspec.Struct, frozen=True):
    """One labelled text; `label` indexes `LABELS`, `group` keeps copies of one title in one fold."""

    text: str
    entity: str | None
    label: int
    group: str


class Figure(msgspec.Struct, frozen=True):
    """A cross-validated figure with its 95 % percentile bootstrap interval (resampling whole titles)."""

    name: str
    n: int
    value: float
    low: float
    high: float


class TrainingReport(msgspec.Struct, frozen=True):
    """What a training run measured and wrote. Sizes in bytes."""

    version: str
    seed: int
    examples: dict[str, int]
    figures: list[Figure]
    out: str
    size: int


class DataError(ValueError):
    """A training file lacks a column or holds a label outside negative, neutral, positive."""


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
            raise DataError(f"{path.name}: no column {', '.join(missing)}; found {reader.fieldnames}")
        return list(reader)


def _label(value: str, path: Path) -> int:
    if value not in LABELS:
        raise DataError(f"{path.name}: label {value!r} is not one of {', '.join(LABELS)}")
    return LABELS.index(value)


def _entity_as_in(title: str, entity: str) -> str:
    # the published file went through a search-and-replace of labels ("Holdings" became "neutralings")
    for wrong, right in _SEARCH_AND_REPLACE:
        repaired = entity.replace(wrong, right)
        if entity.lower() not in title.lower() and repaired.lower() in title.lower():
            return repaired
    return entity


def read_sentfin(path: Path) -> list[Example]:
    """Rows of `title, entity, sentiment`."""
    return [
        Example(
            row["title"],
            _entity_as_in(row["title"], row["entity"].strip()),
            _label(row["sentiment"], path),
            row["title"],
        )
        for row in _rows(path, ("title", "entity", "sentiment"))
    ]


def read_tfns(path: Path) -> list[Example]:
    """Rows of `text, sentiment`; texts that differ only in their links form one group."""
    return [
        Example(row["text"], None, _label(row["sentiment"], path), _URL.sub("", row["text"]).lower().strip())
        for row in _rows(path, ("text", "sentiment"))
    ]


def whole_titles(sentfin: Sequence[Example]) -> list[Example]:
    """Titles all of whose entities share one label, as texts without an entity."""
    labels: dict[str, set[int]] = defaultdict(set)
    for example in sentfin:
        labels[example.text].add(example.label)
    return [
        Example(title, None, next(iter(found)), title) for title, found in labels.items() if len(found) == 1
    ]


def single_cashtags(tfns: Sequence[Example]) -> list[Example]:
    """Posts that name exactly one cashtag, as texts about it."""
    return [
        Example(example.text, tags[0], example.label, example.group)
        for example in tfns
        if len(tags := _CASHTAG.findall(example.text)) == 1
    ]


def juxtaposed(sentfin: Sequence[Example], folds: Any, seed: int) -> tuple[list[Example], Any]:
    """Two titles of one fold joined into one, read for the entity of each: with every example, and its fold.

    It teaches that words beyond a joint speak of someone else; few real titles show it.
    """
    import numpy as np

    random = Random(seed)  # noqa: S311 - a reproducible sample, no secret
    pool: dict[int, list[Example]] = defaultdict(list)
    for example, fold in zip(sentfin, folds.tolist(), strict=True):
        if example.entity and len(example.text) <= _LONGEST_JOINED and example.entity in example.text:
            pool[fold].append(example)
    examples, places = [], []
    for fold in random.choices(sorted(pool), k=JUXTAPOSED):
        one, two = random.choice(pool[fold]), random.choice(pool[fold])
        if (one.entity or "") in two.text or (two.entity or "") in one.text:
            continue
        text = one.text + random.choice(_JOINTS) + two.text
        examples += [Example(text, part.entity, part.label, part.group) for part in (one, two)]
        places += [fold, fold]
    return examples, np.array(places, np.int64)


_token_features = cache(token_features)
_sequence_places = cache(sequence_places)


def _row(seen: Seen) -> dict[int, float]:
    row: dict[int, float] = defaultdict(float)
    for column, words in seen.zones():
        for word in words:
            for place, value in _token_features(column, word.token):
                row[place] += value
    for table, keys in zip(WHOLE if seen.at < 0 else ABOUT, seen.sequences, strict=True):
        for key in keys:
            for place in _sequence_places(table, key):
                row[FIRST_SEQUENCE + place] += CLASS
    for place, value in pair_features([START, *[word.token for word in seen.words], END]):
        row[place] += value
    return row


def _matrix(examples: Sequence[Example]) -> Any:
    import numpy as np
    from scipy.sparse import csr_matrix

    vocabulary = Vocabulary()
    pointers, indices, values = [0], list[int](), list[float]()
    for example in examples:
        row = _row(see(example.text, (example.entity,) if example.entity else (), None, vocabulary))
        indices.extend(row)
        values.extend(row.values())
        pointers.append(len(indices))
    return csr_matrix(
        (np.array(values, np.float32), np.array(indices, np.int64), pointers), (len(examples), TABLE_SIZE)
    )


class _Block:
    """One source of examples: its matrix, labels, fold of each row and weight in the loss."""

    def __init__(self, name: str, examples: Sequence[Example], folds: Any, weight: float) -> None:
        import numpy as np

        self.name, self.examples, self.folds, self.weight = name, examples, folds, weight
        self.matrix = _matrix(examples)
        self.labels = np.array([example.label for example in examples])

    def balanced(self, rows: Any) -> Any:
        import numpy as np

        labels = self.labels[rows]
        counts = np.bincount(labels, minlength=len(LABELS))
        return self.weight * (len(labels) / len(LABELS) / np.maximum(counts, 1))[labels]


def _folds(examples: Sequence[Example], seed: int) -> Any:
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    groups = {group: number for number, group in enumerate(dict.fromkeys(e.group for e in examples))}
    labels = [example.label for example in examples]
    folds = np.zeros(len(examples), np.int64)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for number, (_, held_out) in enumerate(
        splitter.split(labels, labels, [groups[example.group] for example in examples])
    ):
        folds[held_out] = number
    return folds


def _follow(examples: Sequence[Example], source: Sequence[Example], folds: Any) -> Any:
    import numpy as np

    fold_of = {example.group: fold for example, fold in zip(source, folds, strict=True)}
    return np.array([fold_of[example.group] for example in examples])


def _blocks(sentfin: Sequence[Example], tfns: Sequence[Example], seed: int) -> list[_Block]:
    titles, cashtags = whole_titles(sentfin), single_cashtags(tfns)
    f_sentfin, f_tfns = _folds(sentfin, seed), _folds(tfns, seed)
    joined, f_joined = juxtaposed(sentfin, f_sentfin, seed)
    return [
        _Block("sentfin", sentfin, f_sentfin, 1.0),
        _Block("tfns", tfns, f_tfns, 1.5),
        # derived readings of the same texts count for less: they are no new evidence
        _Block("sentfin_titles", titles, _follow(titles, sentfin, f_sentfin), 0.25),
        _Block("tfns_cashtags", cashtags, _follow(cashtags, tfns, f_tfns), 0.5),
        _Block(_TRAINING_ONLY, joined, f_joined, 0.3),
    ]


def _rounded(weights: Any, largest: int) -> tuple[Any, float]:
    import numpy as np

    scale = float(np.abs(weights).max() / largest)
    return np.rint(weights / scale).astype(np.int16), scale


class _Fit:
    """Weights as they ship, rounded, relative to neutral.

    Three one-against-the-rest support vector machines (squared hinge); their margins become probabilities in
    `_calibrate`.
    """

    def __init__(self, blocks: Sequence[_Block], without_fold: int | None, seed: int) -> None:
        import numpy as np
        from scipy.sparse import vstack
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.svm import LinearSVC

        rows = [block.folds != without_fold for block in blocks]
        x = vstack([block.matrix[keep] for block, keep in zip(blocks, rows, strict=True)]).tocsr()
        y = np.concatenate([block.labels[keep] for block, keep in zip(blocks, rows, strict=True)])
        weight = np.concatenate([block.balanced(keep) for block, keep in zip(blocks, rows, strict=True)])
        used = np.unique(x.indices)
        machine = LinearSVC(C=PENALTY, tol=1e-2, max_iter=PASSES, random_state=seed)
        with warnings.catch_warnings():
            # it is stopped early on purpose
            warnings.simplefilter("ignore", ConvergenceWarning)
            machine.fit(x[:, used], y, sample_weight=weight)
        relative = (machine.coef_ - machine.coef_[1])[[0, 2]].T
        weights = np.zeros((TABLE_SIZE, 2))
        weights[used] = relative
        self.rows, self.row_scale = _rounded(weights[:FIRST_SEQUENCE], BIAS - 1)
        self.sequences, self.sequence_scale = _rounded(weights[FIRST_SEQUENCE:], 127)
        self.bias = (machine.intercept_ - machine.intercept_[1])[[0, 2]]

    def margins(self, matrix: Any) -> Any:
        """Shape (rows, 2): margins of negative and of positive against neutral, from the rounded weights."""
        import numpy as np

        weights = np.vstack([self.rows * self.row_scale, self.sequences * self.sequence_scale])
        return matrix @ weights + self.bias


def _probabilities(z: Any, scaling: Calibration) -> Any:
    import numpy as np

    z = z * scaling.slope + np.array([scaling.negative, scaling.positive])
    full = np.column_stack([z[:, 0], np.zeros(len(z)), z[:, 1]])
    full = np.exp(full - full.max(axis=1, keepdims=True))
    return full / full.sum(axis=1, keepdims=True)


def _calibrate(z: Any, labels: Any) -> Calibration:
    """Slope and offsets that minimise the log loss of held-out log-odds (Guo et al. 2017)."""
    import numpy as np
    from scipy.optimize import minimize

    def loss(parameters: Any) -> float:
        p = _probabilities(z, Calibration(*map(float, parameters)))
        return float(-np.log(p[np.arange(len(labels)), labels] + 1e-12).mean())

    return Calibration(*map(float, minimize(loss, np.array([1.0, 0.0, 0.0]), method="Nelder-Mead").x))


def macro_f1(labels: Any, predicted: Any) -> float:
    """Mean over the three labels of F1 = 2·TP/(2·TP + FP + FN)."""
    import numpy as np

    confusion = np.bincount(3 * labels + predicted, minlength=9).reshape(3, 3)
    hits = np.diag(confusion)
    return float((2 * hits / np.maximum(confusion.sum(0) + confusion.sum(1), 1)).mean())


def expected_calibration_error(labels: Any, p: Any, bins: int = 10) -> float:
    """Σ over equal-width bins of the likeliest label's probability, share · |accuracy - mean probability|."""
    import numpy as np

    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(
        sum(
            (which == b).mean() * abs(right[which == b].mean() - confidence[which == b].mean())
            for b in range(bins)
            if (which == b).any()
        )
    )


def _bootstrap(
    name: str, examples: Sequence[Example], statistic: Callable[[Any], float], seed: int
) -> Figure:
    import numpy as np

    members: dict[str, list[int]] = defaultdict(list)
    for position, example in enumerate(examples):
        members[example.group].append(position)
    groups = [np.array(rows) for rows in members.values()]
    random = np.random.default_rng(seed)
    draws = [
        statistic(np.concatenate([groups[g] for g in random.integers(0, len(groups), len(groups))]))
        for _ in range(300)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Figure(name, len(examples), statistic(np.arange(len(examples))), float(low), float(high))


def _calibrate_blocks(blocks: Sequence[_Block], held_out: Sequence[Any], without_fold: int) -> Calibration:
    import numpy as np

    rows = [block.folds != without_fold for block in blocks]
    z = np.concatenate([z[keep] for z, keep in zip(held_out, rows, strict=True)])
    return _calibrate(
        z, np.concatenate([block.labels[keep] for block, keep in zip(blocks, rows, strict=True)])
    )


def _calibrated_out_of_fold(blocks: Sequence[_Block], held_out: Sequence[Any]) -> list[Any]:
    """Probabilities of each block, from a calibration fitted on the other folds of all of them."""
    import numpy as np

    p = [np.zeros((len(z), len(LABELS))) for z in held_out]
    for number in range(FOLDS):
        scaling = _calibrate_blocks(blocks, held_out, number)
        for block, z, told in zip(blocks, held_out, p, strict=True):
            told[block.folds == number] = _probabilities(z[block.folds == number], scaling)
    return p


def _figures(block: _Block, p: Any, seed: int, keep: Any | None = None, suffix: str = "") -> list[Figure]:
    import numpy as np

    rows = np.arange(len(p)) if keep is None else np.flatnonzero(keep)
    labels, p = block.labels[rows], p[rows]
    if not len(rows):
        return []
    examples = [block.examples[row] for row in rows.tolist()]
    statistics: dict[str, Callable[[Any], float]] = {
        "macro_f1": lambda at: macro_f1(labels[at], p[at].argmax(axis=1)),
        "accuracy": lambda at: float((labels[at] == p[at].argmax(axis=1)).mean()),
        "ece": lambda at: expected_calibration_error(labels[at], p[at]),
    }
    return [
        _bootstrap(f"{block.name}{suffix}.{name}", examples, statistic, seed)
        for name, statistic in statistics.items()
    ]


def _conflicting(sentfin: Sequence[Example]) -> Any:
    import numpy as np

    labels: dict[str, set[int]] = defaultdict(set)
    for example in sentfin:
        labels[example.text].add(example.label)
    return np.array([len(labels[example.text]) > 1 for example in sentfin])


def train(sentfin: Path, tfns: Path, out: Path, *, seed: int = 0, say: Say = print) -> TrainingReport:
    """Cross-validate, then train on everything and write the weights to `out`.

    `sentfin` has columns title, entity, sentiment; `tfns` has text, sentiment. Folds are grouped by title;
    weights are rounded to bytes before they are measured; calibration is fitted on other folds than it is
    measured on. The same files and seed give the same weights on one version of scikit-learn. About six
    minutes on one core.
    """
    import numpy as np

    blocks = _blocks(read_sentfin(sentfin), read_tfns(tfns), seed)
    held_out = [np.zeros((len(block.examples), 2)) for block in blocks]
    for number in range(FOLDS):
        say(f"fold {number + 1} of {FOLDS}")
        fit = _Fit(blocks, number, seed)
        for block, z in zip(blocks, held_out, strict=True):
            z[block.folds == number] = fit.margins(block.matrix[block.folds == number])
    figures: list[Figure] = []
    calibrations = []
    # one calibration for each way of reading, fitted on both sources: neither's mix of labels is the world's
    for members in ((0, 3), (1, 2)):
        group, z_group = [blocks[at] for at in members], [held_out[at] for at in members]
        for block, p in zip(group, _calibrated_out_of_fold(group, z_group), strict=True):
            figures += _figures(block, p, seed)
            if block.name == "sentfin":
                figures += _figures(block, p, seed, _conflicting(block.examples), "_conflicting")
        calibrations.append(_calibrate_blocks(group, z_group, -1))
    for figure in figures:
        say(f"{figure.name:32} n={figure.n:5} {figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]")
    say("all examples")
    entity, whole = calibrations
    size = _write(_Fit(blocks, None, seed), entity, whole, out)
    say(f"wrote {out} ({size} bytes)")
    examples = {block.name: len(block.examples) for block in blocks}
    return TrainingReport(VERSION, seed, examples, figures, str(out), size)


def _write(fit: _Fit, entity: Calibration, whole: Calibration, out: Path) -> int:
    weights = Weights(
        version=VERSION,
        row_scale=fit.row_scale,
        sequence_scale=fit.sequence_scale,
        negative=float(fit.bias[0]),
        positive=float(fit.bias[1]),
        whole=whole,
        entity=entity,
        rows=(fit.rows + BIAS).astype(">u2").tobytes(),
        sequences=fit.sequences.astype("int8").tobytes(),
    )
    return out.write_bytes(msgspec.msgpack.encode(weights))
