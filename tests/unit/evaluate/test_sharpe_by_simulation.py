"""The expected best of many trials against simulation, the probabilistic ratio against its definition."""

import math

import numpy as np
import pytest
from scipy import stats

from bellwether.domain.sharpe import (
    annualised,
    deflated_sharpe,
    expected_best,
    kurtosis,
    probabilistic_sharpe,
    sharpe,
    skewness,
)

pytestmark = pytest.mark.req("A8")


@pytest.mark.parametrize("trials", [10, 50, 200])
def test_the_best_of_many_without_skill_is_as_high_as_simulated(trials: int) -> None:
    """The mean of the largest of N standard normals, drawn; the formula is an approximation for large N."""
    drawn = np.random.default_rng(trials).normal(size=(20_000, trials)).max(axis=1).mean()
    half = [1.0, -1.0] * (trials // 2)
    spread = math.sqrt(trials / (trials - 1))  # the sample deviation of ±1
    assert expected_best(half) / spread == pytest.approx(drawn, rel=0.03)


def test_two_trials_are_the_fewest_with_a_best() -> None:
    """N = 2: Φ⁻¹(½) = 0, so only γ·Φ⁻¹(1 − 1/(2e))·√V is left."""
    gamma = 0.5772156649015329
    expected = math.sqrt(0.02) * gamma * stats.norm.ppf(1 - 1 / (2 * math.e))
    assert expected_best([0.1, 0.3]) == pytest.approx(expected)
    assert expected_best([0.1]) == 0.0
    assert expected_best([]) == 0.0
    assert expected_best([0.2, 0.2, 0.2]) == 0.0


def test_a_probability_is_right_as_often_as_it_says() -> None:
    """Normal returns with a true ratio of 0.1, asked for 0.1: the answers are spread evenly."""
    rng = np.random.default_rng(17)
    told = [probabilistic_sharpe(list(sample), 0.1) for sample in rng.normal(0.1, 1.0, size=(1_500, 250))]
    below = np.mean([p < 0.1 for p in told if p is not None])
    above = np.mean([p > 0.9 for p in told if p is not None])
    assert below == pytest.approx(0.1, abs=0.025)
    assert above == pytest.approx(0.1, abs=0.025)


def test_skew_and_fat_tails_make_a_ratio_less_sure() -> None:
    """The same mean and deviation with a rare large loss: the probability falls."""
    even = [0.01, -0.005] * 100
    rare = [0.01] * 190 + [-0.11] * 10
    scaled = np.array(rare)
    scaled = (scaled - scaled.mean()) / scaled.std(ddof=1) * np.std(even, ddof=1) + np.mean(even)
    assert sharpe(list(scaled)) == pytest.approx(sharpe(even))
    assert skewness(list(scaled)) < -3
    plain, skewed = probabilistic_sharpe(even), probabilistic_sharpe(list(scaled))
    assert plain is not None
    assert skewed is not None
    assert skewed < plain


def test_where_the_spread_vanishes_there_is_no_doubt_or_no_probability() -> None:
    """γ₄ ≥ 1 + γ₃², so 1 − γ₃·SR + (γ₄−1)/4·SR² ≥ (1 − γ₃·SR/2)²: 0 only for two values with γ₃·SR = 2."""
    two = np.array([0.0] * 9 + [1.0])
    shift = 2 * np.std(two, ddof=1) / stats.skew(two) - two.mean()
    returns = list(two + shift)
    ratio, skew = sharpe(returns), skewness(returns)
    assert ratio is not None
    assert skew * ratio == pytest.approx(2.0)
    assert kurtosis(returns) == pytest.approx(1 + skew**2)
    found = probabilistic_sharpe(returns)
    assert found is None or found > 0.999


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, 0.01], [0.0] * 50])
def test_what_does_not_vary_has_no_ratio(returns: list[float]) -> None:
    assert sharpe(returns) is None
    assert probabilistic_sharpe(returns) is None
    assert deflated_sharpe(returns, [0.1, 0.2]) is None
    assert (skewness(returns), kurtosis(returns)) == (0.0, 3.0)


def test_two_returns_have_one() -> None:
    assert sharpe([0.0, 0.02]) == pytest.approx(0.01 / (0.02 / math.sqrt(2)))
    assert (skewness([0.0, 0.02]), kurtosis([0.0, 0.02])) == pytest.approx((0.0, 1.0))


def test_a_year_has_252_days() -> None:
    assert annualised(0.1) == pytest.approx(0.1 * math.sqrt(252))
    assert annualised(0.1, 12) == pytest.approx(0.1 * math.sqrt(12))
    assert annualised(0.0) == 0.0
