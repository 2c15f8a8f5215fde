"""Risk checks on what the market could do to the book: tail losses, drawdown, liquidity, stale prices."""

from collections.abc import Callable, Sequence

from bellwether.domain.equity import RecordedDrawdown
from bellwether.domain.risk_order import OF_EQUITY, CheckedOrder, Finding
from bellwether.domain.value_at_risk import cornish_fisher, historical_of_ascending

BISECTIONS = 10

Measure = Callable[[Sequence[float]], float | None]


def tail_losses(order: CheckedOrder, quantity: float) -> list[float]:
    """Daily profits of the book with `quantity` more of the asset, in the portfolio's currency."""
    return order.book.profits_with(order.order.asset, order.sign * quantity * (order.price or 0.0))


def _var_95(order: CheckedOrder) -> Measure:
    def measure(profits: Sequence[float]) -> float | None:
        tail = historical_of_ascending(sorted(profits), 0.95)
        if tail is None:
            return None
        if order.limits.var_method == "cornish_fisher":
            fitted = cornish_fisher(profits, 0.95)
            return tail.var if fitted is None else fitted
        return tail.var

    return measure


def _es_97_5(profits: Sequence[float]) -> float | None:
    tail = historical_of_ascending(sorted(profits), 0.975)
    return tail.es if tail else None


def largest_within(order: CheckedOrder, measure: Measure, limit: float) -> float:
    """The largest quantity, to a thousandth of the order, found by bisection with a loss of at most `limit`.

    `limit` in currency; 0 when even the book without the order loses more or cannot be measured. ES is
    convex in the quantity, so there is one boundary; VaR need not be, and any quantity that is returned is
    within it.
    """

    def within(quantity: float) -> bool:
        loss = measure(tail_losses(order, quantity))
        return loss is not None and loss <= limit

    if not within(0.0):
        return 0.0
    low, high = 0.0, order.quantity or 0.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if within(middle):
            low = middle
        else:
            high = middle
    return low


def _tail(order: CheckedOrder, code: str, measure: Measure, limit: float, what: str) -> Finding:
    equity, quantity = order.book.equity, order.quantity
    if equity is None or quantity is None or order.price is None:
        return order.unknown(code, limit=limit, unit=OF_EQUITY, what="the size, the price or the equity")
    after = measure(tail_losses(order, quantity))
    if after is None:
        what = f"{what}: too few days with returns of all holdings, it"
        return order.unknown(code, limit=limit, unit=OF_EQUITY, what=what)
    allowed, share = quantity, after / equity
    detail = f"{what} would be {share:.2%} of equity, at most {limit:.2%}"
    if share > limit:
        before = measure(tail_losses(order, 0.0))
        if before is not None and after <= before and order.reducible >= quantity:
            detail += f"; the order lowers it from {before / equity:.2%}"
        else:
            allowed = largest_within(order, measure, limit * equity)
    return order.found(code, limit=limit, observed=share, unit=OF_EQUITY, allowed=allowed, detail=detail)


def var_95(order: CheckedOrder) -> Finding:
    """VAR_95: one-day value at risk of the book after the order, 95 %."""
    return _tail(order, "VAR_95", _var_95(order), order.limits.var_95, "one-day VaR 95 %")


def es_97_5(order: CheckedOrder) -> Finding:
    """ES_97_5: one-day expected shortfall of the book after the order, 97.5 %."""
    return _tail(order, "ES_97_5", _es_97_5, order.limits.es_97_5, "one-day ES 97.5 %")


def drawdown(order: CheckedOrder) -> Finding:
    """DRAWDOWN: below the limit anything goes, above it only what shrinks a position.

    The larger counts of two: of the equity as it was recorded day by day, once there are enough days, and of
    what is held today, had it been held throughout. A portfolio that sold its losers is still down by them.
    """
    code, limit, days = "DRAWDOWN", order.limits.drawdown, order.limits.drawdown_days
    held, recorded = order.book.drawdown(days), order.situation.recorded
    if damaged := order.situation.damaged:
        what = f"the recorded equity ({damaged} cannot be read)"
        return order.unknown(code, limit=limit, unit=OF_EQUITY, what=what)
    if held is None or order.quantity is None:
        return order.unknown(code, limit=limit, unit=OF_EQUITY, what="the portfolio's drawdown or the size")
    observed = max(held, recorded.value) if recorded else held
    allowed = order.quantity if observed <= limit else order.reducible
    detail = f"{_drawdown_in_words(held, recorded, days)}, at most {limit:.2%}"
    return order.found(code, limit=limit, observed=observed, unit=OF_EQUITY, allowed=allowed, detail=detail)


def _drawdown_in_words(held: float, recorded: RecordedDrawdown | None, days: int) -> str:
    if recorded is not None and recorded.value >= held:
        best = f"{recorded.days} recorded days since {recorded.since}"
        return f"the equity is {recorded.value:.2%} below its best of {best}"
    known = f"recorded: {recorded.value:.2%}" if recorded else "too little of the equity is on record"
    return f"today's holdings are {held:.2%} below their best of {days} days ({known})"


def liquidity(order: CheckedOrder) -> Finding:
    """LIQUIDITY: the order's share of the average daily volume."""
    code, limit, days = "LIQUIDITY", order.limits.volume_share, order.limits.volume_days
    unit = "of average daily volume"
    volume = order.book.market.average_volume(order.order.asset, days)
    if not volume or order.quantity is None:
        return order.unknown(
            code, limit=limit, unit=unit, what=f"the volume of {order.order.asset} or the size"
        )
    share = order.quantity / volume
    detail = f"the order is {share:.2%} of the average volume of {days} days, at most {limit:.2%}"
    return order.found(code, limit=limit, observed=share, unit=unit, allowed=limit * volume, detail=detail)


def stale_price(order: CheckedOrder) -> Finding:
    """STALE_PRICE: calendar days from the last known bar to `as_of`."""
    code, limit = "STALE_PRICE", order.limits.stale_price_days
    quote = order.book.market.quote(order.order.asset)
    if quote is None:
        return order.unknown(code, limit=limit, unit="days", what=f"the price of {order.order.asset}")
    age = float((order.situation.as_of.date() - quote.date).days)
    old = f"{age:.0f} day{'' if age == 1 else 's'} old"
    detail = f"the last bar of {order.order.asset} is of {quote.date}, {old}, at most {limit:g}"
    return order.either(code, good=age <= limit, limit=limit, observed=age, unit="days", detail=detail)
