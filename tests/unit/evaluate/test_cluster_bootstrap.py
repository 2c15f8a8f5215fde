"""The cluster and the circular block bootstrap: which days are drawn, and what a handful cannot say."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from bellwether.backtest.cluster_bootstrap import (
    FEWEST_BLOCKS,
    Figures,
    bootstrap,
    percentile_interval,
    quantile,
)

pytestmark = pytest.mark.req("A8")


def mean_of(size: int) -> Figures:
    return lambda totals: [totals[0] / size]


def test_single_days_are_drawn_as_the_seed_says() -> None:
    """Redone from the generator's bits: n days drawn with replacement, their values added up."""
    values = np.array([0.3, -0.1, 0.7, 0.2, -0.5, 0.4, 0.0, 0.9, -0.8, 0.6, 0.1])
    bits = [int(bits) >> 11 for bits in np.random.PCG64(4).random_raw(50 * 11)]
    days = [bits * 11 >> 53 for bits in bits]
    expected = sorted(values[days[first : first + 11]].sum() for first in range(0, 550, 11))
    assert bootstrap([values], lambda t: [t[0]], seed=4, replicates=50)[0] == pytest.approx(expected)
    assert {*days} == set(range(11))


def test_blocks_run_around_the_end_and_are_cut_to_the_length() -> None:
    """32 days in blocks of 3: eleven starts, each with the two days after it, the last block cut short."""
    values = np.array([float(n * n) for n in range(32)])
    starts = [(int(bits) >> 11) * 32 >> 53 for bits in np.random.PCG64(8).random_raw(40 * 11)]
    expected = []
    for first in range(0, 440, 11):
        days = [(start + n) % 32 for start in starts[first : first + 11] for n in range(3)][:32]
        expected.append(values[days].sum())
    drawn = bootstrap([values], lambda t: [t[0]], seed=8, replicates=40, block=3)[0]
    assert drawn == pytest.approx(sorted(expected))


def test_the_error_of_overlapping_sums_is_that_of_theory() -> None:
    """Means over ten days overlap: their mean over n days has variance near σ²/n, not σ²/(10·n)."""
    random = Random(12)
    noise = [random.gauss(0, 1) for _ in range(2_009)]
    overlapping = [sum(noise[i : i + 10]) / 10 for i in range(2_000)]
    drawn = bootstrap([overlapping], mean_of(2_000), seed=3, replicates=600, block=30)[0]
    assert np.std(drawn) == pytest.approx((1 / 2_000) ** 0.5, rel=0.15)


@pytest.mark.parametrize(("days", "block"), [(20, 20), (20, 21), (99, 10), (9, 1)])
def test_a_handful_of_blocks_gives_no_interval(days: int, block: int) -> None:
    """One block holds every day whatever its start: an interval of it would be a point, and a false proof."""
    found = bootstrap([[1.0 + n % 3 for n in range(days)]], lambda t: [t[0], 2 * t[0]], seed=1, block=block)
    assert found == [[], []]
    assert percentile_interval(found[0]) is None


@pytest.mark.parametrize("block", [1, 2, 10])
def test_from_ten_blocks_on_there_is_one(block: int) -> None:
    days = [float(n % 7) for n in range(FEWEST_BLOCKS * block)]
    (drawn,) = bootstrap([days], mean_of(len(days)), seed=1, replicates=300, block=block)
    interval = percentile_interval(drawn)
    assert interval is not None
    assert interval[0] < sum(days) / len(days) < interval[1]
    assert FEWEST_BLOCKS == 10


def test_figures_that_are_undefined_in_a_draw_are_left_out() -> None:
    def figures(totals: Sequence[float]) -> list[float | None]:
        return [totals[0] if totals[0] > 3 else None, 1.0]

    some, all_of_them = bootstrap([[0.0, 1.0] * 5], figures, seed=2, replicates=200)
    assert 0 < len(some) < 200
    assert min(some) > 3
    assert all_of_them == [1.0] * 200


def test_without_days_there_is_nothing_to_draw() -> None:
    assert bootstrap([], lambda t: [t[0]], seed=0) == []
    assert bootstrap([[]], lambda t: [t[0]], seed=0) == []


@pytest.mark.parametrize("share", [0.0, 0.025, 0.3, 0.5, 0.975, 1.0])
def test_quantiles_are_numpys(share: float) -> None:
    values = sorted([0.4, -1.0, 2.5, 0.1, 7.0, 3.3])
    assert quantile(values, share) == pytest.approx(np.quantile(values, share))


def test_an_interval_is_the_middle_of_the_values() -> None:
    """Of 0, 1, …, 1,000 the middle 95 % lie between 25 and 975, the middle half between 250 and 750."""
    values = [float(n) for n in range(1_001)]
    assert percentile_interval(values) == pytest.approx((25.0, 975.0))
    assert percentile_interval(values, 0.5) == pytest.approx((250.0, 750.0))
    assert percentile_interval([1.0, 3.0]) == pytest.approx((1.05, 2.95))
    assert percentile_interval([1.0]) is None


def test_each_replicate_has_as_many_values_as_the_first() -> None:
    lengths = iter([1, 2])
    with pytest.raises(ValueError, match="zip"):
        bootstrap([[1.0] * 10], lambda t: [t[0]] * next(lengths), seed=0, replicates=2)
