"""Brier score, its parts, calibration error, fits and rank correlations against scikit-learn and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from bellwether.domain.calibration import (
    brier,
    brier_parts,
    brier_skill,
    calibration,
    calibration_bins,
    expected_calibration_error,
    fit_logistic,
)
from bellwether.domain.information_coefficient import (
    information_coefficient,
    spearman,
)

pytestmark = pytest.mark.req("A8")

pairs = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80)


@given(pairs)
def test_the_brier_score_is_scikit_learns(sample: list[tuple[float, bool]]) -> None:
    forecasts, happened = [f for f, _ in sample], [o for _, o in sample]
    found = brier(forecasts, happened)
    expected = (
        brier_score_loss([*happened, True, False], [*forecasts, 1.0, 0.0]) * (len(sample) + 2) / len(sample)
    )
    assert found == pytest.approx(expected, abs=1e-12)


@given(pairs)
def test_murphys_parts_add_up_to_the_brier_score(sample: list[tuple[float, bool]]) -> None:
    forecasts, happened = [f for f, _ in sample], [o for _, o in sample]
    parts = brier_parts(forecasts, happened)
    assert parts is not None
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within
    assert total == pytest.approx(brier(forecasts, happened), abs=1e-12)
    assert parts.reliability >= 0
    assert 0 <= parts.resolution <= parts.uncertainty + 1e-12


def test_murphys_parts_worked_by_hand() -> None:
    """Ten forecasts of 0.2 of which one came true, ten of 0.8 of which seven did."""
    forecasts = [0.2] * 10 + [0.8] * 10
    happened = [True] + [False] * 9 + [True] * 7 + [False] * 3
    parts = brier_parts(forecasts, happened)
    assert parts is not None
    assert parts.reliability == pytest.approx(0.5 * 0.1**2 + 0.5 * 0.1**2)
    assert parts.resolution == pytest.approx(0.5 * 0.3**2 + 0.5 * 0.3**2)
    assert parts.uncertainty == pytest.approx(0.24)
    assert parts.within == pytest.approx(0)
    assert expected_calibration_error(forecasts, happened) == pytest.approx(0.1)
    assert brier_skill(brier(forecasts, happened), 0.24) == pytest.approx(1 - 0.16 / 0.24)


def test_what_is_undefined_is_none() -> None:
    assert brier([], []) is None
    assert brier_parts([], []) is None
    assert expected_calibration_error([], []) is None
    assert brier_skill(0.2, 0.0) is None
    assert brier_skill(None, 0.25) is None
    empty = calibration([], [])
    assert (empty.n, empty.hit_rate, empty.brier, empty.ece) == (0, None, None, None)
    assert all(b.mean_p is None and b.frequency is None for b in empty.bins)


def test_bins_hold_every_forecast_once_ends_included() -> None:
    bins = calibration_bins([0.0, 0.05, 0.1, 0.95, 1.0], [False, True, True, True, True])
    assert [b.n for b in bins] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins[0].frequency == pytest.approx(0.5)
    assert bins[9].mean_p == pytest.approx(0.975)


@pytest.mark.parametrize("ridge", [0.01, 1.0, 50.0])
def test_a_calibration_fit_is_scikit_learns(ridge: float) -> None:
    """scikit-learn leaves the intercept free of the penalty; a constant column makes it pay, as ours does."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=400)
    o = rng.random(400) < 1 / (1 + np.exp(-(0.3 + 0.8 * x)))
    fit = fit_logistic(list(x), [bool(v) for v in o], ridge=ridge)
    design = np.column_stack([np.ones_like(x), x])
    theirs = LogisticRegression(C=1 / ridge, fit_intercept=False, tol=1e-10, max_iter=1000).fit(design, o)
    assert fit is not None
    assert [fit.intercept, fit.slope] == pytest.approx(list(theirs.coef_[0]), abs=1e-4)


def test_offsets_are_what_the_fit_adds_to() -> None:
    """With the truth's own log-odds as offset and pure noise as reading there is nothing to add."""
    rng = np.random.default_rng(3)
    offsets = rng.normal(size=4000)
    noise = rng.normal(size=4000)
    o = rng.random(4000) < 1 / (1 + np.exp(-offsets))
    fit = fit_logistic(list(noise), [bool(v) for v in o], list(offsets))
    assert fit is not None
    assert abs(fit.intercept) < 0.1
    assert abs(fit.slope) < 0.1


def test_a_fit_of_separable_or_constant_data_stays_finite() -> None:
    perfect = fit_logistic([-1.0] * 50 + [1.0] * 50, [False] * 50 + [True] * 50)
    assert perfect is not None
    assert 1 < perfect.slope < 10
    assert fit_logistic([1.0, 1.0], [True, False]) is None
    assert fit_logistic([1.0, 2.0], [True, True]) is None


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=40))
def test_rank_correlation_is_scipys_ties_and_all(sample: list[tuple[int, int]]) -> None:
    xs, ys = [float(x) for x, _ in sample], [float(y) for _, y in sample]
    found = spearman(xs, ys)
    if len(set(xs)) < 2 or len(set(ys)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(stats.spearmanr(xs, ys).statistic, abs=1e-9)


def test_below_three_assets_there_is_no_coefficient() -> None:
    assert spearman([1.0, 2.0], [1.0, 2.0]) is None
    nothing = information_coefficient([("d1", 1.0, 2.0), ("d1", 2.0, 3.0)])
    assert (nothing.mean, nothing.error, nothing.dates) == (None, None, 0)


def test_the_coefficient_is_the_mean_over_dates_that_have_one() -> None:
    rows = [("d1", float(i), float(i)) for i in range(4)]
    rows += [("d2", float(i), float(-i)) for i in range(4)]
    rows += [("d3", float(i), float(i)) for i in range(4)]
    rows += [("d4", 1.0, float(i)) for i in range(4)]
    found = information_coefficient(rows)
    assert found.mean == pytest.approx(1 / 3)
    assert found.dates == 3
