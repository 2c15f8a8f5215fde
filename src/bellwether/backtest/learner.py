"""Nightly learning over resolved forecasts: the rules of `usecases.learn` on sums by day.

The desk reads its newest 10,000 outcomes every night and computes from scratch. Here every day's share is
kept and added up, and the calibration starts from the night before: the same figures at a replay's speed.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from msgspec import Struct

from bellwether.agents.registry import default_config
from bellwether.backtest.calibration_columns import Series, fit_columns
from bellwether.backtest.columns import Floats, distinct, log_odds
from bellwether.backtest.forecasts import Outcomes
from bellwether.domain.calibration import Fit, brier_skill
from bellwether.domain.learning import in_force_a_day_ago, learned
from bellwether.domain.outcomes import AgentTrackRecord
from bellwether.domain.reliability import reliability_of
from bellwether.domain.track_record import FEWEST_JOINT, SAME_DAY_CORRELATION
from bellwether.usecases.learn import MOST_OUTCOMES
from bellwether.usecases.ports import AgentConfigs


class _Day(Struct, frozen=True):
    """The resolved forecasts of one day as sums.

    `records` has a row for each agent: how many forecasts, how many independent ones they are worth, their
    squared errors, the base rates' squared errors. `moments` are of two agents' deviations x, y from the base
    rates, by what happened (fell, rose), kind (n, Σx, Σx², Σxy) and the two agents. `readings` says how many
    of each agent's forecasts have one.
    """

    outcomes: int
    records: Floats
    moments: Floats
    readings: Sequence[int]


class _Known(Struct, frozen=True):
    record: AgentTrackRecord
    fit: Fit | None
    correlations: dict[str, float]


class Learner:
    """Told what was resolved each day, writes new versions into `configs` each night."""

    def __init__(self, configs: AgentConfigs, agents: Sequence[str], horizon: int) -> None:
        self.configs = configs
        self.horizon = horizon
        self._agents = agents
        self._days: deque[_Day] = deque()
        self._outcomes = 0
        self._series = [Series() for _ in agents]
        self._fits: dict[str, Fit | None] = {}
        self._known: dict[str, _Known] = {}

    def resolved(self, outcomes: Outcomes) -> None:
        """Takes the outcomes that became known since the last call, in order of the days they are of."""
        for part in _by_day(outcomes):
            self._take(part)
        while len(self._days) > 1 and self._outcomes > MOST_OUTCOMES:
            self._drop(self._days.popleft())
        if len(outcomes):
            self._known = dict(self._measured())

    def _take(self, outcomes: Outcomes) -> None:
        made, up = outcomes.forecasts, outcomes.went_up
        known = log_odds(made.base_rate)
        read = ~np.isnan(made.raw)
        for series, raw, own in zip(self._series, made.raw, read, strict=True):
            series.add(raw[own], up[own].astype(np.float64), known[own])
        self._days.append(
            _Day(
                len(outcomes), _records(outcomes, self.horizon), _moments(outcomes), read.sum(axis=1).tolist()
            )
        )
        self._outcomes += len(outcomes)

    def _drop(self, day: _Day) -> None:
        self._outcomes -= day.outcomes
        for series, rows in zip(self._series, day.readings, strict=True):
            series.drop(rows)

    def night(self, at: datetime) -> bool:
        """Writes a new version for each agent whose outcomes say something new; whether there was one."""
        written = False
        current = self.configs.current()
        for agent, known in self._known.items():
            default = default_config(agent)
            successor = learned(
                current.get(agent, default),
                before=in_force_a_day_ago(self.configs.versions(agent), at, default),
                record=known.record,
                fit=known.fit,
                correlations=known.correlations,
                at=at,
            )
            if successor is not None:
                self.configs.put(successor)
                written = True
        return written

    def _measured(self) -> Iterator[tuple[str, _Known]]:
        records = np.sum([day.records for day in self._days], axis=0).tolist()
        correlations = _correlations(np.sum([day.moments for day in self._days], axis=0))
        current = self.configs.current()
        for place, (agent, (n, independent, squares, reference)) in enumerate(
            zip(self._agents, records, strict=True)
        ):
            if not n:
                continue
            fit = self._fits[agent] = fit_columns(self._series[place], self._fits.get(agent))
            config = current.get(agent, default_config(agent))
            record = AgentTrackRecord(
                agent_id=agent,
                resolved=int(n),
                independent=independent,
                brier=squares / n,
                brier_reference=reference / n,
                brier_skill=brier_skill(squares / n, reference / n),
                reliability=reliability_of(config),
                hit_rate=None,
                information_coefficient=None,
                ece=None,
                version=config.version,
            )
            found = {self._agents[other]: r for other, r in correlations[place].items()}
            yield agent, _Known(record, fit, found)


def _by_day(outcomes: Outcomes) -> Iterator[Outcomes]:
    days = outcomes.forecasts.day
    if len(days) and days[0] == days[-1]:
        yield outcomes
        return
    for day in distinct(days):
        yield outcomes.take(np.flatnonzero(days == day))


def _records(outcomes: Outcomes, horizon: int) -> Floats:
    """See `_Day`; the outcomes are of one day."""
    made, up, spoke = outcomes.forecasts, outcomes.went_up, outcomes.forecasts.spoke
    n = spoke.sum(axis=1)
    errors = np.where(spoke, made.agent_p_up - up, 0.0)
    missed = np.where(spoke, made.base_rate - up, 0.0)
    independent = n / (1 + (n - 1) * SAME_DAY_CORRELATION) / horizon
    return np.stack([n, independent, (errors * errors).sum(axis=1), (missed * missed).sum(axis=1)], axis=1)


def _moments(outcomes: Outcomes) -> Floats:
    """See `_Day`."""
    made, up, spoke = outcomes.forecasts, outcomes.went_up, outcomes.forecasts.spoke
    views = np.where(spoke, made.agent_p_up - made.base_rate, 0.0)
    found = []
    for happened in (~up, up):
        told = (spoke & happened).astype(np.float64)
        x = views * told
        # sums over the forecasts that both of two agents made
        pairs = ((told, told), (x, told), (x * x, told), (x, x))
        found.append([(one[:, None, :] * other[None, :, :]).sum(axis=2) for one, other in pairs])
    return np.array(found)


def _correlations(moments: Floats) -> list[dict[int, float]]:
    """As `domain.track_record.error_correlations` for each agent, by the other's place.

    Of the deviations from their means given what happened; none from fewer than 30 common forecasts.
    """
    agents = moments.shape[-1]
    n, x, squares, products = moments.swapaxes(0, 1)
    # Σy and Σy² of a pair are Σx and Σx² of the pair the other way round
    y, other_squares = x.swapaxes(1, 2), squares.swapaxes(1, 2)
    at_least_one = np.maximum(n, 1)
    xx = (squares - x * x / at_least_one).sum(axis=0).tolist()
    yy = (other_squares - y * y / at_least_one).sum(axis=0).tolist()
    xy = (products - x * y / at_least_one).sum(axis=0).tolist()
    joint = n.sum(axis=0).tolist()
    found: list[dict[int, float]] = [{} for _ in range(agents)]
    for one in range(agents):
        for other in range(agents):
            norm = math.sqrt(max(0.0, xx[one][other])) * math.sqrt(max(0.0, yy[one][other]))
            if one != other and joint[one][other] >= FEWEST_JOINT and norm > 1e-15:
                found[one][other] = max(-1.0, min(1.0, xy[one][other] / norm))
    return found
