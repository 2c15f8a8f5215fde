"""The logistic calibration of `domain.calibration` over columns: the same minimum, much faster."""

from array import array

import numpy as np

from bellwether.backtest.columns import Floats
from bellwether.domain.calibration import Fit, fit_logistic

RIDGE = 1.0
MOST_STEPS = 12
_CLOSE = 1e-5
"""Newton's steps square the distance to the minimum: after one this small, 1e-9 or so is left."""
_MOST_DROPPED = 100_000


class Series:
    """One agent's readings, what happened (1 or 0) and the known log-odds, oldest first, as columns."""

    def __init__(self) -> None:
        self._columns = array("d"), array("d"), array("d")
        self._first = 0

    def __len__(self) -> int:
        return len(self._columns[0]) - self._first

    def add(self, readings: Floats, happened: Floats, offsets: Floats) -> None:
        """Further rows."""
        for column, values in zip(self._columns, (readings, happened, offsets), strict=True):
            column.frombytes(values.tobytes())

    def drop(self, rows: int) -> None:
        """Forgets the oldest rows."""
        self._first += rows
        if self._first > _MOST_DROPPED:
            for column in self._columns:
                del column[: self._first]
            self._first = 0

    def columns(self) -> tuple[Floats, Floats, Floats]:
        """The columns where they lie; while they are looked at, nothing can be added."""
        readings, happened, offsets = (np.frombuffer(column)[self._first :] for column in self._columns)
        return readings, happened, offsets


def fit_columns(series: Series, start: Fit | None) -> Fit | None:
    """What `fit_logistic` finds for the series, by Newton's method from `start`.

    The penalised likelihood is strictly convex, so that where it is flat is the one minimum wherever the
    steps began. Steps that do not settle go back to `fit_logistic`, which searches along each of them.
    """
    if len(series) < 2:
        return None
    x, o, c = series.columns()
    if not (_varies(x) and _varies(o)):
        return None
    a, b = (start.intercept, start.slope) if start else (0.0, 0.0)
    rises = float(o.sum()), float((o * x).sum())
    for _ in range(MOST_STEPS):
        step_a, step_b = _step(x, c, rises, a, b)
        a, b = a - step_a, b - step_b
        if abs(step_a) + abs(step_b) < _CLOSE * (1 + abs(a) + abs(b)):
            return Fit(intercept=a, slope=b)
    return fit_logistic(x.tolist(), (o > 0).tolist(), c.tolist(), ridge=RIDGE)


def _varies(values: Floats) -> bool:
    return bool(values.min() != values.max())


def _step(x: Floats, c: Floats, rises: tuple[float, float], a: float, b: float) -> tuple[float, float]:
    """Newton's step in (intercept, slope); `rises` are the sums of what happened and of it times x."""
    with np.errstate(over="ignore"):  # e^x without end is a probability of 0
        p = 1.0 / (1.0 + np.exp(-(c + a + b * x)))
    weight = p * (1.0 - p)
    weighted = weight * x
    grad_a = RIDGE * a + float(p.sum()) - rises[0]
    grad_b = RIDGE * b + float((p * x).sum()) - rises[1]
    aa, ab = RIDGE + float(weight.sum()), float(weighted.sum())
    bb = RIDGE + float((weighted * x).sum())
    determinant = aa * bb - ab * ab
    return (bb * grad_a - ab * grad_b) / determinant, (aa * grad_b - ab * grad_a) / determinant
