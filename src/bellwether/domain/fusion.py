"""Fusing the agents' views of an asset: a logarithmic opinion pool with evidence that decays and overlaps.

Log pool: Genest & Zidek, "Combining probability distributions", Statistical Science 1986. Aggregation of
log-odds: Satopää et al., "Combining multiple probability predictions using a simple logit model",
International Journal of Forecasting 2014. Here (formula 2) with wᵢ = reliabilityᵢ·Mᵢ/(Mᵢ+m₀), not normalised:

    L = ℓ₀ + (Σwᵢ² / wᵀRw) · Σ wᵢ(ℓᵢ−ℓ₀),   p = σ(L)
"""

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.base_rate import BaseRate
from bellwether.domain.log_odds import probability

HALF_EVIDENCE = 5.0
"""m₀: the evidence (in fresh, certain, independent clusters) at which a view gets half its agent's weight."""
PRIOR_CORRELATION = 0.5
"""What the correlation of two agents' errors is shrunk toward: half of what they know is the same news."""
Z_90 = 1.6448536269514722
"""Φ⁻¹(0.95): a normal variable is within ±1.645 standard deviations with 90 % probability."""


class View(Struct, frozen=True, kw_only=True):
    """What one agent thinks, ready to be pooled: `log_odds` is ℓᵢ−ℓ₀, `evidence` Mᵢ, `error` its standard
    error.
    """

    agent_id: str
    log_odds: float
    evidence: float
    reliability: float
    error: float = 0.0


class Fused(Struct, frozen=True, kw_only=True):
    """The pool's result. `weights` and `shares` go with the views; the shares add up to L−ℓ₀ before clipping.

    `disagreement` is the w-weighted standard deviation of the views' log-odds, `None` below two weighted
    views. `interval` holds p with 90 % probability. `p_up` and `interval` are `None` without any live view.
    """

    p_up: float | None
    weights: tuple[float, ...]
    shares: tuple[float, ...]
    n_eff: float
    disagreement: float | None
    interval: tuple[float, float] | None


Correlation = Callable[[str, str], float]


def weight_of(reliability: float, evidence: float) -> float:
    """wᵢ = reliability·M/(M+m₀) in [0, 1]: grows and fades with evidence, up to the reliability."""
    if evidence <= 0:
        return 0.0
    return min(1.0, max(0.0, reliability)) * evidence / (evidence + HALF_EVIDENCE)


def correlations(configs: Sequence[AgentConfig]) -> Correlation:
    """R as a function of two agents' ids: the measured correlation of their errors, shrunk toward a constant.

    n/(n+k)·measured + k/(n+k)·0.5 with n the smaller number of resolved outcomes and k the larger shrinkage
    (constant-correlation target: Ledoit & Wolf, "Honey, I shrunk the sample covariance matrix", Journal of
    Portfolio Management 2004). Kept within [0, 1]: errors that seem to offset each other earn no extra
    belief.
    """
    by_id = {config.agent_id: config for config in configs}

    def correlation(one: str, other: str) -> float:
        if one == other:
            return 1.0
        first, second = by_id.get(one), by_id.get(other)
        if first is None or second is None:
            return PRIOR_CORRELATION
        measured = [
            value
            for value in (first.error_correlation.get(other), second.error_correlation.get(one))
            if value is not None
        ]
        if not measured:
            return PRIOR_CORRELATION
        resolved, strength = min(first.resolved, second.resolved), max(first.shrinkage, second.shrinkage)
        trust = resolved / (resolved + strength)
        shrunk = trust * sum(measured) / len(measured) + (1 - trust) * PRIOR_CORRELATION
        return min(1.0, max(0.0, shrunk))

    return correlation


def fuse(views: Sequence[View], base: BaseRate, correlation: Correlation) -> Fused:
    """Pools live views (evidence > 0); abstains without any, gives the base rate when all weights are 0.

    The interval is σ(L ± 1.645·√(e₀² + vᵀRv)) with e₀ the base rate's error and vᵢ what moves the pool by
    one standard error of view i (see `view_error`), the agents' disagreement added to it in squares. It is
    what the desk does not know under this model; whether nine in ten hold is for the evaluation to say.
    """
    weights = tuple(weight_of(view.reliability, view.evidence) for view in views)
    if not any(view.evidence > 0 for view in views):
        return Fused(p_up=None, weights=weights, shares=weights, n_eff=0.0, disagreement=None, interval=None)
    overlap = _quadratic(views, weights, correlation)
    total = sum(weights)
    factor = sum(weight * weight for weight in weights) / overlap if overlap > 0 else 0.0
    shares = tuple(factor * weight * view.log_odds for weight, view in zip(weights, views, strict=True))
    fused = base.log_odds + sum(shares)
    disagreement = _disagreement(views, weights)
    apart = disagreement or 0.0
    moved = [
        factor * weight * math.hypot(view.error, apart) for weight, view in zip(weights, views, strict=True)
    ]
    deviation = math.sqrt(base.error**2 + _quadratic(views, moved, correlation))
    return Fused(
        p_up=probability(fused),
        weights=weights,
        shares=shares,
        n_eff=total * total / overlap if overlap > 0 else 0.0,
        disagreement=disagreement,
        interval=(probability(fused - Z_90 * deviation), probability(fused + Z_90 * deviation)),
    )


def _quadratic(views: Sequence[View], values: Sequence[float], correlation: Correlation) -> float:
    """vᵀRv over the views."""
    return sum(
        one * other * correlation(first.agent_id, second.agent_id)
        for one, first in zip(values, views, strict=True)
        for other, second in zip(values, views, strict=True)
    )


def _disagreement(views: Sequence[View], weights: Sequence[float]) -> float | None:
    weighted = [(weight, view.log_odds) for weight, view in zip(weights, views, strict=True) if weight > 0]
    if len(weighted) < 2:
        return None
    total = sum(weight for weight, _ in weighted)
    mean = sum(weight * log_odds for weight, log_odds in weighted) / total
    return math.sqrt(sum(weight * (log_odds - mean) ** 2 for weight, log_odds in weighted) / total)


def view_error(*, log_odds: float, spread: float, independent: float, slope: float, trust: float) -> float:
    """Standard error of a view's log-odds: what its clusters leave open and what its calibration does.

    The clusters' variance is shrunk toward slope² (the variance of a reading of unit spread) by m₀ clusters'
    worth and divided by their effective number, (Σu)²/Σu² (Kish, Survey Sampling, 1965). A slope that is only
    a prior may be off by all of itself: its share of the view, ℓ·√(1−trust), is added in squares; `trust` =
    n/(n+k). Between agents the pool adds their disagreement (random effects: DerSimonian & Laird 1986).
    """
    if independent <= 0:
        return abs(log_odds)
    variance = (independent * spread + HALF_EVIDENCE * slope * slope) / (independent + HALF_EVIDENCE)
    return math.sqrt(variance / independent + log_odds * log_odds * (1 - trust))


def for_horizon(log_odds: float, own: int, asked: int) -> float:
    """A view stated for its own horizon, carried over to another (both in trading days).

    Returns of nested periods correlate by √(shorter/longer) under a random walk, and a forecast scales with
    that: what is known of tomorrow says less about a month, and the other way round.
    """
    return log_odds * math.sqrt(min(own, asked) / max(own, asked))
