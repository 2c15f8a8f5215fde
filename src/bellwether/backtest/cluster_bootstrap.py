"""Intervals for figures of observations that come in clusters: whole days are drawn, not single forecasts.

Assets move together within a day, so that forecasts of one day are far from independent. Field & Welsh,
"Bootstrapping clustered data", Journal of the Royal Statistical Society B 2007; percentile interval: Efron &
Tibshirani, "An introduction to the bootstrap", 1993, chapter 13. Where horizons overlap, runs of consecutive
days are drawn, as long as the overlap: the circular block bootstrap of Politis & Romano 1992.
"""

from collections.abc import Callable, Sequence

import numpy as np

from bellwether.backtest.columns import Floats, Ints

FEWEST_BLOCKS = 10
"""Below so many blocks' worth of days the draws hardly differ, and with one block not at all."""
_TO_UNIT = 2.0**-53

Totals = Sequence[float]
Figures = Callable[[Totals], Sequence[float | None]]


def bootstrap(
    columns: Sequence[Sequence[float] | Floats] | Floats,
    figures: Figures,
    *,
    seed: int,
    replicates: int = 1_000,
    block: int = 1,
) -> list[list[float]]:
    """The values each figure takes over the replicates, sorted; undefined ones are left out.

    `columns` hold additive quantities (first axis) by cluster, in order of time; `figures` turns their totals
    into the figures. The same seed draws the same clusters. With fewer than ten blocks' worth of clusters no
    figure takes any value: intervals from a handful of blocks are far too narrow, and of one block they are a
    point.
    """
    by_cluster = np.asarray(columns, np.float64)
    size = by_cluster.shape[-1]
    if size == 0:
        return []
    if size < FEWEST_BLOCKS * block:
        return [[] for _ in figures(by_cluster.sum(axis=1).tolist())]
    times = _times_drawn(size, seed, replicates, block)
    totals = np.stack([(times * column).sum(axis=1) for column in by_cluster], axis=1)
    values = [figures(drawn) for drawn in totals.tolist()]
    return [sorted([v for v in kept if v is not None]) for kept in zip(*values, strict=True)]


def _times_drawn(size: int, seed: int, replicates: int, block: int) -> Ints:
    """How often each cluster is drawn in each replicate (first axis)."""
    blocks = -(-size // block)
    # The bits of a generator stay the same from version to version; what is made of them elsewhere need not.
    bits = np.random.PCG64(seed).random_raw(replicates * blocks)
    starts = ((bits >> np.uint64(11)) * _TO_UNIT * size).astype(np.int64).reshape(replicates, blocks, 1)
    drawn = ((starts + np.arange(block)) % size).reshape(replicates, -1)[:, :size]
    places = drawn + size * np.arange(replicates)[:, None]
    return np.bincount(places.ravel(), minlength=replicates * size).reshape(replicates, size)


def percentile_interval(ordered: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """The middle `level` of sorted values, between the two nearest where needed; `None` below two values."""
    if len(ordered) < 2:
        return None
    tail = (1 - level) / 2
    return quantile(ordered, tail), quantile(ordered, 1 - tail)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics (Hyndman & Fan 1996, type 7)."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
