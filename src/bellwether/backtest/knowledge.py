"""What the agents see of all assets at each day's end, carried on from day to day.

`agents.views.view_of` reads a month of day sums for every forecast. Here a day's column is added when it has
passed and overwritten when it has faded; the figures are the same.
"""

from collections.abc import Mapping

import numpy as np

from bellwether.agents.attention import BASELINE_DAYS, MAD_TO_SIGMA, MOST_Z, SHORTEST_BASELINE, stabilised
from bellwether.backtest.columns import Floats, Ints, distinct
from bellwether.domain.day_sums import SHORTEST_HALF_LIFE
from bellwether.domain.decay import LONGEST_LIFE, live_hours
from bellwether.domain.state import AgentSums, AssetDay

DAYS_READ = LONGEST_LIFE.days - 1
"""Days of knowledge that a forecast at a day's end reads, that day among them."""
_NEVER = np.iinfo(np.int64).max


class Knowledge:
    """Days must begin in order; what is taken is of the day that began last. Days are ordinals."""

    def __init__(self, symbols: Mapping[str, int]) -> None:
        self._places = symbols
        self._day = 0
        self._seen = np.full((DAYS_READ, len(symbols)), _NEVER)
        self._mentions = np.zeros((DAYS_READ, len(symbols)), np.int64)
        self._stabilised = np.full((DAYS_READ, len(symbols)), stabilised(0))
        self._sums: dict[str, dict[str, _Sums]] = {}

    def begin(self, day: int) -> None:
        """A day of which nothing is known yet; the day longest ago is forgotten."""
        self._day = day
        column = day % DAYS_READ
        self._seen[column], self._mentions[column], self._stabilised[column] = _NEVER, 0, stabilised(0)
        for by_half_life in self._sums.values():
            for sums in by_half_life.values():
                sums.begin(day)

    def take(self, states: Mapping[str, AssetDay]) -> None:
        """What the day added up to, by symbol."""
        for symbol, state in states.items():
            place = self._places[symbol]
            self._seen[self._day % DAYS_READ, place] = self._day
            if by_hour := state.grown_by_hour:
                self._mention(place, by_hour)
            for key, sums in state.agents.items():
                self._sums_of(key, sums.half_life).put(self._day, place, sums)

    def _mention(self, place: int, by_hour: tuple[int, ...]) -> None:
        """Counts mentions in windows of 24 hourly bins, the last of them the first hour after a day's end.

        That is where the windows of `agents.attention` end at a day's end; the hour that is running is empty.
        """
        for day, count in ((self._day - 1, by_hour[0]), (self._day, sum(by_hour) - by_hour[0])):
            column = day % DAYS_READ
            self._mentions[column, place] += count
            self._stabilised[column, place] = stabilised(int(self._mentions[column, place]))

    def _sums_of(self, key: str, half_life: float) -> "_Sums":
        by_half_life = self._sums.setdefault(key.rpartition("@")[0], {})
        if key not in by_half_life:
            by_half_life[key] = _Sums(half_life, len(self._places))
        return by_half_life[key]

    def gathered(self, agent_id: str, assets: Ints) -> tuple[Floats, Floats]:
        """`domain.evidence.gather` at the day's end: the mass and the mean, both 0 without evidence."""
        mass, total = np.zeros(len(assets)), np.zeros(len(assets))
        for sums in self._sums.get(agent_id, {}).values():
            weight, weighted = sums.faded(self._day, assets)
            mass, total = mass + weight, total + weighted
        alive = (mass > 0) & np.isfinite(mass)
        mean = np.divide(total, mass, out=np.zeros(len(assets)), where=alive)
        return np.where(alive, mass, 0.0), mean

    def attention(self, assets: Ints) -> tuple[Floats, Floats]:
        """`agents.attention.attention` at the day's end: the evidence (0 where it abstains), the reading."""
        known = np.minimum(self._day - self._seen.min(axis=0)[assets], BASELINE_DAYS)
        now = self._mentions[self._day % DAYS_READ, assets]
        speaks = (known >= SHORTEST_BASELINE) & (now > 0)
        reading = np.zeros(len(assets))
        for days in distinct(known[speaks]):
            chosen = np.flatnonzero(speaks & (known == days))
            reading[chosen] = self._unusual(assets[chosen], days)
        return np.where(speaks, now, 0).astype(np.float64), reading

    def _unusual(self, assets: Ints, days: int) -> Floats:
        """`agents.attention.z_of_stabilised` of the day's mentions against those of the `days` before."""
        now = self._stabilised[self._day % DAYS_READ, assets]
        columns = np.arange(self._day - days, self._day) % DAYS_READ
        before = self._stabilised[columns[:, None], assets]
        middle = _median(before)
        spread = MAD_TO_SIGMA * _median(np.abs(before - middle))
        unusual: Floats = np.clip((now - middle) / np.maximum(1.0, spread), -MOST_Z, MOST_Z)
        return unusual


def _median(values: Floats) -> Floats:
    """Over the first axis."""
    ordered, half = np.sort(values, axis=0), len(values) // 2
    middle: Floats = ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2
    return middle


class _Sums:
    """One agent's sums of one half-life: a column for each of the days that are read."""

    def __init__(self, half_life: float, assets: int) -> None:
        self._half_life = max(half_life, SHORTEST_HALF_LIFE)
        self._life = live_hours(half_life)
        # column for asset, so that what is added up lies side by side
        self._weight, self._weighted = np.zeros((2, assets, DAYS_READ))
        self._newest = np.full((assets, DAYS_READ), -np.inf)
        self._days = np.zeros(DAYS_READ)

    def begin(self, day: int) -> None:
        column = day % DAYS_READ
        self._days[column] = day
        self._weight[:, column] = self._weighted[:, column] = 0.0
        self._newest[:, column] = -np.inf

    def put(self, day: int, place: int, sums: AgentSums) -> None:
        column = day % DAYS_READ
        self._days[column] = day
        self._weight[place, column], self._weighted[place, column] = sums.weight, sums.weighted_log_odds
        self._newest[place, column] = 24.0 if sums.newest is None else sums.newest

    def faded(self, day: int, assets: Ints) -> tuple[Floats, Floats]:
        """The weights and weighted log-odds that are still read at the end of `day`."""
        age = 24.0 * (day + 1 - self._days)
        faded = (age - self._newest[assets] <= self._life) * 2.0 ** (-age / self._half_life)
        return (self._weight[assets] * faded).sum(axis=1), (self._weighted[assets] * faded).sum(axis=1)
