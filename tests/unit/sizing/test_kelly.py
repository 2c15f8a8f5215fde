"""Kelly's fraction at its ends, the volatility target and what trading costs, by hand."""

import math

import numpy as np
import pytest

from bellwether.domain.limits import CostModel, SizingPolicy
from bellwether.domain.sizing import annualised_volatility, kelly, volatility_scale
from bellwether.domain.trading_cost import TRADING_DAYS, expected_cost, fixed_round_trip

pytestmark = pytest.mark.req("A5")

COSTS = CostModel(
    half_spread=0.0002, commission=0.0001, minimum_commission=5.0, impact=0.5, borrow_per_year=0.0504
)


@pytest.mark.parametrize(
    ("p", "win", "loss", "fraction"),
    [
        (0.6, 1.0, 1.0, 0.2),  # even money: 2p − 1
        (0.5, 2.0, 1.0, 0.25),  # two to one: (2·0.5 − 0.5)/2
        (0.55, 0.02, 0.02, 5.0),  # 0.1 of the money per 1 % of loss
        (0.5, 0.02, 0.02, 0.0),
        (0.4, 1.0, 1.0, 0.0),
        (1.0, 0.02, 0.04, 25.0),  # certain: all that a loss could not take
        (0.0, 0.02, 0.04, 0.0),
        (0.9, 0.0, 0.02, 0.0),  # costs ate the gain
        (0.9, -0.01, 0.02, 0.0),
        (0.9, 0.02, 0.0, 0.0),
        (0.9, 0.02, -0.01, 0.0),
    ],
)
def test_by_hand(p: float, win: float, loss: float, fraction: float) -> None:
    assert kelly(p, win, loss) == pytest.approx(fraction)


def test_volatility_is_the_sample_deviation_of_252_days() -> None:
    returns = [0.01, -0.02, 0.013, 0.004, -0.006]
    assert annualised_volatility(returns) == pytest.approx(np.std(returns, ddof=1) * math.sqrt(252))
    assert annualised_volatility([0.01, 0.03]) == pytest.approx(math.sqrt(0.0002 * 252))
    assert annualised_volatility([0.01]) is None
    assert annualised_volatility([]) is None
    assert annualised_volatility([0.01, 0.01]) == 0.0


@pytest.mark.parametrize(
    ("volatility", "scale"),
    [(0.40, 0.5), (0.20, 1.0), (0.16, 1.25), (0.10, 1.5), (0.0, 1.5), (0.01, 1.5), (4.0, 0.05)],
)
def test_the_volatility_target_by_hand(volatility: float, scale: float) -> None:
    """0.20 over the volatility, of which at least 0.10 is assumed, and at most 1.5."""
    policy = SizingPolicy(target_volatility=0.20, volatility_floor=0.10, volatility_cap=1.5)
    assert volatility_scale(volatility, policy) == pytest.approx(scale)


def test_a_floor_bounds_the_scale_where_the_cap_does_not() -> None:
    policy = SizingPolicy(target_volatility=0.20, volatility_floor=0.10, volatility_cap=9.0)
    assert volatility_scale(0.01, policy) == pytest.approx(2.0)


def test_a_round_trip_by_hand() -> None:
    """Twice 3 basis points, and 5.04 % a year borrowed for ten of 252 days when short."""
    assert fixed_round_trip(COSTS, "buy", 10) == pytest.approx(0.0006)
    assert fixed_round_trip(COSTS, "sell", 10) == pytest.approx(0.0006 + 0.002)
    assert TRADING_DAYS == 252


def cost(notional: float, share: float | None, side: str = "buy") -> float:
    return expected_cost(
        COSTS,
        side=side,  # type: ignore[arg-type]
        horizon=10,
        notional=notional,
        volume_share=share,
        daily_volatility=0.02,
    )


def test_impact_is_the_square_root_law() -> None:
    """One per cent of the day's volume moves the price by ½·2 %·√0.01 = 10 basis points, each way."""
    assert cost(1e6, 0.01) == pytest.approx(1e6 * (0.0006 + 2 * 0.001))
    assert cost(1e6, 0.04) - cost(1e6, None) == pytest.approx(2 * (cost(1e6, 0.01) - cost(1e6, None)))
    assert cost(1e6, None) == pytest.approx(600.0)
    assert cost(1e6, 0.01, "sell") == pytest.approx(1e6 * (0.0026 + 0.002))


@pytest.mark.parametrize(("notional", "extra"), [(1e6, 0.0), (50_000, 0.0), (49_000, 0.2), (1_000, 9.8)])
def test_a_commission_below_the_minimum_is_topped_up_both_ways(notional: float, extra: float) -> None:
    """A basis point of 49,000 is 4.90: ten cents short of the five of each way."""
    assert cost(notional, None) == pytest.approx(notional * 0.0006 + extra)
