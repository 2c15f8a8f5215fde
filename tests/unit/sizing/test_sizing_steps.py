"""Each step of a size by hand, at the boundaries of its rule, and each refusal with its code."""

from typing import Any

import pytest
from msgspec import structs

from bellwether.domain.limits import CostModel, RiskLimits, SizingPolicy
from bellwether.domain.sizing import (
    Payoff,
    Room,
    Sizing,
    caps,
    certain,
    kelly_step,
    payoff,
    side_of,
    size,
    winning_probability,
)
from tests.unit.trading import score

pytestmark = pytest.mark.req("A5")

FREE = CostModel(half_spread=0, commission=0, impact=0, borrow_per_year=0)
ROOM = Room(position=0.05, unproven=0.01, sector_share=0.3, sector="energy")
POLICY = SizingPolicy(fewest_returns=6, fewest_each_way=2)
RETURNS = [0.02, 0.04, -0.01, -0.05, 0.0, 0.0]


def sized(of: Any = None, **changes: Any) -> Sizing:
    given: dict[str, Any] = {
        "side": "buy",
        "returns": [0.02, -0.02] * 40,
        "daily_returns": [0.01, -0.01] * 40,
        "room": ROOM,
        "policy": SizingPolicy(),
        "costs": FREE,
        "limits": RiskLimits(),
        **changes,
    }
    return size(of or score(), given.pop("side"), **given)


def test_gains_and_losses_are_means_of_the_days_that_moved() -> None:
    assert payoff(RETURNS, "buy", POLICY) == Payoff(pytest.approx(0.03), pytest.approx(0.03))  # type: ignore[arg-type]
    skewed = [0.02, 0.06, -0.01, -0.01, 0.0, 0.0]
    assert payoff(skewed, "buy", POLICY) == Payoff(pytest.approx(0.04), pytest.approx(0.01))  # type: ignore[arg-type]
    assert payoff(skewed, "sell", POLICY) == Payoff(pytest.approx(0.01), pytest.approx(0.04))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("returns", "enough"),
    [
        (RETURNS, True),
        (RETURNS[:5], False),  # one return too few
        ([0.02, 0.04, 0.01, -0.05, 0.0, 0.0], False),  # one loss
        ([0.02, -0.04, -0.01, -0.05, 0.0, 0.0], False),  # one gain
        ([0.0] * 6, False),
        ([], False),
    ],
)
def test_too_few_returns_of_either_sign_are_no_distribution(returns: list[float], enough: bool) -> None:
    assert (payoff(returns, "buy", POLICY) is not None) is enough


@pytest.mark.parametrize(
    ("edge", "least", "side"),
    [
        (0.05, 0.0, "buy"),
        (-0.05, 0.0, "sell"),
        (0.002, 0.002, "buy"),
        (-0.002, 0.002, "sell"),
        (0.0019, 0.002, None),
        (0.0, 0.0, None),
        (None, 0.0, None),
    ],
)
def test_a_side_needs_an_edge_of_at_least_the_least(
    edge: float | None, least: float, side: str | None
) -> None:
    assert side_of(score(edge=edge), least) == side
    assert side_of(score(edge=edge, p_up=None), least) is None


@pytest.mark.parametrize(
    ("side", "caution", "p"),
    [("buy", 0.0, 0.56), ("buy", 1.0, 0.50), ("buy", 0.5, 0.53), ("sell", 0.0, 0.44), ("sell", 1.0, 0.38)],
)
def test_caution_moves_the_probability_to_the_worse_end(side: Any, caution: float, p: float) -> None:
    assert winning_probability(score(), side, caution) == pytest.approx(p)
    assert winning_probability(score(interval=None), side, caution) == pytest.approx(
        0.56 if side == "buy" else 0.44
    )
    assert winning_probability(score(p_up=None, interval=None), side, caution) == (0 if side == "buy" else 1)


@pytest.mark.parametrize(
    ("record", "interval", "sure"),
    [
        ("proven", (0.52, 0.6), True),
        ("proven", (0.4, 0.5), True),
        ("proven", (0.51, 0.6), False),
        ("proven", (0.4, 0.51), False),
        ("proven", None, False),
        ("unproven", (0.52, 0.6), False),
    ],
)
def test_certain_is_proven_and_apart_from_the_base_rate(record: Any, interval: Any, sure: bool) -> None:
    assert certain(score(track_record=record, interval=interval)) is sure


def test_the_first_step_by_hand() -> None:
    """p .56, both ways 2 %, 4 basis points of cost: f* = .56/.0204 − .44/.0196, a quarter of it."""
    costs = CostModel(half_spread=0.0001, commission=0.0001, borrow_per_year=0.0)
    full = 0.56 / 0.0204 - 0.44 / 0.0196
    step = kelly_step(score(), "buy", [0.02, -0.02] * 40, SizingPolicy(), costs)
    assert step.fraction == step.steps[0].value == pytest.approx(full / 4)
    assert step.refused is None
    assert step.steps[0].step == "kelly"
    assert step.steps[0].detail == (
        f"p 0.5600, gain 2.0000% and loss 2.0000% over 1 d, cost 0.0400%: f* {full:.4f}, λ 0.25"
    )


