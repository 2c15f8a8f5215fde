"""Risk checks on how much is held: of an asset, of a sector, in all.

An order that only shrinks what a limit looks at always passes that limit, however far above it the book is.
"""

from bellwether.domain.risk_order import OF_EQUITY, CheckedOrder, Finding


def room_for(limit: float, total: float, value: float, sign: int) -> float:
    """The largest notional x with total − |value| + |value + sign·x| ≤ limit, and at least what only reduces.

    `total` is a sum of absolute values that contains |value|, the signed value the order adds to.
    """
    if sign * value >= 0:
        return limit - total
    return max(abs(value), limit - total + 2 * abs(value))


def _exposure(order: CheckedOrder, code: str, limit: float, total: float, value: float, what: str) -> Finding:
    equity = order.book.equity
    if equity is None or order.notional is None or order.price is None:
        return order.unknown(code, limit=limit, unit=OF_EQUITY, what=_what_is_unknown(order))
    after = total - abs(value) + abs(value + order.sign * order.notional)
    room = room_for(limit * equity, total, value, order.sign)
    return order.found(
        code,
        limit=limit,
        observed=after / equity,
        unit=OF_EQUITY,
        allowed=room / order.price,
        detail=f"{what} would be {after / equity:.2%} of equity, at most {limit:.2%}",
    )


def _what_is_unknown(order: CheckedOrder) -> str:
    if order.quantity is None:
        return "the size"
    if order.price is None:
        return f"the price of {order.order.asset}"
    if order.book.unpriced:
        return "the price of " + ", ".join(order.book.unpriced)
    return "positive equity"


def position_limit(order: CheckedOrder) -> Finding:
    """POSITION_LIMIT: what is held of the asset after the order."""
    held = order.held
    return _exposure(
        order,
        "POSITION_LIMIT",
        order.limits.position,
        abs(held),
        held,
        f"the position in {order.order.asset}",
    )


def unproven_agent(order: CheckedOrder) -> Finding:
    """UNPROVEN_AGENT: the smaller cap on a position while the score's agents have no track record."""
    code, limit = "UNPROVEN_AGENT", order.limits.unproven_position
    if order.score is None:
        detail = "an order without a score has no agents behind it"
        return order.either(code, good=True, limit=limit, observed=None, unit=OF_EQUITY, detail=detail)
    if order.score.track_record == "proven":
        detail = "the agents behind the score have a track record"
        return order.either(code, good=True, limit=None, observed=None, unit=OF_EQUITY, detail=detail)
    held = order.held
    return _exposure(order, code, limit, abs(held), held, "with agents unproven, the position")


def gross_exposure(order: CheckedOrder) -> Finding:
    """GROSS_EXPOSURE: all positions and open orders, longs and shorts added up."""
    return _exposure(
        order,
        "GROSS_EXPOSURE",
        order.limits.gross_exposure,
        order.book.gross,
        order.committed,
        "gross exposure",
    )


def net_exposure(order: CheckedOrder) -> Finding:
    """NET_EXPOSURE: longs less shorts, in absolute terms."""
    net = order.book.net
    return _exposure(order, "NET_EXPOSURE", order.limits.net_exposure, abs(net), net, "net exposure")


def asset_concentration(order: CheckedOrder) -> Finding:
    """CONCENTRATION of the asset: as POSITION_LIMIT, with every open proposal counted as filled."""
    value = order.committed
    what = f"{order.order.asset} with open proposals"
    return _exposure(order, "CONCENTRATION", order.limits.asset_concentration, abs(value), value, what)


def sector_concentration(order: CheckedOrder) -> Finding:
    """CONCENTRATION of the asset's sector, longs and shorts added up."""
    sector = order.book.market.sector(order.order.asset)
    total = order.book.by_sector.get(sector, 0.0)
    what = f"sector {sector} with open proposals"
    return _exposure(order, "CONCENTRATION", order.limits.sector_concentration, total, order.committed, what)
