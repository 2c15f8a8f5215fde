"""Scoring assets: day sums, prices and the agents' configurations in, a fused forecast with its reasons out.

Now is read from the day sums alone, whatever number of signals stands behind them. A past `as_of` reads the
same sums for the full days before it and folds its own day's signals with the same function.
"""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from bellwether.agents.views import AgentView, view_of
from bellwether.domain.base_rate import base_rate
from bellwether.domain.concentration import concentration
from bellwether.domain.day_sums import fold
from bellwether.domain.evidence import first_live_day, live_days
from bellwether.domain.explanation import explanation
from bellwether.domain.fusion import correlations, fuse
from bellwether.domain.ids import ulid
from bellwether.domain.items import CLOCK_SKEW, EARLIEST, Instant
from bellwether.domain.prices import History
from bellwether.domain.problems import InvalidInput
from bellwether.domain.reliability import reliability_of, track_record_of
from bellwether.domain.scores import Contribution, Score, TrackRecord, score_id
from bellwether.domain.signals import day_before, day_of
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions
from bellwether.usecases.ports import (
    AgentConfigs,
    AssetStates,
    Change,
    Changes,
    Entities,
    Forecasts,
    Prices,
    SignalStore,
)

DIGITS = 12
"""Decimals kept: the order in which sums were added shows only behind them."""
MOST_TOLD = 50


class ScoreRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`assets`: tracked symbols, by default all; `horizon` in trading days; `as_of`: by default now."""

    assets: Annotated[list[str], Meta(max_length=500)] | None = None
    horizon: Annotated[int, Meta(ge=1, le=252)] = 1
    as_of: Instant | None = None


class ScoreAnswer(Struct, frozen=True, kw_only=True):
    """One score an asset, in the order asked for (by symbol when all were)."""

    as_of: Instant
    horizon: int
    scores: list[Score]


@dataclass(frozen=True, kw_only=True)
class ScoreAssets:
    """`readers` threads read several assets at once; with 1 everything happens in the caller's."""

    states: AssetStates
    signals: SignalStore
    entities: Entities
    configs: AgentConfigs
    prices: Prices
    forecasts: Forecasts
    changes: Changes
    readers: int = 8

    def __call__(self, request: ScoreRequest, *, now: datetime, keep: bool = True) -> ScoreAnswer:
        """Raises `InvalidInput` for an asset that is not tracked or an `as_of` in the future.

        With `keep` the forecasts are stored for evaluation and, when they are of now, announced.
        """
        now = now.astimezone(UTC)
        as_of = _checked_as_of(request.as_of, now)
        symbols = self._symbols(request.assets)
        versions = AgentVersions(self.configs)
        make = partial(
            self._score, as_of=as_of, replay=as_of < now, horizon=request.horizon, versions=versions
        )
        if self.readers > 1 and len(symbols) > 1:
            with ThreadPoolExecutor(min(self.readers, len(symbols))) as pool:
                scores = list(pool.map(make, symbols))
        else:
            scores = [make(symbol) for symbol in symbols]
        if keep:
            self._keep(scores, as_of, request.horizon)
            if as_of == now:
                self._tell(scores, now, request.horizon)
        return ScoreAnswer(as_of=as_of, horizon=request.horizon, scores=scores)

    def _symbols(self, asked: Sequence[str] | None) -> list[str]:
        tracked = {asset.symbol for asset in self.entities.assets()}
        for index, symbol in enumerate(asked or ()):
            if symbol not in tracked:
                raise InvalidInput(f"{symbol} is not tracked", path=f"$.assets[{index}]")
        return list(dict.fromkeys(asked)) if asked else sorted(tracked)

    def _score(
        self, asset: str, *, as_of: datetime, replay: bool, horizon: int, versions: AgentVersions
    ) -> Score:
        days = self._replayed(asset, as_of) if replay else self._days(asset, as_of, as_of)
        return score_of(
            asset,
            as_of=as_of,
            horizon=horizon,
            days=days,
            history=self.prices.history(asset),
            versions=versions,
        )

    def _days(self, asset: str, as_of: datetime, last: datetime) -> list[AssetDay]:
        return self.states.days(asset, first_live_day(as_of), day_of(last))

    def _replayed(self, asset: str, as_of: datetime) -> list[AssetDay]:
        today = day_of(as_of)
        days = self._days(asset, as_of, as_of - timedelta(days=1))
        signals = list(self.signals.of_day(asset, today, until=as_of))
        if signals:
            before = next((day for day in days if day.day == day_before(today)), None)
            days.append(fold(AssetDay(asset=asset, day=today), signals, earlier=before)[0])
        return days

    def _keep(self, scores: Sequence[Score], as_of: datetime, horizon: int) -> None:
        """One object for these assets, day and horizon: the day's last score of them stands."""
        forecasts = [score for score in scores if score.p_up is not None]
        if forecasts:
            assets = "\n".join(sorted(score.asset for score in forecasts))
            named = hashlib.sha256(assets.encode()).hexdigest()[:16]
            key = f"{as_of:%Y/%m/%d}/h{horizon}-{named}.ndjson"
            self.forecasts.keep(map(msgspec.json.encode, forecasts), key)

    def _tell(self, scores: Sequence[Score], now: datetime, horizon: int) -> None:
        told = [score for score in scores if score.p_up is not None][:MOST_TOLD]
        if not told:
            return
        identity = hashlib.sha256("\n".join(score.score_id for score in told).encode()).digest()
        data = {
            "horizon": horizon,
            "scores": [{"asset": s.asset, "p_up": s.p_up, "edge": s.edge, "n_eff": s.n_eff} for s in told],
        }
        self.changes.publish([Change(id=ulid(now, identity), type="scores", at=now, data=data)])


