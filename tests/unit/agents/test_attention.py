"""The attention agent: abnormal volume against the asset's own baseline, and when it keeps quiet."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.agents.attention import MOST_Z, SHORTEST_BASELINE, attention, robust_z
from bellwether.domain.state import AssetDay

pytestmark = pytest.mark.req("A4")

TODAY = datetime(2026, 11, 20, tzinfo=UTC)


def day(back: int, by_hour: dict[int, int]) -> AssetDay:
    hours = tuple(by_hour.get(hour, 0) for hour in range(24))
    return AssetDay(asset="BEACON", day=f"{TODAY - timedelta(days=back):%Y%m%d}", mentions_by_hour=hours)


def steady(days: int, each: int = 4) -> list[AssetDay]:
    """`each` mentions at noon on every one of the days before today."""
    return [day(back, {12: each}) for back in range(days, 0, -1)]


def test_a_count_worked_by_hand() -> None:
    """Counts 3, 4, 5 → 2√(c+⅜) = 3.674, 4.183, 4.637: median 4.183, MAD .4536, spread 1; 20 → 9.028."""
    assert robust_z(20, [3, 4, 5]) == pytest.approx(9.0277 - 4.1833, abs=1e-4)


def test_a_poisson_count_reads_about_standard_normal() -> None:
    random = np.random.default_rng(11)
    readings = [robust_z(float(random.poisson(30)), random.poisson(30, 28).tolist()) for _ in range(2_000)]
    assert np.mean(readings) == pytest.approx(0.0, abs=0.1)
    assert np.std(readings) == pytest.approx(1.0, abs=0.15)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_a_reading_is_bounded_and_grows_with_the_count(now: int, before: list[int]) -> None:
    z = robust_z(now, before)
    assert -MOST_Z <= z <= MOST_Z
    assert robust_z(now + 1, before) >= z


def test_more_than_usual_reads_high_and_as_usual_near_zero() -> None:
    as_of = TODAY + timedelta(hours=13)
    usual = attention([*steady(20), day(0, {12: 4})], as_of)
    loud = attention([*steady(20), day(0, {12: 40})], as_of)
    assert usual.raw == pytest.approx(0.0)
    assert (loud.raw, loud.evidence) == (5.0, 40.0)
    assert "40 mentions" in loud.rationale


def test_the_window_is_the_last_24_hours_at_any_time_of_day() -> None:
    """Before noon today's window still holds yesterday's noon, so nothing looks unusual."""
    early = attention(steady(20), TODAY + timedelta(hours=9))
    assert early.evidence == 4.0
    assert early.raw == pytest.approx(0.0)


def test_days_without_a_row_had_no_mentions() -> None:
    days = [day(20, {12: 5}), day(0, {12: 5})]
    stance = attention(days, TODAY + timedelta(hours=13))
    assert stance.raw == pytest.approx(2 * (5.375**0.5 - 0.375**0.5))


def test_it_abstains_while_the_history_is_short_or_nobody_speaks() -> None:
    as_of = TODAY + timedelta(hours=13)
    short = attention([*steady(SHORTEST_BASELINE - 1), day(0, {12: 4})], as_of)
    assert short.abstained is not None
    assert attention([*steady(SHORTEST_BASELINE + 1), day(0, {12: 4})], as_of).abstained is None
    assert attention([], as_of).abstained is not None
    assert attention(steady(20), TODAY + timedelta(hours=20)).abstained == "no mention in the last 24 hours"
