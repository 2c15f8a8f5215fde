"""From the rows of a provider to bars: each checked by itself, what is none told with its reason."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from bellwether.adapters.providers.prices.asking import DailyRows, day_of, figure
from bellwether.domain.corporate_actions import Actions, Dividend, Split, adjusted_closes, merge_actions
from bellwether.domain.price_quality import HeldBar
from bellwether.domain.prices import Bar, History

COLUMNS = ("open", "high", "low", "close", "adj_close", "volume")


def history_of(symbol: str, told: DailyRows, first: date, last: date) -> tuple[History, list[HeldBar]]:
    """The bars from `first` to `last`, ascending, one a day, and the rows that are none.

    Two rows of one day that say the same are one; two that differ are none, for nothing says which is right.
    """
    bars: dict[date, Bar] = {}
    twice: set[date] = set()
    held: list[HeldBar] = []
    for row in told.bars:
        made = _bar(symbol, row, first, last)
        if isinstance(made, HeldBar):
            held.append(made)
        elif bars.setdefault(made.date, made) != made:
            twice.add(made.date)
    held += [_held(symbol, day, "two_bars", 2.0, 1.0, f"two rows of {day} differ") for day in sorted(twice)]
    kept = [bars[day] for day in sorted(bars.keys() - twice)]
    columns = ([float(getattr(bar, name)) for bar in kept] for name in COLUMNS)
    return History(symbol, [bar.date for bar in kept], *columns), held


def actions_of(symbol: str, told: DailyRows) -> Actions:
    """The corporate actions of an answer, one of a kind a day."""
    return merge_actions(Actions(symbol), Actions(symbol, tuple(told.splits), tuple(told.dividends)))[0]


def with_adjusted(
    symbol: str, bars: Sequence[dict[str, Any]], splits: Sequence[Split], dividends: Sequence[Dividend]
) -> list[dict[str, Any]]:
    """The rows with an `adj_close` made from what was paid and split up to the last of them; none where a row
    has no close."""
    closes = {
        day: close
        for bar in bars
        if (day := day_of(bar.get("date"))) and (close := figure(bar.get("close"))) and close > 0
    }
    days = sorted(closes)
    told = merge_actions(Actions(symbol), Actions(symbol, tuple(splits), tuple(dividends)))[0]
    adjusted: dict[date | None, float] = dict(
        zip(days, adjusted_closes(days, [closes[day] for day in days], told), strict=True)
    )
    return [{**bar, "adj_close": adjusted.get(day_of(bar.get("date")), "")} for bar in bars]


def _bar(symbol: str, row: Mapping[str, Any], first: date, last: date) -> Bar | HeldBar:
    day = day_of(row.get("date"))
    if day is None:
        return _held(symbol, first, "no_date", 0.0, 0.0, "a row without a day")
    if day > last:
        return _held(symbol, day, "in_the_future", float((day - last).days), 0.0, f"{day} is still to come")
    if day < first:
        return _held(symbol, day, "not_asked", float((first - day).days), 0.0, f"{day} was not asked for")
    figures = {name: figure(row.get(name)) for name in COLUMNS}
    lacking = next((name for name, value in figures.items() if value is None or math.isnan(value)), None)
    if lacking:
        missing = row.get(lacking) in {None, ""}
        return _held(
            symbol, day, "no_figure", 0.0, 0.0, f"{lacking} is {'missing' if missing else 'no number'}"
        )
    try:
        return msgspec.convert({"symbol": symbol, "date": day, **figures}, Bar)
    except msgspec.ValidationError as fault:
        return _held(symbol, day, "invalid_bar", 0.0, 0.0, str(fault))


def _held(symbol: str, day: date, code: str, observed: float, limit: float, detail: str) -> HeldBar:
    return HeldBar(symbol=symbol, date=day, code=code, observed=observed, limit=limit, detail=detail)
