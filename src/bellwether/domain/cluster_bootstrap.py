"""Intervals for figures of observations that come in clusters: whole days are drawn, not single forecasts.

Assets move together within a day, so that forecasts of one day are far from independent. Field & Welsh,
"Bootstrapping clustered data", Journal of the Royal Statistical Society B 2007; percentile interval: Efron &
Tibshirani, "An introduction to the bootstrap", 1993, chapter 13. Where horizons overlap, runs of consecutive
days are drawn, as long as the overlap: the circular block bootstrap of Politis & Romano 1992.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from random import Random

FEWEST_BLOCKS = 10
"""Below so many blocks' worth of days the draws hardly differ, and with one block not at all."""

Totals = Sequence[float]
Figures = Callable[[Totals], Sequence[float | None]]


def bootstrap(
    columns: Sequence[Sequence[float]],
    figures: Figures,
    *,
    seed: int,
    replicates: int = 1_000,
    block: int = 1,
) -> list[list[float]]:
    """The values each figure takes over the replicates, sorted; undefined ones are left out.

    `columns` hold additive quantities by cluster, in order of time; `figures` turns their totals into the
    figures. The same seed draws the same clusters. With fewer than ten blocks' worth of clusters no figure
    takes any value: intervals from a handful of blocks are far too narrow, and of one block they are a point.
    """
    size = len(columns[0]) if columns else 0
    if size == 0:
        return []
    if size < FEWEST_BLOCKS * block:
        return [[] for _ in figures([sum(column) for column in columns])]
    random = Random(seed)  # noqa: S311 (repeatable draws are the point)
    found: list[list[float]] = []
    everywhere = range(size)
    for _ in range(replicates):
        starts = random.choices(everywhere, k=-(-size // block))
        drawn = starts if block == 1 else [(s + i) % size for s in starts for i in range(block)][:size]
        pick = itemgetter(*drawn, drawn[0])  # of one index alone it would not give a tuple
        values = figures([sum(pick(column)[:-1]) for column in columns])
        found = found or [[] for _ in values]
        for kept, value in zip(found, values, strict=True):
            if value is not None:
                kept.append(value)
    for kept in found:
        kept.sort()
    return found


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
