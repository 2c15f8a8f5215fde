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
from bellwether.backtest.forecasting import Forecaster, ViewOf
from bellwether.backtest.learner import Learner
from bellwether.backtest.reading import DayReader, ReadItem
from bellwether.backtest.records import Counts, Replayed, Settings
from bellwether.backtest.resolving import Waiting
from bellwether.backtest.standing import standings
from bellwether.domain.entities import Asset
from bellwether.domain.evaluation import equal_weight
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
        horizon = self.settings.horizon
        tracks = standings({asset.symbol for asset in self.assets}, self.histories, horizon)
        found = Replayed(resolved=[], open=[], unused=[], versions={}, counts=self.counts, days=days)
        if not days or not tracks:
            return found
        waiting = {symbol: Waiting(track.history, horizon, self.counts) for symbol, track in tracks.items()}
        reader = DayReader(
            [asset for asset in self.assets if asset.symbol in tracks], self.model, self.counts
        )
        forecaster = Forecaster(horizon, self.counts, self.instead)
        learner = Learner(self.configs, horizon)
        versions = AgentVersions(self.configs)
        benchmark = equal_weight(self.histories)
        trading = set(days)
        used = items[: bisect_right(items, days[-1], key=_day_of)]
        first = min([days[0], *map(_day_of, used[:1])])
        for day, arrived in _calendar(first, self._last_day(days), reader.days(used)):
            if learner.night(known_from(day - timedelta(days=1)) + LEARNS_AT):
                versions = AgentVersions(self.configs)
            for asset, state in reader.day(day.strftime("%Y%m%d"), arrived, versions).items():
                tracks[asset].take(state)
            self.told(len(arrived))
            if day in trading:
                for row, forecast in forecaster.day(day, versions, tracks.values()):
                    waiting[forecast.asset].add(forecast, row)
            today = day + timedelta(days=1)
            resolved = [one for asset in waiting.values() for one in asset.resolved(today, benchmark)]
            found.resolved += resolved
            learner.resolved(resolved)
        self.counts.ended_assets = sum(track.history.dates[-1] < days[-1] for track in tracks.values())
        found.open = [forecast for asset in waiting.values() for forecast in asset.left()]
        found.unused = [forecast for asset in waiting.values() for forecast in asset.unused]
        self.counts.open = len(found.open)
        found.versions = {agent: self.configs.versions(agent) for agent in sorted(self.configs.current())}
        return found

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
