"""A small market in memory: wandering prices, posts about it, and what a replay of them finds."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple

import numpy as np

from bellwether.agents.text import SentimentModel
from bellwether.backtest.forecasting import ViewOf
from bellwether.backtest.forecasts import Forecasts, Outcomes, Replayed
from bellwether.backtest.intake import in_order
from bellwether.backtest.records import Counts, Prediction, Settings
from bellwether.backtest.replay import Replay
from bellwether.domain.entities import Asset
from bellwether.domain.items import Item, Kind
from bellwether.domain.prices import History

SYMBOLS = ("BEACON", "HARBOR", "LANTERN", "QUAYSIDE")
ASSETS = [Asset(symbol=symbol, name=symbol.title()) for symbol in SYMBOLS]
FIRST = date(2024, 1, 1)
WORDS = (
    "shares jump after record profit",
    "shares slump after profit warning",
    "beats estimates and raises guidance",
    "misses estimates and cuts guidance",
    "opens a new office",
)


def weekdays(count: int, first: date = FIRST) -> list[date]:
    days = (first + timedelta(days=n) for n in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


def market(days: int = 330, seed: int = 1, volume: float = 1e6) -> dict[str, History]:
    """Prices that wander: opens between the closes, some days up, some down."""
    random = Random(seed)
    dates = weekdays(days)
    found = {}
    for symbol in SYMBOLS:
        closes = [100.0]
        for _ in dates[1:]:
            closes.append(closes[-1] * math.exp(random.gauss(0, 0.015)))
        opens = [closes[0], *(close * math.exp(random.gauss(0, 0.004)) for close in closes[:-1])]
        found[symbol] = History(symbol, dates, opens, closes, closes, closes, closes, [volume] * len(dates))
    return found


def posts(first: date, days: int, a_day: int = 6, seed: int = 2) -> list[tuple[Item, Kind]]:
    random = Random(seed)
    found: list[tuple[Item, Kind]] = []
    for n in range(days * a_day):
        at = datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(hours=24 / a_day * n + 0.5)
        text = f"${random.choice(SYMBOLS)} {random.choice(WORDS)}, note {n} of the day"
        item = Item(source="x", source_id=f"p{n}", published_at=at, author=f"a{n % 40}", text=text)
        found.append((item, "social"))
    return found


def replay(
    items: Sequence[tuple[Item, Kind]],
    histories: dict[str, History],
    settings: Settings | None = None,
    instead: Mapping[str, ViewOf] | None = None,
    assets: Sequence[Asset] = tuple(ASSETS),
) -> Replayed:
    counts = Counts()
    run = Replay(
        settings=settings or Settings(replicates=200),
        assets=assets,
        histories=histories,
        model=SentimentModel.load(),
        counts=counts,
        instead=instead or {},
    )
    return run(in_order(items, counts))


class Over(NamedTuple):
    """A forecast and what came of it."""

    forecast: Prediction
    entry: date
    leave: date
    value: float
    benchmark: float | None


def one_by_one(outcomes: Outcomes) -> list[Over]:
    """Outcomes as single records."""
    entries, leaves = (map(date.fromordinal, days.tolist()) for days in (outcomes.entry, outcomes.leave))
    benchmarks = [None if math.isnan(value) else value for value in outcomes.benchmark.tolist()]
    columns = (outcomes.forecasts.records(), entries, leaves, outcomes.value.tolist(), benchmarks)
    return [Over(*row) for row in zip(*columns, strict=True)]


def in_columns(rows: Sequence[Over]) -> Outcomes:
    """The same the other way round; of hand-made forecasts of one agent each, in order of time."""
    made = [row.forecast for row in rows]
    assets = sorted({one.asset for one in made})
    return Outcomes(
        forecasts=Forecasts(
            assets=assets,
            agents=sorted({part.agent_id for one in made for part in one.parts}),
            asset=np.array([assets.index(one.asset) for one in made], np.int64),
            row=np.zeros(len(made), np.int64),
            day=np.array([one.day.toordinal() for one in made], np.int64),
            p_up=np.array([one.p_up for one in made]),
            base_rate=np.array([one.base_rate for one in made]),
            agent_p_up=np.array([[one.parts[0].p_up for one in made]]),
            agent_version=np.array([[one.parts[0].version for one in made]]),
            weight=np.array([[one.parts[0].weight for one in made]]),
            raw=np.array([[one.parts[0].raw for one in made]], np.float64),
            moved=np.array([[one.parts[0].moved for one in made]]),
        ),
        entry=np.array([row.entry.toordinal() for row in rows], np.int64),
        leave=np.array([row.leave.toordinal() for row in rows], np.int64),
        value=np.array([row.value for row in rows]),
        benchmark=np.array([row.benchmark for row in rows], np.float64),
    )
