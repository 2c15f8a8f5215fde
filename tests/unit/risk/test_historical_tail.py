"""Historical VaR and ES against numpy's quantile, the integral of the quantile function, and hard cases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bellwether.domain.value_at_risk import (
    cornish_fisher,
    historical,
    historical_of_ascending,
    in_cornish_fisher_domain,
    moments,
    normal_quantile,
    tail_size,
)

pytestmark = pytest.mark.req("A6")

RETURNS = st.lists(st.integers(-3_000, 3_000).map(lambda n: n / 10_000), min_size=20, max_size=250)


@given(RETURNS, st.sampled_from([0.5, 0.9, 0.95, 0.975, 0.99]))
def test_var_is_numpys_inverted_distribution(sample: list[float], confidence: float) -> None:
    tail = historical(sample, confidence)
    if len(sample) * (1 - confidence) < 1 - 1e-9:
        assert tail is None
        return
    assert tail is not None
    # a hair below, so that numpy's own 1 − β does not round up to the next observation
    quantile = np.quantile(sample, (1 - confidence) * (1 - 1e-12), method="inverted_cdf")
    assert tail.var == pytest.approx(-float(quantile), abs=1e-12)
    assert tail.n == len(sample)


@given(RETURNS, st.sampled_from([0.9, 0.95]))
def test_es_is_the_mean_of_the_quantiles_below(sample: list[float], confidence: float) -> None:
    """−1/(1−β) ∫ q(u) du from 0 to 1−β, q the empirical quantile function: a sum of steps of width 1/n."""
    ordered, n, share = sorted(sample), len(sample), 1 - confidence
    steps = [min(1 / n, max(0.0, share - i / n)) * ordered[i] for i in range(n)]
    tail = historical(sample, confidence)
    if tail is not None:
        assert tail.es == pytest.approx(-sum(steps) / share, abs=1e-12)
        assert historical_of_ascending(ordered, confidence) == tail


@pytest.mark.parametrize("n", [20, 39, 40, 41])
@pytest.mark.parametrize("value", [-0.02, 0.0, 0.01])
def test_of_equal_days_var_and_es_are_that_day(value: float, n: int) -> None:
    tail = historical([value] * n, 0.95)
    assert tail is not None
    assert (tail.var, tail.es) == pytest.approx((-value, -value))


@pytest.mark.parametrize("confidence", [0.999, 0.9999, 0.999999, 1.0])
def test_close_to_certainty_a_short_history_says_nothing(confidence: float) -> None:
    assert historical([-0.01] * 999, confidence) is None


def test_of_a_thousand_days_the_worst_is_the_var_of_999_in_a_thousand() -> None:
    tail = historical([-0.5, *[0.0] * 999], 0.999)
    assert tail is not None
    assert (tail.var, tail.es) == pytest.approx((0.5, 0.5))


def test_no_days_are_no_tail() -> None:
    assert historical([], 0.95) is None


@pytest.mark.parametrize(
    ("n", "confidence", "size"), [(100, 0.95, 5), (50, 0.95, 2.5), (41, 0.975, 1.025), (7, 0.9, 0.7)]
)
def test_the_size_of_a_tail_has_no_noise(n: int, confidence: float, size: float) -> None:
    assert tail_size(n, confidence) == size


def normal_sample(n: int = 4_001) -> list[float]:
    """Quantiles of a normal with mean 0.001 and deviation 0.02."""
    return [float(x) for x in stats.norm.ppf((np.arange(n) + 0.5) / n, loc=0.001, scale=0.02)]


def test_cornish_fisher_is_nearer_the_true_quantile_than_the_normal() -> None:
    """Student's t with eight degrees of freedom, bent a little: its quantile is the bent quantile."""
    law = stats.t(8)
    sample = [float(0.01 * (x + 0.02 * x * x)) for x in law.ppf((np.arange(8_000) + 0.5) / 8_000)]
    m = moments(sample)
    assert m is not None
    assert in_cornish_fisher_domain(m.skewness, m.excess_kurtosis)
    lowest = float(law.ppf(0.05))
    truth = -0.01 * (lowest + 0.02 * lowest**2)
    fitted, plain = cornish_fisher(sample, 0.95), -(m.mean + m.deviation * stats.norm.ppf(0.05))
    assert fitted == pytest.approx(truth, rel=0.02)
    assert abs(plain - truth) > 2 * abs((fitted or 0.0) - truth)


@pytest.mark.parametrize(
    ("skewness", "kurtosis", "inside"),
    [
        (0.0, 0.0, True),
        (0.0, 7.99, True),
        (0.0, 8.01, False),
        (0.0, -0.01, False),
        (1.0, 1.0, False),  # needs K ≥ 4/3·S² and more
        (1.0, 3.0, True),
        (2.0, 6.0, False),
        (2.0, 8.0, True),
        (6 * (math.sqrt(2) - 1), 16.0, False),
        (-1.0, 3.0, True),
        (-1.0, 1.0, False),
    ],
)
def test_the_domain_of_validity_by_cases(skewness: float, kurtosis: float, inside: bool) -> None:
    """Maillard 2012: without skewness 0 ≤ K ≤ 8, and no |S| above 6(√2 − 1) ≈ 2.49 at any K."""
    assert in_cornish_fisher_domain(skewness, kurtosis) is inside


def test_maillards_largest_skewness() -> None:
    """A little below 6(√2 − 1) some kurtosis is valid, a little above none is."""
    grid = np.linspace(0, 40, 40_001)
    most = 6 * (math.sqrt(2) - 1)
    assert any(in_cornish_fisher_domain(most - 1e-3, k) for k in grid)
    assert not any(in_cornish_fisher_domain(most + 1e-3, k) for k in grid)


def test_moments_need_four_values_that_differ() -> None:
    assert moments([0.01, 0.02, 0.03]) is None
    assert moments([0.01, 0.02, 0.03, 0.04]) is not None
    assert moments([5.0] * 10) is None
    assert moments([1e6, 1e6 + 1e-3, 1e6, 1e6]) is None
    small = moments([1e-9, -1e-9, 2e-9, -2e-9])
    assert small is not None
    assert small.deviation == pytest.approx(math.sqrt(2.5) * 1e-9)


@pytest.mark.parametrize("p", [0.01, 0.025, 0.05, 0.5, 0.975])
def test_the_normal_quantile_is_scipys(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), abs=1e-12)


def test_of_a_normal_sample_all_three_agree() -> None:
    sample = normal_sample()
    tail, truth = historical(sample, 0.975), 0.02 * stats.norm.ppf(0.975) - 0.001
    assert tail is not None
    assert tail.var == pytest.approx(truth, rel=2e-3)
    # the expected shortfall of a normal: σ·φ(z)/(1−β) − μ
    shortfall = 0.02 * stats.norm.pdf(stats.norm.ppf(0.975)) / 0.025 - 0.001
    assert tail.es == pytest.approx(shortfall, rel=2e-3)
