"""Sizing against the optimum of log growth, hand-worked numbers and its caps."""

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from bellwether.domain.limits import CostModel, RiskLimits, SizingPolicy
from bellwether.domain.proposals import Side
from bellwether.domain.sizing import (
    Room,
    annualised_volatility,
    certain,
    kelly,
    payoff,
    side_of,
    size,
    volatility_scale,
    winning_probability,
)
from bellwether.domain.trading_cost import expected_cost, fixed_round_trip
from tests.unit.trading import NOW, bars, score, wave

pytestmark = pytest.mark.req("A5")

FREE = CostModel(half_spread=0, commission=0, impact=0, borrow_per_year=0)
ROOM = Room(position=0.05, unproven=0.01, sector_share=0.3, sector="S")


def test_kelly_worked_by_hand() -> None:
    assert kelly(0.6, 1.0, 1.0) == pytest.approx(0.2)
    assert kelly(0.5, 0.02, 0.01) == pytest.approx(0.5 / 0.01 - 0.5 / 0.02)
    assert kelly(0.5, 0.01, 0.01) == 0.0
    assert kelly(0.9, 0.0, 0.01) == 0.0


@given(st.floats(0.05, 0.95), st.floats(0.05, 2.0), st.floats(0.05, 1.0))
def test_kelly_is_where_the_expected_log_of_wealth_is_largest(p: float, win: float, loss: float) -> None:
    def growth(f: float) -> float:
        return -(p * math.log1p(f * win) + (1 - p) * math.log1p(-f * loss))

    best = optimize.minimize_scalar(
        growth, bounds=(0, (1 - 1e-9) / loss), method="bounded", options={"xatol": 1e-10}
    )
    assert kelly(p, win, loss) == pytest.approx(best.x, abs=1e-3 / loss)


def test_costs_are_paid_before_the_bet_is_judged() -> None:
    """An edge of a tenth of a per cent does not survive costs of two tenths."""
    returns = [0.01, -0.009] * 100
    common = {
        "returns": returns,
        "daily_returns": returns,
        "room": ROOM,
        "policy": SizingPolicy(),
        "limits": RiskLimits(),
    }
    free = size(score(p_up=0.51), "buy", costs=FREE, **common)  # type: ignore[arg-type]
    dear = size(score(p_up=0.51), "buy", costs=CostModel(half_spread=0.0007, commission=0.0003), **common)  # type: ignore[arg-type]
    assert free.refused is None
    assert free.steps[0].value == pytest.approx(0.25 * (0.51 / 0.009 - 0.49 / 0.01))
    assert dear.fraction == 0.0
    assert dear.refused is not None
    assert dear.refused[0] == "no_edge_after_costs"


def test_the_round_trip_makes_the_gain_smaller_and_the_loss_larger() -> None:
    """Costs of 2·(0.01 % + 0.01 %) = 0.04 % on a gain of 1 % and a loss of 0.9 %."""
    returns = [0.01, -0.009] * 100
    sized = size(
        score(p_up=0.54),
        "buy",
        returns=returns,
        daily_returns=returns,
        room=ROOM,
        policy=SizingPolicy(kelly_fraction=0.5),
        costs=CostModel(half_spread=0.0001, commission=0.0001),
        limits=RiskLimits(),
    )
    assert sized.steps[0].value == pytest.approx(0.5 * (0.54 / 0.0094 - 0.46 / 0.0096))


def test_a_short_pays_for_borrowing_and_wins_when_the_price_falls() -> None:
    bet = payoff([0.02, -0.01] * 50, "sell", SizingPolicy())
    assert bet is not None
    assert [bet.win, bet.loss] == pytest.approx([0.01, 0.02])
    assert fixed_round_trip(CostModel(), "sell", 252) == pytest.approx(0.0002 + 0.005)
    assert fixed_round_trip(CostModel(), "buy", 252) == pytest.approx(0.0002)


def test_caution_moves_the_probability_toward_the_worse_end() -> None:
    made = score(p_up=0.56, interval=(0.50, 0.62))
    assert winning_probability(made, "buy", 0.0) == pytest.approx(0.56)
    assert winning_probability(made, "buy", 1.0) == pytest.approx(0.50)
    assert winning_probability(made, "sell", 1.0) == pytest.approx(0.38)


