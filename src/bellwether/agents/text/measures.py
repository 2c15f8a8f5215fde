"""Figures of merit of a classifier with three labels, and how sure they are."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """A cross-validated figure with its 95 % percentile bootstrap interval (resampling whole titles)."""

    name: str
    n: int
    value: float
    low: float
    high: float


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


def bootstrap(name: str, groups: Sequence[str], statistic: Callable[[Any], float], seed: int) -> Figure:
    """`statistic` of all rows (an array of row numbers) and of 300 draws of whole groups of them."""
    import numpy as np

    members: dict[str, list[int]] = defaultdict(list)
    for position, group in enumerate(groups):
        members[group].append(position)
    rows_of = [np.array(rows) for rows in members.values()]
    random = np.random.default_rng(seed)
    draws = [
        statistic(np.concatenate([rows_of[g] for g in random.integers(0, len(rows_of), len(rows_of))]))
        for _ in range(300)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Figure(name, len(groups), statistic(np.arange(len(groups))), float(low), float(high))
