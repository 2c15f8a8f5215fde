"""Formula 2 across agents, against numbers worked by hand and properties it must have."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.base_rate import BaseRate
from bellwether.domain.fusion import (
    PRIOR_CORRELATION,
    Z_90,
    View,
    correlations,
    for_horizon,
    fuse,
    view_error,
    weight_of,
)
from bellwether.domain.items import Instant
from tests.unit.fusion.signals_made import START

pytestmark = pytest.mark.req("A4")

EVEN = BaseRate(p_up=0.5, log_odds=0.0, error=0.1)
BASE = BaseRate(p_up=0.53, log_odds=math.log(0.53 / 0.47), error=0.05)
CREATED: Instant = START


def independent(one: str, other: str) -> float:
    return 1.0 if one == other else 0.0


def identical(_one: str, _other: str) -> float:
    return 1.0


def view(
    name: str, log_odds: float, evidence: float = 1e12, reliability: float = 0.5, error: float = 0.1
) -> View:
    return View(agent_id=name, log_odds=log_odds, evidence=evidence, reliability=reliability, error=error)


RELIABILITIES = st.one_of(st.just(0.0), st.floats(1e-6, 1.0))
VIEWS = st.lists(
    st.tuples(st.floats(-2, 2), st.floats(0.01, 500), RELIABILITIES), min_size=1, max_size=5
).map(lambda rows: [view(f"agent {n}", lo, m, r) for n, (lo, m, r) in enumerate(rows)])
OVERLAPS = st.sampled_from([0.0, 0.3, 0.7, 1.0])


def overlap(value: float):  # type: ignore[no-untyped-def]
    return lambda one, other: 1.0 if one == other else value


@pytest.mark.parametrize(
    ("reliability", "evidence", "expected"),
    [(0.4, 5.0, 0.2), (0.4, 45.0, 0.36), (1.0, 0.0, 0.0), (0.0, 9.0, 0.0), (2.0, 5.0, 0.5)],
)
def test_a_weight_is_reliability_times_how_much_evidence_there_is(
    reliability: float, evidence: float, expected: float
) -> None:
    assert weight_of(reliability, evidence) == pytest.approx(expected)


def test_a_case_worked_by_hand() -> None:
    """w = (.2, .3) with R₁₂ = ½: Σw² = .13, wᵀRw = .13 + .06 = .19, L−ℓ₀ = .13/.19·(.08−.03)."""
    views = [view("a", 0.4, evidence=5.0, reliability=0.4), view("b", -0.1, evidence=15.0, reliability=0.4)]
    fused = fuse(views, BASE, overlap(0.5))
    moved = 0.13 / 0.19 * (0.2 * 0.4 - 0.3 * 0.1)
    assert fused.weights == pytest.approx((0.2, 0.3))
    assert sum(fused.shares) == pytest.approx(moved)
    assert fused.p_up == pytest.approx(1 / (1 + math.exp(-(BASE.log_odds + moved))))
    assert fused.n_eff == pytest.approx(0.25 / 0.19)
    mean = (0.2 * 0.4 - 0.3 * 0.1) / 0.5
    assert fused.disagreement == pytest.approx(
        math.sqrt((0.2 * (0.4 - mean) ** 2 + 0.3 * (-0.1 - mean) ** 2) / 0.5)
    )


@given(views=VIEWS, value=OVERLAPS)
def test_it_is_the_formula_in_matrix_form(views: list[View], value: float) -> None:
    fused = fuse(views, BASE, overlap(value))
    w = np.array(fused.weights)
    r = np.full((len(views), len(views)), value) + np.eye(len(views)) * (1 - value)
    if not w.any():
        assert fused.p_up == pytest.approx(BASE.p_up)
        return
    quadratic = float(w @ r @ w)
    total = BASE.log_odds + float(w @ w) / quadratic * float(w @ np.array([v.log_odds for v in views]))
    assert fused.p_up == pytest.approx(min(0.99, max(0.01, 1 / (1 + math.exp(-total)))))
    assert fused.n_eff == pytest.approx(float(w.sum()) ** 2 / quadratic)
    assert 1.0 - 1e-9 <= fused.n_eff <= len(views) + 1e-9


def test_independent_agents_add_up_and_identical_ones_count_once() -> None:
    alone = fuse([view("a", 0.3)], EVEN, independent)
    twice = fuse([view("a", 0.3), view("b", 0.3)], EVEN, independent)
    same = fuse([view("a", 0.3), view("b", 0.3)], EVEN, identical)
    assert sum(twice.shares) == pytest.approx(2 * sum(alone.shares))
    assert sum(same.shares) == pytest.approx(sum(alone.shares))
    assert (alone.n_eff, twice.n_eff, same.n_eff) == pytest.approx((1.0, 2.0, 1.0))


def test_a_lone_weak_view_stays_weak() -> None:
    """The weights are not normalised: one fresh cluster at reliability 0.3 moves 0.3·1/6 of its log-odds."""
    fused = fuse([view("a", 2.0, evidence=1.0, reliability=0.3)], EVEN, independent)
    assert sum(fused.shares) == pytest.approx(2.0 * 0.3 / 6)


def test_without_a_live_signal_it_abstains() -> None:
    for views in ([], [view("a", 0.4, evidence=0.0)]):
        fused = fuse(views, BASE, independent)
        assert (fused.p_up, fused.interval, fused.disagreement, fused.n_eff) == (None, None, None, 0.0)


def test_with_all_weights_zero_it_is_the_prior() -> None:
    fused = fuse([view("a", 0.4, reliability=0.0)], BASE, independent)
    assert fused.p_up == pytest.approx(BASE.p_up)
    assert fused.n_eff == 0.0


@given(views=VIEWS, value=OVERLAPS)
def test_it_stays_within_bounds_and_inside_its_interval(views: list[View], value: float) -> None:
    fused = fuse(views, BASE, overlap(value))
    assert fused.p_up is not None
    assert fused.interval is not None
    assert 0.01 <= fused.interval[0] <= fused.p_up <= fused.interval[1] <= 0.99


@given(views=VIEWS, value=OVERLAPS, step=st.floats(0.0, 1.0), which=st.integers(0, 4))
def test_a_view_that_turns_up_never_turns_the_score_down(
    views: list[View], value: float, step: float, which: int
) -> None:
    turned = list(views)
    index = which % len(views)
    old = views[index]
    turned[index] = view(old.agent_id, old.log_odds + step, old.evidence, old.reliability)
    before, after = fuse(views, BASE, overlap(value)), fuse(turned, BASE, overlap(value))
    assert before.p_up is not None
    assert after.p_up is not None
    assert after.p_up >= before.p_up - 1e-12


@given(views=VIEWS, data=st.data(), value=OVERLAPS)
def test_the_order_of_agents_does_not_matter(views: list[View], data: st.DataObject, value: float) -> None:
    shuffled = data.draw(st.permutations(views))
    one, other = fuse(views, BASE, overlap(value)), fuse(shuffled, BASE, overlap(value))
    assert one.p_up == pytest.approx(other.p_up)
    assert one.n_eff == pytest.approx(other.n_eff)
    assert one.interval == pytest.approx(other.interval)


def test_the_interval_is_that_of_a_normal_log_odds() -> None:
    """One view, w = ½, error .2, base error .1: sd = √(.1² + (½·.2)²)."""
    fused = fuse([view("a", 0.4, error=0.2)], EVEN, independent)
    deviation = math.sqrt(0.1**2 + 0.1**2)
    low, high = (norm.ppf(q, loc=0.5 * 0.4, scale=deviation) for q in (0.05, 0.95))
    expected = (1 / (1 + math.exp(-low)), 1 / (1 + math.exp(-high)))
    assert fused.interval == pytest.approx(expected)
    assert pytest.approx(norm.ppf(0.95)) == Z_90


def test_agents_that_disagree_widen_the_interval() -> None:
    agree = fuse([view("a", 0.3), view("b", 0.3)], EVEN, independent)
    apart = fuse([view("a", 0.9), view("b", -0.3)], EVEN, independent)
    assert agree.interval is not None
    assert apart.interval is not None
    assert apart.interval[1] - apart.interval[0] > agree.interval[1] - agree.interval[0]
    assert agree.disagreement == pytest.approx(0.0)


def test_a_views_error_by_hand() -> None:
    """Ten clusters of variance .04, slope .3: ((10·.04 + 5·.09)/15)/10, and all of an unlearned slope."""
    learned = view_error(log_odds=0.2, spread=0.04, independent=10, slope=0.3, trust=1.0)
    assert learned == pytest.approx(math.sqrt((10 * 0.04 + 5 * 0.09) / 15 / 10))
    prior = view_error(log_odds=0.2, spread=0.04, independent=10, slope=0.3, trust=0.0)
    assert prior == pytest.approx(math.hypot(learned, 0.2))
    assert view_error(log_odds=-0.2, spread=0.0, independent=0.0, slope=0.3, trust=0.0) == 0.2


@pytest.mark.parametrize(("own", "asked", "factor"), [(1, 1, 1.0), (1, 4, 0.5), (4, 1, 0.5), (1, 9, 1 / 3)])
def test_a_view_for_another_horizon_says_less(own: int, asked: int, factor: float) -> None:
    assert for_horizon(0.6, own, asked) == pytest.approx(0.6 * factor)


def configured(name: str, resolved: int, **measured: float) -> AgentConfig:
    return AgentConfig(
        agent_id=name,
        version=1,
        created_at=CREATED,
        resolved=resolved,
        shrinkage=200.0,
        error_correlation=measured,
    )


def test_measured_correlations_are_shrunk_toward_a_constant() -> None:
    r = correlations([configured("a", 600, b=0.9), configured("b", 600, a=0.9), configured("c", 0, a=0.9)])
    assert r("a", "a") == 1.0
    assert r("a", "b") == r("b", "a") == pytest.approx(0.75 * 0.9 + 0.25 * PRIOR_CORRELATION)
    assert r("a", "c") == pytest.approx(PRIOR_CORRELATION)
    assert r("b", "c") == r("a", "unknown") == PRIOR_CORRELATION


def test_errors_that_seem_to_offset_each_other_earn_no_extra_belief() -> None:
    r = correlations([configured("a", 10_000, b=-0.9), configured("b", 10_000)])
    assert r("a", "b") == 0.0
