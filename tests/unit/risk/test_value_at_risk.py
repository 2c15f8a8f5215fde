"""VaR and ES against numbers worked by hand, scipy's moments and the definition of the domain."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bellwether.domain.value_at_risk import (
    cornish_fisher,
    historical,
    in_cornish_fisher_domain,
    moments,
    normal_quantile,
    tail_size,
)

pytestmark = pytest.mark.req("A6")

returns = st.lists(st.floats(-0.3, 0.3), min_size=40, max_size=300)


def test_of_a_hundred_days_the_fifth_worst_is_the_var_and_the_mean_of_five_the_es() -> None:
    worst = [-0.10, -0.08, -0.06, -0.05, -0.04]
    tail = historical([*worst, *[0.01] * 95], 0.95)
    assert tail is not None
    assert tail.var == pytest.approx(0.04)
    assert tail.es == pytest.approx(0.066)


def test_a_tail_that_is_no_whole_number_of_days_counts_the_last_one_in_part() -> None:
    """n = 50, β = 0.95: k = 2.5, so the ES is (0.10 + 0.08 + 0.5·0.06)/2.5."""
    tail = historical([-0.10, -0.08, -0.06, *[0.0] * 47], 0.95)
    assert tail is not None
    assert tail.var == pytest.approx(0.06)
    assert tail.es == pytest.approx((0.10 + 0.08 + 0.03) / 2.5)


@pytest.mark.parametrize(
    ("n", "confidence", "defined"),
    [(19, 0.95, False), (20, 0.95, True), (39, 0.975, False), (40, 0.975, True)],
)
def test_a_tail_without_a_whole_observation_is_undefined(n: int, confidence: float, defined: bool) -> None:
    assert (historical([0.01 * i for i in range(n)], confidence) is not None) is defined


def test_rounding_adds_no_day_to_the_tail() -> None:
    assert (1 - 0.95) * 100 > 5
    assert tail_size(100, 0.95) == 5.0
    assert tail_size(40, 0.975) == 1.0


@given(returns, st.sampled_from([0.9, 0.95, 0.975]))
def test_es_is_the_minimum_of_rockafellar_and_uryasev(sample: list[float], confidence: float) -> None:
    """ES = min over c of c + mean(max(−x − c, 0))/(1−β), attained at a sample point."""
    tail = historical(sample, confidence)
    assert tail is not None
    losses = -np.array(sample)
    objective = [c + np.maximum(losses - c, 0).mean() / (1 - confidence) for c in losses]
    assert tail.es == pytest.approx(min(objective), abs=1e-9)


@given(returns)
def test_a_tail_loss_grows_with_confidence_and_es_is_never_below_var(sample: list[float]) -> None:
    low, high = historical(sample, 0.95), historical(sample, 0.975)
    assert low is not None
    assert high is not None
    assert high.var >= low.var
    assert high.es >= low.es - 1e-12
    assert low.es >= low.var - 1e-12


@given(returns, st.floats(0, 0.5))
def test_losing_more_every_day_raises_the_var_by_as_much(sample: list[float], loss: float) -> None:
    before, after = historical(sample, 0.95), historical([x - loss for x in sample], 0.95)
    assert before is not None
    assert after is not None
    assert after.var == pytest.approx(before.var + loss, abs=1e-12)


@given(st.lists(st.floats(-0.3, 0.3), min_size=10, max_size=100, unique=True))
def test_moments_are_those_of_scipy(sample: list[float]) -> None:
    found = moments(sample)
    assert found is not None
    assert found.mean == pytest.approx(np.mean(sample), abs=1e-12)
    assert found.deviation == pytest.approx(np.std(sample), rel=1e-6)
    assert found.skewness == pytest.approx(stats.skew(sample), abs=1e-4)
    assert found.excess_kurtosis == pytest.approx(stats.kurtosis(sample), abs=1e-4)


def test_cornish_fisher_is_the_formula_over_scipys_moments() -> None:
    """Student's t with six degrees of freedom and a little skew lies inside the domain."""
    sample = [float(x + 0.1 * x * x) * 0.01 for x in stats.t.ppf((np.arange(500) + 0.5) / 500, df=6)]
    s, k, z = stats.skew(sample), stats.kurtosis(sample), stats.norm.ppf(0.05)
    adjusted = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    assert in_cornish_fisher_domain(s, k)
    assert abs(s) > 0.1
    assert cornish_fisher(sample, 0.95) == pytest.approx(-(np.mean(sample) + np.std(sample) * adjusted))
    assert normal_quantile(0.05) == pytest.approx(stats.norm.ppf(0.05))


def test_cornish_fisher_says_nothing_outside_its_domain() -> None:
    """Thinner tails than the normal's already bend the expansion back far out."""
    sample = [-0.30, *[0.01, -0.01] * 100]
    assert not in_cornish_fisher_domain(stats.skew(sample), stats.kurtosis(sample))
    assert cornish_fisher(sample, 0.95) is None
    assert cornish_fisher([0.01 * i for i in range(-50, 51)], 0.95) is None
    assert in_cornish_fisher_domain(0.0, 0.0)


@given(st.floats(-2, 2), st.floats(-1, 9))
def test_the_domain_is_where_the_expansion_rises(skewness: float, kurtosis: float) -> None:
    """Against the derivative on a grid, a hair inside or outside of the boundary left alone."""
    z = np.concatenate([np.linspace(-30, 30, 6001), np.array([-1e6, 1e6])])
    slope = 1 + z * skewness / 3 + (3 * z**2 - 3) * kurtosis / 24 - (6 * z**2 - 5) * skewness**2 / 36
    if slope.min() > 1e-3 and kurtosis / 8 - skewness**2 / 6 > 1e-3:
        assert in_cornish_fisher_domain(skewness, kurtosis)
    elif slope.min() < -1e-3:
        assert not in_cornish_fisher_domain(skewness, kurtosis)


def test_cornish_fisher_is_undefined_for_a_constant_or_too_short_series() -> None:
    assert cornish_fisher([0.01] * 100, 0.95) is None
    assert cornish_fisher([0.01, 0.02, 0.03], 0.95) is None
    assert not in_cornish_fisher_domain(2.6, 10)
    assert math.isfinite(normal_quantile(0.025))
