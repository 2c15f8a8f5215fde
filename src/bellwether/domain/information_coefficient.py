"""The information coefficient: do higher scores go with higher returns, across assets, date by date?"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

from bellwether.domain.clustered_error import clustered_error

FEWEST_ASSETS = 3


class InformationCoefficient(Struct, frozen=True):
    """Mean over dates, its standard error (`None` while they are few) and the number of trading days."""

    mean: float | None
    error: float | None
    dates: int


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties sharing the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = [0.0] * len(values)
    if len(set(values)) == len(values):
        for rank, index in enumerate(order, start=1):
            ranked[index] = float(rank)
        return ranked
    place = 0
    for _, group in groupby(order, key=values.__getitem__):
        tied = list(group)
        shared = place + (len(tied) + 1) / 2
        for index in tied:
            ranked[index] = shared
        place += len(tied)
    return ranked


def pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Correlation; `None` below two values or when either does not vary."""
    n = len(xs)
    if n < 2:
        return None
    dx, dy = _centred(xs), _centred(ys)
    if not any(dx) or not any(dy):
        return None
    return max(-1.0, min(1.0, sum(a * b for a, b in zip(dx, dy, strict=True))))


def _centred(values: Sequence[float]) -> list[float]:
    """Deviations from the mean in units of their root sum of squares; all 0 when only rounding is left."""
    mean = sum(values) / len(values)
    deviations = [value - mean for value in values]
    size = math.hypot(*deviations)
    # What is left of subtracting equal figures is about 1e-16 of them, and they are of the order of 1.
    if size <= 1e-15 * len(values) * (1 + max(map(abs, values))):
        return [0.0] * len(values)
    return [deviation / size for deviation in deviations]


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Rank correlation with ties (Spearman 1904); `None` below three pairs or for a constant vector."""
    if len(xs) < FEWEST_ASSETS or len(set(xs)) < 2 or len(set(ys)) < 2:
        return None
    return pearson(ranks(xs), ranks(ys))


def information_coefficient(
    rows: Iterable[tuple[Any, float, float]],
    *,
    horizon: int = 1,
    day_of: Callable[[Any], int] | None = None,
) -> InformationCoefficient:
    """Mean of the dates' Spearman(score, forward return) from rows of (date, score, return).

    Dates with fewer than three assets or a constant vector have no coefficient and do not count. `day_of`
    gives a date's trading day, by default its place among the dates: cross-sections of one day (of several
    horizons) are one date, and dates less than `horizon` days apart may depend on each other.
    """
    ordered = sorted(rows, key=itemgetter(0))
    series: list[tuple[int, float]] = []
    for place, (date, group) in enumerate(groupby(ordered, key=itemgetter(0))):
        day = list(group)
        value = spearman([score for _, score, _ in day], [ret for _, _, ret in day])
        if value is not None:
            series.append((day_of(date) if day_of else place, value))
    if not series:
        return InformationCoefficient(mean=None, error=None, dates=0)
    return InformationCoefficient(
        mean=sum(value for _, value in series) / len(series),
        error=clustered_error(series, horizon=horizon),
        dates=len({day for day, _ in series}),
    )