def test_volatility_target_worked_by_hand() -> None:
    policy = SizingPolicy()
    daily = [0.01, -0.01] * 30
    assert annualised_volatility(daily) == pytest.approx(np.std(daily, ddof=1) * math.sqrt(252))
    assert annualised_volatility([0.01]) is None
    assert volatility_scale(0.40, policy) == pytest.approx(0.5)
    assert volatility_scale(0.001, policy) == 1.0
    assert volatility_scale(0.10, SizingPolicy(volatility_cap=3.0)) == pytest.approx(2.0)
    assert volatility_scale(0.0001, SizingPolicy(volatility_cap=9.0)) == pytest.approx(4.0)


def test_an_uncertain_forecast_gets_the_small_cap_even_from_proven_agents() -> None:
    assert not certain(score(track_record="proven", interval=(0.50, 0.62)))
    assert certain(score(track_record="proven", interval=(0.52, 0.62)))
    assert not certain(score(track_record="unproven", interval=(0.52, 0.62)))
    assert not certain(score(track_record="proven", interval=None))


def test_without_an_edge_there_is_no_side() -> None:
    assert side_of(score(edge=0.0)) is None
    assert side_of(score(p_up=None, edge=None)) is None
    assert side_of(score(edge=-0.02)) == "sell"


def test_too_few_returns_are_no_distribution() -> None:
    few = size(
        score(),
        "buy",
        returns=[0.01, -0.01] * 20,
        daily_returns=[0.01, -0.01] * 20,
        room=ROOM,
        policy=SizingPolicy(),
        costs=FREE,
        limits=RiskLimits(),
    )
    assert few.refused is not None
    assert few.refused[0] == "no_price_history"
    assert payoff([0.01] * 100, "buy", SizingPolicy()) is None


shares = st.floats(-0.2, 1.0)


@given(
    p_up=st.floats(0.01, 0.99),
    side=st.sampled_from(["buy", "sell"]),
    position=shares,
    unproven=shares,
    sector=shares,
    proven=st.booleans(),
    fraction=st.floats(0.01, 0.5),
    returns=st.lists(st.floats(-0.2, 0.2), min_size=60, max_size=120),
)
def test_no_size_exceeds_a_cap_or_the_step_before(
    p_up: float,
    side: Side,
    position: float,
    unproven: float,
    sector: float,
    proven: bool,
    fraction: float,
    returns: list[float],
) -> None:
    made = score(p_up=p_up, track_record="proven" if proven else "unproven", interval=(0.7, 0.9))
    room = Room(position=position, unproven=unproven, sector_share=sector, sector="S")
    sized = size(
        made,
        side,
        returns=returns,
        daily_returns=returns,
        room=room,
        policy=SizingPolicy(kelly_fraction=fraction),
        costs=CostModel(),
        limits=RiskLimits(),
    )
    caps = [position, sector] if certain(made) else [position, sector, unproven]
    assert 0 <= sized.fraction <= max(0.0, min(caps))
    values = [step.value for step in sized.steps if step.step != "kelly"]
    assert values == sorted(values, reverse=True)
    assert sized.steps[0].step == "kelly"
    assert (sized.refused is None) == (sized.fraction > 0)


def test_impact_follows_the_square_root_of_the_share_of_volume() -> None:
    costs = CostModel(half_spread=0, commission=0, impact=0.5, borrow_per_year=0)
    common = {"side": "buy", "horizon": 1, "notional": 10_000.0, "daily_volatility": 0.02}
    one = expected_cost(costs, volume_share=0.01, **common)  # type: ignore[arg-type]
    four = expected_cost(costs, volume_share=0.04, **common)  # type: ignore[arg-type]
    assert one == pytest.approx(10_000 * 2 * 0.5 * 0.02 * 0.1)
    assert four == pytest.approx(2 * one)


def test_a_minimum_commission_is_paid_both_ways() -> None:
    costs = CostModel(half_spread=0, commission=0.0001, minimum_commission=1.0, impact=0)
    small = expected_cost(
        costs, side="buy", horizon=1, notional=100.0, volume_share=0.0, daily_volatility=0.01
    )
    assert small == pytest.approx(2.0)


def test_only_bars_known_at_as_of_are_sized_on() -> None:
    history = bars("ACME", wave(100), last=NOW.date() + timedelta(days=5))
    known = history.known_rows(NOW)
    assert history.dates[known - 1] == NOW.date() - timedelta(days=1)
    returns = history.returns(NOW, horizon=1, days=10)
    assert returns[-1] == pytest.approx(history.adj_close[known - 1] / history.adj_close[known - 2] - 1)
    assert len(returns) == 10
