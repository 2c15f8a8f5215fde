"""What forecasts read of prices, and what they end in: of every bar of every asset, computed at once.

The rows of all assets' bars lie one after another. Each figure of a row is made of that bar and earlier ones
alone, but for what becomes of a forecast made there, which nobody is told before it is due.
"""

import math
from collections.abc import Sequence
from datetime import date

import numpy as np

from bellwether.agents.momentum import MONTH, MOST_Z, WEEK, YEAR, momentum_reading
from bellwether.backtest.columns import Floats, Ints
from bellwether.backtest.resolving import Endings, endings, ordinals
from bellwether.domain.base_rate import MOST_ROWS, PRIOR_DAYS
from bellwether.domain.prices import History

_MOST_CANCELLED = 1e-6
"""Running sums keep ten digits of a variance as long as it is more than this part of them."""


class Bars:
    """The bars of some assets, at least one each, looked up by day. `horizon` in trading days.

    `base_p_up`, `base_log_odds` and `momentum` (NaN where there is no reading) have a place for each row.
    """

    def __init__(self, histories: Sequence[History], horizon: int) -> None:
        self.histories = histories
        days = [ordinals(history) for history in histories]
        self._begin, self._end = (np.array([own[place] for own in days]) for place in (0, -1))
        self._first = int(self._begin.min())
        self._rows = _by_day(days, self._first, int(self._end.max()))
        closes = [history.adj_close for history in histories]
        self.base_p_up, self.base_log_odds = np.concatenate([base_rates(c, horizon) for c in closes], axis=1)
        self.momentum = np.concatenate([momentum_readings(c) for c in closes])
        self.endings = Endings.joined([endings(history, horizon) for history in histories])

    def at(self, day: date) -> tuple[Ints, Ints]:
        """The assets that have a bar of a day, and its rows."""
        rows = self._of(day)
        assets = np.flatnonzero(rows >= 0)
        return assets, rows[assets]

    def missing(self, day: date) -> int:
        """How many assets have bars before and after a day, but none of it."""
        within = (self._begin < day.toordinal()) & (day.toordinal() < self._end)
        return int((within & (self._of(day) < 0)).sum())

    def _of(self, day: date) -> Ints:
        """The row of each asset's bar of a day, -1 without one."""
        place = day.toordinal() - self._first
        # others may trade on days before the first or after the last bar of these
        return self._rows[place] if 0 <= place < len(self._rows) else np.full_like(self._begin, -1)

    def ended(self, day: date) -> int:
        """How many assets have no bar of a day or later ones."""
        return int((self._end < day.toordinal()).sum())


def _by_day(days: Sequence[Ints], first: int, last: int) -> Ints:
    """The row of each day's (first axis) bar of each asset; -1 without one."""
    found = np.full((last - first + 1, len(days)), -1, np.int64)
    before = 0
    for asset, own in enumerate(days):
        found[own - first, asset] = np.arange(before, before + len(own))
        before += len(own)
    return found


def momentum_readings(closes: Sequence[float]) -> Floats:
    """`agents.momentum.momentum_reading` at each close of a history, NaN where there is none.

    From running sums: the deviation of a year's log returns is √(Σr²/n − r̄²). Years that hardly moved but for
    a trend, where that difference would be rounding, are computed one by one.
    """
    logs = np.log(np.array(closes))
    found = np.full(len(logs), np.nan)
    squares = np.concatenate([[0.0], np.cumsum(np.diff(logs) ** 2)])
    rows = np.arange(YEAR, len(logs))
    mean = (logs[rows] - logs[rows - YEAR]) / YEAR
    variance = (squares[rows] - squares[rows - YEAR]) / YEAR - mean * mean
    plain = variance > _MOST_CANCELLED * squares[rows]
    deviation = np.sqrt(np.where(plain, variance, 1.0))
    trend = (logs[rows - MONTH] - logs[rows - YEAR]) / (deviation * math.sqrt(YEAR - MONTH))
    recent = (logs[rows] - logs[rows - WEEK]) / (deviation * math.sqrt(WEEK))
    found[rows] = (np.clip(trend, -MOST_Z, MOST_Z) - np.clip(recent, -MOST_Z, MOST_Z)) / math.sqrt(2)
    for row in rows[~plain].tolist():
        reading = momentum_reading(list(closes[row - YEAR : row + 1]))
        found[row] = np.nan if reading is None else reading
    return found


def base_rates(closes: Sequence[float], horizon: int) -> Floats:
    """`domain.base_rate.base_rate` when each row is the last one known: the probabilities, the log-odds."""
    adjusted = np.array(closes)
    rises = np.concatenate([[0], np.cumsum(adjusted[horizon:] > adjusted[:-horizon])])
    rows = np.arange(1, len(adjusted) + 1)
    first = np.maximum(0, rows - MOST_ROWS)
    seen = np.maximum(0, rows - first - horizon)
    risen = rises[first + seen] - rises[first]
    a, b = PRIOR_DAYS / 2 + risen / horizon, PRIOR_DAYS / 2 + (seen - risen) / horizon
    return np.stack([a / (a + b), np.log(a / b)])
