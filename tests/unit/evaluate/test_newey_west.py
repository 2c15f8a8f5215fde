"""The information coefficient's HAC error against the estimator in matrix form and against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.information_coefficient import (
    InformationCoefficient,
    information_coefficient,
    lags_for,
    newey_west_error,
)

SERIES = st.lists(st.integers(-50, 50).map(lambda n: n / 50), min_size=2, max_size=40)


@given(SERIES, st.integers(0, 50))
def test_it_is_the_quadratic_form_of_a_bartlett_kernel(series: list[float], lags: int) -> None:
    """d'Kd/n² with K[i,j] = max(0, 1 − |i−j|/(lags+1)) and d the deviations from the mean."""
    d, n = np.array(series) - np.mean(series), len(series)
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    kernel = np.maximum(0.0, 1 - distance / (lags + 1))
    expected = math.sqrt(max(0.0, float(d @ kernel @ d)) / n**2)
    assert newey_west_error(series, lags) == pytest.approx(expected, abs=1e-8)


def test_a_moving_average_has_its_theoretical_error() -> None:
    """x = e + 0.8·e₋₁: the variance of the mean is near (1.8)²/n, three times what single values say."""
    noise = np.random.default_rng(21).normal(size=20_001)
    series = list(noise[1:] + 0.8 * noise[:-1])
    assert newey_west_error(series, 30) == pytest.approx(1.8 / math.sqrt(20_000), rel=0.08)


@pytest.mark.parametrize(("series", "lags"), [([], 1), ([0.3], 1)])
def test_below_two_dates_there_is_no_error(series: list[float], lags: int) -> None:
    assert newey_west_error(series, lags) is None


def test_a_constant_series_is_certain() -> None:
    assert newey_west_error([0.25] * 9, 3) == 0.0


@pytest.mark.parametrize(
    ("dates", "horizon", "lags"),
    [
        (1, 1, 1),  # ⌊4·0.3594⌋
        (5, 1, 2),  # ⌊4·0.5139⌋
        (100, 1, 4),
        (100, 5, 4),
        (100, 6, 5),
        (250, 1, 4),  # ⌊4·1.2259⌋
        (300, 1, 5),  # ⌊4·1.2765⌋
        (50, 21, 20),
    ],
)
def test_lags_cover_the_overlap_and_newey_and_wests_rule(dates: int, horizon: int, lags: int) -> None:
    assert lags_for(dates, horizon) == lags


def test_the_coefficient_by_hand() -> None:
    """Three days with rank correlations 1, ½ and −1: mean 1/6; with one lag as in the formula."""
    rows = [
        *((2, s, r) for s, r in ((0.1, 1.0), (0.2, 2.0), (0.3, 3.0))),
        *((1, s, r) for s, r in ((0.1, 1.0), (0.2, 3.0), (0.3, 2.0))),
        *((3, s, r) for s, r in ((0.1, 3.0), (0.2, 2.0), (0.3, 1.0))),
    ]
    found = information_coefficient(rows)
    assert found.mean == pytest.approx(1 / 6)
    assert found.dates == 3
    assert found.error == pytest.approx(newey_west_error([0.5, 1.0, -1.0], lags_for(3, 1)))
    wide = information_coefficient(rows, horizon=9)
    assert wide.error == pytest.approx(newey_west_error([0.5, 1.0, -1.0], 8))
    assert wide.error != pytest.approx(found.error)


def test_a_single_date_has_a_mean_and_no_error() -> None:
    rows = [("d", 0.1, 1.0), ("d", 0.2, 2.0), ("d", 0.3, 3.0)]
    found = information_coefficient(rows)
    assert found.mean == pytest.approx(1.0)
    assert (found.error, found.dates) == (None, 1)
    assert information_coefficient([]) == InformationCoefficient(None, None, 0)
