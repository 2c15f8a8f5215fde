"""What a track record is made of: independent counts against a variance, errors against a regression."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import brier_parts, expected_calibration_error
from bellwether.domain.clustered_error import clustered_error, trading_day
from bellwether.domain.information_coefficient import information_coefficient
from bellwether.domain.outcomes import Attribution, Outcome
from bellwether.domain.track_record import (
    FEWEST_JOINT,
    SAME_DAY_CORRELATION,
    Forecast,
    distinct,
    error_correlations,
    forecasts_by_agent,
    independent_count,
    track_record,
)
from tests.unit.trading import NOW

pytestmark = pytest.mark.req("A8")

CONFIG = AgentConfig(agent_id="a", version=4, created_at=NOW - timedelta(days=30), prior_reliability=0.2)


def forecast(n: int, p_up: float = 0.6, **changes: Any) -> Forecast:
    values: dict[str, Any] = {
        "asset": f"S{n % 4}",
        "day": date(2025, 1, 1) + timedelta(days=n // 4),
        "horizon": 1,
        "agent_version": 4,
        "p_up": p_up,
        "base_rate": 0.5,
        "went_up": n % 3 == 0,
        "forward_return": 0.01 * ((n * 7) % 5 - 2),
    }
    return Forecast(**{**values, **changes})


@pytest.mark.parametrize("m", [1, 2, 5, 40])
def test_forecasts_of_a_day_are_worth_what_their_mean_varies_by(m: int) -> None:
    """1'C1/m² with correlation ρ off the diagonal is 1/(m/(1 + (m−1)ρ)): Kish's design effect."""
    c = np.full((m, m), SAME_DAY_CORRELATION) + (1 - SAME_DAY_CORRELATION) * np.eye(m)
    variance = float(np.ones(m) @ c @ np.ones(m)) / m**2
    of_a_day = [forecast(n, day=date(2025, 1, 1), asset=f"S{n}") for n in range(m)]
    assert independent_count(of_a_day) == pytest.approx(1 / variance)


def test_days_add_up_and_horizons_overlap() -> None:
    days = [forecast(0, day=date(2025, 1, 1) + timedelta(days=n)) for n in range(21)]
    assert independent_count(days) == pytest.approx(21)
    assert independent_count([forecast(0, day=f.day, horizon=21) for f in days]) == pytest.approx(1.0)
    both = [*days, *(forecast(0, day=f.day, horizon=21) for f in days)]
    assert independent_count(both) == pytest.approx(22)
    assert independent_count([]) == 0


def test_every_figure_of_a_record() -> None:
    made = [forecast(n, 0.35 + 0.01 * ((n * 11) % 30), base_rate=0.45 + 0.01 * (n % 3)) for n in range(80)]
    record = track_record(CONFIG, made)
    p, o = [f.p_up for f in made], [f.went_up for f in made]
    ic = information_coefficient(
        ((f.day, f.p_up - f.base_rate, f.forward_return) for f in made), horizon=1, day_of=trading_day
    )
    assert (record.information_coefficient, record.information_coefficient_error) == (ic.mean, ic.error)
    assert record.information_coefficient_dates == ic.dates == 14  # from Friday to Sunday is one trading day
    assert record.ece == expected_calibration_error(p, o)
    assert record.parts == brier_parts(p, o)
    assert record.hit_rate == sum((x > 0.5) == y for x, y in zip(p, o, strict=True)) / 80
    assert record.reliability == 0.2
    assert (record.agent_id, record.version, record.resolved) == ("a", 4, 80)


def test_the_error_of_the_coefficient_covers_the_longest_horizon() -> None:
    made = [forecast(n, 0.35 + 0.01 * ((n * 11) % 30), horizon=9) for n in range(80)]
    rows = [(f.day, f.p_up - f.base_rate, f.forward_return) for f in made]
    assert track_record(CONFIG, made).information_coefficient_error == pytest.approx(
        information_coefficient(rows, horizon=9).error
    )
    assert information_coefficient(rows, horizon=9).error != information_coefficient(rows).error


def test_what_an_agent_knows_is_what_it_says_beyond_the_base_rate() -> None:
    """Three assets a day: the ranks of p_up are turned round by base rates that differ more."""
    made = [
        forecast(
            3 * day + asset,
            0.5 - 0.01 * asset,
            asset=f"S{asset}",
            day=date(2025, 1, 1) + timedelta(days=day),
            base_rate=0.6 - 0.05 * asset,
            forward_return=0.01 * asset,
        )
        for day in range(12)
        for asset in range(3)
    ]
    assert track_record(CONFIG, made).information_coefficient == pytest.approx(1.0)


def test_the_error_of_the_gain_covers_the_longest_horizon() -> None:
    made = [forecast(n, 0.35 + 0.01 * ((n * 11) % 30), horizon=3) for n in range(160)]
    gains = [(trading_day(f.day), (f.base_rate - f.went_up) ** 2 - (f.p_up - f.went_up) ** 2) for f in made]
    found = track_record(CONFIG, made).brier_gain_error
    assert found == pytest.approx(clustered_error(gains, horizon=3))
    assert found != pytest.approx(clustered_error(gains))


def test_a_forecast_of_exactly_a_half_says_down() -> None:
    down = [forecast(n, 0.5, went_up=False) for n in range(4)]
    assert track_record(CONFIG, down).hit_rate == 1.0


def test_errors_are_what_a_regression_on_the_outcome_leaves() -> None:
    """Residuals of p − base rate on [1, o] for each agent, correlated: partial correlation given o."""
    rng = np.random.default_rng(6)
    up = rng.random(400) < 0.5
    shared = rng.normal(0, 0.03, 400)
    mine = 0.5 + 0.04 * (up - 0.5) + shared + rng.normal(0, 0.03, 400)
    theirs = 0.5 + 0.09 * (up - 0.5) + shared + rng.normal(0, 0.05, 400)
    bases = 0.5 + 0.01 * (np.arange(400) % 3)

    def of(p: Any) -> list[Forecast]:
        return [forecast(n, float(p[n]), went_up=bool(up[n]), base_rate=float(bases[n])) for n in range(400)]

    design = np.column_stack([np.ones(400), up])
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (mine - bases, theirs - bases)]
    expected = np.corrcoef(left[0], left[1])[0, 1]
    found = error_correlations({"a": of(mine), "b": of(theirs)}, "a")
    assert found == {"b": pytest.approx(expected)}
    assert error_correlations({"a": of(mine), "b": of(theirs)}, "b")["a"] == pytest.approx(expected)


@pytest.mark.parametrize(("joint", "enough"), [(FEWEST_JOINT - 1, False), (FEWEST_JOINT, True)])
def test_thirty_common_forecasts_are_the_fewest(joint: int, enough: bool) -> None:
    mine = [forecast(n, 0.4 + 0.01 * (n % 7)) for n in range(200)]
    theirs = [forecast(n, 0.4 + 0.01 * (n % 5)) for n in range(200 - joint, 400 - joint)]
    found = error_correlations({"a": mine, "b": theirs}, "a")
    assert ("b" in found) is enough
    assert FEWEST_JOINT == 30


def test_who_never_varies_or_never_spoke_has_no_correlation() -> None:
    mine = [forecast(n, 0.4 + 0.01 * (n % 7)) for n in range(90)]
    flat = [forecast(n, 0.55) for n in range(90)]
    assert error_correlations({"a": mine, "b": flat}, "a") == {}
    assert error_correlations({"b": mine}, "a") == {}
    always = [forecast(n, 0.4 + 0.01 * (n % 7), went_up=True) for n in range(90)]
    assert error_correlations({"a": always, "b": always}, "a") == {"b": pytest.approx(1.0)}


def outcome(**changes: Any) -> Outcome:
    part = Attribution(agent_id="a", agent_version=7, p_up=0.61, weight=0.2, brier=0.2, return_share=0.0)
    values: dict[str, Any] = {
        "outcome_id": "o-1",
        "evaluated_at": NOW,
        "scope": "score",
        "subject": "s",
        "asset": "ACME",
        "as_of": NOW,
        "horizon": 5,
        "entry_date": date(2026, 3, 5),
        "exit_date": date(2026, 3, 12),
        "p_up": 0.6,
        "raw_return": -0.0123,
        "benchmark_return": None,
        "relative_return": None,
        "went_up": False,
        "hit": False,
        "brier": 0.36,
        "status": None,
        "side": None,
        "profit": None,
        "attribution": (part,),
        "base_rate": 0.52,
    }
    return Outcome(**{**values, **changes})


def test_a_forecast_is_taken_over_from_an_outcome_field_by_field() -> None:
    assert forecasts_by_agent([outcome(relative_return=0.004)]) == {
        "a": [
            Forecast(
                asset="ACME",
                day=NOW.date(),
                horizon=5,
                agent_version=7,
                p_up=0.61,
                base_rate=0.52,
                went_up=False,
                forward_return=-0.0123,
                relative_return=0.004,
                return_share=0.0,
            )
        ]
    }


def test_forecasts_come_by_day_horizon_and_asset_each_once() -> None:
    later = NOW + timedelta(days=1)
    mixed = [
        outcome(outcome_id="o-4", as_of=later),
        outcome(outcome_id="o-3", asset="ZINC"),
        outcome(outcome_id="o-2", horizon=1, asset="ZINC"),
        outcome(outcome_id="o-0", scope="proposal"),
        outcome(outcome_id="o-9"),
        outcome(outcome_id="o-1"),
    ]
    assert [o.outcome_id for o in distinct(mixed)] == ["o-2", "o-1", "o-3", "o-4"]