def test_a_short_sale_pays_for_what_it_borrows() -> None:
    """2.52 % a year over 21 of 252 days is 0.21 % on both gain and loss."""
    costs = CostModel(half_spread=0.0, commission=0.0, borrow_per_year=0.0252)
    bearish = score(p_up=0.4, edge=-0.11, horizon=21)
    step = kelly_step(bearish, "sell", [0.02, -0.02] * 40, SizingPolicy(), costs)
    assert step.fraction == pytest.approx((0.6 / 0.0221 - 0.4 / 0.0179) / 4)


def test_too_few_returns_are_refused_with_nothing() -> None:
    step = kelly_step(score(), "buy", [0.01], SizingPolicy(), FREE)
    few = "1 returns are too few to size on"
    assert (step.fraction, step.refused) == (0.0, ("no_price_history", few))
    assert [(s.step, s.value, s.detail) for s in step.steps] == [("kelly", 0.0, few)]
    assert sized(returns=[0.01]) == step


def test_a_bet_that_costs_eat_is_refused_with_its_figures() -> None:
    step = kelly_step(score(p_up=0.5), "buy", [0.02, -0.02] * 40, SizingPolicy(), FREE)
    assert (step.fraction, step.steps[0].value) == (0.0, 0.0)
    assert step.refused is not None
    code, reason = step.refused
    assert code == "no_edge_after_costs"
    assert reason == f"no positive bet is left after costs ({step.steps[0].detail})"


def test_a_small_but_positive_bet_is_one() -> None:
    step = kelly_step(score(p_up=0.501), "buy", [0.5, -0.5] * 40, SizingPolicy(), FREE)
    assert step.fraction == pytest.approx(0.25 * 0.004)
    assert step.refused is None


def test_unknown_volatility_is_refused_after_the_first_step() -> None:
    made = sized(daily_returns=[0.01])
    assert (made.fraction, made.refused) == (0.0, ("no_price_history", "volatility is unknown"))
    assert [step.step for step in made.steps] == ["kelly"]


def test_every_step_of_a_whole_size_by_hand() -> None:
    """A daily σ̂ of 1 % up and down eighty times; unproven, so the smallest cap holds."""
    made = sized(room=Room(0.9, 0.02, 0.8, "energy"), policy=SizingPolicy(target_volatility=0.08))
    yearly = (0.0001 * 60 / 59 * 252) ** 0.5
    scale = 0.08 / yearly
    quarter = 0.25 * (0.56 - 0.44) / 0.02
    values = {step.step: step.value for step in made.steps}
    assert values["kelly"] == pytest.approx(quarter)
    assert values["volatility_target"] == pytest.approx(quarter * scale)
    assert values["position_cap"] == pytest.approx(quarter * scale)
    assert values["unproven_cap"] == made.fraction == 0.02
    assert made.steps[1].detail == f"volatility {yearly:.2%} a year for 8.00%: times {scale:.4f}"
    assert made.refused is None


def test_only_the_last_days_make_the_volatility() -> None:
    calm = sized(daily_returns=[0.2, -0.2] * 40 + [0.01, -0.01] * 30)
    assert calm.steps[1].detail.startswith("volatility 16.01% a year")


def test_caps_by_hand() -> None:
    room, limits = Room(0.04, 0.01, 0.02, "energy"), RiskLimits()
    assert [(s.step, s.value, s.detail) for s in caps(0.5, room, sure=False, limits=limits)] == [
        ("position_cap", 0.04, "at most 5.00% of equity in one asset, 4.0000% left"),
        ("sector_cap", 0.02, "at most 30.00% in sector energy, 2.0000% left"),
        (
            "unproven_cap",
            0.01,
            "at most 1.00% while agents are unproven or the interval spans the base rate, 1.0000% left",
        ),
    ]
    assert [s.step for s in caps(0.5, room, sure=True, limits=limits)] == ["position_cap", "sector_cap"]
    assert [s.value for s in caps(0.5, room, sure=True, limits=limits)] == [0.04, 0.02]
    full = structs.replace(limits)
    assert [s.value for s in caps(0.5, Room(-0.01, 0.5, 0.5, "energy"), sure=True, limits=full)] == [0, 0]


def test_no_room_is_refused_with_the_cap_that_left_none() -> None:
    made = sized(room=Room(0.05, -0.01, 0.3, "energy"))
    assert made.fraction == 0.0
    assert made.refused is not None
    assert made.refused[0] == "no_room"
    assert made.refused[1].startswith("the caps leave no room (at most 1.00% while agents are unproven")


def test_a_proven_score_is_not_held_to_the_cap_of_an_unproven_one() -> None:
    sure = score(track_record="proven", interval=(0.52, 0.6))
    assert sized(sure).fraction == 0.05
    assert sized().fraction == 0.01
