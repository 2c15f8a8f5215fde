"""Training of the sentiment text model (needs scikit-learn, a development dependency; inference does not).

Trains on SEntFiN 1.0 and on the Twitter financial news set, both MIT-licensed, and on nothing else.
"""

import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from bellwether.agents.text.examples import (
    LABELS,
    Example,
    conflicting,
    juxtaposed,
    read_sentfin,
    read_tfns,
    single_cashtags,
    whole_titles,
)
from bellwether.agents.text.features import (
    CLASS,
    FIRST_SEQUENCE,
    TABLE_SIZE,
    pair_features,
    sequence_places,
    token_features,
)
from bellwether.agents.text.measures import Figure, bootstrap, expected_calibration_error, macro_f1
from bellwether.agents.text.model import BIAS, Calibration, Weights
from bellwether.agents.text.observations import ABOUT, WHOLE, Seen, Vocabulary, see
from bellwether.agents.text.tokens import END, START

VERSION = "2"
FOLDS = 5
PENALTY = 0.02
"""Inverse strength of the L2 penalty (scikit-learn's C)."""
PASSES = 25
"""Passes over the examples; held-out figures no longer move after a dozen."""

Say = Callable[[str], None]


class TrainingReport(msgspec.Struct, frozen=True):
    """What a training run measured and wrote. Sizes in bytes."""

    version: str
    seed: int
    examples: dict[str, int]
    figures: list[Figure]
    out: str
    size: int


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


def matrix_of(examples: Sequence[Example]) -> Any:
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


class Block:
    """One source of examples: its matrix, labels, fold of each row and weight in the loss."""

    def __init__(self, name: str, examples: Sequence[Example], folds: Any, weight: float) -> None:
        import numpy as np

        self.name, self.examples, self.folds, self.weight = name, examples, folds, weight
        self.matrix = matrix_of(examples)
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


def read_blocks(sentfin_file: Path, tfns_file: Path, seed: int) -> list[Block]:
    """The sources: SEntFiN, TFNS, and three derived from them, in this order."""
    sentfin, tfns = read_sentfin(sentfin_file), read_tfns(tfns_file)
    titles, cashtags = whole_titles(sentfin), single_cashtags(tfns)
    f_sentfin, f_tfns = _folds(sentfin, seed), _folds(tfns, seed)
    joined, f_joined = juxtaposed(sentfin, f_sentfin, seed)
    return [
        Block("sentfin", sentfin, f_sentfin, 1.0),
        Block("tfns", tfns, f_tfns, 1.5),
        # derived readings of the same texts count for less: they are no new evidence
        Block("sentfin_titles", titles, _follow(titles, sentfin, f_sentfin), 0.25),
        Block("tfns_cashtags", cashtags, _follow(cashtags, tfns, f_tfns), 0.5),
        Block("sentfin_juxtaposed", joined, f_joined, 0.3),
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

    def __init__(self, blocks: Sequence[Block], without_fold: int | None, seed: int) -> None:
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


def _calibrate_blocks(blocks: Sequence[Block], held_out: Sequence[Any], without_fold: int) -> Calibration:
    import numpy as np

    rows = [block.folds != without_fold for block in blocks]
    z = np.concatenate([z[keep] for z, keep in zip(held_out, rows, strict=True)])
    return _calibrate(
        z, np.concatenate([block.labels[keep] for block, keep in zip(blocks, rows, strict=True)])
    )


def _calibrated_out_of_fold(blocks: Sequence[Block], held_out: Sequence[Any]) -> list[Any]:
    """Probabilities of each block, from a calibration fitted on the other folds of all of them."""
    import numpy as np

    p = [np.zeros((len(z), len(LABELS))) for z in held_out]
    for number in range(FOLDS):
        scaling = _calibrate_blocks(blocks, held_out, number)
        for block, z, told in zip(blocks, held_out, p, strict=True):
            told[block.folds == number] = _probabilities(z[block.folds == number], scaling)
    return p


def _figures(block: Block, p: Any, seed: int, keep: Any | None = None, suffix: str = "") -> list[Figure]:
    import numpy as np

    rows = np.arange(len(p)) if keep is None else np.flatnonzero(keep)
    labels, p = block.labels[rows], p[rows]
    if not len(rows):
        return []
    groups = [block.examples[row].group for row in rows.tolist()]
    statistics: dict[str, Callable[[Any], float]] = {
        "macro_f1": lambda at: macro_f1(labels[at], p[at].argmax(axis=1)),
        "accuracy": lambda at: float((labels[at] == p[at].argmax(axis=1)).mean()),
        "ece": lambda at: expected_calibration_error(labels[at], p[at]),
    }
    return [
        bootstrap(f"{block.name}{suffix}.{name}", groups, statistic, seed)
        for name, statistic in statistics.items()
    ]


def _held_out(blocks: Sequence[Block], seed: int, say: Say) -> list[Any]:
    import numpy as np

    held_out = [np.zeros((len(block.examples), 2)) for block in blocks]
    for number in range(FOLDS):
        say(f"fold {number + 1} of {FOLDS}")
        fit = _Fit(blocks, number, seed)
        for block, z in zip(blocks, held_out, strict=True):
            z[block.folds == number] = fit.margins(block.matrix[block.folds == number])
    return held_out


def cross_validate(
    blocks: Sequence[Block], seed: int, say: Say
) -> tuple[list[Figure], Calibration, Calibration]:
    """Held-out figures of each source, and the calibrations with and without an entity.

    Folds are grouped by title; weights are rounded as they ship before they are measured; calibration is
    fitted on other folds than it is measured on.
    """
    held_out = _held_out(blocks, seed, say)
    figures: list[Figure] = []
    calibrations = []
    # one calibration for each way of reading, fitted on both sources: neither's mix of labels is the world's
    for members in ((0, 3), (1, 2)):
        group, z_group = [blocks[at] for at in members], [held_out[at] for at in members]
        for block, p in zip(group, _calibrated_out_of_fold(group, z_group), strict=True):
            figures += _figures(block, p, seed)
            if block.name == "sentfin":
                figures += _figures(block, p, seed, conflicting(block.examples), "_conflicting")
        calibrations.append(_calibrate_blocks(group, z_group, -1))
    entity, whole = calibrations
    return figures, entity, whole


def transfer(blocks: Sequence[Block], seed: int) -> list[Figure]:
    """Macro-F1 on each source of a model trained on the other alone, uncalibrated."""
    sentfin, tfns, titles, cashtags, joined = blocks
    figures = []
    for name, learned, told in (
        ("sentfin_to_tfns", [sentfin, titles, joined], tfns),
        ("tfns_to_sentfin", [tfns, cashtags], sentfin),
        ("tfns_to_sentfin_titles", [tfns, cashtags], titles),
    ):
        p = _probabilities(_Fit(learned, None, seed).margins(told.matrix), Calibration())
        figures += _figures(told, p, seed)[:1]
        figures[-1] = msgspec.structs.replace(figures[-1], name=f"{name}.macro_f1")
    return figures


def train(sentfin: Path, tfns: Path, out: Path, *, seed: int = 0, say: Say = print) -> TrainingReport:
    """Cross-validate, then train on everything and write the weights to `out`.

    `sentfin` has columns title, entity, sentiment; `tfns` has text, sentiment. The same files and seed give
    the same weights on one version of scikit-learn. About a minute on one core.
    """
    blocks = read_blocks(sentfin, tfns, seed)
    figures, entity, whole = cross_validate(blocks, seed, say)
    for figure in figures:
        say(f"{figure.name:32} n={figure.n:5} {figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]")
    say("all examples")
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
