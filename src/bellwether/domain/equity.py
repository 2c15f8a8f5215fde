"""A portfolio's own history: its equity day by day, and how far it is below its best.

One `EquityDay` is written for each trading day with complete bars. Its `index` chains the returns of what was
*held* from one record to the next (a time-weighted return, as the Global Investment
Performance Standards ask for): cash that comes or goes and
positions that are corrected between two records change the equity, and what earns the next return, but are
neither a gain nor a loss. A trade counts at the close of the day whose record first shows it; what it was
filled at is not known here.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from bellwether.domain.clustered_error import trading_day
from bellwether.domain.items import Instant
from bellwether.domain.portfolio_value import Book
from bellwether.domain.prices import History

FEWEST_DAYS = 5
"""Recorded days below which a portfolio's own history says nothing yet."""
LEAST_FACTOR = 1e-6
"""A day on which everything was lost still leaves a chain that can go on."""


class EquityDay(Struct, frozen=True, kw_only=True):
    """A portfolio at the close of `day`, in its currency; `recorded_at` is when that was written down.

    `values` are the signed market values of what was held, `priced` the days of the closes behind them: a bar
    that comes late is not skipped. `index` is 1 on the first day and grows by the returns since, decimals.
    """

    day: date
    recorded_at: Instant
    equity: float
    cash: float
    values: dict[str, float]
    priced: dict[str, date]
    index: float


class RecordedDrawdown(Struct, frozen=True, kw_only=True):
    """How far the index is below its best of `days` recorded days, the first of them `since`."""

    value: float
    days: int
    since: date


def last_close(book: Book) -> date:
    """The last trading day with complete bars of what is held; of cash alone, the last whole weekday."""
    known = [
        quote.date
        for symbol, q in book.held.items()
        if q and (quote := book.market.quote(symbol)) is not None
    ]
    if known:
        return max(known)
    day = book.market.as_of.date() - timedelta(days=1)
    return day - timedelta(days=max(0, day.weekday() - 4))


def growth(record: EquityDay, histories: Mapping[str, History], as_of: datetime) -> float | None:
    """What became of one unit of the record's equity by `as_of` if nothing had been traded since.

    At adjusted closes, so that splits and dividends are no loss; `None` when a holding's price is unknown.
    """
    gained = 0.0
    for symbol, value in record.values.items():
        history = histories.get(symbol, History(symbol))
        then, now = bisect_right(history.dates, record.priced[symbol]), history.known_rows(as_of)
        if not then or not now:
            return None
        gained += value * (history.adj_close[max(then, now) - 1] / history.adj_close[then - 1] - 1)
    return max(LEAST_FACTOR, 1 + gained / record.equity)


def next_day(previous: EquityDay | None, book: Book) -> EquityDay | None:
    """The record of the last complete day; `None` when there is one, or when the equity is not known."""
    day = last_close(book)
    if book.equity is None or (previous is not None and day <= previous.day):
        return None
    factor = growth(previous, book.market.histories, book.market.as_of) if previous else 1.0
    if factor is None:
        return None
    held = {s: quote for s, q in book.held.items() if q and (quote := book.market.quote(s)) is not None}
    return EquityDay(
        day=day,
        recorded_at=book.market.as_of,
        equity=book.equity,
        cash=book.portfolio.cash,
        values={symbol: book.held[symbol] * quote.close for symbol, quote in held.items()},
        priced={symbol: quote.date for symbol, quote in held.items()},
        index=(previous.index if previous else 1.0) * factor,
    )


def recorded_drawdown(
    records: Sequence[EquityDay], histories: Mapping[str, History], as_of: datetime, days: int
) -> RecordedDrawdown | None:
    """1 − index now / best index of the last `days` trading days, carried from the last record to `as_of`.

    From what was written by `as_of` alone. `None` below five records, or when the price of something that was
    held is unknown.
    """
    first = trading_day(as_of.date()) - days
    known = [one for one in records if one.recorded_at <= as_of and trading_day(one.day) >= first]
    window = sorted(known, key=lambda one: one.day)
    factor = growth(window[-1], histories, as_of) if len(window) >= min(days, FEWEST_DAYS) else None
    if factor is None:
        return None
    now = window[-1].index * factor
    best = max(now, *(record.index for record in window))
    return RecordedDrawdown(value=1 - now / best, days=len(window), since=window[0].day)
