"""The forecasts of a day's end, one for each asset that has a bar of the day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from bellwether.agents.views import AgentView
from bellwether.backtest.pool import Pool, Said, Terms
from bellwether.backtest.records import Counts, Part, Prediction
from bellwether.backtest.standing import Standing
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.evidence import first_live_day
from bellwether.domain.log_odds import log_odds, probability
from bellwether.domain.prices import History, known_from
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions


class ViewOf(Protocol):
    """How an agent comes to its view, as `agents.views.view_of` does."""

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


class Forecaster:
    """Makes forecasts over `horizon` trading days; `instead` gives agents, by id, another way to a view."""

    def __init__(self, horizon: int, counts: Counts, instead: Mapping[str, ViewOf]) -> None:
        self._horizon = horizon
        self._counts = counts
        self._instead = instead

    def day(
        self, day: date, versions: AgentVersions, tracks: Iterable[Standing]
    ) -> Iterator[tuple[int, Prediction]]:
        """The day's forecasts, each with the row of the day's bar; counts the assets without one."""
        as_of = known_from(day)
        first = first_live_day(as_of)
        configs = [versions.at(agent, as_of) for agent in versions.known()]
        pool = Pool(configs, self._horizon)
        for track in tracks:
            track.forget(first)
            row = track.row_of(day)
            if row is None:
                dates = track.history.dates
                self._counts.missing_bars += dates[0] < day < dates[-1]
                continue
            forecast = self._forecast(track, row, as_of, pool, configs)
            if forecast is None:
                self._counts.abstained += 1
            else:
                self._counts.forecasts += 1
                yield row, forecast

    def _forecast(
        self, track: Standing, row: int, as_of: datetime, pool: Pool, configs: Sequence[AgentConfig]
    ) -> Prediction | None:
        day = track.history.dates[row]
        ordinal = day.toordinal()
        said = []
        for terms, config in zip(pool.terms, configs, strict=True):
            if terms.agent_id in self._instead:
                one = self._asked(terms, config, track, as_of)
            else:
                one = track.say(terms, row, ordinal)
            if one is not None:
                said.append(one)
        base = track.base_rate(row)
        p_up, weights = pool.fuse(said, base)
        if p_up is None:
            return None
        known = log_odds(base.p_up)
        return Prediction(
            asset=track.asset,
            day=day,
            as_of=as_of,
            p_up=p_up,
            base_rate=base.p_up,
            parts=tuple(
                [
                    _part(one, weight, known)
                    for one, weight in zip(said, weights, strict=True)
                    if one.evidence > 0
                ]
            ),
        )

    def _asked(self, terms: Terms, config: AgentConfig, track: Standing, as_of: datetime) -> Said | None:
        view = self._instead[terms.agent_id](
            config, days=track.days, history=track.history, as_of=as_of, horizon=self._horizon
        ).view
        if view is None:
            return None
        return Said(terms, view.log_odds, view.evidence, min(1.0, max(0.0, view.reliability)))


def _part(said: Said, weight: float, known: float) -> Part:
    """The agent's own forecast on top of the base rate's log-odds `known`, and its reading behind that
    (`domain.learning.raw_reading`).
    """
    terms = said.terms
    p_up = probability(known + said.log_odds)
    raw = None
    if terms.slope:
        raw = ((log_odds(p_up) - known) / terms.carried - terms.intercept) / terms.slope
    return Part(
        agent_id=terms.agent_id,
        version=terms.version,
        p_up=p_up,
        weight=weight,
        raw=raw,
        moved=weight * said.log_odds,
    )
