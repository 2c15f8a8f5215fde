"""The pool against a product of probabilities, its extreme cases, and R, errors and horizons by hand."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.base_rate import BaseRate, base_rate_of
from bellwether.domain.fusion import (
    HALF_EVIDENCE,
    PRIOR_CORRELATION,
    View,
    correlations,
    for_horizon,
    fuse,
    view_error,
    weight_of,
)

pytestmark = pytest.mark.req("A4")

BASE = base_rate_of(260, 500, 1)
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def independent(one: str, other: str) -> float:
    return float(one == other)


def view(
    name: str, log_odds: float, *, weight: float = 0.5, error: float = 0.0, evidence: float = 1e15
) -> View:
    return View(agent_id=name, log_odds=log_odds, evidence=evidence, reliability=weight, error=error)


@given(
    st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.0, 0.45)), min_size=1, max_size=4),
    st.integers(100, 400),
)
def test_independent_agents_multiply_their_probabilities(
    experts: list[tuple[float, float]], rises: int
) -> None:
    """Genest & Zidek's pool in probabilities: p ∝ π^(1−Σw)·Πpᵢ^wᵢ against the same for falling."""
    base = base_rate_of(rises, 500, 1)
    prior = base.p_up
    views = [
        view(f"agent {n}", math.log(p / (1 - p)) - base.log_odds, weight=w)
        for n, (p, w) in enumerate(experts)
    ]
    spare = 1 - sum(w for _, w in experts)
    up = prior**spare * math.prod(p**w for p, w in experts)
    down = (1 - prior) ** spare * math.prod((1 - p) ** w for p, w in experts)
    expected = min(0.99, max(0.01, up / (up + down)))
    assert fuse(views, base, independent).p_up == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_copies_of_one_agent_count_once(count: int) -> None:
    views = [view(f"copy {n}", 0.6) for n in range(count)]
    fused = fuse(views, BASE, lambda *_: 1.0)
    assert sum(fused.shares) == pytest.approx(0.5 * 0.6)
    assert fused.n_eff == pytest.approx(1.0)


@pytest.mark.parametrize("evidence", [0.01, 0.1, 1.0, 5.0, 50.0])
def test_a_lone_view_moves_by_its_weight_alone(evidence: float) -> None:
    """reliability·M/(M+5) of its log-odds, never the whole of it."""
    fused = fuse([view("a", 1.0, weight=0.3, evidence=evidence)], BASE, independent)
    assert sum(fused.shares) == pytest.approx(0.3 * evidence / (evidence + 5))
    assert fused.disagreement is None
    assert fused.n_eff == pytest.approx(1.0)


def test_a_view_without_evidence_stands_beside_one_with() -> None:
    fused = fuse([view("a", 0.4), view("b", 9.0, evidence=0.0)], BASE, independent)
    assert fused.weights == pytest.approx((0.5, 0.0))
    assert fused.shares == pytest.approx((0.2, 0.0))
    assert fused.disagreement is None


def test_with_no_weight_at_all_the_base_rate_and_its_error_are_left() -> None:
    fused = fuse([view("a", 3.0, weight=0.0, error=1.0), view("b", -3.0, weight=0.0)], BASE, independent)
    assert fused.p_up == pytest.approx(BASE.p_up)
    assert (fused.n_eff, fused.shares) == (0.0, (0.0, 0.0))
    assert fused.interval is not None
    low, high = (math.log(p / (1 - p)) for p in fused.interval)
    assert (high - low) / 2 == pytest.approx(1.6448536269514722 * BASE.error)


@pytest.mark.parametrize("extreme", [700.0, -700.0, 1e9, -1e9])
def test_extreme_views_are_clipped(extreme: float) -> None:
    assert fuse([view("a", extreme)], BASE, independent).p_up == (0.99 if extreme > 0 else 0.01)


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(0.05, 1), st.floats(0, 1)), min_size=2, max_size=4))
def test_the_interval_in_matrix_form(rows: list[tuple[float, float, float]]) -> None:
    """√(e₀² + vᵀRv), vᵢ = factor·wᵢ·√(eᵢ² + D²), D the weighted deviation of the views."""
    views = [view(f"agent {n}", lo, weight=w, error=e) for n, (lo, w, e) in enumerate(rows)]
    lo, w, e = (np.array(column) for column in zip(*rows, strict=True))
    r = np.full((len(rows), len(rows)), 0.3) + 0.7 * np.eye(len(rows))
    factor = (w @ w) / (w @ r @ w)
    mean = np.average(lo, weights=w)
    apart = math.sqrt(np.average((lo - mean) ** 2, weights=w))
    v = factor * w * np.hypot(e, apart)
    centre = BASE.log_odds + factor * float(w @ lo)
    reach = 1.6448536269514722 * math.sqrt(BASE.error**2 + float(v @ r @ v))
    expected = tuple(min(0.99, max(0.01, 1 / (1 + math.exp(-(centre + s * reach))))) for s in (-1, 1))
    fused = fuse(views, BASE, lambda one, other: 1.0 if one == other else 0.3)
    assert fused.interval == pytest.approx(expected, abs=1e-9)
    assert fused.disagreement == pytest.approx(apart, abs=1e-9)


