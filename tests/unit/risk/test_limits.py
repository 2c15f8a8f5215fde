"""The limits a desk starts with, what may be set, and how a wrong one is named."""

import math
from typing import Any

import msgspec
import pytest

from bellwether.domain.limits import (
    Controls,
    CostModel,
    RiskLimits,
    SizingPolicy,
    checked_controls,
    read_controls,
)
from bellwether.domain.problems import InvalidInput

pytestmark = pytest.mark.req("A6")

DEFAULTS: dict[str, dict[str, Any]] = {
    "limits": {
        "position": 0.05,
        "gross_exposure": 1.5,
        "net_exposure": 1.0,
        "asset_concentration": 0.10,
        "sector_concentration": 0.30,
        "var_95": 0.02,
        "es_97_5": 0.03,
        "var_days": 500,
        "var_method": "historical",
        "drawdown": 0.15,
        "drawdown_days": 63,
        "volume_share": 0.02,
        "volume_days": 20,
        "stale_price_days": 5.0,
        "stale_signal_hours": 72.0,
        "cooldown_hours": 6.0,
        "unproven_position": 0.01,
        "author_share": 0.5,
        "cluster_share": 0.5,
        "young_author_share": 0.5,
        "two_approvers_above": 50_000.0,
        "approval_drift": 0.05,
        "expires_after_hours": 24.0,
    },
    "costs": {
        "half_spread": 0.00005,
        "commission": 0.00005,
        "minimum_commission": 0.0,
        "impact": 0.5,
        "borrow_per_year": 0.005,
    },
    "sizing": {
        "kelly_fraction": 0.25,
        "caution": 0.0,
        "least_edge": 0.002,
        "target_volatility": 0.20,
        "volatility_floor": 0.05,
        "volatility_cap": 1.0,
        "volatility_days": 60,
        "return_days": 500,
        "fewest_returns": 60,
        "fewest_each_way": 10,
        "short_selling": True,
        "lot": 1.0,
        "least_notional": 100.0,
        "limit_band": 0.005,
    },
}


def test_a_desk_starts_with_these_limits() -> None:
    """They bound real money before anybody set one: a change is a decision, not a detail."""
    for name, kind in (("limits", RiskLimits), ("costs", CostModel), ("sizing", SizingPolicy)):
        held = msgspec.to_builtins(kind())
        assert {key: held[key] for key in DEFAULTS[name]} == DEFAULTS[name]
    started = Controls()
    assert (started.state, started.kill_switch, started.reason) == ("ACTIVE", False, "")
    assert (started.limits, started.costs, started.sizing) == (RiskLimits(), CostModel(), SizingPolicy())


SHARES = (
    *("position", "asset_concentration", "sector_concentration", "var_95", "es_97_5", "drawdown"),
    *("volume_share", "unproven_position", "author_share", "cluster_share", "young_author_share"),
    "approval_drift",
)
NOT_NEGATIVE = (
    *("gross_exposure", "net_exposure", "stale_price_days", "stale_signal_hours", "cooldown_hours"),
    "two_approvers_above",
)
BOUNDS = [
    *(("limits", name, ok, True) for name in SHARES for ok in (0, 1)),
    *(("limits", name, wrong, False) for name in SHARES for wrong in (-0.001, 1.001)),
    *(("limits", name, 0, True) for name in NOT_NEGATIVE),
    *(("limits", name, -0.001, False) for name in NOT_NEGATIVE),
    *(
        ("limits", name, ok, True)
        for name in ("var_days", "drawdown_days", "volume_days")
        for ok in (1, 2_000)
    ),
    *(
        ("limits", name, no, False)
        for name in ("var_days", "drawdown_days", "volume_days")
        for no in (0, 2_001)
    ),
    *(("costs", name, 0, True) for name in DEFAULTS["costs"]),
    *(("costs", name, -1e-9, False) for name in DEFAULTS["costs"]),
    ("limits", "expires_after_hours", 0, False),
    ("limits", "expires_after_hours", 0.001, True),
    ("limits", "var_method", "cornish_fisher", True),
    ("limits", "var_method", "guessed", False),
    ("sizing", "kelly_fraction", 0.5, True),
    ("sizing", "kelly_fraction", 0.501, False),
    ("sizing", "kelly_fraction", 0, False),
    ("sizing", "fewest_returns", 2, True),
    ("sizing", "fewest_returns", 1, False),
    ("sizing", "fewest_each_way", 1, True),
    ("sizing", "fewest_each_way", 0, False),
    ("sizing", "lot", 0, False),
    ("sizing", "lot", 1e-6, True),
    ("sizing", "target_volatility", 0, False),
    ("sizing", "volatility_floor", 0, False),
    ("sizing", "volatility_cap", 0, False),
]


@pytest.mark.parametrize(("part", "name", "value", "good"), BOUNDS)
def test_a_limit_is_held_to_its_range_and_named_when_it_is_not(
    part: str, name: str, value: Any, good: bool
) -> None:
    if good:
        assert getattr(getattr(checked_controls({part: {name: value}}), part), name) == value
        return
    with pytest.raises(InvalidInput) as fault:
        checked_controls({part: {name: value}})
    assert fault.value.path == f"$.{part}.{name}"
    assert name in fault.value.detail


def test_a_field_nobody_knows_is_refused_at_its_place() -> None:
    with pytest.raises(InvalidInput) as fault:
        checked_controls({"sizing": {"kelly": 0.1}})
    assert fault.value.path == "$.sizing"
    with pytest.raises(InvalidInput) as whole:
        checked_controls({"limits": 5})
    assert whole.value.path == "$.limits"


@pytest.mark.parametrize(
    ("controls", "felt"),
    [
        (Controls(), "ACTIVE"),
        (Controls(state="REDUCING"), "REDUCING"),
        (Controls(state="HALTED"), "HALTED"),
        (Controls(state=None), "HALTED"),
        (Controls(kill_switch=True), "HALTED"),
        (Controls(state="REDUCING", kill_switch=True), "HALTED"),
    ],
)
def test_the_state_orders_feel(controls: Controls, felt: str) -> None:
    assert controls.desk_state == felt


def test_what_is_stored_and_cannot_be_read_halts_with_the_default_limits() -> None:
    found = read_controls({"limits": {"position": 7}})
    assert (found.state, found.desk_state, found.limits) == (None, "HALTED", RiskLimits())
    assert found.reason.startswith(
        "the stored controls cannot be read: Expected `float` <= 1.0 - at `$.limits"
    )
    assert math.isclose(read_controls({"limits": {"position": 0.07}}).limits.position, 0.07)
