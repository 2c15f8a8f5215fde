"""Matthews' correlation, Sharpe ratios and the cluster bootstrap against other people's computations."""

import math
from random import Random

import pytest
from scipy import stats
from sklearn.metrics import matthews_corrcoef

from bellwether.backtest.cluster_bootstrap import bootstrap, percentile_interval, quantile
from bellwether.domain.base_rate import base_rate, base_rate_of
from bellwether.domain.classification import Confusion, matthews
from bellwether.domain.sharpe import (
    annualised,
    deflated_sharpe,
    expected_best,
    kurtosis,
    probabilistic_sharpe,
    sharpe,
    skewness,
)
from tests.unit.backtest.history import market

RETURNS = [0.01, -0.02, 0.013, 0.004, -0.006, 0.021, -0.011, 0.002, 0.03, -0.017]


def test_matthews_against_scikit_learn() -> None:
    random = Random(3)
    said = [random.random() < 0.6 for _ in range(500)]
    came = [s if random.random() < 0.55 else not s for s in said]
    pairs = list(zip(said, came, strict=True))
    counts = Confusion(
        up_right=pairs.count((True, True)),
        up_wrong=pairs.count((True, False)),
        down_right=pairs.count((False, False)),
        down_wrong=pairs.count((False, True)),
    )
    assert matthews(counts) == pytest.approx(matthews_corrcoef(came, said))
    assert counts.accuracy == pytest.approx(sum(s == c for s, c in pairs) / 500)
    assert counts.majority == pytest.approx(max(sum(came), 500 - sum(came)) / 500)


def test_matthews_is_undefined_when_one_direction_is_missing() -> None:
    assert matthews(Confusion(up_right=3, up_wrong=4)) is None
    assert Confusion().accuracy is None
    assert Confusion().majority is None


def test_moments_against_scipy() -> None:
    assert skewness(RETURNS) == pytest.approx(stats.skew(RETURNS))
    assert kurtosis(RETURNS) == pytest.approx(stats.kurtosis(RETURNS, fisher=False))
    assert (skewness([1.0]), kurtosis([2.0, 2.0])) == (0.0, 3.0)


def test_sharpe_by_hand() -> None:
    assert sharpe([0.01, 0.03]) == pytest.approx(0.02 / math.sqrt(0.0002))
    assert annualised(0.1) == pytest.approx(0.1 * math.sqrt(252))
    assert sharpe([0.01]) is None
    assert sharpe([0.01, 0.01]) is None
    assert annualised(None) is None
    assert probabilistic_sharpe([0.01]) is None


def test_the_published_example_of_the_deflated_ratio() -> None:
    """Bailey & López de Prado 2014, numerical example: N = 100, V = 1/2, 5 years, SR 2.5, γ₃ −3, γ₄ 10."""
    trials = [math.sqrt(0.5 / 250 * 99 / 100) * (1 if n % 2 else -1) for n in range(100)]
    threshold = expected_best(trials)
    assert threshold == pytest.approx(0.1132, abs=5e-4)
    ratio = 2.5 / math.sqrt(250)
    spread = math.sqrt(1 + 3 * ratio + (10 - 1) / 4 * ratio**2)
    assert stats.norm.cdf((ratio - threshold) * math.sqrt(1249) / spread) == pytest.approx(0.9004, abs=5e-3)


def test_deflated_ratio_against_scipy() -> None:
    trials = [0.05, -0.02, 0.11, 0.03]
    variance = stats.tstd(trials) ** 2
    gamma = 0.5772156649015329
    best = math.sqrt(variance) * (
        (1 - gamma) * stats.norm.ppf(1 - 1 / 4) + gamma * stats.norm.ppf(1 - 1 / (4 * math.e))
    )
    assert expected_best(trials) == pytest.approx(best)
    ratio = sum(RETURNS) / 10 / stats.tstd(RETURNS)
    skew, kurt = stats.skew(RETURNS), stats.kurtosis(RETURNS, fisher=False)
    z = (ratio - best) * 3 / math.sqrt(1 - skew * ratio + (kurt - 1) / 4 * ratio**2)
    assert deflated_sharpe(RETURNS, trials) == pytest.approx(stats.norm.cdf(z))
    assert expected_best([0.4]) == 0.0


def test_drawing_clusters_gives_the_error_of_their_mean() -> None:
    """One value a cluster: the spread of the drawn means is σ/√n, as for single observations."""
    random = Random(5)
    values = [random.gauss(1, 2) for _ in range(300)]
    (drawn,) = bootstrap(
        [values, [1.0] * 300], lambda totals: [totals[0] / totals[1]], seed=1, replicates=3_000
    )
    assert stats.tstd(drawn) == pytest.approx(stats.tstd(values) / math.sqrt(300), rel=0.06)


def test_clusters_that_move_together_count_once() -> None:
    """Ten equal values a day are one observation, not ten."""
    random = Random(6)
    days = [random.gauss(0, 1) for _ in range(100)]
    alone = bootstrap([days], lambda t: [t[0] / 100], seed=1)
    together = bootstrap([[10 * day for day in days]], lambda t: [t[0] / 1_000], seed=1)
    assert together[0] == pytest.approx(alone[0])


def test_blocks_widen_the_interval_of_what_lasts_for_days() -> None:
    random = Random(7)
    lasting = [value for _ in range(60) for value in [random.gauss(0, 1)] * 5]

    def width(block: int) -> float:
        interval = percentile_interval(bootstrap([lasting], lambda t: [t[0] / 300], seed=2, block=block)[0])
        assert interval is not None
        return interval[1] - interval[0]

    assert width(5) > 1.5 * width(1)


def test_intervals_interpolate_like_scipy() -> None:
    ordered = sorted(RETURNS)
    assert quantile(ordered, 0.3) == pytest.approx(stats.scoreatpercentile(ordered, 30))
    assert percentile_interval([1.0]) is None
    assert bootstrap([], lambda _: [], seed=0) == []


def test_the_same_seed_draws_the_same() -> None:
    columns = [RETURNS, [1.0] * 10]
    first = bootstrap(columns, lambda t: [t[0], None], seed=9)
    assert first == bootstrap(columns, lambda t: [t[0], None], seed=9)
    assert first != bootstrap(columns, lambda t: [t[0], None], seed=10)
    assert first[1] == []


def test_a_base_rate_of_counts_is_that_of_the_closes() -> None:
    from bellwether.domain.prices import known_from

    history = market()["BEACON"]
    as_of = known_from(history.dates[200])
    rises = sum(b > a for a, b in zip(history.adj_close[:201], history.adj_close[3:201], strict=False))
    assert base_rate(history, as_of, 3) == base_rate_of(rises, 198, 3)
