"""Formula 3, calibration, the base rate, and which version was in force."""

import math
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import beta

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.base_rate import PRIOR_DAYS, base_rate
from bellwether.domain.concentration import concentration
from bellwether.domain.day_sums import fold
from bellwether.domain.log_odds import log_odds, probability
from bellwether.domain.prices import History
from bellwether.domain.reliability import (
    config_at,
    log_odds_from,
    reliability_of,
    shrunk_reliability,
    track_record_of,
)
from bellwether.domain.state import AssetDay
from tests.unit.fusion.signals_made import DAY, START, signal

pytestmark = pytest.mark.req("A4")


def config(version: int = 1, **fields: object) -> AgentConfig:
    values: dict[str, object] = {"agent_id": "sentiment", "version": version, "created_at": START, **fields}
    return AgentConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("skill", "resolved", "expected"),
    [(None, 500, 0.3), (0.1, 0, 0.3), (0.1, 200, 0.2), (-0.5, 600, 0.075), (7.0, 200, 0.65)],
)
def test_skill_is_clipped_and_shrunk_toward_the_prior(
    skill: float | None, resolved: int, expected: float
) -> None:
    assert shrunk_reliability(skill, resolved, prior=0.3, strength=200.0) == pytest.approx(expected)


def test_a_learned_reliability_goes_before_the_prior() -> None:
    assert reliability_of(config(reliability=0.0, prior_reliability=0.3)) == 0.0
    assert reliability_of(config(prior_reliability=0.3)) == 0.3
    assert reliability_of(config(prior_reliability=0.3, brier_skill=0.1, resolved=200)) == pytest.approx(0.2)


def test_the_prior_slope_is_used_until_outcomes_outweigh_it() -> None:
    young = config(slope=1.0, intercept=0.5, prior_slope=0.1, resolved=199)
    grown = config(slope=1.0, intercept=0.5, prior_slope=0.1, resolved=200)
    assert log_odds_from(young, 2.0) == pytest.approx(0.2)
    assert log_odds_from(grown, 2.0) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("resolved", "skill", "record"),
    [(199, 0.1, "unproven"), (200, 0.1, "proven"), (5_000, 0.0, "unproven"), (5_000, None, "unproven")],
)
def test_a_record_needs_outcomes_and_skill(resolved: int, skill: float | None, record: str) -> None:
    assert track_record_of(config(resolved=resolved, brier_skill=skill)) == record


def test_a_version_made_later_is_not_in_force() -> None:
    default = config(0)
    versions = [config(1), config(2, created_at=START + timedelta(days=1))]
    assert config_at(versions, START - timedelta(seconds=1), default) == default
    assert config_at(versions, START + timedelta(hours=23), default).version == 1
    assert config_at(versions, START + timedelta(days=1), default).version == 2


@given(p=st.floats(0.0, 1.0))
def test_log_odds_and_back(p: float) -> None:
    assert probability(log_odds(p)) == pytest.approx(min(0.99, max(0.01, p)))


@given(p=st.floats(allow_nan=False), view=st.floats(allow_nan=False))
@example(p=0.01, view=math.log(99))
@example(p=0.99, view=-math.log(99))
@example(p=1, view=-0.0)
def test_log_odds_and_probabilities_are_the_formulas_clipped(p: float, view: float) -> None:
    clipped = min(0.99, max(0.01, p))
    assert log_odds(p) == math.log(clipped / (1 - clipped))
    tamed = min(700.0, max(-700.0, view))
    up = 1 / (1 + math.exp(-tamed)) if view >= 0 else math.exp(tamed) / (1 + math.exp(tamed))
    assert probability(view) == min(0.99, max(0.01, up))


def test_extreme_log_odds_are_clipped_and_do_not_overflow() -> None:
    assert (probability(1e9), probability(-1e9)) == (0.99, 0.01)


def history(closes: list[float]) -> History:
    first = date(2024, 1, 1)
    dates = [first + timedelta(days=n) for n in range(len(closes))]
    return History("BEACON", dates, closes, closes, closes, closes, closes, [1e6] * len(closes))


def test_without_prices_the_base_rate_is_even_and_uncertain() -> None:
    rate = base_rate(History("BEACON"), START, 1)
    assert (rate.p_up, rate.log_odds) == (0.5, 0.0)
    assert rate.error == pytest.approx(math.sqrt(2 / (PRIOR_DAYS / 2)))


def test_the_base_rate_is_a_beta_posterior() -> None:
    """Of 300 returns 200 are rises: Beta(125+200, 125+100)."""
    closes = [100.0]
    for n in range(300):
        closes.append(closes[-1] * (0.99 if n % 3 == 0 else 1.01))
    rate = base_rate(history(closes), START, 1)
    assert rate.p_up == pytest.approx(325 / 550)
    draws = beta(325, 225).rvs(200_000, random_state=7)
    import numpy as np

    assert rate.error == pytest.approx(float(np.std(np.log(draws / (1 - draws)))), rel=0.02)


def test_overlapping_windows_count_by_how_many_do_not_overlap() -> None:
    closes = [100.0 * 1.01**n for n in range(101)]
    rate = base_rate(history(closes), START, 5)
    assert rate.p_up == pytest.approx((125 + 96 / 5) / (250 + 96 / 5))


@given(changed=st.lists(st.floats(1.0, 1_000.0), min_size=50, max_size=50))
def test_a_close_after_as_of_changes_nothing(changed: list[float]) -> None:
    closes = [100.0 + n % 7 for n in range(100)]
    as_of = START.replace(year=2024, month=1, day=1) + timedelta(days=50)
    assert base_rate(history(closes[:50] + changed), as_of, 1) == base_rate(history(closes), as_of, 1)


def test_concentration_by_hand() -> None:
    signals = [signal(n, author="ann", cluster_id="w-1", young_author=True) for n in range(3)]
    signals += [signal(10 + n) for n in range(7)]
    signals += [signal(30 + n, cluster_id="w-1", author="bot", copy=True) for n in range(10)]
    day, _ = fold(AssetDay(asset="BEACON", day=DAY), signals)
    found = concentration([day, day], START)
    assert (found.items, found.authors) == (40, 8)
    assert found.top_author_share == pytest.approx(6 / 20)
    assert found.top_cluster_share == pytest.approx(26 / 40)
    assert found.young_author_share == pytest.approx(6 / 40)
    assert concentration([], START).top_author_share == 0.0
