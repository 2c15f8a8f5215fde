"""The forecasts of a day's end, one for each asset that has a bar of the day."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

import numpy as np

from bellwether.agents.momentum import MONTH, YEAR
from bellwether.agents.registry import ATTENTION, MOMENTUM
from bellwether.agents.views import AgentView
from bellwether.backtest.bars import Bars
from bellwether.backtest.columns import Floats, Ints, log_odds, probability
from bellwether.backtest.forecasts import Forecasts
from bellwether.backtest.knowledge import Knowledge
from bellwether.backtest.pool import Pool, Said, Terms
from bellwether.backtest.records import Counts
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.evidence import first_live_day
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

    def __init__(
        self, symbols: Sequence[str], bars: Bars, horizon: int, counts: Counts, instead: Mapping[str, ViewOf]
    ) -> None:
        self._bars = bars
        self._horizon = horizon
        self._counts = counts
        self._instead = instead
        self._knowledge = Knowledge({symbol: place for place, symbol in enumerate(symbols)})
        self._days: dict[str, deque[AssetDay]] = {symbol: deque() for symbol in symbols}
        self._symbols = symbols

    def take(self, day: date, states: Mapping[str, AssetDay]) -> None:
        """A day that has passed, and what was said on it, by symbol. Every day in turn must be told."""
        self._knowledge.begin(day.toordinal())
        self._knowledge.take(states)
        if self._instead:
            for symbol, state in states.items():
                self._days[symbol].append(state)

    def day(self, day: date, versions: AgentVersions) -> Forecasts:
        """The forecasts of the end of the day taken last; counts what there is none of."""
        assets, rows = self._bars.at(day)
        self._counts.missing_bars += self._bars.missing(day)
        as_of = known_from(day)
        configs = [versions.at(agent, as_of) for agent in versions.known()]
        pool = Pool(configs, self._horizon)
        said = [
            self._said(terms, config, assets, rows, as_of)
            for terms, config in zip(pool.terms, configs, strict=True)
        ]
        p_up, weights = pool.fuse(said, self._bars.base_log_odds[rows])
        founded = np.flatnonzero(sum([one.evidence for one in said], np.zeros(len(rows))) > 0)
        self._counts.abstained += len(rows) - len(founded)
        self._counts.forecasts += len(founded)
        base = self._bars.base_p_up[rows]
        known = log_odds(base)
        parts = [_part(terms, one, base, known) for terms, one in zip(pool.terms, said, strict=True)]
        versions_used = np.array([terms.version for terms in pool.terms])
        return Forecasts(
            assets=self._symbols,
            agents=[terms.agent_id for terms in pool.terms],
            asset=assets[founded],
            row=rows[founded],
            day=np.full(len(founded), day.toordinal()),
            p_up=p_up[founded],
            base_rate=base[founded],
            agent_p_up=np.stack([p for p, _ in parts])[:, founded],
            agent_version=np.repeat(versions_used[:, None], len(founded), axis=1),
            weight=weights[:, founded],
            raw=np.stack([raw for _, raw in parts])[:, founded],
            moved=(weights * np.stack([one.log_odds for one in said]))[:, founded],
        )

    def _said(self, terms: Terms, config: AgentConfig, assets: Ints, rows: Ints, as_of: datetime) -> Said:
        """`agents.views.view_of` of each asset."""
        if terms.agent_id in self._instead:
            return self._asked(config, assets, as_of)
        evidence, view = np.zeros(len(rows)), np.zeros(len(rows))
        if not terms.enabled:
            pass
        elif terms.agent_id == MOMENTUM:
            reading = self._bars.momentum[rows]
            known = ~np.isnan(reading)
            evidence, view = _stance(terms, np.where(known, YEAR / MONTH, 0.0), np.where(known, reading, 0.0))
        elif terms.agent_id == ATTENTION:
            evidence, view = _stance(terms, *self._knowledge.attention(assets))
        else:
            evidence, mean = self._knowledge.gathered(terms.agent_id, assets)
            view = mean * terms.carried
        return Said(view, evidence, np.full(len(rows), terms.reliability))

    def _asked(self, config: AgentConfig, assets: Ints, as_of: datetime) -> Said:
        said = Said(*np.zeros((3, len(assets))))
        first = first_live_day(as_of)
        for place, asset in enumerate(assets.tolist()):
            days = self._days[self._symbols[asset]]
            while days and days[0].day < first:
                days.popleft()
            view = self._instead[config.agent_id](
                config, days=days, history=self._bars.histories[asset], as_of=as_of, horizon=self._horizon
            ).view
            if view is not None:
                said.log_odds[place], said.evidence[place] = view.log_odds, max(0.0, view.evidence)
                said.reliability[place] = min(1.0, max(0.0, view.reliability))
        return said


def _stance(terms: Terms, evidence: Floats, raw: Floats) -> tuple[Floats, Floats]:
    """A view made of a reading of the asset as a whole; without a slope it says nothing."""
    if terms.slope == 0:
        return np.zeros(len(raw)), np.zeros(len(raw))
    return evidence, (terms.intercept + terms.slope * raw) * terms.carried


def _part(terms: Terms, said: Said, base: Floats, known: Floats) -> tuple[Floats, Floats]:
    """The agent's own forecasts on top of the base rates, whose log-odds are `known`, and the readings behind
    them (`domain.learning.raw_reading`); NaN where there are none.
    """
    # what takes no side must not take one by rounding
    p_up = np.where(said.log_odds == 0, base, probability(known + said.log_odds))
    p_up = np.where(said.evidence > 0, p_up, np.nan)
    if not terms.slope:
        return p_up, np.full(len(p_up), np.nan)
    return p_up, ((log_odds(p_up) - known) / terms.carried - terms.intercept) / terms.slope