def test_ninety_in_a_hundred_draws_lie_in_the_interval() -> None:
    """The base rate and two correlated views drawn with the errors they claim."""
    rng = np.random.default_rng(9)
    base = BaseRate(p_up=0.5, log_odds=0.0, error=0.1)
    views = [view("a", 0.2, error=0.3), view("b", 0.2, error=0.3)]
    fused = fuse(views, base, lambda one, other: 1.0 if one == other else 0.5)
    assert fused.interval is not None
    errors = rng.multivariate_normal([0, 0], 0.09 * np.array([[1, 0.5], [0.5, 1]]), 40_000)
    factor = 0.5 / (0.5 + 0.25)
    drawn = rng.normal(0, 0.1, 40_000) + factor * 0.5 * (0.4 + errors.sum(axis=1))
    low, high = (math.log(p / (1 - p)) for p in fused.interval)
    assert np.mean((low < drawn) & (drawn < high)) == pytest.approx(0.90, abs=0.01)


@pytest.mark.parametrize(
    ("reliability", "evidence", "weight"),
    [(0.3, -1.0, 0.0), (0.3, 0.0, 0.0), (-0.5, 9.0, 0.0), (1.7, 5.0, 0.5), (1.0, 0.5, 0.5 / 5.5)],
)
def test_weights_stay_between_nothing_and_one(reliability: float, evidence: float, weight: float) -> None:
    assert weight_of(reliability, evidence) == pytest.approx(weight)
    assert HALF_EVIDENCE == 5.0


def agent(name: str, resolved: int, shrinkage: float = 200.0, **measured: float) -> AgentConfig:
    return AgentConfig(
        agent_id=name,
        version=1,
        created_at=CREATED,
        resolved=resolved,
        shrinkage=shrinkage,
        error_correlation=measured,
    )


def test_a_correlation_by_hand() -> None:
    """The smaller count and the larger shrinkage: 100/(100 + 300); the two measured values are averaged."""
    r = correlations([agent("a", 500, 200.0, b=0.8), agent("b", 100, 300.0, a=0.6)])
    assert r("a", "b") == pytest.approx(0.25 * 0.7 + 0.75 * 0.5)
    assert r("b", "a") == r("a", "b")
    only_one_side = correlations([agent("a", 600), agent("b", 600, a=0.9)])
    assert only_one_side("a", "b") == only_one_side("b", "a") == pytest.approx(0.75 * 0.9 + 0.25 * 0.5)
    assert PRIOR_CORRELATION == 0.5


@pytest.mark.parametrize(("measured", "kept"), [(1.4, 1.0), (-1.0, 0.0), (0.0, 0.0), (1.0, 1.0)])
def test_a_correlation_stays_between_nothing_and_one(measured: float, kept: float) -> None:
    r = correlations([agent("a", 10**9, b=measured), agent("b", 10**9)])
    assert r("a", "b") == pytest.approx(kept, abs=1e-6)
    assert 0.0 <= r("a", "b") <= 1.0
    assert r("a", "a") == r("nobody", "nobody") == 1.0


def test_an_error_is_divided_by_how_many_clusters_there_really_are() -> None:
    """Σ over n clusters of variance s²: with slope² = s² the prior changes nothing and the error is s/√n."""
    for n in (0.5, 1.0, 4.0, 25.0):
        found = view_error(log_odds=0.3, spread=0.09, independent=n, slope=0.3, trust=1.0)
        assert found == pytest.approx(0.3 / math.sqrt(n))
    half = view_error(log_odds=0.3, spread=0.0, independent=5.0, slope=0.4, trust=0.75)
    assert half == pytest.approx(math.sqrt(0.5 * 0.16 / 5 + 0.09 * 0.25))


@pytest.mark.parametrize(("own", "asked"), [(1, 1), (5, 1), (1, 5), (21, 63)])
def test_a_view_is_carried_by_the_correlation_of_nested_returns(own: int, asked: int) -> None:
    """Sums of the first `own` and the first `asked` of independent days, drawn."""
    days = np.random.default_rng(4).normal(size=(20_000, max(own, asked)))
    correlation = np.corrcoef(days[:, :own].sum(axis=1), days[:, :asked].sum(axis=1))[0, 1]
    assert for_horizon(1.0, own, asked) == pytest.approx(correlation, abs=0.02)
    assert for_horizon(-0.4, own, asked) == pytest.approx(-0.4 * math.sqrt(min(own, asked) / max(own, asked)))
