"""What an order is expected to cost."""

import math

from bellwether.domain.limits import CostModel
from bellwether.domain.proposals import Side

TRADING_DAYS = 252


def fixed_round_trip(costs: CostModel, side: Side, horizon: int) -> float:
    """Spread and commission both ways, and borrowing when short, as a fraction of the notional."""
    borrow = costs.borrow_per_year * horizon / TRADING_DAYS if side == "sell" else 0.0
    return 2 * (costs.half_spread + costs.commission) + borrow


def expected_cost(
    costs: CostModel,
    *,
    side: Side,
    horizon: int,
    notional: float,
    volume_share: float | None,
    daily_volatility: float,
) -> float:
    """Expected cost of the round trip in the portfolio's currency, market impact included.

    Impact each way is `impact`·σ·√(share of average daily volume), the square-root law; unknown volume adds
    none here because such an order is denied for LIQUIDITY.
    """
    impact = costs.impact * daily_volatility * math.sqrt(volume_share or 0.0)
    commission = 2 * max(0.0, costs.minimum_commission - costs.commission * notional)
    return notional * (fixed_round_trip(costs, side, horizon) + 2 * impact) + commission
