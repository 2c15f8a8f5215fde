"""From a forecast to a size: Kelly, then the volatility target, then the caps, every step recorded.

Conviction requests, risk disposes: Kelly takes the mean forecast (moved toward the worse end of its
interval by the policy's `caution`) and pays every cost; estimation error is met by the fraction λ ≤ ½ and
by the caps, of which the one for unproven agents also holds whenever the 90 % interval still contains the
base rate.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

from bellwether.domain.limits import CostModel, RiskLimits, SizingPolicy
from bellwether.domain.proposals import Side, SizingStep
from bellwether.domain.scores import Score
from bellwether.domain.trading_cost import TRADING_DAYS, fixed_round_trip


class Payoff(Struct, frozen=True):
    """Mean gain and mean loss over the horizon as positive decimals."""

    win: float
    loss: float


class Room(Struct, frozen=True):
    """Shares of equity the caps leave for an order in its direction; `sector` names the sector."""

    position: float
    unproven: float
    sector_share: float
    sector: str


class Sizing(Struct, frozen=True):
    """`fraction` of equity to trade (≥ 0), the steps to it, and the code and reason when it is 0."""

    fraction: float
    steps: tuple[SizingStep, ...]
    refused: tuple[str, str] | None = None


def payoff(returns: Sequence[float], side: Side, policy: SizingPolicy) -> Payoff | None:
    """Mean win and loss of holding `side` from the asset's own returns over the horizon.

    `None` when there are too few returns, or too few of either sign, to speak of a distribution.
    """
    sign = 1 if side == "buy" else -1
    wins = [sign * r for r in returns if sign * r > 0]
    losses = [-sign * r for r in returns if sign * r < 0]
    if len(returns) < policy.fewest_returns or min(len(wins), len(losses)) < policy.fewest_each_way:
        return None
    return Payoff(win=sum(wins) / len(wins), loss=sum(losses) / len(losses))


def kelly(p: float, win: float, loss: float) -> float:
    """Growth-optimal fraction of a binary bet: f* = p/L − (1−p)/W; 0 when it is not positive or W ≤ 0.

    Kelly (1956), "A new interpretation of information rate", in the form for a gain W and a loss L per unit
    staked.
    """
    if win <= 0 or loss <= 0:
        return 0.0
    return max(0.0, p / loss - (1 - p) / win)


def annualised_volatility(daily_returns: Sequence[float]) -> float | None:
    """Sample standard deviation of daily returns times √252; `None` below two returns."""
    n = len(daily_returns)
    if n < 2:
        return None
    mean = sum(daily_returns) / n
    return math.sqrt(sum((r - mean) ** 2 for r in daily_returns) / (n - 1) * TRADING_DAYS)


def volatility_scale(volatility: float, policy: SizingPolicy) -> float:
    """min(cap, σ*/max(σ̂, floor)), annualised."""
    return min(policy.volatility_cap, policy.target_volatility / max(volatility, policy.volatility_floor))


def side_of(score: Score, least_edge: float = 0.0) -> Side | None:
    """The side the edge asks for; `None` when the agents abstain or the edge is below `least_edge`."""
    if not score.edge or score.p_up is None or abs(score.edge) < least_edge:
        return None
    return "buy" if score.edge > 0 else "sell"


def winning_probability(score: Score, side: Side, caution: float) -> float:
    """Probability that `side` wins, moved from the mean toward the worse end of the interval by `caution`."""
    p_up = score.p_up or 0.0
    if score.interval is not None:
        worse = score.interval[0] if side == "buy" else score.interval[1]
        p_up += caution * (worse - p_up)
    return p_up if side == "buy" else 1 - p_up


def certain(score: Score) -> bool:
    """Whether the agents are proven and the 90 % interval excludes the base rate."""
    if score.track_record != "proven" or score.interval is None:
        return False
    low, high = score.interval
    return not low <= score.base_rate <= high


def kelly_step(
    score: Score, side: Side, returns: Sequence[float], policy: SizingPolicy, costs: CostModel
) -> Sizing:
    """λ·f* net of costs as the first step of sizing."""
    bet = payoff(returns, side, policy)
    if bet is None:
        few = SizingStep(step="kelly", value=0.0, detail=f"{len(returns)} returns are too few to size on")
        return Sizing(0.0, (few,), ("no_price_history", few.detail))
    cost = fixed_round_trip(costs, side, score.horizon)
    p = winning_probability(score, side, policy.caution)
    full = kelly(p, bet.win - cost, bet.loss + cost)
    detail = (
        f"p {p:.4f}, gain {bet.win:.4%} and loss {bet.loss:.4%} over {score.horizon} d, cost {cost:.4%}: "
        f"f* {full:.4f}, λ {policy.kelly_fraction:g}"
    )
    step = SizingStep(step="kelly", value=policy.kelly_fraction * full, detail=detail)
    refused = None if full > 0 else ("no_edge_after_costs", f"no positive bet is left after costs ({detail})")
    return Sizing(step.value, (step,), refused)


def caps(fraction: float, room: Room, *, sure: bool, limits: RiskLimits) -> list[SizingStep]:
    """The caps as steps, each no larger than the one before."""
    steps = []
    bounds = [
        ("position_cap", room.position, f"{limits.position:.2%} of equity in one asset"),
        ("sector_cap", room.sector_share, f"{limits.sector_concentration:.2%} in sector {room.sector}"),
    ]
    if not sure:
        text = f"{limits.unproven_position:.2%} while agents are unproven or the interval spans the base rate"
        bounds.append(("unproven_cap", room.unproven, text))
    for name, bound, text in bounds:
        fraction = min(fraction, max(0.0, bound))
        steps.append(SizingStep(step=name, value=fraction, detail=f"at most {text}, {bound:.4%} left"))
    return steps


def size(
    score: Score,
    side: Side,
    *,
    returns: Sequence[float],
    daily_returns: Sequence[float],
    room: Room,
    policy: SizingPolicy,
    costs: CostModel,
    limits: RiskLimits,
) -> Sizing:
    """The fraction of equity to trade: λ·Kelly → volatility target → caps.

    `returns` are the asset's returns over the score's horizon, `daily_returns` its daily ones, all known at
    the score's `as_of`. The fraction never exceeds any of the caps in `room`.
    """
    bet = kelly_step(score, side, returns, policy, costs)
    volatility = annualised_volatility(daily_returns[-policy.volatility_days :])
    if bet.refused or volatility is None:
        return bet if bet.refused else Sizing(0.0, bet.steps, ("no_price_history", "volatility is unknown"))
    scale = volatility_scale(volatility, policy)
    targeted = SizingStep(
        step="volatility_target",
        value=bet.fraction * scale,
        detail=f"volatility {volatility:.2%} a year for {policy.target_volatility:.2%}: times {scale:.4f}",
    )
    capped = caps(targeted.value, room, sure=certain(score), limits=limits)
    fraction = capped[-1].value
    refused = None if fraction > 0 else ("no_room", f"the caps leave no room ({capped[-1].detail})")
    return Sizing(fraction, (*bet.steps, targeted, *capped), refused)
