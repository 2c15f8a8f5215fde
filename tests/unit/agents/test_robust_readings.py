"""The robust z-score against scipy, momentum against a regression of logs, and what agents leave out."""

import math
from datetime import UTC, date, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bellwether.agents.attention import BASELINE_DAYS, attention, robust_z
from bellwether.agents.momentum import MONTH, MOST_Z, WEEK, YEAR, momentum, momentum_reading
from bellwether.agents.registry import DEFAULTS, SENTIMENT
from bellwether.agents.views import view_of
from bellwether.domain.day_sums import fold
from bellwether.domain.fusion import view_error
from bellwether.domain.prices import History
from bellwether.domain.state import AssetDay
from tests.unit.fusion.signals_made import START, signal

pytestmark = pytest.mark.req("A4")

TODAY = datetime(2026, 11, 20, tzinfo=UTC)


@given(st.integers(0, 5_000), st.lists(st.integers(0, 5_000), min_size=1, max_size=28))
def test_a_robust_z_is_anscombes_transform_over_scipys_deviation(now: int, before: list[int]) -> None:
    y = 2 * np.sqrt(np.array([now, *before]) + 0.375)
    spread = float(stats.median_abs_deviation(y[1:], scale="normal"))
    z = float((y[0] - np.median(y[1:])) / max(1.0, spread))
    assert robust_z(now, before) == pytest.approx(min(5.0, max(-5.0, z)), abs=1e-3)


def test_anscombes_transform_has_the_variance_of_one() -> None:
    counts = np.random.default_rng(3).poisson(40, 200_000)
    assert np.var(2 * np.sqrt(counts + 0.375)) == pytest.approx(1.0, abs=0.01)


def test_a_baseline_has_28_windows_at_most() -> None:
    """Loud until five weeks ago, then quiet: what lies further back does not count."""
    days = [
        AssetDay(
            asset="BEACON",
            day=f"{TODAY - timedelta(days=back):%Y%m%d}",
            mentions_by_hour=(50 if back > BASELINE_DAYS + 2 else 1,) * 24,
        )
        for back in range(60, -1, -1)
    ]
    stance = attention(days, TODAY + timedelta(hours=23))
    assert "over 28 days" in stance.rationale
    assert "usually 24" in stance.rationale
    assert stance.raw == pytest.approx(0.0)


def test_a_day_that_counted_no_hours_is_a_day_without_mentions() -> None:
    counted = [
        AssetDay(asset="BEACON", day=f"{TODAY - timedelta(days=back):%Y%m%d}", mentions_by_hour=(1,) * 24)
        for back in (20, 0)
    ]
    blank = AssetDay(asset="BEACON", day=f"{TODAY - timedelta(days=7):%Y%m%d}")
    as_of = TODAY + timedelta(hours=23)
    assert attention([*counted, blank], as_of) == attention(counted, as_of)
    before_anything = attention(counted, TODAY - timedelta(days=40))
    assert before_anything.abstained == "0 of the 10 days a baseline needs are known"


def closes_of(moves: list[float]) -> list[float]:
    return [100 * math.exp(sum(moves[:n])) for n in range(len(moves) + 1)]


def test_momentum_is_two_sums_of_standardised_moves() -> None:
    """Sums of the first 231 and the last 5 log returns over their population deviation, each over √days."""
    moves = list(np.random.default_rng(12).normal(0.001, 0.02, YEAR))
    z = np.array(moves) / np.std(moves)
    trend, recent = z[: YEAR - MONTH].sum() / math.sqrt(YEAR - MONTH), z[-WEEK:].sum() / math.sqrt(WEEK)
    expected = (np.clip(trend, -MOST_Z, MOST_Z) - np.clip(recent, -MOST_Z, MOST_Z)) / math.sqrt(2)
    assert momentum_reading(closes_of(moves)) == pytest.approx(float(expected))
    assert momentum_reading([*[1.0] * 50, *closes_of(moves)]) == pytest.approx(float(expected))
    assert (YEAR, MONTH, WEEK) == (252, 21, 5)


