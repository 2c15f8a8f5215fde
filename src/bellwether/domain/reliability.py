"""How much an agent is believed, and how its raw readings become log-odds (formula 3)."""

from collections.abc import Sequence
from datetime import datetime

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.scores import TrackRecord


def shrunk_reliability(brier_skill: float | None, resolved: int, *, prior: float, strength: float) -> float:
    """Reliability in [0, 1]: BSS = 1 − BS/BS_ref clipped to [0, 1] and shrunk n/(n+k) toward `prior`.

    `strength` is k, the number of outcomes the prior is worth. Without a skill score it is the prior.
    """
    if brier_skill is None or resolved <= 0:
        return prior
    trust = resolved / (resolved + strength)
    return trust * min(1.0, max(0.0, brier_skill)) + (1 - trust) * prior


def reliability_of(config: AgentConfig) -> float:
    """What the agent is believed under this configuration: learned, or the prior before anything resolved."""
    if config.reliability is not None:
        return config.reliability
    return shrunk_reliability(
        config.brier_skill, config.resolved, prior=config.prior_reliability, strength=config.shrinkage
    )


def calibrated(config: AgentConfig) -> bool:
    """Whether outcomes outweigh the prior (n ≥ k), so that the learned slope is used."""
    return config.resolved >= config.shrinkage


def track_record_of(config: AgentConfig) -> TrackRecord:
    """Proven: outcomes outweigh the prior and show skill against the base rate."""
    return "proven" if calibrated(config) and (config.brier_skill or 0.0) > 0 else "unproven"


def slope_of(config: AgentConfig) -> float:
    """Log-odds per unit of raw reading: learned once outcomes outweigh the small prior."""
    return config.slope if calibrated(config) else config.prior_slope


def log_odds_from(config: AgentConfig, raw: float) -> float:
    """ℓ − ℓ₀ of a raw reading: intercept + slope·raw, the intercept 0 until it is learned."""
    return (config.intercept if calibrated(config) else 0.0) + slope_of(config) * raw


def config_at(versions: Sequence[AgentConfig], as_of: datetime, default: AgentConfig) -> AgentConfig:
    """The newest version that existed at `as_of`, else the default: nothing resolved later counts.

    `versions` ascend; there may be hundreds, and the moment asked for is mostly one of the last days.
    """
    return next((config for config in reversed(versions) if config.created_at <= as_of), default)
