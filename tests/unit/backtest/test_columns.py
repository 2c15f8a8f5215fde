"""What is computed of all forecasts at once against the functions the desk uses for each."""

import math
import statistics
from datetime import date
from random import Random

import numpy as np
import pytest
from msgspec.structs import asdict
from msgspec.structs import replace as changed

from bellwether.agents.registry import default_config
from bellwether.backtest.agent_records import agent_record
from bellwether.backtest.by_day import ByDay
from bellwether.backtest.columns import log_odds, probability
from bellwether.backtest.figures import figures
from bellwether.backtest.forecasts import NO_OUTCOMES, Outcomes
from bellwether.backtest.records import Settings
from bellwether.backtest.trading import expected_costs, market_known
from bellwether.domain import log_odds as domain_log_odds
from bellwether.domain.calibration import calibration_bins
from bellwether.domain.information_coefficient import spearman
from bellwether.domain.limits import CostModel
from bellwether.domain.prices import known_from
from bellwether.domain.track_record import Forecast, track_record
from bellwether.domain.trading_cost import expected_cost
from tests.unit.backtest.history import market, one_by_one, posts, replay, weekdays

COSTS = CostModel(half_spread=0.001, commission=0.0005, minimum_commission=3.0, borrow_per_year=0.252)
HISTORIES = market()


@pytest.fixture(scope="module", params=[1, 5])
def resolved(request: pytest.FixtureRequest) -> Outcomes:
    """Of a replay; a few returns have no benchmark, a few views take no side, a few probabilities are far."""
    settings = Settings(horizon=request.param, replicates=20)
    found = replay(posts(weekdays(330)[260], 90), HISTORIES, settings).resolved
    made, n = found.forecasts, len(found)
    found.benchmark[:: n // 7] = np.nan
    made.agent_p_up[:, :: n // 9] = made.base_rate[:: n // 9]
    made.p_up[3 :: n // 5] = 0.99
    return found


def as_the_desk_keeps_them(agent: str, resolved: Outcomes, horizon: int) -> list[Forecast]:
    kept = []
    for one in one_by_one(resolved):
        moved = sum(abs(part.moved) for part in one.forecast.parts)
        kept += [
            Forecast(
                asset=one.forecast.asset,
                day=one.forecast.day,
                horizon=horizon,
                agent_version=part.version,
                p_up=part.p_up,
                base_rate=one.forecast.base_rate,
                went_up=one.value > 0,
                forward_return=one.value,
                relative_return=None if one.benchmark is None else one.value - one.benchmark,
                return_share=one.value * part.moved / moved if moved else 0.0,
            )
            for part in one.forecast.parts
            if part.agent_id == agent
        ]
    return kept


@pytest.mark.parametrize("agent", ["attention", "momentum", "sentiment", "llm"])
def test_a_record_from_columns_is_the_one_from_single_forecasts(agent: str, resolved: Outcomes) -> None:
    for horizon in (1, 5):
        settings = Settings(horizon=horizon, costs=COSTS)
        config = changed(default_config(agent), resolved=900, brier_skill=0.01)
        found = agent_record(config, resolved, settings)
        expected = track_record(config, as_the_desk_keeps_them(agent, resolved, horizon), COSTS)
        assert found.resolved == (0 if agent == "llm" else expected.resolved)
        for name, value in asdict(expected).items():
            if name == "parts" and value is not None:
                assert asdict(getattr(found, name)) == pytest.approx(asdict(value), abs=1e-12)
            else:
                assert getattr(found, name) == pytest.approx(value, abs=1e-12), name


def test_rank_correlations_of_days_are_those_of_each() -> None:
    """With ties, days of few forecasts and days that do not vary."""
    random = Random(2)
    days, xs, ys = [], [], []
    for day in range(60):
        for _ in range(random.randrange(1, 9)):
            days.append(day)
            xs.append(random.choice([0.1, 0.2, random.random()]) if day % 7 else 0.5)
            ys.append(random.choice([0.0, random.gauss(0, 1)]))
    by_day = ByDay(np.array(days))
    found = by_day.spearman(np.array(xs), np.array(ys))
    assert by_day.days.tolist() == list(range(60))
    undefined = 0
    for day, value in enumerate(found.tolist()):
        rows = [row for row, other in enumerate(days) if other == day]
        expected = spearman([xs[row] for row in rows], [ys[row] for row in rows])
        undefined += expected is None
        assert (None if math.isnan(value) else value) == pytest.approx(expected, abs=1e-12)
    assert 0 < undefined < 40


def test_days_without_forecasts_are_no_days() -> None:
    by_day = ByDay(np.empty(0, np.int64))
    assert len(by_day) == 0
    assert by_day.sums(np.empty(0)).tolist() == by_day.spearman(np.empty(0), np.empty(0)).tolist() == []
    assert by_day.largest(np.empty(0, np.int64)).tolist() == []


@pytest.mark.parametrize("long", [True, False])
@pytest.mark.parametrize("notional", [100.0, 50_000.0])
def test_costs_of_orders_are_the_cost_of_each(long: bool, notional: float) -> None:
    volumes, volatility = np.array([0.0, 1e5, 3e9]), np.array([0.01, 0.02, 0.05])
    found = expected_costs(
        COSTS,
        long=np.full(3, long),
        horizon=5,
        notional=np.full(3, notional),
        volume=volumes,
        volatility=volatility,
    )
    for place, volume in enumerate(volumes.tolist()):
        assert found[place] == pytest.approx(
            expected_cost(
                COSTS,
                side="buy" if long else "sell",
                horizon=5,
                notional=notional,
                volume_share=notional / volume if volume else None,
                daily_volatility=volatility[place],
            )
        )


def test_what_was_known_of_the_market_is_no_more_than_that(resolved: Outcomes) -> None:
    volume, volatility = market_known(resolved, HISTORIES)
    made = resolved.forecasts
    for place in range(0, len(resolved), 23):
        history = HISTORIES[made.assets[made.asset[place]]]
        as_of = known_from(date.fromordinal(int(made.day[place])))
        average, last = history.average_volume(as_of, 20), history.last_known(as_of)
        assert average is not None
        assert last is not None
        assert volume[place] == pytest.approx(average * last.close)
        assert volatility[place] == pytest.approx(statistics.stdev(history.returns(as_of, days=60)))


def test_the_calibration_table_is_the_domain_s(resolved: Outcomes) -> None:
    found = figures(resolved, Settings(replicates=20)).calibration
    expected = calibration_bins(resolved.forecasts.p_up.tolist(), resolved.went_up.tolist())
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert asdict(one) == pytest.approx(asdict(other))


def test_without_forecasts_there_is_no_record() -> None:
    record = agent_record(default_config("momentum"), NO_OUTCOMES, Settings())
    assert record == track_record(default_config("momentum"), [], CostModel())


def test_probabilities_and_log_odds_are_the_domain_s() -> None:
    views = [-1e308, -800.0, -3.0, -0.0, 1e-9, 0.7, 4.0, 800.0]
    assert probability(np.array(views)) == pytest.approx([domain_log_odds.probability(v) for v in views])
    chances = [0.0, 0.005, 0.3, 0.5, 0.99, 1.0]
    assert log_odds(np.array(chances)) == pytest.approx([domain_log_odds.log_odds(p) for p in chances])
    with pytest.raises(ValueError, match="no number"):
        probability(np.array([0.1, math.nan]))
