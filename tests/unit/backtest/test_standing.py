"""What a replay carries from day to day against the functions the desk computes a score with."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from bellwether.agents.momentum import YEAR, momentum_reading, momentum_readings
from bellwether.agents.registry import DEFAULTS
from bellwether.agents.views import view_of
from bellwether.backtest.pool import Pool
from bellwether.backtest.standing import Standing
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.base_rate import base_rate
from bellwether.domain.evidence import first_live_day
from bellwether.domain.fusion import correlations, fuse
from bellwether.domain.prices import known_from
from bellwether.domain.state import AgentSums, AssetDay
from tests.unit.backtest.history import market, posts, replay, weekdays

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


@pytest.mark.parametrize("seed", range(12))
def test_a_day_s_forecast_is_the_one_computed_from_scratch(seed: int) -> None:
    random = Random(seed)
    history = market(330, seed)["BEACON"]
    track = Standing("BEACON", history, 5)
    for day in (history.dates[240] + timedelta(days=n) for n in range(100)):
        as_of = known_from(day)
        if random.random() < 0.7 and not 40 < (day - history.dates[240]).days < 60:
            track.take(some_day(random, day))
        track.forget(first_live_day(as_of))
        row = track.row_of(day)
        if row is None:
            continue
        configs = learned(random)
        pool = Pool(configs, 5)
        said = [track.say(terms, row, day.toordinal()) for terms in pool.terms]
        expected = [
            view_of(c, days=track.days, history=history, as_of=as_of, horizon=5).view for c in configs
        ]
        assert [one is None for one in said] == [view is None for view in expected]
        for one, view in zip(said, expected, strict=True):
            if one is not None and view is not None:
                assert near(tuple(one)[1:], (view.log_odds, view.evidence, view.reliability))
        base = base_rate(history, as_of, 5)
        assert track.base_rate(row) == base
        fused = fuse([view for view in expected if view is not None], base, correlations(configs))
        p_up, weights = pool.fuse([one for one in said if one is not None], base)
        assert near(p_up, fused.p_up)
        assert near(tuple(weights), fused.weights)


def test_a_replay_is_the_one_computed_from_scratch() -> None:
    """Every forecast, weight and reading of a replay that learns, over holidays and silent days."""
    items = [pair for pair in posts(weekdays(330)[250], 100) if pair[0].published_at.day not in {3, 4, 5}]
    found, expected = replay(items, market()), replay(items, market(), instead=ALL)
    assert found.counts == expected.counts
    assert len(found.resolved) > 100
    for one, other in zip(found.resolved, expected.resolved, strict=True):
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
    found = momentum_readings(closes)
    assert len(found) == len(closes)
    for row, reading in enumerate(found):
        expected = momentum_reading(closes[max(0, row - YEAR) : row + 1])
        assert (reading is None) == (expected is None), row
        assert reading == pytest.approx(expected, abs=1e-7), row
