"""Track records from the resolved outcomes, and the configurations the agents earn by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from bellwether.agents.registry import default_config, with_defaults
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import Calibration, calibration
from bellwether.domain.learning import fitted, in_force_a_day_ago, learned
from bellwether.domain.limits import CostModel
from bellwether.domain.outcomes import AgentTrackRecord
from bellwether.domain.problems import Conflict
from bellwether.domain.track_record import (
    DEFAULT_COSTS,
    Forecast,
    distinct,
    error_correlations,
    forecasts_by_agent,
    track_record,
)
from bellwether.usecases.ports import AgentConfigs, Outcomes

MOST_OUTCOMES = 10_000


class Learned(Struct, frozen=True, kw_only=True):
    """Track records of all agents, the new versions of their configurations, and how fused scores did."""

    calibration: Calibration
    track_records: list[AgentTrackRecord]
    configs: list[AgentConfig]


@dataclass(frozen=True, kw_only=True)
class Learn:
    """Reads the newest 10,000 outcomes resolved before `now`; part of the evaluation.

    `costs` are what the agents' returns are net of; they play no part in what is learned.
    """

    configs: AgentConfigs
    outcomes: Outcomes
    costs: CostModel = DEFAULT_COSTS

    def __call__(self, *, now: datetime) -> Learned:
        """Writes a new version for each agent whose outcomes say something new, each step bounded a day."""
        outcomes = self.outcomes.evaluated_before(now, limit=MOST_OUTCOMES)
        forecasts = forecasts_by_agent(outcomes)
        current = with_defaults(self.configs.current())
        for agent_id in forecasts:
            current.setdefault(agent_id, default_config(agent_id))
        records, written = [], []
        for agent_id, config in sorted(current.items()):
            record = track_record(config, forecasts.get(agent_id, []), self.costs)
            records.append(record)
            successor = self._successor(config, record, forecasts, now)
            if successor is not None and self._written(successor):
                written.append(successor)
        scores = distinct(outcomes)
        fused = calibration([o.p_up for o in scores], [o.went_up for o in scores])
        return Learned(track_records=records, configs=written, calibration=fused)

    def _successor(
        self,
        config: AgentConfig,
        record: AgentTrackRecord,
        forecasts: Mapping[str, Sequence[Forecast]],
        now: datetime,
    ) -> AgentConfig | None:
        if not record.resolved:
            return None
        versions = self.configs.versions(config.agent_id)
        default = default_config(config.agent_id)
        by_number = {version.version: version for version in (default, *versions)}
        return learned(
            config,
            before=in_force_a_day_ago(versions, now, default),
            record=record,
            fit=fitted(forecasts[config.agent_id], lambda version: by_number.get(version, default)),
            correlations=error_correlations(forecasts, config.agent_id),
            at=now,
        )

    def _written(self, config: AgentConfig) -> bool:
        try:
            self.configs.put(config)
        except Conflict:
            # Another evaluation wrote this version from the same outcomes: one is enough.
            return False
        return True
