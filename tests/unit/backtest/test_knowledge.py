"""What a replay carries from day to day against the functions the desk computes a score with."""

import math
from collections import deque
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from bellwether.adapters.memory import MemoryAgentConfigs
from bellwether.agents.momentum import YEAR, momentum_reading
from bellwether.agents.registry import DEFAULTS
from bellwether.agents.views import view_of
from bellwether.backtest.bars import Bars, base_rates, momentum_readings
from bellwether.backtest.forecasting import Forecaster
from bellwether.backtest.forecasts import Forecasts
from bellwether.backtest.records import Counts, Settings
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.base_rate import base_rate
from bellwether.domain.evidence import first_live_day
from bellwether.domain.fusion import correlations, for_horizon, fuse
from bellwether.domain.log_odds import log_odds, probability
from bellwether.domain.prices import History, known_from
from bellwether.domain.reliability import log_odds_from, slope_of
from bellwether.domain.state import AgentSums, AssetDay
from bellwether.usecases.agent_versions import AgentVersions
from tests.unit.backtest.history import ASSETS, SYMBOLS, market, one_by_one, posts, replay, weekdays

ALL = dict.fromkeys(DEFAULTS, view_of)


def near(found: object, expected: object) -> bool:
    return found == expected or found == pytest.approx(expected, abs=1e-9, rel=1e-9)


def some_day(random: Random, day: date) -> AssetDay:
    """Sums of up to two half-lives, some without evidence, mentions at some hours."""
    agents = {}
    for half_life in random.sample([0.1, 3.0, 24.0, 500.0], k=random.randrange(3)):
        weight = random.choice([0.0, random.expovariate(1)])
        agents[f"sentiment@{half_life!r}"] = AgentSums(
            half_life=half_life,
            weight=weight,
            weighted_log_odds=weight * random.gauss(0, 0.5),
            weighted_square=weight,
            squared_weight=weight * weight,
            newest=random.choice([None, random.uniform(-80, 24)]) if weight else None,
            signals=3,
            clusters=2,
        )
    hours = tuple(random.choice([0, 0, 1, 4]) for _ in range(24)) if random.random() < 0.9 else ()
    return AssetDay(asset="BEACON", day=day.strftime("%Y%m%d"), agents=agents, mentions_by_hour=hours)


def learned(random: Random) -> list[AgentConfig]:
    """Configurations as a year of learning might leave them."""
    return [
        AgentConfig(
            agent_id=agent,
            version=3,
            created_at=datetime(2024, 1, 1, tzinfo=UTC),
            enabled=random.random() < 0.9,
            horizon=random.choice([1, 5]),
            half_life=24.0,
            slope=random.choice([0.0, random.gauss(0, 1)]),
            intercept=random.gauss(0, 0.1),
            resolved=random.choice([0, 1_000]),
            reliability=random.choice([None, 0.0, random.random()]),
            error_correlation={"momentum": random.uniform(-1, 1)} if agent != "momentum" else {},
        )
        for agent in sorted(DEFAULTS)
    ]


def without_some_bars(history: History, random: Random) -> History:
    rows = [row for row in range(len(history.dates)) if random.random() < 0.95]
    columns = {
        name: [getattr(history, name)[row] for row in rows]
        for name in History.__struct_fields__
        if name != "symbol"
    }
    return replace(history, **columns)


@pytest.mark.parametrize("seed", range(12))
def test_a_day_s_forecasts_are_the_ones_computed_from_scratch(seed: int) -> None:
    """Over silent weeks, missing bars and configurations that change every day."""
    random = Random(seed)
    histories = {name: without_some_bars(one, random) for name, one in market(330, seed).items()}
    first = weekdays(330)[240]
    counts = Counts()
    forecaster = Forecaster(SYMBOLS, Bars([histories[name] for name in SYMBOLS], 5), 5, counts, {})
    known: dict[str, deque[AssetDay]] = {name: deque() for name in SYMBOLS}
    compared = 0
    for day in (first + timedelta(days=n) for n in range(100)):
        silent = 40 < (day - first).days < 60
        speaking = [name for name in SYMBOLS if random.random() < 0.7 and not silent]
        states = {name: replace(some_day(random, day), asset=name) for name in speaking}
        forecaster.take(day, states)
        for name, state in states.items():
            known[name].append(state)
        configs = learned(random)
        stored = MemoryAgentConfigs()
        for config in configs:
            stored.put(config)
        made = forecaster.day(day, AgentVersions(stored))
        with_bars = [place for place, name in enumerate(SYMBOLS) if day in histories[name].dates]
        said = [
            place
            for place in with_bars
            if expected_forecast(histories[SYMBOLS[place]], known[SYMBOLS[place]], day, configs, made, place)
        ]
        assert made.asset.tolist() == said
        compared += len(said)
    assert counts.forecasts == compared > 100
    assert counts.abstained > 0


