"""One asset while it is replayed: what its agents see at each day's end, carried on from day to day.

`agents.views.view_of` reads a month of day sums and a year of closes for every forecast. Here a day is added
when it has passed and drops out when it has faded; the figures are the same.
"""

import math
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import date
from itertools import accumulate

from bellwether.agents.attention import BASELINE_DAYS, SHORTEST_BASELINE, stabilised, z_of_stabilised
from bellwether.agents.momentum import MONTH, YEAR, momentum_readings
from bellwether.agents.registry import ATTENTION, MOMENTUM
from bellwether.backtest.pool import Said, Terms
from bellwether.domain.base_rate import MOST_ROWS, BaseRate, base_rate_of
from bellwether.domain.day_sums import SHORTEST_HALF_LIFE
from bellwether.domain.decay import LONGEST_LIFE, day_start, live_hours
from bellwether.domain.prices import History
from bellwether.domain.state import AgentSums, AssetDay

DAYS_READ = LONGEST_LIFE.days - 1
"""How far back, in days before the midnight of a forecast, the first day of knowledge lies that it reads."""


class Standing:
    """An asset's bars, the days of knowledge that are still read, and the agents' figures made of both.

    Days must be taken in order. `horizon` in trading days.
    """

    def __init__(self, asset: str, history: History, horizon: int) -> None:
        self.asset = asset
        self.history = history
        self.days: deque[AssetDay] = deque()
        self._horizon = horizon
        closes = history.adj_close
        rises = (end > start for start, end in zip(closes, closes[horizon:], strict=False))
        self._rises = list(accumulate(rises, initial=0))
        self._readings = momentum_readings(closes)
        self._mentions = _Mentions()
        self._sums: defaultdict[str, deque[_Sums]] = defaultdict(deque)

    def take(self, state: AssetDay) -> None:
        """A day of knowledge that is over."""
        day = day_start(state.day).toordinal()
        self.days.append(state)
        self._mentions.take(day, state.mentions_by_hour)
        for key, sums in state.agents.items():
            self._sums[key.rpartition("@")[0]].append(_Sums(day, sums))

    def forget(self, first: str) -> None:
        """Drops the days of knowledge before `first` (`yyyymmdd`)."""
        while self.days and self.days[0].day < first:
            self.days.popleft()

    def row_of(self, day: date) -> int | None:
        """The row of a day's bar."""
        dates = self.history.dates
        row = bisect_left(dates, day)
        return row if row < len(dates) and dates[row] == day else None

    def base_rate(self, row: int) -> BaseRate:
        """`domain.base_rate.base_rate` when the bar in `row` is the last one known, from running counts."""
        first = max(0, row + 1 - MOST_ROWS)
        seen = max(0, row + 1 - first - self._horizon)
        rises = self._rises[first + seen] - self._rises[first] if seen else 0
        return base_rate_of(rises, seen, self._horizon)

    def say(self, terms: Terms, row: int, day: int) -> Said | None:
        """`agents.views.view_of` at the end of `day` (an ordinal), whose bar is in `row`."""
        if not terms.enabled:
            return None
        if terms.agent_id == MOMENTUM:
            reading = self._readings[row]
            return None if reading is None else _stance(terms, reading, YEAR / MONTH)
        if terms.agent_id == ATTENTION:
            return self._attention(terms, day)
        mass, mean = self._gathered(terms.agent_id, day + 1)
        return Said(terms, mean * terms.carried, mass, terms.reliability) if mass > 0 else None

    def _attention(self, terms: Terms, day: int) -> Said | None:
        first = day_start(self.days[0].day).toordinal() if self.days else day + 1
        known = min(day - first, BASELINE_DAYS)
        if known < SHORTEST_BASELINE:
            return None
        now, before = self._mentions.windows(day, known)
        return _stance(terms, z_of_stabilised(stabilised(now), before), float(now)) if now else None

    def _gathered(self, agent_id: str, as_of: int) -> tuple[float, float]:
        """`domain.evidence.gather` at the midnight that begins `as_of`: the mass and the mean."""
        found = self._sums[agent_id]
        while found and as_of - found[0].day > DAYS_READ:
            found.popleft()
        mass = total = 0.0
        for sums in found:
            age = 24.0 * (as_of - sums.day)
            if age - sums.newest <= sums.life:
                faded = 2.0 ** (-age / sums.half_life)
                mass += sums.weight * faded
                total += sums.weighted_log_odds * faded
        return (mass, total / mass) if 0 < mass < math.inf else (0.0, 0.0)


def _stance(terms: Terms, raw: float, evidence: float) -> Said | None:
    if terms.slope == 0:
        return None
    log_odds = (terms.intercept + terms.slope * raw) * terms.carried
    return Said(terms, log_odds, evidence, terms.reliability)


class _Sums:
    """What is read of an agent's sums of one day, and for how long."""

    __slots__ = ("day", "half_life", "life", "newest", "weight", "weighted_log_odds")

    def __init__(self, day: int, sums: AgentSums) -> None:
        self.day = day
        self.half_life = max(sums.half_life, SHORTEST_HALF_LIFE)
        self.life = live_hours(sums.half_life)
        self.newest = sums.newest if sums.newest is not None else 24.0
        self.weight, self.weighted_log_odds = sums.weight, sums.weighted_log_odds


class _Mentions:
    """Mentions in windows of 24 hourly bins, the last of them the first hour after a day's end.

    That is where the windows of `agents.attention` end at a day's end; the hour that is running is empty yet.
    """

    def __init__(self) -> None:
        self._first = 0
        self._counts: list[int] = []
        self._stabilised: list[float] = []

    def take(self, day: int, by_hour: tuple[int, ...]) -> None:
        self._up_to(day)
        if not by_hour:
            return
        if len(self._counts) > 1:
            self._put(-2, self._counts[-2] + by_hour[0])
        self._put(-1, sum(by_hour) - by_hour[0])

    def windows(self, day: int, known: int) -> tuple[int, list[float]]:
        """The window at the end of `day`, and the `known` ones before it, stabilised."""
        self._up_to(day)
        return self._counts[-1], self._stabilised[-known - 1 : -1]

    def _up_to(self, day: int) -> None:
        if not self._counts:
            self._first = day
        for _ in range(day - self._first - len(self._counts) + 1):
            self._counts.append(0)
            self._stabilised.append(stabilised(0))

    def _put(self, place: int, count: int) -> None:
        self._counts[place] = count
        self._stabilised[place] = stabilised(count)


def standings(symbols: set[str], histories: Mapping[str, History], horizon: int) -> dict[str, Standing]:
    """The assets that have bars, by symbol in order."""
    return {
        symbol: Standing(symbol, histories[symbol], horizon)
        for symbol in sorted(symbols & set(histories))
        if histories[symbol].dates
    }
