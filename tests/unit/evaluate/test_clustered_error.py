"""Standard errors that know of days and of overlap, against sums over all pairs and against simulation."""

import math
import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.clustered_error import clustered_error, lags_for, trading_day
from bellwether.domain.information_coefficient import information_coefficient

pytestmark = pytest.mark.req("A8")

Seen = list[tuple[int, float]]


def over_all_pairs(seen: Seen, horizon: int) -> float:
    """The definition: each pair of observations by its weight, n² of them; no clusters, no lags."""
    mean = math.fsum(value for _, value in seen) / len(seen)
    days = len({day for day, _ in seen})
    lags = lags_for(days, horizon)
    bartlett = overlap = 0.0
    for day, value in seen:
        for other, theirs in seen:
            apart, product = abs(day - other), (value - mean) * (theirs - mean)
            bartlett += max(0.0, 1 - apart / (lags + 1)) * product
            overlap += (apart < horizon) * product
    return math.sqrt(max(bartlett, overlap, 0.0) * days / (days - 1)) / len(seen)


observations = st.lists(st.tuples(st.integers(0, 40), st.floats(-1, 1)), min_size=2, max_size=60).filter(
    lambda seen: len({day for day, _ in seen}) > 1
)


@given(seen=observations, horizon=st.integers(1, 12))
def test_it_is_the_sum_over_all_pairs(seen: Seen, horizon: int) -> None:
    assert clustered_error(seen, horizon=horizon, fewest=0) == pytest.approx(
        over_all_pairs(seen, horizon), abs=1e-9
    )


def test_worked_by_hand() -> None:
    """1, 2, 3, 4 on four days. Deviations ±1.5, ±0.5: Σd² = 5, Σ one apart 1.25, two apart −1.5.

    Four dates have ⌊4·0.04^(2/9)⌋ = 1 lag of weight ½: 5 + 1.25; horizon 3 has two lags of weights ⅔ and ⅓:
    5 + 2·(⅔·1.25 − ⅓·1.5) = 5.667, and in full 5 + 2·(1.25 − 1.5) = 4.5, so that the first counts.
    """
    days = [(n, float(n + 1)) for n in range(4)]
    assert clustered_error(days, fewest=0) == pytest.approx(math.sqrt(6.25 * 4 / 3) / 4)
    assert clustered_error(days, horizon=3, fewest=0) == pytest.approx(math.sqrt((5 + 2 / 3) * 4 / 3) / 4)


def test_below_ten_days_or_horizons_there_is_no_error() -> None:
    """Two days that happen to agree would look like certainty."""
    assert clustered_error([]) is None
    assert clustered_error([(3, 1.0), (3, 2.0)], fewest=0) is None
    days = [(n, math.sin(n)) for n in range(100)]
    assert [clustered_error(days[:n]) is None for n in (9, 10)] == [True, False]
    assert [clustered_error(days[:n], horizon=5) is None for n in (49, 50)] == [True, False]


def test_a_days_copies_add_nothing() -> None:
    """Ten assets that do the same each day are one: the plain error would be √10 too small."""
    rng = random.Random(3)
    days = [(n, rng.gauss(0, 1)) for n in range(200)]
    alone, tenfold = clustered_error(days), clustered_error([day for day in days for _ in range(10)])
    assert alone == pytest.approx(tenfold)


@pytest.mark.parametrize("horizon", [1, 5, 10])
def test_what_it_says_is_how_far_means_of_overlapping_returns_really_scatter(horizon: int) -> None:
    """400 worlds of 250 days, three assets with a market in common, returns over `horizon` days."""
    rng = random.Random(20 + horizon)
    means, told, naive = [], [], []
    for _ in range(400):
        length = 250 + horizon
        market = [rng.gauss(0, 1) for _ in range(length)]
        seen: Seen = []
        for _asset in range(3):
            daily = [0.7 * common + rng.gauss(0, 1) for common in market]
            seen += [(n, sum(daily[n : n + horizon])) for n in range(250)]
        values = [value for _, value in seen]
        mean = sum(values) / len(values)
        means.append(mean)
        told.append((clustered_error(seen, horizon=horizon) or 0.0) ** 2)
        naive.append(sum((value - mean) ** 2 for value in values) / len(values) ** 2)
    real = sum(mean * mean for mean in means) / len(means)
    ratio = math.sqrt(sum(told) / len(told) / real)
    assert 0.90 < ratio < 1.15
    assert math.sqrt(sum(naive) / len(naive) / real) < 0.9 / math.sqrt(horizon)


