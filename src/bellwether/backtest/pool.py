"""The opinion pool of `domain.fusion` for one day's forecasts: what its configurations say, read once."""

from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

from msgspec import Struct

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.base_rate import BaseRate
from bellwether.domain.fusion import HALF_EVIDENCE, correlations, for_horizon
from bellwether.domain.log_odds import probability
from bellwether.domain.reliability import calibrated, reliability_of, slope_of


class Terms(Struct, frozen=True, kw_only=True):
    """What a forecast needs of an agent's configuration.

    `place` is the agent's among the configurations of the day, `carried` the factor that takes its log-odds
    to the horizon asked for, `intercept` the one in use (0 until it is learned).
    """

    agent_id: str
    version: int
    place: int
    enabled: bool
    intercept: float
    slope: float
    carried: float
    reliability: float


def terms_of(configs: Sequence[AgentConfig], horizon: int) -> list[Terms]:
    """The configurations in force, for forecasts over `horizon` trading days."""
    return [
        Terms(
            agent_id=config.agent_id,
            version=config.version,
            place=place,
            enabled=config.enabled,
            intercept=config.intercept if calibrated(config) else 0.0,
            slope=slope_of(config),
            carried=for_horizon(1.0, config.horizon, horizon),
            reliability=reliability_of(config),
        )
        for place, config in enumerate(configs)
    ]


class Said(NamedTuple):
    """What an agent says of an asset: log-odds beyond the base rate's at the horizon asked for, the evidence
    behind, how much the agent is believed.
    """

    terms: Terms
    log_odds: float
    evidence: float
    reliability: float


class Pool:
    """`domain.fusion.fuse` without what a replay does not ask for: the interval and the disagreement."""

    def __init__(self, configs: Sequence[AgentConfig], horizon: int) -> None:
        overlap = correlations(configs)
        ids = [config.agent_id for config in configs]
        self.terms = terms_of(configs, horizon)
        self._overlap = [[overlap(one, other) for other in ids] for one in ids]

    def fuse(self, said: Sequence[Said], base: BaseRate) -> tuple[float | None, list[float]]:
        """p_up and each one's weight; `None` when there is no evidence."""
        weights = [
            reliability * evidence / (evidence + HALF_EVIDENCE) if evidence > 0 else 0.0
            for _, _, evidence, reliability in said
        ]
        overlap = moved = squares = evidence = 0.0
        for weight, one in zip(weights, said, strict=True):
            row = self._overlap[one.terms.place]
            shared = [row[other.terms.place] for other in said]
            overlap += weight * sum(map(mul, weights, shared))
            squares += weight * weight
            moved += weight * one.log_odds
            evidence += one.evidence
        if evidence <= 0:
            return None, weights
        factor = squares / overlap if overlap > 0 else 0.0
        return probability(base.log_odds + factor * moved), weights
