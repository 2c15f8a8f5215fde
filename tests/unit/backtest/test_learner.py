"""The replay's learner against the desk's own `Learn` on the same outcomes."""

from datetime import timedelta
from random import Random

import numpy as np
import pytest

from bellwether.adapters.memory import MemoryAgentConfigs, MemoryOutcomes
from bellwether.backtest import calibration_columns
from bellwether.backtest.calibration_columns import Series, fit_columns
from bellwether.backtest.learner import Learner
from bellwether.domain.calibration import Fit, fit_logistic
from bellwether.domain.outcomes import Attribution, Outcome, outcome_id
from bellwether.domain.prices import known_from
from bellwether.usecases.learn import Learn
from tests.unit.backtest.history import Over, market, one_by_one, posts, replay, weekdays

RESOLVED = replay(posts(weekdays(330)[270], 80), market()).resolved


def as_outcome(resolved: Over) -> Outcome:
    made = resolved.forecast
    return Outcome(
        outcome_id=outcome_id("score", f"{made.asset}{made.as_of}"),
        evaluated_at=known_from(resolved.leave),
        scope="score",
        subject="s",
        asset=made.asset,
        as_of=made.as_of,
        horizon=1,
        entry_date=resolved.entry,
        exit_date=resolved.leave,
        p_up=made.p_up,
        raw_return=resolved.value,
        benchmark_return=resolved.benchmark,
        relative_return=None,
        went_up=resolved.value > 0,
        hit=True,
        brier=0.0,
        status=None,
        side=None,
        profit=None,
        attribution=tuple(
            Attribution(
                agent_id=part.agent_id,
                agent_version=0,
                p_up=part.p_up,
                weight=part.weight,
                brier=0.0,
                return_share=0.0,
            )
            for part in made.parts
        ),
        base_rate=made.base_rate,
    )


def test_a_night_writes_what_the_desk_would_write() -> None:
    # forecasts of the first nights only: made with the configurations both start from
    made = RESOLVED.forecasts
    early = RESOLVED.take(np.flatnonzero(((made.agent_version == 0) | ~made.spoke).all(axis=0)))
    singly = one_by_one(early)
    assert len(singly) > 5
    at = known_from(max(one.leave for one in singly)) + timedelta(hours=2)
    mine, desk, outcomes = MemoryAgentConfigs(), MemoryAgentConfigs(), MemoryOutcomes()
    learner = Learner(mine, made.agents, 1)
    learner.resolved(early)
    assert learner.night(at)
    outcomes.put([as_outcome(one) for one in singly])
    Learn(configs=desk, outcomes=outcomes)(now=at)
    for agent, config in desk.current().items():
        same = mine.current()[agent]
        assert (same.version, same.resolved, same.created_at) == (1, config.resolved, at)
        assert same.brier_skill == pytest.approx(config.brier_skill)
        assert same.reliability == pytest.approx(config.reliability)
        assert same.slope == pytest.approx(config.slope)
        assert same.intercept == pytest.approx(config.intercept)
        assert same.error_correlation == pytest.approx(config.error_correlation)


@pytest.mark.parametrize("start", [None, Fit(0.4, -0.3)])
def test_the_fit_over_columns_is_the_domain_s(start: Fit | None) -> None:
    readings = [n / 7 - 2 for n in range(30)]
    happened = [n % 3 == 0 or n > 20 for n in range(30)]
    offsets = [0.01 * (n % 5) for n in range(30)]
    series = Series()
    series.add(*np.array([[9.0, 8.0], [1.0, 0.0], [0.0, 0.0]]))
    rows = np.array([readings, happened, offsets], np.float64)
    for part in (slice(0, 11), slice(11, 30)):
        series.add(*rows[:, part])
    series.drop(2)
    found, expected = fit_columns(series, start), fit_logistic(readings, happened, offsets)
    assert found is not None
    assert expected is not None
    assert found.slope == pytest.approx(expected.slope, abs=1e-9)
    assert found.intercept == pytest.approx(expected.intercept, abs=1e-9)


def test_nothing_to_fit_is_no_fit() -> None:
    for readings, happened in (([], []), ([1.0, 1.0], [0.0, 1.0]), ([1.0, 2.0], [1.0, 1.0])):
        series = Series()
        series.add(*np.array([readings, happened, [0.0] * len(readings)]))
        assert fit_columns(series, None) is None


def test_a_window_that_moves_is_fitted_like_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come and go; once in a while what was dropped is really let go."""
    monkeypatch.setattr(calibration_columns, "_MOST_DROPPED", 150)
    random = Random(4)
    rows = [(random.gauss(0, 2), float(random.random() < 0.55), random.gauss(0, 0.1)) for _ in range(900)]
    series, fit = Series(), None
    for first in range(0, 900, 60):
        series.add(*np.array(rows[first : first + 60]).T)
        if first >= 180:
            series.drop(60)
        fit = fit_columns(series, fit)
        x, o, c = (list(column) for column in zip(*rows[max(0, first - 120) : first + 60], strict=True))
        expected = fit_logistic(x, [value > 0 for value in o], c)
        assert fit is not None
        assert expected is not None
        assert len(series) == len(x)
        assert (fit.intercept, fit.slope) == pytest.approx((expected.intercept, expected.slope), abs=1e-8)
