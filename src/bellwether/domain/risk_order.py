"""One order as the risk checks see it, and how a check's finding is put."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import floor, isfinite

from msgspec import Struct

from bellwether.domain.equity import RecordedDrawdown
from bellwether.domain.limits import Controls, RiskLimits
from bellwether.domain.portfolio_value import Book, direction
from bellwether.domain.proposals import Check, CheckOutcome, Proposal, Side
from bellwether.domain.scores import Score

OF_EQUITY = "of equity"


class Order(Struct, frozen=True, kw_only=True):
    """What is to be traded; `quantity` in shares, positive."""

    asset: str
    side: Side
    quantity: float


class Finding(Struct, frozen=True):
    """A check and the largest quantity in shares it lets pass."""

    check: Check
    allowed: float


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What all orders of one portfolio are checked against at one moment.

    `recorded` is the drawdown of the portfolio's own recorded equity, `None` while too little is recorded;
    `damaged` names the object of that record which cannot be read, so that the drawdown is not known.
    `open_proposals` are the portfolio's that are pending or approved and not yet expired, without the one
    that is checked; their effect is in `book` already. `recent` are its proposals of late, whatever became
    of them.
    """

    as_of: datetime
    controls: Controls
    book: Book
    open_proposals: Sequence[Proposal] = ()
    recent: Sequence[Proposal] = ()
    recorded: RecordedDrawdown | None = None
    damaged: str | None = None

    @property
    def limits(self) -> RiskLimits:
        """The limits in force."""
        return self.controls.limits


@dataclass(frozen=True, kw_only=True)
class CheckedOrder:
    """An order in a situation, with what several checks need computed once. Unknown figures are `None`."""

    order: Order
    situation: Situation
    score: Score | None = None

    @cached_property
    def limits(self) -> RiskLimits:
        """The limits in force."""
        return self.situation.limits

    @cached_property
    def book(self) -> Book:
        """The book before the order."""
        return self.situation.book

    @cached_property
    def sign(self) -> int:
        """+1 for a buy, −1 for a sell."""
        return direction(self.order.side)

    @cached_property
    def quantity(self) -> float | None:
        """The quantity, when it is a size at all."""
        q = self.order.quantity
        return q if isfinite(q) and q > 0 else None

    @cached_property
    def price(self) -> float | None:
        """The last known close of the asset, when it is a price at all."""
        quote = self.book.market.quote(self.order.asset)
        return quote.close if quote and isfinite(quote.close) and quote.close > 0 else None

    @cached_property
    def notional(self) -> float | None:
        """Quantity times price."""
        return self.quantity * self.price if self.quantity and self.price else None

    @cached_property
    def held(self) -> float:
        """Signed value of the asset in the portfolio."""
        return self.book.value(self.order.asset, with_open=False) or 0.0

    @cached_property
    def committed(self) -> float:
        """Signed value of the asset with open orders counted as filled."""
        return self.book.value(self.order.asset) or 0.0

    @cached_property
    def reducible(self) -> float:
        """Shares of the order that only shrink the position, from 0, whether open orders are filled or not.

        Against an order that is only proposed nothing shrinks: without it the same shares open a position.
        """
        asset = self.order.asset
        against = (-self.sign * holding.get(asset, 0.0) for holding in (self.book.held, self.book.shares))
        return max(0.0, min(*against, self.quantity or 0.0))

    def found(
        self,
        code: str,
        *,
        limit: float | None,
        observed: float | None,
        unit: str,
        allowed: float,
        detail: str,
    ) -> Finding:
        """The finding that lets `allowed` shares pass; a size that is unknown is denied."""
        quantity, lot = self.quantity, self.situation.controls.sizing.lot
        outcome: CheckOutcome = "deny"
        if quantity is not None and allowed >= quantity * (1 - 1e-9):
            outcome, allowed = "pass", quantity
        elif quantity is not None and whole_lots(allowed, lot) > 0:
            outcome = "clamp"
        check = Check(code=code, outcome=outcome, limit=limit, observed=observed, unit=unit, detail=detail)
        return Finding(check, allowed if outcome != "deny" else 0.0)

    def unknown(self, code: str, *, limit: float | None, unit: str, what: str) -> Finding:
        """The finding of a check that cannot be made: denied."""
        detail = f"{what} is unknown, so the order is denied"
        return self.found(code, limit=limit, observed=None, unit=unit, allowed=0.0, detail=detail)

    def either(
        self, code: str, *, good: bool, limit: float | None, observed: float | None, unit: str, detail: str
    ) -> Finding:
        """The finding of a check that passes or denies the whole order."""
        allowed = (self.quantity or 0.0) if good else 0.0
        return self.found(code, limit=limit, observed=observed, unit=unit, allowed=allowed, detail=detail)


def whole_lots(quantity: float, lot: float) -> float:
    """The largest multiple of `lot` that is not above `quantity`; 0 of what is not finite."""
    if not isfinite(quantity):
        return 0.0
    lots = floor(quantity / lot + 1e-9)
    return max(0.0, lots * lot)
