"""Whether what is forecast depends on what was not known yet: the check every agent has to pass.

History is replayed twice. The second time everything after a day is another: other prices and volumes, other
texts, or nothing at all. An agent whose forecasts up to that day are not the same both times has looked
ahead, however good its figures are.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from random import Random

from msgspec.structs import replace

from bellwether.backtest.forecasts import Replayed
from bellwether.backtest.records import Prediction
from bellwether.domain.items import StoredItem
from bellwether.domain.prices import History

FUSED = "fused"
Histories = Mapping[str, History]
Replayer = Callable[[Sequence[StoredItem], Histories], Replayed]
"""Replays items in order and histories by symbol from a fresh start."""


def looking_ahead(
    replayed: Replayer, items: Sequence[StoredItem], histories: Histories, day: date, *, seed: int = 0
) -> list[str]:
    """The agents (and `fused`) whose forecasts up to the end of `day` change with what comes after it."""
    first = replayed(items, histories)
    caught: set[str] = set()
    for others in (altered(items, histories, day, seed=seed), ended(items, histories, day)):
        second = replayed(*others)
        days = {one for one in {*first.days} & {*second.days} if one <= day}
        before, after = _forecasts(first, days), _forecasts(second, days)
        for key in before.keys() | after.keys():
            caught |= _differing(before.get(key), after.get(key))
    return sorted(caught)


def altered(
    items: Sequence[StoredItem], histories: Histories, day: date, *, seed: int
) -> tuple[list[StoredItem], dict[str, History]]:
    """Everything known after `day` made another: prices that jump each day, traded or not, other words."""
    random = Random(seed)  # noqa: S311 (repeatable changes are the point)
    told = [item if item.known_at.date() <= day else _retold(item, random) for item in items]
    return told, {symbol: _bent(history, day, random) for symbol, history in histories.items()}


def ended(
    items: Sequence[StoredItem], histories: Histories, day: date
) -> tuple[list[StoredItem], dict[str, History]]:
    """Everything known after `day` left out."""
    kept = [item for item in items if item.known_at.date() <= day]
    return kept, {symbol: _cut(history, day) for symbol, history in histories.items()}


def _retold(item: StoredItem, random: Random) -> StoredItem:
    words = random.choice(("collapses, fraud, bankrupt", "soars on record profit", "opens an office"))
    text = f"{(item.text or item.title or '')[:60]} {words} {random.random():.6f}"
    return replace(item, text=text, cluster_id=f"w-{random.random()}", author=f"a{random.random()}")


def _bent(history: History, day: date, random: Random) -> History:
    factors = [1.0 if known <= day else random.choice((0.6, 0.9, 1.1, 1.5)) for known in history.dates]

    def times(values: Sequence[float]) -> list[float]:
        return [value * factor for value, factor in zip(values, factors, strict=True)]

    return replace(
        history,
        open=times(history.open),
        high=times(history.high),
        low=times(history.low),
        close=times(history.close),
        adj_close=times(history.adj_close),
        volume=[
            volume if factor == 1.0 else volume * random.choice((0.0, 0.5, 3.0))
            for volume, factor in zip(history.volume, factors, strict=True)
        ],
    )


def _cut(history: History, day: date) -> History:
    rows = sum(known <= day for known in history.dates)
    columns = {name: getattr(history, name)[:rows] for name in History.__struct_fields__ if name != "symbol"}
    return replace(history, **columns)


def _forecasts(found: Replayed, days: set[date]) -> dict[tuple[str, date], Prediction]:
    made = (found.resolved.forecasts, found.open, found.unused)
    return {(one.asset, one.day): one for part in made for one in part.records() if one.day in days}


def _differing(one: Prediction | None, other: Prediction | None) -> set[str]:
    """Whose part in two forecasts of the same asset and day is not the same."""
    if one == other:
        return set()
    mine, theirs = ({part.agent_id: part for part in made.parts} if made else {} for made in (one, other))
    return {FUSED, *(agent for agent in mine.keys() | theirs.keys() if mine.get(agent) != theirs.get(agent))}
