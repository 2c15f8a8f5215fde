"""Nightly learning over resolved forecasts: the rules of `usecases.learn` on running sums.

The desk reads its newest 10,000 outcomes every night and computes from scratch. Here every day's share is
kept and added up, and the calibration starts from the night before: the same figures at a replay's speed.
"""

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import date, datetime
from itertools import combinations
from operator import mul

from msgspec import Struct

from bellwether.agents.registry import default_config
from bellwether.backtest.calibration_columns import Series, fit_columns
from bellwether.backtest.records import Part, Resolved
from bellwether.domain.calibration import Fit, brier_skill
from bellwether.domain.learning import in_force_a_day_ago, learned
from bellwether.domain.log_odds import log_odds
from bellwether.domain.outcomes import AgentTrackRecord
from bellwether.domain.reliability import reliability_of
from bellwether.domain.track_record import FEWEST_JOINT, SAME_DAY_CORRELATION
from bellwether.usecases.learn import MOST_OUTCOMES
from bellwether.usecases.ports import AgentConfigs

_MOMENTS = 6
Pair = tuple[str, str]
Moments = tuple[float, ...]
"""Of two agents' deviations x, y on one day: n, Σx, Σy, Σx², Σy², Σxy where it fell, then where it rose."""


class _AgentDay(Struct):
    """One agent's resolved forecasts of one day, as sums, and what the calibration is made of."""

    n: int = 0
    squares: float = 0.0
    reference: float = 0.0
    readings: list[float] = []
    happened: list[float] = []
    offsets: list[float] = []


class _Day(Struct):
    day: date
    outcomes: int
    agents: dict[str, _AgentDay]
    moments: dict[Pair, Moments]


class _Known(Struct, frozen=True):
    record: AgentTrackRecord
    fit: Fit | None
    correlations: dict[str, float]


class Learner:
    """Told what was resolved each day, writes new versions into `configs` each night."""

    def __init__(self, configs: AgentConfigs, horizon: int) -> None:
        self.configs = configs
        self.horizon = horizon
        self._days: deque[_Day] = deque()
        self._outcomes = 0
        self._series: defaultdict[str, Series] = defaultdict(Series)
        self._fits: dict[str, Fit | None] = {}
        self._known: dict[str, _Known] = {}
        self._pairs: dict[Pair, float | None] = {}

    def resolved(self, outcomes: Sequence[Resolved]) -> None:
        """Takes the outcomes that became known since the last call."""
        by_day: dict[date, list[Resolved]] = defaultdict(list)
        for outcome in outcomes:
            by_day[outcome.forecast.day].append(outcome)
        for day in sorted(by_day):
            self._take(_summed(day, by_day[day]))
        while len(self._days) > 1 and self._outcomes > MOST_OUTCOMES:
            self._drop(self._days.popleft())
        if outcomes:
            pairs = sorted({pair for day in self._days for pair in day.moments})
            self._pairs = {pair: self._pair(pair) for pair in pairs}
            self._known = {agent: self._measured(agent) for agent in self._agents()}

    def _take(self, day: _Day) -> None:
        self._days.append(day)
        self._outcomes += day.outcomes
        for agent, sums in day.agents.items():
            self._series[agent].add(sums.readings, sums.happened, sums.offsets)

    def _drop(self, day: _Day) -> None:
        self._outcomes -= day.outcomes
        for agent, sums in day.agents.items():
            self._series[agent].drop(len(sums.readings))

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

    def _agents(self) -> list[str]:
        return sorted({agent for day in self._days for agent in day.agents})

    def _measured(self, agent: str) -> _Known:
        days = [day.agents[agent] for day in self._days if agent in day.agents]
        n = sum([day.n for day in days])
        score = sum([day.squares for day in days]) / n
        reference = sum([day.reference for day in days]) / n
        fit = fit_columns(self._series[agent], self._fits.get(agent))
        self._fits[agent] = fit
        config = self.configs.current().get(agent, default_config(agent))
        record = AgentTrackRecord(
            agent_id=agent,
            resolved=n,
            independent=sum(
                [day.n / (1 + (day.n - 1) * SAME_DAY_CORRELATION) / self.horizon for day in days]
            ),
            brier=score,
            brier_reference=reference,
            brier_skill=brier_skill(score, reference),
            reliability=reliability_of(config),
            hit_rate=None,
            information_coefficient=None,
            ece=None,
            version=config.version,
        )
        return _Known(record, fit, self._correlations(agent))

    def _correlations(self, agent: str) -> dict[str, float]:
        """As `domain.track_record.error_correlations`, from sums by what happened."""
        return {
            two if one == agent else one: value
            for (one, two), value in self._pairs.items()
            if agent in {one, two} and value is not None
        }

    def _pair(self, pair: Pair) -> float | None:
        found = [day.moments[pair] for day in self._days if pair in day.moments]
        sums = list(map(sum, zip(*found, strict=True)))
        return _correlation((sums[:_MOMENTS], sums[_MOMENTS:]))


def _summed(day: date, outcomes: Sequence[Resolved]) -> _Day:
    agents: dict[str, _AgentDay] = {}
    deviations: dict[Pair, tuple[list[float], list[float], list[float], list[float]]] = {}
    for outcome in outcomes:
        forecast, up = outcome.forecast, 1.0 if outcome.went_up else 0.0
        base, parts = forecast.base_rate, forecast.parts
        missed, known = (base - up) ** 2, log_odds(base)
        for part in parts:
            _add(agents.setdefault(part.agent_id, _AgentDay()), part, up, missed, known)
        for one, other in combinations(parts, 2):
            pair = one.agent_id, other.agent_id
            if pair not in deviations:
                deviations[pair] = [], [], [], []
            xs, ys = deviations[pair][2:] if up else deviations[pair][:2]
            xs.append(one.p_up - base)
            ys.append(other.p_up - base)
    moments = {pair: (*_moments(*found[:2]), *_moments(*found[2:])) for pair, found in deviations.items()}
    return _Day(day, len(outcomes), agents, moments)


def _add(sums: _AgentDay, part: Part, up: float, missed: float, known: float) -> None:
    sums.n += 1
    sums.squares += (part.p_up - up) ** 2
    sums.reference += missed
    if part.raw is not None:
        sums.readings.append(part.raw)
        sums.happened.append(up)
        sums.offsets.append(known)


def _moments(xs: Sequence[float], ys: Sequence[float]) -> Moments:
    return len(xs), sum(xs), sum(ys), sum(map(mul, xs, xs)), sum(map(mul, ys, ys)), sum(map(mul, xs, ys))


def _correlation(by_outcome: tuple[Sequence[float], Sequence[float]]) -> float | None:
    """Correlation of the deviations from the means given what happened; `None` from fewer than 30."""
    if by_outcome[0][0] + by_outcome[1][0] < FEWEST_JOINT:
        return None
    xx = yy = xy = 0.0
    for n, x, y, x2, y2, both in by_outcome:
        if n:
            xx += x2 - x * x / n
            yy += y2 - y * y / n
            xy += both - x * y / n
    norm = math.sqrt(max(0.0, xx)) * math.sqrt(max(0.0, yy))
    if norm <= 1e-15:
        return None
    return max(-1.0, min(1.0, xy / norm))