def test_weights_alone_would_understate_overlapping_returns() -> None:
    """With Bartlett weights on h − 1 lags alone the variance is 3.4/5 of what it is: √ of that is 0.82."""
    rng = random.Random(11)
    noise = [rng.gauss(0, 1) for _ in range(4005)]
    seen = [(n, sum(noise[n : n + 5]) / 5) for n in range(4000)]
    mean = sum(value for _, value in seen) / len(seen)
    d = [value - mean for _, value in seen]
    own = sum(v * v for v in d)
    weighted = own + 2 * sum(
        (1 - lag / 5) * sum(a * b for a, b in zip(d[lag:], d, strict=False)) for lag in range(1, 5)
    )
    found = clustered_error(seen, horizon=5)
    assert found is not None
    assert math.sqrt(weighted) / 4000 / found == pytest.approx(math.sqrt(3.4 / 5), rel=0.05)


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_trading_days_count_weekdays(day: date) -> None:
    following = day + timedelta(days=1)
    assert trading_day(following) - trading_day(day) == (following.weekday() < 5)


@pytest.mark.parametrize(
    ("dates", "horizon", "lags"),
    [
        (1, 1, 1),  # ⌊4·0.3594⌋
        (5, 1, 2),  # ⌊4·0.5139⌋
        (100, 1, 4),  # ⌊4·1⌋
        (100, 5, 4),
        (100, 6, 5),
        (250, 1, 4),  # ⌊4·1.2259⌋
        (300, 1, 5),  # ⌊4·1.2765⌋
        (50, 21, 20),
    ],
)
def test_lags_cover_the_overlap_and_newey_and_wests_rule(dates: int, horizon: int, lags: int) -> None:
    assert lags_for(dates, horizon) == lags


def test_a_moving_average_has_its_theoretical_error() -> None:
    """x = e + 0.8·e₋₁: the variance of the mean is near (1.8)²/n, three times what single values say."""
    rng = random.Random(21)
    noise = [rng.gauss(0, 1) for _ in range(20_001)]
    seen = [(n, b + 0.8 * a) for n, (a, b) in enumerate(pairwise(noise))]
    assert clustered_error(seen) == pytest.approx(1.8 / math.sqrt(20_000), rel=0.08)


def test_a_constant_series_is_certain() -> None:
    assert clustered_error([(n, 0.25) for n in range(12)]) == 0.0


def test_the_coefficients_error_is_that_of_its_dates() -> None:
    """Twelve days of three assets, with rank correlations 1, ½ and −1 in turn."""
    returns = [(1.0, 2.0, 3.0), (1.0, 3.0, 2.0), (3.0, 2.0, 1.0)]
    rows = [
        (n, score, ret) for n in range(12) for score, ret in zip((0.1, 0.2, 0.3), returns[n % 3], strict=True)
    ]
    found = information_coefficient(rows)
    assert found.mean == pytest.approx(1 / 6)
    assert found.dates == 12
    assert found.error == pytest.approx(clustered_error([(n, (1.0, 0.5, -1.0)[n % 3]) for n in range(12)]))
    few = information_coefficient(rows[:9])
    assert (few.error, few.dates) == (None, 3)


def test_lags_grow_with_the_dates() -> None:
    assert all(low <= high for low, high in pairwise(lags_for(n, 1) for n in range(1, 2_000)))


def test_two_horizons_of_a_day_are_one_date_of_the_coefficient() -> None:
    """As places in a row they would look a day apart, and the overlap of their horizons twice as short."""
    rng = random.Random(5)
    rows = []
    for day in range(60):
        for horizon in (1, 5):
            rows += [((day, horizon), rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(4)]
    found = information_coefficient(rows, horizon=5, day_of=lambda section: section[0])
    assert found.dates == 60
    assert found.mean == pytest.approx(information_coefficient(rows, horizon=5).mean)
    assert found.error is not None