@pytest.mark.parametrize("days", [0, 1, YEAR - 1, YEAR])
def test_a_year_and_a_day_of_closes_is_needed(days: int) -> None:
    closes = closes_of([0.01 * (-1) ** n for n in range(YEAR)])[:days]
    assert momentum_reading(closes) is None


@pytest.mark.parametrize(("sign", "reading"), [(1, -1), (-1, 1)])
def test_extreme_moves_are_clipped(sign: int, reading: int) -> None:
    """Nothing for a year, then a week of one way: the trend is 0, the reversal −3 of three deviations."""
    moves = [0.0001 * (-1) ** n for n in range(YEAR - WEEK)] + [sign * 0.2] * WEEK
    found = momentum_reading(closes_of(moves))
    assert found == pytest.approx(reading * MOST_Z / math.sqrt(2), abs=0.01)


def test_momentum_is_stale_five_days_after_the_end_of_its_last_bar() -> None:
    closes = closes_of([0.01 * (-1) ** n for n in range(YEAR)])
    dates = [date(2025, 1, 1) + timedelta(days=n) for n in range(len(closes))]
    history = History("BEACON", dates, closes, closes, closes, closes, closes, [1.0] * len(closes))
    ended = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=len(closes))
    assert momentum(history, ended + timedelta(days=5), 120.0).abstained is None
    late = momentum(history, ended + timedelta(days=5, seconds=1), 120.0)
    assert late.abstained == f"the last known close is of {dates[-1].isoformat()}"
    still = [5.0] * len(closes)
    flat = History("FLAT", dates, still, still, still, still, still, [1.0] * len(closes))
    assert momentum(flat, ended, 120.0).abstained == "253 closes are known and 253 that move are needed"


def test_the_strongest_signals_are_of_live_days_and_of_the_agent() -> None:
    """Of four days one has faded altogether and one for this agent alone; pulls fade by the age of a day."""
    config = DEFAULTS[SENTIMENT]
    days = []
    for back, made in (
        (12, [signal(1, name="old", p_up=0.9)]),
        (9, [signal(1, name="mine", p_up=0.9), signal(2, name="x", agent_id="llm", half_life=240.0)]),
        (1, [signal(1, name="yesterday", p_up=0.70)]),
        (0, [signal(1, name="today", p_up=0.66), signal(2, name="other", agent_id="llm", p_up=0.9)]),
    ):
        start = START - timedelta(days=back)
        moved = [
            msgspec.structs.replace(
                one,
                observed_time=one.observed_time - timedelta(days=back),
                event_time=one.event_time - timedelta(days=back),
            )
            for one in made
        ]
        days.append(fold(AssetDay(asset="BEACON", day=f"{start:%Y%m%d}"), moved)[0])
    made_view = view_of(
        config, days=days, history=History("BEACON"), as_of=START + timedelta(hours=2), horizon=1
    )
    assert [name.rpartition("#")[2] for name in made_view.signal_ids] == ["today", "yesterday"]
    assert made_view.signals == 2
    assert made_view.view is not None
    assert made_view.rationale is not None
    assert made_view.rationale.startswith("2 clusters in 2 signals, faded to ")


def test_the_error_of_a_stance_is_that_of_one_observation() -> None:
    """The evidence of a stance says how often it looked, its error is that of one look."""
    closes = closes_of(list(np.random.default_rng(2).normal(0.0005, 0.01, YEAR)))
    dates = [date(2026, 11, 19) - timedelta(days=len(closes) - 1 - n) for n in range(len(closes))]
    history = History("BEACON", dates, closes, closes, closes, closes, closes, [1.0] * len(closes))
    config = DEFAULTS["momentum"]
    made = view_of(config, days=[], history=history, as_of=TODAY, horizon=1)
    reading = momentum_reading(closes)
    assert made.view is not None
    assert reading is not None
    assert made.view.log_odds == pytest.approx(0.03 * reading)
    expected = view_error(log_odds=0.03 * reading, spread=0.0, independent=1.0, slope=0.03, trust=0.0)
    assert made.view.error == pytest.approx(expected)
    assert made.view.evidence == pytest.approx(12.0)
