"""Risk checks on what the order rests on and on how the desk is run."""

from datetime import datetime

from bellwether.domain.limits import RiskLimits
from bellwether.domain.proposals import Proposal
from bellwether.domain.risk_order import CheckedOrder, Finding
from bellwether.domain.scores import Concentration

DECIDED = frozenset({"approved", "rejected", "revoked"})


def stale_signal(order: CheckedOrder) -> Finding:
    """STALE_SIGNAL: hours from the score's newest event to `as_of`; prices are as old as their bar."""
    code, limit, score = "STALE_SIGNAL", order.limits.stale_signal_hours, order.score
    if score is None:
        detail = "an order without a score rests on no signal"
        return order.either(code, good=True, limit=limit, observed=None, unit="hours", detail=detail)
    newest = score.last_event or _end_of_last_bar(order)
    if newest is None:
        return order.unknown(code, limit=limit, unit="hours", what="the time of the newest signal")
    age = max(0.0, (order.situation.as_of - newest).total_seconds() / 3600)
    detail = f"the newest signal is {age:.1f} hours old, at most {limit:g}"
    return order.either(code, good=age <= limit, limit=limit, observed=age, unit="hours", detail=detail)


def _end_of_last_bar(order: CheckedOrder) -> datetime | None:
    quote = order.book.market.quote(order.order.asset)
    if quote is None or order.score is None or order.score.concentration.items:
        return None
    return quote.known_from


def duplicate(order: CheckedOrder) -> Finding:
    """DUPLICATE: an open proposal of the portfolio asks for the same side of the same asset."""
    same = [
        p.proposal_id
        for p in order.situation.open_proposals
        if p.asset == order.order.asset and p.side == order.order.side
    ]
    detail = f"{same[0]} asks for the same and is open" if same else "no open proposal asks for the same"
    return order.either(
        "DUPLICATE", good=not same, limit=0.0, observed=float(len(same)), unit="proposals", detail=detail
    )


def restricted_list(order: CheckedOrder) -> Finding:
    """RESTRICTED_LIST: assets nobody may trade; an asset the desk does not track is unknown."""
    asset = order.book.market.assets.get(order.order.asset)
    if asset is None:
        what = f"{order.order.asset} is not tracked: whether it is restricted"
        return order.unknown("RESTRICTED_LIST", limit=0.0, unit="listed", what=what)
    detail = f"{asset.symbol} is {'on' if asset.restricted else 'not on'} the restricted list"
    return order.either(
        "RESTRICTED_LIST",
        good=not asset.restricted,
        limit=0.0,
        observed=float(asset.restricted),
        unit="listed",
        detail=detail,
    )


def cooldown(order: CheckedOrder) -> Finding:
    """COOLDOWN: hours since the last proposal on the asset that was decided, counted in `as_of`."""
    limit = order.limits.cooldown_hours
    ages = [
        _hours_before(order.situation.as_of, p)
        for p in order.situation.recent
        if p.asset == order.order.asset and p.status in DECIDED and p.as_of <= order.situation.as_of
    ]
    age = min(ages, default=None)
    good = age is None or age >= limit
    detail = (
        "nothing on this asset was decided of late"
        if age is None
        else f"a proposal of {age:.1f} hours ago on this asset was decided, wait {limit:g}"
    )
    return order.either("COOLDOWN", good=good, limit=limit, observed=age, unit="hours", detail=detail)


def _hours_before(as_of: datetime, proposal: Proposal) -> float:
    return (as_of - proposal.as_of).total_seconds() / 3600


def manipulation(order: CheckedOrder) -> Finding:
    """MANIPULATION: a score driven by few authors, young accounts, one cluster of reposts, or a campaign.

    `observed` and `limit` are the accounts of a campaign, else those of the share that is furthest above (or
    nearest to) its limit.
    """
    code, unit, limits = "MANIPULATION", "share of items", order.limits
    spread = order.score.concentration if order.score else None
    if spread is None or spread.items == 0:
        detail = "no items are behind the order"
        return order.either(code, good=True, limit=None, observed=None, unit=unit, detail=detail)
    pushed = campaign(spread, limits)
    if pushed is not None:
        accounts, detail = pushed
        limit = float(limits.campaign_accounts)
        return order.either(code, good=False, limit=limit, observed=accounts, unit="accounts", detail=detail)
    shares = [
        (spread.top_cluster_share, limits.cluster_share, "one cluster of copies"),
        (spread.young_author_share, limits.young_author_share, "young accounts"),
    ]
    # Articles of most news feeds name no author; then only their copies can be judged.
    if spread.authors:
        shares.append((spread.top_author_share, limits.author_share, "one author"))
    observed, limit, who = max(shares, key=lambda share: share[0] - share[1])
    detail = f"{observed:.0%} of {spread.items} items come from {who}, at most {limit:.0%}"
    return order.either(
        code, good=observed <= limit, limit=limit, observed=observed, unit=unit, detail=detail
    )


def campaign(spread: Concentration, limits: RiskLimits) -> tuple[float, str] | None:
    """How many accounts take part in a campaign behind the score, and what they do; `None` without one."""
    text, burst = spread.repeated_text, spread.burst
    if text is not None and _together(text.young_accounts, text.young_share, limits):
        detail = (
            f"a campaign: about {text.accounts} accounts, {text.young_share:.0%} of them young or hardly "
            f"followed, repeated one text within {text.hours:.1f} hours, first in {text.item_id}"
        )
        return float(text.accounts), detail
    if burst is not None and _together(burst.young_accounts, burst.young_share, limits):
        detail = (
            f"a campaign: {burst.young_accounts} young or hardly followed accounts said "
            f"{burst.young_share:.0%} of what was said in the six hours from {burst.start:%Y-%m-%d %H:%M} UTC"
        )
        return float(burst.young_accounts), detail
    return None


def _together(young_accounts: float, young_share: float, limits: RiskLimits) -> bool:
    return young_accounts >= limits.campaign_accounts and young_share > limits.young_author_share


def kill_switch(order: CheckedOrder) -> Finding:
    """KILL_SWITCH: a halted desk lets nothing pass, a reducing one only what shrinks a position."""
    controls, code = order.situation.controls, "KILL_SWITCH"
    if controls.state is None:
        return order.unknown(code, limit=0.0, unit="halted", what=f"the desk's state ({controls.reason})")
    state = controls.desk_state
    why = f" ({controls.reason})" if controls.reason else ""
    if state == "REDUCING":
        detail = f"the desk is REDUCING{why}: exposure may only fall"
        return order.found(
            code, limit=0.0, observed=0.5, unit="halted", allowed=order.reducible, detail=detail
        )
    halted = state == "HALTED"
    detail = f"the desk is {state}{why}" + (", the kill switch is on" if controls.kill_switch else "")
    return order.either(
        code, good=not halted, limit=0.0, observed=float(halted), unit="halted", detail=detail
    )
