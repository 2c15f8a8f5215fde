"""Logistic calibration against a general optimiser, the calibration error by definition, and hard cases."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bellwether.domain.calibration import (
    brier,
    brier_parts,
    calibration,
    calibration_bins,
    expected_calibration_error,
    fit_logistic,
)

pytestmark = pytest.mark.req("A8")

PAIRS = st.lists(
    st.tuples(st.integers(0, 100).map(lambda n: n / 100), st.booleans()), min_size=1, max_size=60
)
ROWS = st.lists(
    st.tuples(st.integers(-30, 30).map(lambda n: n / 10), st.booleans(), st.sampled_from([-0.5, 0.0, 1.2])),
    min_size=2,
    max_size=40,
)


def penalised(rows: list[tuple[float, bool, float]], ridge: float):  # type: ignore[no-untyped-def]
    """−log-likelihood plus ½·ridge·(a² + b²), written with numpy's stable logarithm."""
    x, o, c = (np.array(column, float) for column in zip(*rows, strict=True))

    def loss(ab: np.ndarray) -> float:
        z = c + ab[0] + ab[1] * x
        return float(np.logaddexp(0, z).sum() - o @ z + ridge * (ab @ ab) / 2)

    return loss


@settings(max_examples=60)
@given(ROWS, st.sampled_from([0.1, 1.0, 30.0]))
def test_a_fit_is_where_an_optimiser_ends(rows: list[tuple[float, bool, float]], ridge: float) -> None:
    xs, outcomes, offsets = map(list, zip(*rows, strict=True))
    fit = fit_logistic(xs, outcomes, offsets, ridge=ridge)
    if len(set(xs)) < 2 or len(set(outcomes)) < 2:
        assert fit is None
        return
    assert fit is not None
    loss = penalised(rows, ridge)
    best = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-9})
    assert loss(np.array([fit.intercept, fit.slope])) <= best.fun + 1e-9
    assert [fit.intercept, fit.slope] == pytest.approx(list(best.x), abs=1e-4)


def test_the_gradient_of_a_fit_vanishes() -> None:
    """Σ(p − o) + ridge·a = 0 and Σ(p − o)x + ridge·b = 0, to the precision of the stopping rule."""
    rng = random.Random(2)
    xs = [rng.gauss(0, 2) for _ in range(300)]
    offsets = [rng.gauss(0.2, 0.4) for _ in xs]
    happened = [
        rng.random() < 1 / (1 + math.exp(-(c + 0.4 - 0.9 * x))) for x, c in zip(xs, offsets, strict=True)
    ]
    fit = fit_logistic(xs, happened, offsets, ridge=2.0)
    assert fit is not None
    p = [1 / (1 + math.exp(-(c + fit.intercept + fit.slope * x))) for x, c in zip(xs, offsets, strict=True)]
    errors = [a - o for a, o in zip(p, happened, strict=True)]
    assert sum(errors) + 2.0 * fit.intercept == pytest.approx(0.0, abs=1e-5)
    assert sum(e * x for e, x in zip(errors, xs, strict=True)) + 2.0 * fit.slope == pytest.approx(0, abs=1e-5)


def test_readings_far_from_one_need_more_than_full_steps() -> None:
    """Readings of thousands and offsets that contradict them: full Newton steps would overshoot."""
    rows = [(1_000.0, False, 8.0), (-1_000.0, True, -8.0), (500.0, True, -8.0), (3.0, False, 8.0)]
    xs, outcomes, offsets = map(list, zip(*rows, strict=True))
    fit = fit_logistic(xs, outcomes, offsets, ridge=1e-6)
    assert fit is not None
    loss = penalised(rows, 1e-6)
    best = min(
        minimize(loss, np.array(start), method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12}).fun
        for start in ([0.0, 0.0], [5.0, 0.001], [-8.0, -0.01])
    )
    assert loss(np.array([fit.intercept, fit.slope])) <= best + 1e-6


def test_without_a_penalty_separable_readings_stay_finite() -> None:
    """The likelihood has no maximum there; the search ends after its steps, or where nothing is curved."""
    fit = fit_logistic([-1.0, 1.0], [False, True], ridge=0.0)
    assert fit is not None
    assert math.isfinite(fit.slope)
    assert fit.slope > 5
    assert fit.intercept == pytest.approx(0.0, abs=1e-6)


def test_a_surface_without_curvature_moves_nothing() -> None:
    """Offsets of ±800 leave every p at 0 or 1 and no step to take."""
    fit = fit_logistic([1.0, 2.0, 3.0], [True, True, False], [800.0, 800.0, -800.0], ridge=0.0)
    assert fit is not None
    assert (fit.intercept, fit.slope) == (0.0, 0.0)


@pytest.mark.parametrize("offset", [750.0, -750.0])
def test_extreme_log_odds_do_not_overflow(offset: float) -> None:
    fit = fit_logistic([1.0, 2.0], [True, False], [offset, offset])
    assert fit is not None
    assert math.isfinite(fit.intercept)
    assert math.isfinite(fit.slope)