def _checked_as_of(asked: datetime | None, now: datetime) -> datetime:
    """`now`, or an earlier moment; a caller's clock may run a little ahead of ours."""
    if asked is None or now <= asked <= now + CLOCK_SKEW:
        return now
    if asked > now:
        raise InvalidInput(f"as_of {asked.isoformat()} is in the future", path="$.as_of")
    if asked < EARLIEST:
        raise InvalidInput(f"as_of {asked.isoformat()} is before {EARLIEST:%Y}", path="$.as_of")
    return asked.astimezone(UTC)


def score_of(
    asset: str,
    *,
    as_of: datetime,
    horizon: int,
    days: Sequence[AssetDay],
    history: History,
    versions: AgentVersions,
) -> Score:
    """The score of one asset from what was known at `as_of`: pure, the same of now and of a replay."""
    agents = sorted({*versions.known(), *(key.rpartition("@")[0] for day in days for key in day.agents)})
    configs = [versions.at(agent, as_of) for agent in agents]
    base = base_rate(history, as_of, horizon)
    views = [view_of(config, days=days, history=history, as_of=as_of, horizon=horizon) for config in configs]
    spoken = [view.view for view in views if view.view is not None]
    fused = fuse(spoken, base, correlations(configs))
    parts = dict(
        zip((view.agent_id for view in spoken), zip(fused.weights, fused.shares, strict=True), strict=True)
    )
    contributions = tuple(_contribution(view, parts) for view in views)
    return Score(
        score_id=score_id(
            asset,
            as_of=as_of,
            horizon=horizon,
            base_rate=_kept(base.p_up),
            contributions=contributions,
        ),
        asset=asset,
        as_of=as_of,
        horizon=horizon,
        p_up=_kept_or_none(fused.p_up),
        edge=None if fused.p_up is None else _kept(fused.p_up - base.p_up),
        base_rate=_kept(base.p_up),
        n_eff=_kept(fused.n_eff),
        disagreement=_kept_or_none(fused.disagreement),
        interval=None if fused.interval is None else (_kept(fused.interval[0]), _kept(fused.interval[1])),
        contributions=contributions,
        track_record=_track_record(contributions),
        concentration=concentration(live_days(days, as_of), as_of),
        last_event=_last_event(days),
        explanation=explanation(asset, horizon, base.p_up, fused, contributions),
    )


def _contribution(view: AgentView, parts: dict[str, tuple[float, float]]) -> Contribution:
    weight, share = parts.get(view.config.agent_id, (0.0, 0.0))
    return Contribution(
        agent_id=view.config.agent_id,
        agent_version=view.config.version,
        weight=_kept(weight),
        log_odds=_kept(view.view.log_odds) if view.view else 0.0,
        evidence=_kept(view.view.evidence) if view.view else 0.0,
        reliability=_kept(reliability_of(view.config)),
        share=_kept(share),
        signals=view.signals,
        track_record=track_record_of(view.config),
        signal_ids=view.signal_ids,
        rationale=view.rationale,
        abstained=view.abstained,
    )


def _track_record(contributions: Iterable[Contribution]) -> TrackRecord:
    """Proven when agents with a record of their own make at least half of what moved the score."""
    moved = {"proven": 0.0, "unproven": 0.0}
    for contribution in contributions:
        moved[contribution.track_record] += abs(contribution.share)
    return "proven" if moved["proven"] > 0 and moved["proven"] >= moved["unproven"] else "unproven"


def _last_event(days: Iterable[AssetDay]) -> datetime | None:
    events = [datetime.fromisoformat(day.last_event) for day in days if day.last_event]
    return max(events, default=None)


def _kept(value: float) -> float:
    return round(value, DIGITS)


def _kept_or_none(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
