"""The information coefficient: do higher scores go with higher returns, across assets, date by date?"""

import math
from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

FEWEST_ASSETS = 3


class InformationCoefficient(Struct, frozen=True):
    """Mean over dates, its HAC standard error (`None` below two dates) and the number of dates."""

    mean: float | None
    error: float | None
    dates: int


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties sharing the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = [0.0] * len(values)
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


def newey_west_error(series: Sequence[float], lags: int) -> float | None:
    """HAC standard error of the mean of a series, Bartlett weights up to `lags` (Newey & West 1987).

    `None` below two values. Autocovariances are divided by n, as in the paper.
    """
    n = len(series)
    if n < 2:
        return None
    mean = sum(series) / n
    d = [value - mean for value in series]
    variance = sum(v * v for v in d) / n
    for lag in range(1, min(lags, n - 1) + 1):
        covariance = sum(a * b for a, b in zip(d[lag:], d, strict=False)) / n
        variance += 2 * (1 - lag / (lags + 1)) * covariance
    # The Bartlett kernel is positive semi-definite; what is below zero is rounding.
    return math.sqrt(max(0.0, variance) / n)


def lags_for(dates: int, horizon: int) -> int:
    """Lags that cover the overlap of horizons, and at least Newey & West's (1994) ⌊4(n/100)^(2/9)⌋."""
    return max(horizon - 1, math.floor(4 * math.pow(dates / 100, 2 / 9)))


def information_coefficient(
    rows: Iterable[tuple[Any, float, float]], *, horizon: int = 1
) -> InformationCoefficient:
    """Mean of the dates' Spearman(score, forward return) from rows of (date, score, return).

    Dates with fewer than three assets or a constant vector have no coefficient and do not count.
    """
    ordered = sorted(rows, key=itemgetter(0))
    series = []
    for _, group in groupby(ordered, key=_date):
        day = list(group)
        value = spearman([score for _, score, _ in day], [ret for _, _, ret in day])
        if value is not None:
            series.append(value)
    n = len(series)
    if not n:
        return InformationCoefficient(mean=None, error=None, dates=0)
    return InformationCoefficient(
        mean=sum(series) / n, error=newey_west_error(series, lags_for(n, horizon)), dates=n
    )


def _date(row: tuple[Any, float, float]) -> Hashable:
    date: Hashable = row[0]
    return date
