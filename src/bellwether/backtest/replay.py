"""The replay: day by day, learning at two, items as they became known, forecasts at the day's end.

Walk-forward only: a night learns from outcomes whose bars were complete the midnight before, a day's items
are read with the configuration in force when they became known, and a forecast at a day's end reads the sums,
bars and configurations of that moment. What comes later has not been looked at yet.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate, groupby
from typing import Protocol

from bellwether.adapters.memory import MemoryAgentConfigs
from bellwether.agents.sentiment import TextModel
from bellwether.agents.views import AgentView, view_of
from bellwether.backtest.learner import Learner
from bellwether.backtest.reading import DayReader
from bellwether.backtest.records import Counts, Part, Prediction, Replayed, Resolved, Settings
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.base_rate import MOST_ROWS, BaseRate, base_rate_of
from bellwether.domain.entities import Asset
from bellwether.domain.evaluation import Benchmark, ForwardReturn, equal_weight, forward_return
from bellwether.domain.evidence import first_live_day
from bellwether.domain.fusion import correlations, fuse
from bellwether.domain.items import StoredItem
from bellwether.domain.learning import raw_reading
from bellwether.domain.log_odds import log_odds, probability
from bellwether.domain.prices import History, known_from
from bellwether.domain.state import AssetDay
from bellwether.domain.track_record import Forecast
from bellwether.usecases.agent_versions import AgentVersions

LEARNS_AT = timedelta(hours=2)
"""The hour of the nightly evaluation."""


class ViewOf(Protocol):
    """How an agent comes to its view: `agents.views.view_of`, unless a test puts another in its place."""

    def __call__(
        self,
        config: AgentConfig,
        *,
        days: Sequence[AssetDay],
        history: History,
        as_of: datetime,
        horizon: int,
    ) -> AgentView:
        """The agent's view at `as_of`."""


Told = Callable[[int], None]


def _nothing(count: int) -> None:
    """Nobody wants to know how far it is."""


