"""Pearson's and Spearman's correlation against scipy, whatever the unit of the values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bellwether.domain.information_coefficient import pearson, ranks, spearman

pytestmark = pytest.mark.req("A8")

ROWS = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=30)


@given(rows=ROWS, unit=st.sampled_from([1e-12, 1e-6, 1.0, 1e9]), shift=st.sampled_from([0.0, 3.0]))
def test_pearson_is_scipys_in_any_unit(rows: list[tuple[int, int]], unit: float, shift: float) -> None:
    xs, ys = [(x + shift) * unit for x, _ in rows], [float(y) for _, y in rows]
    found = pearson(xs, ys)
    if len({x for x, _ in rows}) < 2 or len(set(ys)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(stats.pearsonr(xs, ys).statistic, abs=1e-7)


def test_a_correlation_worked_by_hand() -> None:
    """Deviations (−1, 0, 1) and (−1, 1, 0): Σ = 1, over √2·√2."""
    assert pearson([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)
    assert pearson([1e-9, 2e-9, 3e-9], [1e-9, 2e-9, 3e-9]) == pytest.approx(1.0)
    assert pearson([1, 2, 3], [5, 3, 1]) == pytest.approx(-1.0)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1e-7, 1e9])
def test_rounding_alone_is_no_variation(value: float) -> None:
    """The mean of equal values is not always exactly that value."""
    assert pearson([value] * 7, [1, 2, 3, 4, 5, 6, 7]) is None
    assert pearson([1, 2, 3, 4, 5, 6, 7], [value] * 7) is None


def test_one_pair_has_no_correlation_and_two_have() -> None:
    assert pearson([1.0], [1.0]) is None
    assert pearson([], []) is None
    assert pearson([1.0, 2.0], [5.0, 9.0]) == pytest.approx(1.0)
    assert spearman([1.0, 2.0, 3.0], [5.0, 9.0, 9.5]) == pytest.approx(1.0)


def test_values_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        pearson([1.0, 2.0, 3.0], [1.0, 2.0])


@given(st.lists(st.integers(-9, 9), max_size=40))
def test_ranks_are_scipys(values: list[int]) -> None:
    assert ranks([float(v) for v in values]) == list(stats.rankdata(values))


def test_a_correlation_never_leaves_its_range() -> None:
    xs = [math.sin(n) for n in range(1, 40)]
    assert pearson(xs, [3.7 * x for x in xs]) == pytest.approx(1.0)
    assert -1.0 <= (pearson(xs, [-0.1 * x for x in xs]) or 0.0) <= 1.0


def test_what_subtraction_leaves_of_equal_figures_is_no_variation() -> None:
    """0.55 − 0.5 less its own mean is a few 1e-17, and not the same in both halves."""
    left = [0.05 - 0.05000000000000004, 0.0, 6.9e-18, -6.9e-18] * 20
    assert pearson(left, [float(n % 3) for n in range(80)]) is None
