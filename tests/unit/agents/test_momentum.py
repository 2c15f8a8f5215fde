"""The momentum agent: by hand, without a look ahead, silent when prices are short, flat or stale."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.agents.momentum import STALE_AFTER, YEAR, momentum, momentum_reading
from bellwether.domain.prices import History

pytestmark = pytest.mark.req("A4")

FIRST = date(2025, 1, 1)


def history(closes: list[float]) -> History:
    dates = [FIRST + timedelta(days=n) for n in range(len(closes))]
    return History("BEACON", dates, closes, closes, closes, closes, closes, [1e6] * len(closes))


def closes(returns: list[float]) -> list[float]:
    return [100 * math.exp(sum(returns[:n])) for n in range(len(returns) + 1)]


def after(bars: int) -> datetime:
    """The moment the last of `bars` bars is known."""
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=bars)


def test_a_reading_worked_with_numpy() -> None:
    random = np.random.default_rng(5)
    returns = random.normal(0.0005, 0.01, YEAR).tolist()
    deviation = float(np.std(returns))
    trend = sum(returns[: YEAR - 21]) / (deviation * math.sqrt(YEAR - 21))
    recent = sum(returns[-5:]) / (deviation * math.sqrt(5))
    assert momentum_reading(closes(returns)) == pytest.approx((trend - recent) / math.sqrt(2))


def test_a_rising_year_reads_up_and_a_rising_week_takes_some_of_it_back() -> None:
    wave = [0.002 + 0.01 * (-1) ** n for n in range(YEAR - 5)]
    calm = momentum_reading(closes([*wave, *[0.0] * 5]))
    jumped = momentum_reading(closes([*wave, *[0.02] * 5]))
    assert calm is not None
    assert jumped is not None
    assert calm > jumped > -3


def test_pure_chance_reads_about_standard_normal() -> None:
    random = np.random.default_rng(3)
    readings = [momentum_reading(closes(random.normal(0, 0.02, YEAR).tolist())) for _ in range(400)]
    assert np.std([r for r in readings if r is not None]) == pytest.approx(1.0, abs=0.12)


def test_it_abstains_without_a_year_of_prices_that_move() -> None:
    assert momentum(History("BEACON"), after(300), 120.0).abstained == "no price is known"
    assert momentum(history(closes([0.01, -0.01] * 125)), after(251), 120.0).abstained is not None
    assert momentum(history([100.0] * 300), after(300), 120.0).abstained is not None


def test_it_abstains_when_the_last_close_is_stale_and_fades_until_then() -> None:
    prices = history(closes([0.01, -0.009] * 140))
    known = after(281)
    fresh = momentum(prices, known, 120.0)
    older = momentum(prices, known + timedelta(hours=72), 120.0)
    assert fresh.evidence == pytest.approx(12.0)
    assert older.evidence == pytest.approx(12.0 * 2 ** (-72 / 120))
    assert older.raw == fresh.raw
    assert momentum(prices, known + STALE_AFTER + timedelta(hours=1), 120.0).abstained is not None


@settings(max_examples=25)
@given(changed=st.lists(st.floats(1.0, 500.0), min_size=20, max_size=20))
def test_a_close_after_as_of_changes_nothing(changed: list[float]) -> None:
    known = closes([0.01, -0.009] * 140)
    full, other = history([*known, *[100.0] * 20]), history([*known, *changed])
    assert momentum(full, after(281), 120.0) == momentum(other, after(281), 120.0)
