"""A portfolio valued at a moment: equity, exposures and the daily profit its holdings would have made.

The holdings' daily profits over the last days are added up once (historical simulation with today's
holdings), so that the effect of one more order on VaR and ES is one pass over the days, whatever the number
of holdings. Everything is read from bars known at `as_of`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property

from bellwether.domain.entities import Asset, Portfolio
from bellwether.domain.prices import History, Quote
from bellwether.domain.proposals import Side

Scenario = list[float | None]
UNCLASSIFIED = "unclassified"


def direction(side: Side) -> int:
    """+1 for a buy, −1 for a sell."""
    return 1 if side == "buy" else -1


@dataclass(frozen=True, kw_only=True)
class Market:
    """Bars of the assets that matter, as known at `as_of`, on one common calendar of `days` returns."""

    as_of: datetime
    histories: Mapping[str, History]
    assets: Mapping[str, Asset]
    days: int
    _quotes: dict[str, Quote | None] = field(default_factory=dict, repr=False)
    _scenarios: dict[str, Scenario] = field(default_factory=dict, repr=False)
    _volumes: dict[tuple[str, int], float | None] = field(default_factory=dict, repr=False)

    def quote(self, symbol: str) -> Quote | None:
        """The last known bar, `None` when there is none."""
        if symbol not in self._quotes:
            history = self.histories.get(symbol)
            self._quotes[symbol] = history.last_known(self.as_of) if history else None
        return self._quotes[symbol]

    def sector(self, symbol: str) -> str:
        """The sector of an asset; assets without one share a bucket, so that they are limited together."""
        asset = self.assets.get(symbol)
        return (asset.sector if asset else None) or UNCLASSIFIED

    def average_volume(self, symbol: str, days: int) -> float | None:
        """Average daily volume in shares, `None` when unknown."""
        key = (symbol, days)
        if key not in self._volumes:
            history = self.histories.get(symbol)
            self._volumes[key] = history.average_volume(self.as_of, days) if history else None
        return self._volumes[key]

    @cached_property
    def calendar(self) -> list[date]:
        """The last `days` + 1 dates on which any of the assets traded, ascending."""
        seen: set[date] = set()
        for history in self.histories.values():
            rows = history.known_rows(self.as_of)
            seen.update(history.dates[max(0, rows - self.days - 1) : rows])
        return sorted(seen)[-self.days - 1 :]

    def scenario(self, symbol: str) -> Scenario:
        """Daily returns on the calendar; 0 on a day without a bar, `None` before the first one."""
        if symbol not in self._scenarios:
            self._scenarios[symbol] = self._aligned(self.histories.get(symbol, History(symbol)))
        return self._scenarios[symbol]

    def _aligned(self, history: History) -> Scenario:
        rows = history.known_rows(self.as_of)
        row, returns = 0, Scenario()
        last: float | None = None
        for day in self.calendar:
            before = last
            while row < rows and history.dates[row] <= day:
                last = history.adj_close[row]
                row += 1
            returns.append(None if before is None or last is None else last / before - 1)
        return returns[1:]


@dataclass(frozen=True, kw_only=True)
class Book:
    """Holdings and open orders at market value, signed (short is negative), in the portfolio's currency.

    `held` are the portfolio's positions in shares, `open_orders` what proposals that are still open would
    add. `profits` is the daily profit of both over the market's calendar, `None` where one of them has no
    return.
    """

    market: Market
    portfolio: Portfolio
    held: Mapping[str, float]
    open_orders: Mapping[str, float]
    profits: Scenario
    _drawdowns: dict[int, float | None] = field(default_factory=dict, repr=False)

    @cached_property
    def unpriced(self) -> list[str]:
        """Holdings without a known price: with any, nothing about the book is known."""
        return sorted(s for s, q in self.shares.items() if q and self.market.quote(s) is None)

    @cached_property
    def shares(self) -> dict[str, float]:
        """Shares by symbol, open orders counted as filled."""
        symbols = {**self.held, **self.open_orders}
        return {s: self.held.get(s, 0.0) + self.open_orders.get(s, 0.0) for s in symbols}

    def value(self, symbol: str, *, with_open: bool = True) -> float | None:
        """Signed market value of one asset, `None` when its price is unknown."""
        quantity = (self.shares if with_open else self.held).get(symbol, 0.0)
        if not quantity:
            return 0.0
        quote = self.market.quote(symbol)
        return quantity * quote.close if quote else None

    @cached_property
    def values(self) -> dict[str, float]:
        """Signed market value by symbol, open orders counted as filled; meaningless while any is unpriced."""
        return {symbol: self.value(symbol) or 0.0 for symbol in self.shares}

    @cached_property
    def equity(self) -> float | None:
        """Cash plus the value of the positions; `None` when a price is unknown or nothing is left."""
        if self.unpriced:
            return None
        worth = self.portfolio.cash + sum(self.value(s, with_open=False) or 0.0 for s in self.held)
        return worth if worth > 0 else None

    @cached_property
    def gross(self) -> float:
        """Sum of absolute values."""
        return sum(abs(value) for value in self.values.values())

    @cached_property
    def net(self) -> float:
        """Sum of signed values."""
        return sum(self.values.values())

    @cached_property
    def by_sector(self) -> dict[str, float]:
        """Absolute values by sector."""
        sums: dict[str, float] = {}
        for symbol, value in self.values.items():
            sector = self.market.sector(symbol)
            sums[sector] = sums.get(sector, 0.0) + abs(value)
        return sums

    def profits_with(self, symbol: str, value: float) -> list[float]:
        """Daily profits with `value` (signed) more of an asset, on the days where all are known."""
        returns = self.market.scenario(symbol)
        return [
            p + value * r
            for p, r in zip(self.profits, returns, strict=True)
            if p is not None and r is not None
        ]

    def drawdown(self, days: int) -> float | None:
        """How far today's holdings are below their best worth of the last `days` days or their cost.

        1 − worth now / best worth, with the holdings held throughout; `None` when a price is unknown. Open
        orders play no part, so books that differ in those alone share the figure.
        """
        if days not in self._drawdowns:
            self._drawdowns[days] = self._drawdown(days)
        return self._drawdowns[days]

    def _drawdown(self, days: int) -> float | None:
        if self.equity is None:
            return None
        best = max(
            self.equity, self.portfolio.cash + sum(p.quantity * p.cost for p in self.portfolio.positions)
        )
        worth = self.equity
        for profit in reversed(self._held_profits()[-days:]):
            worth -= profit
            best = max(best, worth)
        return 1 - self.equity / best

    def _held_profits(self) -> list[float]:
        """Daily changes in worth of the positions at adjusted closes, scaled to today's price."""
        changes = [0.0] * max(0, len(self.market.calendar) - 1)
        for symbol in self.held:
            path = self.value(symbol, with_open=False) or 0.0
            for day in range(len(changes) - 1, -1, -1):
                r = self.market.scenario(symbol)[day]
                if r is None:
                    break
                before = path / (1 + r)
                changes[day] += path - before
                path = before
        return changes

    def with_order(self, symbol: str, quantity: float) -> "Book":
        """The book with one more open order of `quantity` shares (signed), updated in one pass."""
        quote = self.market.quote(symbol)
        value = quantity * quote.close if quote else 0.0
        orders = dict(self.open_orders)
        orders[symbol] = orders.get(symbol, 0.0) + quantity
        profits = added(self.profits, self.market.scenario(symbol), value)
        return replace(self, open_orders=orders, profits=profits)


def added(profits: Sequence[float | None], returns: Sequence[float | None], value: float) -> Scenario:
    """Profits plus those of `value` in an asset; a day without a return of either stays unknown."""
    return [None if p is None or r is None else p + value * r for p, r in zip(profits, returns, strict=True)]


def valued(market: Market, portfolio: Portfolio, open_orders: Iterable[tuple[str, float]] = ()) -> Book:
    """The book of a portfolio at the market's `as_of`, with signed open orders in shares."""
    held: dict[str, float] = {}
    for position in portfolio.positions:
        held[position.symbol] = held.get(position.symbol, 0.0) + position.quantity
    orders: dict[str, float] = {}
    for symbol, quantity in open_orders:
        orders[symbol] = orders.get(symbol, 0.0) + quantity
    book = Book(
        market=market,
        portfolio=portfolio,
        held=held,
        open_orders=orders,
        profits=[0.0] * max(0, len(market.calendar) - 1),
    )
    profits: Scenario = book.profits
    for symbol, value in book.values.items():
        if value:
            profits = added(profits, market.scenario(symbol), value)
    return replace(book, profits=profits)
