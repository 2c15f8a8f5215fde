"""The base rate against the exact Beta posterior and hand counts."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma, polygamma
from scipy.stats import beta

from bellwether.domain.base_rate import MOST_ROWS, PRIOR_DAYS, base_rate, base_rate_of
from bellwether.domain.prices import History

pytestmark = pytest.mark.req("A4")

FIRST = date(2020, 1, 1)


def history(closes: list[float]) -> History:
    dates = [FIRST + timedelta(days=n) for n in range(len(closes))]
    return History("BEACON", dates, closes, closes, closes, closes, closes, [1e6] * len(closes))


def after(days: int) -> datetime:
    """Midnight after the `days`-th bar: that bar is complete and the next is not."""
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=days)


@given(rises=st.integers(0, 1_000), more=st.integers(0, 1_000), horizon=st.sampled_from([1, 5, 21]))
def test_it_is_the_posterior_of_a_beta(rises: int, more: int, horizon: int) -> None:
    """Mean exactly; the log-odds' deviation √(1/a + 1/b) against the exact √(ψ₁(a) + ψ₁(b))."""
    rate = base_rate_of(rises, rises + more, horizon)
    a, b = 125 + rises / horizon, 125 + more / horizon
    assert rate.p_up == pytest.approx(beta(a, b).mean())
    assert rate.log_odds == pytest.approx(math.log(rate.p_up / (1 - rate.p_up)), abs=1e-12)
    assert rate.log_odds == pytest.approx(digamma(a) - digamma(b), abs=0.005)
    assert rate.error == pytest.approx(math.sqrt(polygamma(1, a) + polygamma(1, b)), rel=0.005)
    assert PRIOR_DAYS == 250


def test_rises_are_counted_over_the_horizon_and_ties_are_none() -> None:
    """Closes 1 2 2 1 3: over one day up, tie, down, up; over two days up, down, up."""
    closes = history([1.0, 2.0, 2.0, 1.0, 3.0])
    assert base_rate(closes, after(5), 1) == base_rate_of(2, 4, 1)
    assert base_rate(closes, after(5), 2) == base_rate_of(2, 3, 2)
    assert base_rate(closes, after(5), 4) == base_rate_of(1, 1, 4)
    assert base_rate(closes, after(5), 9) == base_rate_of(0, 0, 9)


def test_only_complete_bars_and_the_last_thousand_count() -> None:
    closes = history([float(n) for n in range(1, 1_500)])
    assert base_rate(closes, after(3), 1) == base_rate_of(2, 2, 1)
    assert base_rate(closes, after(3) - timedelta(seconds=1), 1) == base_rate_of(1, 1, 1)
    assert base_rate(closes, after(1_499), 1) == base_rate_of(999, 999, 1)
    assert MOST_ROWS == 1_000