def expected_forecast(
    history: History,
    days: deque[AssetDay],
    day: date,
    configs: list[AgentConfig],
    made: Forecasts,
    place: int,
) -> bool:
    """Whether the desk would forecast; if so, it would forecast the same."""
    as_of = known_from(day)
    while days and days[0].day < first_live_day(as_of):
        days.popleft()
    views = [view_of(c, days=days, history=history, as_of=as_of, horizon=5).view for c in configs]
    base = base_rate(history, as_of, 5)
    fused = fuse([view for view in views if view is not None], base, correlations(configs))
    if fused.p_up is None:
        return False
    column = made.asset.tolist().index(place)
    assert near(made.p_up[column], fused.p_up)
    assert near(made.base_rate[column], base.p_up)
    weights = iter(fused.weights)
    for row, (config, view) in enumerate(zip(configs, views, strict=True)):
        p_up, raw = made.agent_p_up[row, column], made.raw[row, column]
        weight = next(weights) if view is not None else 0.0
        assert near(made.weight[row, column], weight)
        assert math.isnan(p_up) == (view is None or view.evidence <= 0)
        if view is None or math.isnan(p_up):
            continue
        assert near(p_up, probability(log_odds(base.p_up) + view.log_odds))
        assert near(made.moved[row, column], weight * view.log_odds)
        assert math.isnan(raw) == (slope_of(config) == 0)
        if slope_of(config) and 0.011 < p_up < 0.989:
            # the reading, calibrated, is the view
            assert near(for_horizon(log_odds_from(config, raw), config.horizon, 5), view.log_odds)
    return True


@pytest.mark.parametrize("horizon", [1, 5, 252])
def test_base_rates_are_those_of_the_closes_known(horizon: int) -> None:
    history = market(1_300)["BEACON"]
    p_up, known = base_rates(history.adj_close, horizon)
    for row in (0, 1, horizon, 255, 999, 1_000, 1_001, 1_299):
        expected = base_rate(history, known_from(history.dates[row]), horizon)
        assert (p_up[row], known[row]) == pytest.approx((expected.p_up, expected.log_odds), abs=1e-14)


def test_a_replay_is_the_one_computed_from_scratch() -> None:
    """Every forecast, weight and reading of a replay that learns, over holidays and silent days."""
    items = [pair for pair in posts(weekdays(330)[250], 100) if pair[0].published_at.day not in {3, 4, 5}]
    found, expected = replay(items, market()), replay(items, market(), instead=ALL)
    assert found.counts == expected.counts
    assert len(found.resolved) > 100
    for one, other in zip(one_by_one(found.resolved), one_by_one(expected.resolved), strict=True):
        mine, desk = one.forecast, other.forecast
        assert (mine.asset, mine.as_of) == (desk.asset, desk.as_of)
        assert near(mine.p_up, desk.p_up)
        assert [part.agent_id for part in mine.parts] == [part.agent_id for part in desk.parts]
        for a, b in zip(mine.parts, desk.parts, strict=True):
            assert near((a.p_up, a.weight), (b.p_up, b.weight))
            assert near(a.raw, b.raw)


@pytest.mark.parametrize("seed", range(5))
def test_momentum_from_running_sums_is_that_of_each_year(seed: int) -> None:
    """Through years that move, that stand still, and that only drift."""
    random = Random(seed)
    closes = [100.0]
    for spread, drift in ((0.03, 0.0), (0.0, 0.0), (1e-7, 0.0), (0.0, 0.001), (0.02, 0.001)):
        for _ in range(320):
            closes.append(closes[-1] * (1 + drift + random.gauss(0, spread)))
    assert momentum_readings(closes[:YEAR]).tolist() == pytest.approx([math.nan] * YEAR, nan_ok=True)
    found = [None if math.isnan(reading) else reading for reading in momentum_readings(closes)]
    assert len(found) == len(closes)
    for row, reading in enumerate(found):
        expected = momentum_reading(closes[max(0, row - YEAR) : row + 1])
        assert (reading is None) == (expected is None), row
        assert reading == pytest.approx(expected, abs=1e-7), row


def test_a_day_outside_of_the_assets_bars_has_none_of_them() -> None:
    """Assets nobody asked for may trade before and after."""
    history = market(40)["BEACON"]
    columns = {name: getattr(history, name)[10:30] for name in History.__struct_fields__ if name != "symbol"}
    bars = Bars([replace(history, **columns)], 1)
    for row, day in enumerate(history.dates):
        assets, rows = bars.at(day)
        within = 10 <= row < 30
        assert (assets.tolist(), rows.tolist()) == (([0], [row - 10]) if within else ([], []))
        assert bars.missing(day) == 0


def test_a_replay_of_an_asset_that_trades_less_than_others() -> None:
    """As many forecasts as it has bars, and the same with the others left out."""
    histories = market()
    beacon = histories["BEACON"]
    columns = {name: getattr(beacon, name)[280:310] for name in History.__struct_fields__ if name != "symbol"}
    histories["BEACON"] = replace(beacon, **columns)
    items = [pair for pair in posts(weekdays(330)[262], 90) if "$BEACON" in str(pair[0].text)]
    found = replay(items, histories, Settings(replicates=20), assets=[ASSETS[0]])
    made = [*found.resolved.forecasts.records(), *found.open.records(), *found.unused.records()]
    assert {one.asset for one in made} == {"BEACON"}
    assert len(made) == found.counts.forecasts
    assert len(made) + found.counts.abstained == 30
    assert {one.day for one in made} <= set(beacon.dates[280:310])
