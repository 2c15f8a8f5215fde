"""The logistic calibration of `domain.calibration` over columns: the same minimum, much faster."""

from array import array
from collections.abc import Sequence
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

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
        self._rises = 0.0

    def __len__(self) -> int:
        return len(self._columns[0]) - self._first

    def add(self, readings: Sequence[float], happened: Sequence[float], offsets: Sequence[float]) -> None:
        """Further rows."""
        for column, values in zip(self._columns, (readings, happened, offsets), strict=True):
            column.extend(values)
        self._rises += sum(happened)

    def drop(self, rows: int) -> None:
        """Forgets the oldest rows."""
        self._rises -= sum(self._columns[1][self._first : self._first + rows])
        self._first += rows
        if self._first > _MOST_DROPPED:
            for column in self._columns:
                del column[: self._first]
            self._first = 0

    @property
    def mixed(self) -> bool:
        """Whether both a rise and a fall are among them."""
        return 0 < self._rises < len(self)

    def columns(self) -> tuple[Any, Any, Any]:
        """The columns where they lie; while they are looked at, nothing can be added."""
        readings, happened, offsets = (
            pa.Array.from_buffers(pa.float64(), len(self), [None, pa.py_buffer(column)], offset=self._first)
            for column in self._columns
        )
        return readings, happened, offsets


@cache
def _operations() -> tuple[Any, ...]:
    return pc.add, pc.multiply, pc.subtract, pc.divide, pc.exp


def fit_columns(series: Series, start: Fit | None) -> Fit | None:
    """What `fit_logistic` finds for the series, by Newton's method from `start`.

    The penalised likelihood is strictly convex, so that where it is flat is the one minimum wherever the
    steps began. Steps that do not settle go back to `fit_logistic`, which searches along each of them.
    """
    if len(series) < 2 or not series.mixed:
        return None
    x, o, c = series.columns()
    if not _varies(x):
        return None
    a, b = (start.intercept, start.slope) if start else (0.0, 0.0)
    rises = _total(o), _total(pc.multiply(o, x))
    for _ in range(MOST_STEPS):
        step_a, step_b = _step(x, c, rises, a, b)
        a, b = a - step_a, b - step_b
        if abs(step_a) + abs(step_b) < _CLOSE * (1 + abs(a) + abs(b)):
            return Fit(intercept=a, slope=b)
    return fit_logistic(x.to_pylist(), [value > 0 for value in o.to_pylist()], c.to_pylist(), ridge=RIDGE)


def _varies(values: Any) -> bool:
    extremes: Any = pc.min_max(values).as_py()
    return bool(extremes["min"] != extremes["max"])


def _total(values: Any) -> float:
    return float(pc.sum(values).as_py())


def _step(x: Any, c: Any, rises: tuple[float, float], a: float, b: float) -> tuple[float, float]:
    """Newton's step in (intercept, slope); `rises` are the sums of what happened and of it times x."""
    add, multiply, subtract, divide, exp = _operations()
    p = divide(1.0, add(exp(subtract(multiply(x, -b), add(c, a))), 1.0))
    weight = multiply(p, subtract(1.0, p))
    weighted = multiply(weight, x)
    grad_a = RIDGE * a + _total(p) - rises[0]
    grad_b = RIDGE * b + _total(multiply(p, x)) - rises[1]
    aa, ab = RIDGE + _total(weight), _total(weighted)
    bb = RIDGE + _total(multiply(weighted, x))
    determinant = aa * bb - ab * ab
    return (bb * grad_a - ab * grad_b) / determinant, (aa * grad_b - ab * grad_a) / determinant