@dataclass
class _Track:
    """One asset while it is replayed: its bars, its live sums, its forecasts that are not over."""

    asset: str
    history: History
    days: deque[AssetDay] = field(default_factory=deque)
    waiting: deque[Prediction] = field(default_factory=deque)
    horizon: int = 1
    _rises: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        closes = self.history.adj_close
        rises = (end > start for start, end in zip(closes, closes[self.horizon :], strict=False))
        self._rises = list(accumulate(rises, initial=0))

    def base_rate(self, as_of: datetime) -> BaseRate:
        """`domain.base_rate.base_rate` from running counts: of windows whose last close was known."""
        known = self.history.known_rows(as_of)
        first = max(0, known - MOST_ROWS)
        seen = max(0, known - first - self.horizon)
        rises = self._rises[first + seen] - self._rises[first] if seen else 0
        return base_rate_of(rises, seen, self.horizon)


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
    """One run. `items` in order (see `intake.in_order`); `histories` by symbol."""

    settings: Settings
    assets: Sequence[Asset]
    histories: Mapping[str, History]
    model: TextModel
    counts: Counts = field(default_factory=Counts)
    view_of: ViewOf = view_of
    told: Told = _nothing
    configs: MemoryAgentConfigs = field(default_factory=MemoryAgentConfigs)

    def __call__(self, items: Sequence[StoredItem]) -> Replayed:
        """Replays everything up to the last bar. `told` hears how many items were read."""
        days = trading_days(self.histories, self.settings, items)
        tracks = self._tracks()
        found = Replayed(resolved=[], open=[], versions={}, counts=self.counts, days=days)
        if not days or not tracks:
            return found
        reader = DayReader(
            [asset for asset in self.assets if asset.symbol in tracks], self.model, self.counts
        )
        learner = Learner(self.configs, self.settings.horizon)
        versions = AgentVersions(self.configs)
        benchmark = equal_weight(self.histories)
        trading = set(days)
        by_day = {day: list(group) for day, group in groupby(items, key=lambda item: item.known_at.date())}
        for day in _calendar(min(days[0], min(by_day, default=days[0])), self._last_day(days)):
            if learner.night(known_from(day - timedelta(days=1)) + LEARNS_AT):
                versions = AgentVersions(self.configs)
            as_of = known_from(day)
            if day <= days[-1]:
                self._read(reader, day, by_day.get(day, ()), versions, tracks)
            if day in trading:
                self._forecast(day, as_of, versions, tracks)
            resolved = self._resolve(tracks, as_of, benchmark)
            found.resolved += resolved
            learner.resolved(resolved)
        self.counts.ended_assets = sum(track.history.dates[-1] < days[-1] for track in tracks.values())
        found.open = [p for track in tracks.values() for p in track.waiting]
        self.counts.open = len(found.open)
        found.versions = {agent: self.configs.versions(agent) for agent in sorted(self.configs.current())}
        return found

    def _tracks(self) -> dict[str, _Track]:
        symbols = sorted({asset.symbol for asset in self.assets} & set(self.histories))
        return {
            symbol: _Track(symbol, self.histories[symbol], horizon=self.settings.horizon)
            for symbol in symbols
            if self.histories[symbol].dates
        }

    def _last_day(self, days: Sequence[date]) -> date:
        """Forecasts end with `days`; what became of them may be known later."""
        longest = timedelta(days=2 * self.settings.horizon + 15)
        newest = max(history.dates[-1] for history in self.histories.values() if history.dates)
        return min(newest, days[-1] + longest)

    def _read(
        self,
        reader: DayReader,
        day: date,
        items: Sequence[StoredItem],
        versions: AgentVersions,
        tracks: Mapping[str, _Track],
    ) -> None:
        if not items:
            return
        for asset, state in reader.day(day.strftime("%Y%m%d"), items, versions).items():
            tracks[asset].days.append(state)
        self.told(len(items))

    def _forecast(
        self, day: date, as_of: datetime, versions: AgentVersions, tracks: Mapping[str, _Track]
    ) -> None:
        first = first_live_day(as_of)
        configs = [versions.at(agent, as_of) for agent in versions.known()]
        overlap = cache(correlations(configs))
        for track in tracks.values():
            while track.days and track.days[0].day < first:
                track.days.popleft()
            history = track.history
            if history.row_of(day) is None:
                self.counts.missing_bars += history.dates[0] < day < history.dates[-1]
                continue
            base = track.base_rate(as_of)
            views = [
                self.view_of(c, days=track.days, history=history, as_of=as_of, horizon=self.settings.horizon)
                for c in configs
            ]
            spoken = [(view.config, view.view) for view in views if view.view is not None]
            fused = fuse([view for _, view in spoken], base, overlap)
            if fused.p_up is None:
                self.counts.abstained += 1
                continue
            parts = tuple(
                self._part(config, probability(log_odds(base.p_up) + view.log_odds), weight, base.p_up, day)
                for (config, view), weight in zip(spoken, fused.weights, strict=True)
                if view.evidence > 0
            )
            self.counts.forecasts += 1
            track.waiting.append(
                Prediction(
                    asset=track.asset, day=day, as_of=as_of, p_up=fused.p_up, base_rate=base.p_up, parts=parts
                )
            )

    def _part(self, config: AgentConfig, p_up: float, weight: float, base: float, day: date) -> Part:
        forecast = Forecast(
            asset="",
            day=day,
            horizon=self.settings.horizon,
            agent_version=config.version,
            p_up=p_up,
            base_rate=base,
            went_up=False,
            forward_return=0.0,
        )
        return Part(
            agent_id=config.agent_id,
            version=config.version,
            p_up=p_up,
            weight=weight,
            raw=raw_reading(forecast, config),
        )

    def _resolve(self, tracks: Mapping[str, _Track], now: datetime, benchmark: Benchmark) -> list[Resolved]:
        resolved: list[Resolved] = []
        for track in tracks.values():
            while track.waiting:
                realised = forward_return(
                    track.history, track.waiting[0].as_of, self.settings.horizon, now=now
                )
                if realised == "waiting":
                    break
                forecast = track.waiting.popleft()
                if isinstance(realised, ForwardReturn):
                    resolved.append(self._outcome(track.history, forecast, realised, benchmark))
                elif realised == "no_entry_price":
                    self.counts.no_entry_price += 1
                else:
                    self.counts.no_exit_price += 1
        kept = [outcome for outcome in resolved if outcome.tradable]
        self.counts.without_trade += len(resolved) - len(kept)
        return kept

    def _outcome(
        self, history: History, forecast: Prediction, realised: ForwardReturn, benchmark: Benchmark
    ) -> Resolved:
        rows = history.row_of(realised.entry_date), history.row_of(realised.exit_date)
        return Resolved(
            forecast=forecast,
            entry=realised.entry_date,
            leave=realised.exit_date,
            value=realised.value,
            benchmark=benchmark(realised.entry_date, realised.exit_date),
            tradable=all(row is not None and history.volume[row] > 0 for row in rows),
        )


def _calendar(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)
