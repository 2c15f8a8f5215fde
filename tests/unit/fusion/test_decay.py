"""Formula 1: what a half-life means, and when evidence is dropped."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.decay import LEAST_DECAY, LONGEST_LIFE, day_start, decay, expiry, live_hours

pytestmark = pytest.mark.req("A4")

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "half_life", "expected"),
    [(0, 24, 1.0), (24, 24, 0.5), (48, 24, 0.25), (12, 24, 0.7071067811865476), (6, 3, 0.25)],
)
def test_evidence_halves_with_every_half_life(hours: float, half_life: float, expected: float) -> None:
    assert decay(AT, AT + timedelta(hours=hours), half_life) == pytest.approx(expected, rel=1e-12)


def test_what_lies_ahead_counts_fully_and_not_more() -> None:
    assert decay(AT + timedelta(hours=5), AT, 24.0) == 1.0


@pytest.mark.parametrize("half_life", [0.0, -1.0])
def test_a_half_life_is_positive(half_life: float) -> None:
    with pytest.raises(ValueError, match="half-life"):
        decay(AT, AT, half_life)


@given(half_life=st.floats(0.25, 100.0))
def test_a_signal_expires_when_its_evidence_falls_below_a_hundredth(half_life: float) -> None:
    assert decay(AT, expiry(AT, half_life), half_life) == pytest.approx(LEAST_DECAY, rel=1e-6)


def test_nothing_lives_longer_than_a_month() -> None:
    assert expiry(AT, 1_000.0) == AT + LONGEST_LIFE
    assert live_hours(24.0) == pytest.approx(24 * math.log2(100))


def test_a_day_begins_at_midnight_utc() -> None:
    assert day_start("20261120") == datetime(2026, 11, 20, tzinfo=UTC)
