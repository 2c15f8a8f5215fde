"""The replay: day by day, learning at two, items as they became known, forecasts at the day's end.

Walk-forward only: a night learns from outcomes whose bars were complete the midnight before, a day's items
are read with the configuration in force when they became known, and a forecast at a day's end reads the sums,
bars and configurations of that moment. What comes later has not been looked at yet.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from bellwether.adapters.memory import MemoryAgentConfigs
from bellwether.agents.sentiment import TextModel
from bellwether.backtest.bars import Bars
from bellwether.backtest.course import Course
from bellwether.backtest.forecasting import Forecaster, ViewOf
from bellwether.backtest.forecasts import NO_FORECASTS, NO_OUTCOMES, Made, Replayed
from bellwether.backtest.learner import Learner
from bellwether.backtest.reading import DayReader, ReadItem
from bellwether.backtest.records import Counts, Settings
from bellwether.backtest.resolving import EqualWeight
from bellwether.domain.entities import Asset
from bellwether.domain.items import StoredItem
from bellwether.domain.prices import History, known_from
from bellwether.usecases.agent_versions import AgentVersions

LEARNS_AT = timedelta(hours=2)
"""The hour of the nightly evaluation."""


Told = Callable[[int], None]


def _nothing(count: int) -> None:
    """Nobody wants to know how far it is."""


def trading_days(
    histories: Mapping[str, History], settings: Settings, items: Sequence[StoredItem]
) -> list[date]:
    """Days on which at least one asset has a bar, within the settings and by default the items' days."""
    if not items and settings.first is None:
        return []
    first = settings.first or items[0].known_at.date()
    last = settings.last or (items[-1].known_at.date() if items else date.max)
    return sorted({day for h in histories.values() for day in h.dates if first <= day <= last})


@dataclass(kw_only=True)
class Replay:
    """One run. `items` in order (see `intake.in_order`); `histories` by symbol.

    `instead` gives agents another way to their view, by id: one that is being tried, or a test's.
    """

    settings: Settings
    assets: Sequence[Asset]
    histories: Mapping[str, History]
    model: TextModel
    counts: Counts = field(default_factory=Counts)
    instead: Mapping[str, ViewOf] = field(default_factory=dict)
    told: Told = _nothing
    configs: MemoryAgentConfigs = field(default_factory=MemoryAgentConfigs)

    def __call__(self, items: Sequence[StoredItem]) -> Replayed:
        """Replays everything up to the last bar. `told` hears how many items were read."""
        days = trading_days(self.histories, self.settings, items)
        assets = [asset for asset in self.assets if self._has_bars(asset.symbol)]
        if days and assets:
            course = self._course(items, assets, days)
            resolved, unused, left = course.resolved(), course.unused(), course.left()
        else:
            resolved, unused, left = NO_OUTCOMES, NO_FORECASTS, NO_FORECASTS
        self.counts.open = len(left)
        return Replayed(
            resolved=resolved,
            open=left,
            unused=unused,
            versions={agent: self.configs.versions(agent) for agent in sorted(self.configs.current())},
            counts=self.counts,
            days=days,
        )

    def _has_bars(self, symbol: str) -> bool:
        return symbol in self.histories and bool(self.histories[symbol].dates)

    def _course(self, items: Sequence[StoredItem], assets: Sequence[Asset], days: Sequence[date]) -> Course:
        """What the days' forecasts came to."""
        symbols = sorted({asset.symbol for asset in assets})
        horizon = self.settings.horizon
        versions = AgentVersions(self.configs)
        bars = Bars([self.histories[symbol] for symbol in symbols], horizon)
        made = Made(symbols, versions.known(), len(symbols) * len(days))
        course = Course(made, bars.endings, EqualWeight(self.histories), self.counts)
        learner = Learner(self.configs, versions.known(), horizon)
        forecaster = Forecaster(symbols, bars, horizon, self.counts, self.instead)
        reader = DayReader(assets, self.model, self.counts)
        trading = set(days)
        used = items[: bisect_right(items, days[-1], key=_day_of)]
        first = min([days[0], *map(_day_of, used[:1])])
        for day, arrived in _calendar(first, self._last_day(days), reader.days(used)):
            if learner.night(known_from(day - timedelta(days=1)) + LEARNS_AT):
                versions = AgentVersions(self.configs)
            forecaster.take(day, reader.day(day.strftime("%Y%m%d"), arrived, versions))
            self.told(len(arrived))
            if day in trading:
                course.add(forecaster.day(day, versions))
            learner.resolved(course.known(day + timedelta(days=1)))
        self.counts.ended_assets = bars.ended(days[-1])
        return course

    def _last_day(self, days: Sequence[date]) -> date:
        """Forecasts end with `days`; what became of them may be known later."""
        longest = timedelta(days=2 * self.settings.horizon + 15)
        newest = max(history.dates[-1] for history in self.histories.values() if history.dates)
        return min(newest, days[-1] + longest)


def _day_of(item: StoredItem) -> date:
    return item.known_at.date()


def _calendar(
    first: date, last: date, read: Iterator[tuple[date, list[ReadItem]]]
) -> Iterator[tuple[date, list[ReadItem]]]:
    """Every day with the items that arrived on it; `read` must not begin before `first`."""
    coming = next(read, None)
    day = first
    while day <= last:
        if coming is not None and coming[0] == day:
            yield coming
            coming = next(read, None)
        else:
            yield day, []
        day += timedelta(days=1)
