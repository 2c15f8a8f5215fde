"""Each figure of a new version by hand: its aim, its step, and what stays when nothing was measured."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import Fit, fit_logistic
from bellwether.domain.learning import fitted, gone_back, in_force_a_day_ago, learned, within_step
from bellwether.domain.log_odds import log_odds, probability
from bellwether.domain.problems import NotFound
from bellwether.domain.track_record import Forecast, track_record
from tests.unit.trading import NOW

pytestmark = pytest.mark.req("A8")

BASE = AgentConfig(agent_id="a", version=4, created_at=NOW - timedelta(days=30))
RECORD = structs.replace(
    track_record(BASE, []), independent=200.9, resolved=700, brier_skill=0.14, information_coefficient=0.1
)


def after(
    before: AgentConfig = BASE, fit: Fit | None = None, record: Any = RECORD, **measured: Any
) -> AgentConfig:
    made = learned(BASE, before=before, record=record, fit=fit, correlations=measured, at=NOW)
    assert made is not None
    return made


@pytest.mark.parametrize(("value", "kept"), [(0.5, 0.15), (0.12, 0.12), (0.1, 0.1), (0.07, 0.07), (-1, 0.05)])
def test_a_step_reaches_so_far_either_way(value: float, kept: float) -> None:
    assert within_step(value, 0.1, 0.05) == pytest.approx(kept)


def test_without_a_fit_the_prior_slope_stays_and_no_intercept() -> None:
    made = after()
    assert (made.slope, made.intercept) == (BASE.prior_slope, 0.0)
    assert made.resolved == 200


def test_a_version_by_hand() -> None:
    """n = 200 independent, k = 200: everything is half learned. Skill .14 → (.14 + .05)/2 = .095."""
    made = after(fit=Fit(0.03, 0.16), b=0.4)
    assert made.reliability == pytest.approx(0.095)
    assert made.slope == pytest.approx(0.5 * 0.16 + 0.5 * 0.1)
    assert made.intercept == pytest.approx(0.5 * 0.03)
    assert made.error_correlation == {"b": 0.4}
    assert made.reason == (
        "700 outcomes, worth 200 independent ones: Brier skill 0.1400, "
        "reliability 0.0500 to 0.0950 (aim 0.0950), slope 0.1300"
    )
    undefined = after(record=structs.replace(RECORD, brier_skill=None))
    assert "Brier skill undefined, reliability 0.0500 to 0.0500" in undefined.reason


@pytest.mark.parametrize(
    ("fit", "slope", "intercept"),
    [
        (Fit(9.0, 99.0), 0.15, 0.02),
        (Fit(-9.0, -99.0), 0.05, -0.02),
        (Fit(0.0, 0.19), 0.145, 0.0),
    ],
)
def test_steps_bound_what_a_fit_may_do(fit: Fit, slope: float, intercept: float) -> None:
    made = after(fit=fit)
    assert made.slope == pytest.approx(slope)
    assert made.intercept == pytest.approx(intercept)


def test_no_slope_is_steeper_than_two() -> None:
    """A hundred thousand outcomes believe the fit; a slope of 9 is taken for 2, from 1.97 a step away."""
    record = structs.replace(RECORD, independent=1e9)
    before = structs.replace(BASE, slope=1.97, resolved=500)
    assert after(before, Fit(0.0, 9.0), record).slope == pytest.approx(2.0)
    low = structs.replace(BASE, slope=-1.97, resolved=500)
    assert after(low, Fit(0.0, -9.0), record).slope == pytest.approx(-2.0)


def test_an_intercept_steps_from_what_was_used() -> None:
    """Before outcomes outweigh the prior the stored intercept is not used: the step begins at 0."""
    unused = structs.replace(BASE, intercept=0.5, resolved=199)
    used = structs.replace(BASE, intercept=0.5, resolved=200)
    fit = Fit(1.0, 0.1)
    assert after(unused, fit).intercept == pytest.approx(0.02)
    assert after(used, fit).intercept == pytest.approx(0.5)
    assert after(used, Fit(2.0, 0.1)).intercept == pytest.approx(0.52)


def test_a_correlation_that_was_never_measured_is_taken_as_it_is() -> None:
    before = structs.replace(BASE, error_correlation={"b": 0.1, "gone": 0.9})
    made = after(before, b=0.9, c=-0.7)
    assert made.error_correlation == {"b": pytest.approx(0.2), "c": -0.7}
    assert list(after(before, c=0.1, b=0.1).error_correlation) == ["b", "c"]


@pytest.mark.parametrize(("independent", "learns"), [(0.0, False), (0.99, False), (1.0, True)])
def test_less_than_one_independent_outcome_teaches_nothing(independent: float, learns: bool) -> None:
    record = structs.replace(RECORD, independent=independent)
    made = learned(BASE, before=BASE, record=record, fit=None, correlations={}, at=NOW)
    assert (made is not None) is learns


def test_a_version_of_exactly_a_day_ago_is_the_one_measured_from() -> None:
    day = structs.replace(BASE, version=9, created_at=NOW - timedelta(days=1))
    assert in_force_a_day_ago([BASE, day], NOW, BASE) == day
    younger = structs.replace(day, created_at=NOW - timedelta(hours=23, minutes=59))
    assert in_force_a_day_ago([BASE, younger], NOW, BASE) == BASE
    assert in_force_a_day_ago([], NOW, BASE) == BASE
    back = structs.replace(day, created_at=NOW, back_to=1)
    assert in_force_a_day_ago([BASE, back], NOW, BASE) == back, "a way back counts at once"


def test_a_fit_reads_each_forecast_by_its_own_version_and_base_rate() -> None:
    """Two versions with slopes .1 and .4 said the same things; the readings behind them differ by four."""
    slopes = {1: 0.1, 2: 0.4, 3: 0.0}
    made, readings, happened, offsets = [], [], [], []
    for n in range(200):
        version, raw, base = 1 + n % 3, (n % 7) - 3.0, 0.5 + 0.02 * (n % 3)
        view = log_odds(base) + slopes[version] * raw
        up = (n * 37) % 11 < 5 + raw
        made.append(
            Forecast(
                asset="S",
                day=NOW.date(),
                horizon=1,
                agent_version=version,
                p_up=probability(view),
                base_rate=base,
                went_up=up,
                forward_return=0.0,
            )
        )
        if slopes[version]:
            readings.append(raw)
            happened.append(up)
            offsets.append(log_odds(base))
    found = fitted(made, lambda version: structs.replace(BASE, prior_slope=slopes[version]))
    expected = fit_logistic(readings, happened, offsets)
    assert found is not None
    assert expected is not None
    assert (found.intercept, found.slope) == pytest.approx((expected.intercept, expected.slope), abs=1e-9)


def test_going_back_to_what_never_was_is_refused_by_name() -> None:
    with pytest.raises(NotFound, match="there is no version 9"):
        gone_back([BASE], 9, at=NOW, reason="")
    newest = structs.replace(BASE, version=7)
    assert gone_back([newest, BASE], 4, at=NOW, reason="why").reason == "back to version 4: why"