def test_a_mean_is_all_a_flat_reading_can_learn() -> None:
    """Readings of ±1 that say nothing: the slope is 0 and the intercept the log-odds of 30 in 40."""
    xs = [1.0, -1.0] * 20
    happened = [True, True, True, True, True, True, False, False] * 5
    fit = fit_logistic(xs, happened, ridge=1e-9)
    assert fit is not None
    assert fit.slope == pytest.approx(0.0, abs=1e-8)
    assert fit.intercept == pytest.approx(math.log(3), abs=1e-7)


@given(PAIRS, st.integers(1, 20))
def test_the_calibration_error_by_its_definition(sample: list[tuple[float, bool]], bins: int) -> None:
    f, o = np.array([p for p, _ in sample]), np.array([came for _, came in sample], float)
    place = np.minimum(bins - 1, np.array([int(p * bins) for p, _ in sample]))
    gaps = [
        (place == b).mean() * abs(o[place == b].mean() - f[place == b].mean())
        for b in range(bins)
        if (place == b).any()
    ]
    found = expected_calibration_error([p for p, _ in sample], [came for _, came in sample], bins)
    assert found == pytest.approx(sum(gaps), abs=1e-12)


def test_murphys_parts_when_a_bin_holds_different_forecasts() -> None:
    """0.50 and 0.58 in one bin, outcomes no and yes; by hand all four parts.

    Mean .54, frequency ½, base ½: reliability .04² = .0016, resolution 0, uncertainty ¼. Within: deviations
    ∓.04 of the forecast and ∓½ of the outcome, (.0016 − 2·.02) each, mean −.0384.
    """
    parts = brier_parts([0.50, 0.58], [False, True])
    assert parts is not None
    assert (parts.reliability, parts.resolution, parts.uncertainty) == pytest.approx((0.0016, 0.0, 0.25))
    assert parts.within == pytest.approx(-0.0384)
    assert brier([0.50, 0.58], [False, True]) == pytest.approx(0.0016 + 0.25 - 0.0384)
    assert brier([0.50, 0.58], [False, True]) == pytest.approx((0.25 + 0.42**2) / 2)


def test_certain_forecasts_score_nothing_or_everything() -> None:
    assert brier([1.0, 0.0], [True, False]) == 0.0
    assert brier([1.0, 0.0], [False, True]) == 1.0
    parts = brier_parts([1.0, 0.0, 1.0, 0.0], [True, False, True, False])
    assert parts is not None
    assert (parts.reliability, parts.resolution, parts.uncertainty, parts.within) == (0.0, 0.25, 0.25, 0.0)


def test_the_edges_of_the_bins() -> None:
    edges = [(b.low, b.high) for b in calibration_bins([], [])]
    assert edges == [pytest.approx((n / 10, (n + 1) / 10)) for n in range(10)]
    thirds = calibration_bins([0.4, 0.6], [True, False], bins=3)
    assert [(b.low, b.high, b.n) for b in thirds] == [
        (0.0, pytest.approx(1 / 3), 0),
        (pytest.approx(1 / 3), pytest.approx(2 / 3), 2),
        (pytest.approx(2 / 3), 1.0, 0),
    ]
    assert thirds[1].mean_p == pytest.approx(0.5)
    assert thirds[1].frequency == 0.5


def test_all_figures_of_a_calibration_at_once() -> None:
    """Four of five on the right side of ½; a forecast of exactly ½ says down."""
    forecasts, happened = [0.6, 0.7, 0.2, 0.5, 0.9], [True, False, False, False, True]
    found = calibration(forecasts, happened)
    assert (found.n, found.hit_rate) == (5, 0.8)
    assert found.brier == pytest.approx((0.16 + 0.49 + 0.04 + 0.25 + 0.01) / 5)
    assert found.ece == pytest.approx((0.4 + 0.7 + 0.2 + 0.5 + 0.1) / 5)
    assert found.bins == calibration_bins(forecasts, happened)
    assert len(found.bins) == 10


@pytest.mark.parametrize(
    "figure", [brier, brier_parts, expected_calibration_error, calibration_bins, calibration]
)
def test_forecasts_without_an_outcome_are_refused(figure) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="zip"):
        figure([0.5, 0.6], [True])
    with pytest.raises(ValueError, match="zip"):
        figure([0.5], [True, False])


@pytest.mark.parametrize(
    ("readings", "happened", "offsets"),
    [
        ([1, 2, 3], [True, False], None),
        ([1, 2], [True, False], [0.0]),
        ([1, 2], [True, False, True], [0.0, 0.0]),
    ],
)
def test_readings_without_an_outcome_or_offset_are_refused(readings, happened, offsets) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="zip"):
        fit_logistic(readings, happened, offsets)
