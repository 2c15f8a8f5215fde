"""The opinion pool of `domain.fusion` for a day's forecasts of all assets at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from bellwether.backtest.columns import Floats, probability
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.fusion import HALF_EVIDENCE, correlations, for_horizon
from bellwether.domain.reliability import calibrated, reliability_of, slope_of


class Terms(Struct, frozen=True, kw_only=True):
    """What a forecast needs of an agent's configuration.

    `carried` is the factor that takes its log-odds to the horizon asked for, `intercept` the one in use (0
    until it is learned).
    """

    agent_id: str
    version: int
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
            enabled=config.enabled,
            intercept=config.intercept if calibrated(config) else 0.0,
            slope=slope_of(config),
            carried=for_horizon(1.0, config.horizon, horizon),
            reliability=min(1.0, max(0.0, reliability_of(config))),
        )
        for config in configs
    ]


class Said(NamedTuple):
    """What an agent says of each asset: log-odds beyond the base rate's at the horizon asked for, the
    evidence behind (0 where it says nothing), how much the agent is believed.
    """

    log_odds: Floats
    evidence: Floats
    reliability: Floats


class Pool:
    """`domain.fusion.fuse` without what a replay does not ask for: the interval and the disagreement."""

    def __init__(self, configs: Sequence[AgentConfig], horizon: int) -> None:
        overlap = correlations(configs)
        ids = [config.agent_id for config in configs]
        self.terms = terms_of(configs, horizon)
        self._overlap = [[overlap(one, other) for other in ids] for one in ids]

    def fuse(self, said: Sequence[Said], base_log_odds: Floats) -> tuple[Floats, Floats]:
        """p_up of each asset, and each agent's weight (first axis); with no evidence, the base rate and 0."""
        weights = np.stack([one.reliability * one.evidence / (one.evidence + HALF_EVIDENCE) for one in said])
        overlap = moved = squares = np.zeros(len(base_log_odds))
        for weight, one, row in zip(weights, said, self._overlap, strict=True):
            shared = sum(factor * other for factor, other in zip(row, weights, strict=True))
            overlap = overlap + weight * shared
            squares = squares + weight * weight
            moved = moved + weight * one.log_odds
        factor = np.divide(squares, overlap, out=np.zeros(len(overlap)), where=overlap > 0)
        return probability(base_log_odds + factor * moved), weights
