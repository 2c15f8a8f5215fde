"""Nightly learning over resolved forecasts: the rules of `usecases.learn` on running sums.

The desk reads its newest 10,000 outcomes every night and computes from scratch. Here every day's share is
kept and added up, and the calibration starts from the night before: the same figures at a replay's speed.
"""

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import date, datetime
from itertools import combinations

from msgspec import Struct

from bellwether.agents.registry import default_config
from bellwether.backtest.calibration_columns import Columns, fit_columns
from bellwether.backtest.records import Part, Resolved
from bellwether.domain.calibration import Fit, brier_skill
from bellwether.domain.learning import in_force_a_day_ago, learned
from bellwether.domain.log_odds import log_odds
from bellwether.domain.outcomes import AgentTrackRecord
from bellwether.domain.reliability import reliability_of
from bellwether.domain.track_record import FEWEST_JOINT, SAME_DAY_CORRELATION
from bellwether.usecases.learn import MOST_OUTCOMES
from bellwether.usecases.ports import AgentConfigs

Pair = tuple[str, str]
_MOMENTS = 6


class _AgentDay(Struct):
    """One agent's resolved forecasts of one day as sums, and as columns for the calibration."""

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
    moments: dict[Pair, tuple[list[float], list[float]]]
    columns: dict[str, Columns]


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
        self._fits: dict[str, Fit | None] = {}
        self._known: dict[str, _Known] = {}
        self._pairs: dict[Pair, float | None] = {}

    def resolved(self, outcomes: Sequence[Resolved]) -> None:
        """Takes the outcomes that became known since the last call."""
        by_day: dict[date, list[Resolved]] = defaultdict(list)
        for outcome in outcomes:
            by_day[outcome.forecast.day].append(outcome)
        for day in sorted(by_day):
            self._days.append(_summed(day, by_day[day]))
        total = sum(day.outcomes for day in self._days)
        while len(self._days) > 1 and total > MOST_OUTCOMES:
            total -= self._days.popleft().outcomes
        if outcomes:
            pairs = sorted({pair for day in self._days for pair in day.moments})
            self._pairs = {pair: self._pair(pair) for pair in pairs}
            self._known = {agent: self._measured(agent) for agent in self._agents()}

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
        days = [(day, day.agents[agent]) for day in self._days if agent in day.agents]
        n = sum(part.n for _, part in days)
        score = sum(part.squares for _, part in days) / n
        reference = sum(part.reference for _, part in days) / n
        fit = fit_columns([day.columns[agent] for day, _ in days], self._fits.get(agent))
        self._fits[agent] = fit
        config = self.configs.current().get(agent, default_config(agent))
        record = AgentTrackRecord(
            agent_id=agent,
            resolved=n,
            independent=sum(
                part.n / (1 + (part.n - 1) * SAME_DAY_CORRELATION) / self.horizon for _, part in days
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
        fell, rose = (
            [sum(column) for column in zip(*side, strict=True)] for side in zip(*found, strict=True)
        )
        return _correlation((fell, rose))


def _summed(day: date, outcomes: Sequence[Resolved]) -> _Day:
    agents: dict[str, _AgentDay] = {}
    moments: dict[Pair, tuple[list[float], list[float]]] = {}
    for outcome in outcomes:
        base, up = outcome.forecast.base_rate, float(outcome.went_up)
        for part in outcome.forecast.parts:
            _add(agents.setdefault(part.agent_id, _AgentDay()), part, base, up)
        for one, other in combinations(outcome.forecast.parts, 2):
            sums = moments.setdefault((one.agent_id, other.agent_id), ([0.0] * _MOMENTS, [0.0] * _MOMENTS))
            _add_moments(sums[int(up)], one.p_up - base, other.p_up - base)
    columns = {
        agent: Columns.of(sums.readings, sums.happened, sums.offsets) for agent, sums in agents.items()
    }
    return _Day(day, len(outcomes), agents, moments, columns)


def _add(sums: _AgentDay, part: Part, base: float, up: float) -> None:
    sums.n += 1
    sums.squares += (part.p_up - up) ** 2
    sums.reference += (base - up) ** 2
    if part.raw is not None:
        sums.readings.append(part.raw)
        sums.happened.append(up)
        sums.offsets.append(log_odds(base))


def _add_moments(sums: list[float], x: float, y: float) -> None:
    for place, value in enumerate((1.0, x, y, x * x, y * y, x * y)):
        sums[place] += value


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
