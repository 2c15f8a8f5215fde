"""Figures and trading of forecasts made by hand."""

from random import Random

import pytest
from msgspec.structs import replace
from sklearn.metrics import brier_score_loss, matthews_corrcoef

from bellwether.backtest.figures import figures
from bellwether.backtest.forecasts import NO_OUTCOMES, Outcomes
from bellwether.backtest.records import Part, Prediction, Settings
from bellwether.backtest.trading import compounded, drawdowns, trading
from bellwether.domain.limits import CostModel
from bellwether.domain.prices import known_from
from tests.unit.backtest.history import SYMBOLS, Over, in_columns, market, posts, replay, weekdays

SETTINGS = Settings(replicates=300)
DAYS = weekdays(120)


def forecasts(skill: float, seed: int = 1, days: int = 100) -> Outcomes:
    """Forecasts of 4 assets on `days` days that are right with a probability of ½ + skill."""
    random = Random(seed)
    found = []
    for n in range(days):
        for symbol in SYMBOLS:
            up = random.random() < 0.5
            said = up if random.random() < 0.5 + skill else not up
            p = 0.55 if said else 0.45
            made = Prediction(
                asset=symbol,
                day=DAYS[n],
                as_of=known_from(DAYS[n]),
                p_up=p,
                base_rate=0.5,
                parts=(Part(agent_id="sentiment", version=0, p_up=p, weight=0.2, raw=1.0, moved=0.04),),
            )
            value = 0.01 * (1 if up else -1) * (1 + random.random())
            found.append(
                Over(
                    forecast=made,
                    entry=DAYS[n + 1],
                    leave=DAYS[n + 2],
                    value=value,
                    benchmark=0.001,
                )
            )
    return in_columns(found)


def test_figures_against_scikit_learn() -> None:
    resolved = forecasts(0.1)
    came, p = resolved.went_up.tolist(), resolved.forecasts.p_up.tolist()
    found = figures(resolved, SETTINGS)
    assert found.mcc.value == pytest.approx(matthews_corrcoef(came, [value > 0.5 for value in p]))
    assert found.brier.value == pytest.approx(brier_score_loss(came, p))
    assert found.base_rate["brier"] == pytest.approx(0.25)
    assert found.n.value == 400


def test_skill_is_an_edge_and_chance_is_none() -> None:
    assert figures(forecasts(0.2), SETTINGS).edge == "positive"
    assert figures(forecasts(-0.2), SETTINGS).edge == "none"
    assert all(figures(forecasts(0.0, seed), SETTINGS).edge == "none" for seed in range(5))


def test_few_days_are_no_edge_however_good() -> None:
    found = figures(forecasts(0.45, days=10), SETTINGS)
    assert found.edge == "none"
    assert "too few" in found.edge_reason


def test_without_forecasts_every_figure_is_undefined() -> None:
    found = figures(NO_OUTCOMES, SETTINGS)
    assert (found.n.value, found.accuracy.value, found.mcc.value, found.edge) == (0, None, None, "none")


def test_costs_are_taken_off_each_position() -> None:
    """Ten equal places, four taken: each trade costs two half spreads and two commissions."""
    free = Settings(costs=CostModel(half_spread=0, commission=0, impact=0, borrow_per_year=0))
    fixed = replace(free, costs=CostModel(half_spread=0.001, commission=0.0005, impact=0, borrow_per_year=0))
    resolved = forecasts(0.1)
    without, with_ = (trading(resolved, market(120), settings) for settings in (free, fixed))
    assert without.days[0].cost == 0
    assert with_.days[0].cost == pytest.approx(4 * 0.1 * 2 * 0.0015)
    assert with_.days[0].gross == pytest.approx(without.days[0].gross)
    assert with_.strategies[0].net_return < without.strategies[0].net_return
    assert with_.strategies[0].deflated_sharpe is not None
    assert [s.name for s in with_.strategies] == ["fused", "sentiment"]


def test_equity_and_drawdown_by_hand() -> None:
    equity = compounded([0.1, -0.5, 0.2])
    assert equity == pytest.approx([1.1, 0.55, 0.66])
    assert drawdowns(equity) == pytest.approx([0.0, 0.5, 0.4])


def test_days_without_trade_and_missing_bars_are_counted() -> None:
    histories = market()
    beacon = histories["BEACON"]
    histories["BEACON"] = replace(beacon, volume=[*beacon.volume[:300], 0.0, *beacon.volume[301:]])
    gone = {
        name: column[:305] for name in beacon.__struct_fields__ if name != "symbol"
        for column in [getattr(histories["HARBOR"], name)]
    }  # fmt: skip
    histories["HARBOR"] = replace(histories["HARBOR"], **gone)
    lantern = histories["LANTERN"]
    holes = {
        name: [*column[:302], *column[303:]] for name in beacon.__struct_fields__ if name != "symbol"
        for column in [getattr(lantern, name)]
    }  # fmt: skip
    histories["LANTERN"] = replace(lantern, **holes)
    found = replay(posts(weekdays(330)[285], 60), histories)
    assert (found.counts.without_trade, found.counts.late_exits) == (1, 1)
    assert found.counts.ended_assets == 1
    assert found.counts.missing_bars == 1
    assert found.counts.no_entry_price == 1
    assert found.counts.closed_at_last_price == 1
