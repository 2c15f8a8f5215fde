"""A small market in memory: wandering prices, posts about it, and what a replay of them finds."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

from bellwether.agents.text import SentimentModel
from bellwether.backtest.forecasting import ViewOf
from bellwether.backtest.intake import in_order
from bellwether.backtest.records import Counts, Replayed, Settings
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
) -> Replayed:
    counts = Counts()
    run = Replay(
        settings=settings or Settings(replicates=200),
        assets=ASSETS,
        histories=histories,
        model=SentimentModel.load(),
        counts=counts,
        instead=instead or {},
    )
    return run(in_order(items, counts))
