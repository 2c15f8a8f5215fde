"""What a new daily bar is judged by: the last believed ones, their usual move and their usual turnover."""

import math
from bisect import bisect_left
from collections import deque
from datetime import date
from statistics import median
from typing import NamedTuple

from msgspec import Struct

from bellwether.domain.prices import History

MAD_TO_SIGMA = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation (Hampel 1974)."""


class QualityLimits(Struct, frozen=True, kw_only=True):
    """When a bar is not believed. `..._log` are natural logarithms of price ratios.

    Set on StockNet's 87 US symbols, 2012 to 2015: `benchmarks/price_quality.py` prints how many real bars
    each holds back and how many faults it finds.
    """

    rounding: float = 0.005
    range_share: float = 1.0
    still_days: int = 5
    units_log: float = 0.35
    split_from_log: float = 0.2
    """Smaller jumps are no split: 5 to 4 is 0.223."""
    split_log: float = 0.05
    split_turnover: float = 3.0
    split_ratios: tuple[float, ...] = (
        1.25, 4 / 3, 1.5, 5 / 3, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0,
        40.0, 50.0,
    )  # fmt: skip
    dividend_share: float = 0.25
    dividend_shown: float = 0.1
    """A drop of the close within so much of the dividend shows that it was paid."""
    adjustment: float = 0.005
    tick_log: float = 0.15
    tick_sigmas: float = 8.0
    tick_returned: float = 0.25
    """The next close is back when this share of the jump or less is left of it."""
    unconfirmed_log: float = 0.3
    window: int = 60
    turnover_window: int = 20


class BarValues(NamedTuple):
    """One bar of a history."""

    date: date
    open: float
    high: float
    low: float
    close: float
    adj_close: float
    volume: float

    @property
    def turnover(self) -> float:
        """Money traded, about."""
        return self.close * self.volume


def bar_values(history: History, row: int) -> BarValues:
    """The bar of a row."""
    return BarValues(
        history.dates[row],
        history.open[row],
        history.high[row],
        history.low[row],
        history.close[row],
        history.adj_close[row],
        history.volume[row],
    )


def log_ratio(later: float, earlier: float) -> float:
    """The logarithm of a ratio of two positive prices."""
    return math.log(later / earlier)


class Context:
    """The believed bars so far, as far back as the limits look. Figures change as bars are believed."""

    def __init__(self, limits: QualityLimits) -> None:
        self.last: BarValues | None = None
        self.still = 0
        """Days before this one with the same prices and no trade."""
        self._seen: BarValues | None = None
        self._moves: deque[float] = deque(maxlen=limits.window)
        self._turnovers: deque[float] = deque(maxlen=limits.turnover_window)
        self._sigma: float | None = None

    @classmethod
    def of(cls, known: History, before: date, limits: QualityLimits) -> "Context":
        """From the known bars before a day."""
        made = cls(limits)
        rows = bisect_left(known.dates, before)
        for row in range(max(0, rows - limits.window - 1), rows):
            bar = bar_values(known, row)
            made.saw(bar)
            made.believe(bar, log_ratio(bar.adj_close, made.last.adj_close) if made.last else 0.0)
        return made

    @property
    def sigma(self) -> float:
        """The usual daily move (log), by the median absolute deviation of the last ones; 0.0 of too few."""
        if self._sigma is None:
            moves = self._moves
            centre = median(moves) if len(moves) > 10 else 0.0
            spread = median(abs(move - centre) for move in moves) if len(moves) > 10 else 0.0
            self._sigma = spread * MAD_TO_SIGMA
        return self._sigma

    def turnover_times(self, bar: BarValues) -> float:
        """Money traded on the day, in times the median of the days before; 0.0 when nothing is known."""
        usual = median(self._turnovers) if self._turnovers else 0.0
        return bar.turnover / usual if usual > 0 else 0.0

    def repeats(self, bar: BarValues) -> bool:
        """Whether prices and volume are those of the bar before it, believed or not."""
        return self._seen is not None and self._seen[1:] == bar[1:]

    def saw(self, bar: BarValues) -> None:
        """Takes note of a bar that was looked at."""
        self.still = self.still + 1 if self.repeats(bar) and bar.volume == 0 else 0
        self._seen = bar

    def believe(self, bar: BarValues, move: float) -> None:
        """Takes a bar as the one the next is judged by; `move` is the log return of its adjusted close."""
        if self.last is not None:
            self._moves.append(move)
            self._sigma = None
        self._turnovers.append(bar.turnover)
        self.last = bar
