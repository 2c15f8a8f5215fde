"""Drafting a proposal from a score: side, size, risk, price and cost, or the reason why there is none."""

from dataclasses import replace
from datetime import datetime, timedelta

from msgspec import Struct

from bellwether.domain.exposure_checks import room_for
from bellwether.domain.portfolio_value import direction
from bellwether.domain.prices import History, Quote
from bellwether.domain.proposals import Proposal, RiskResult, Side, SizingStep, sealed
from bellwether.domain.risk import failed_codes, settled
from bellwether.domain.risk_order import Order, Situation, whole_lots
from bellwether.domain.scores import Score
from bellwether.domain.sizing import Room, Sizing, annualised_volatility, side_of, size
from bellwether.domain.trading_cost import TRADING_DAYS, expected_cost


class Terms(Struct, frozen=True, kw_only=True):
    """Who proposes for which portfolio, when and under which id."""

    proposal_id: str
    portfolio: str
    proposed_by: str
    now: datetime


class Without(Struct, frozen=True, kw_only=True):
    """Why there is no proposal for an asset; `checks` are the codes of the risk checks that stopped it."""

    asset: str
    code: str
    reason: str
    checks: tuple[str, ...] = ()


def drafted(score: Score, situation: Situation, terms: Terms) -> Proposal | Without:
    """The proposal a score leads to in a situation, sealed and pending, or why there is none."""
    least = situation.controls.sizing.least_edge
    side = side_of(score, least)
    if side is None:
        return no_side(score, least)
    sized = sized_order(score, side, situation)
    if isinstance(sized, Without):
        return sized
    order, sizing = sized
    risk = settled(order, situation, score=score, proposal_id=terms.proposal_id)
    if risk.verdict == "deny":
        return denied(risk)
    steps = sizing.steps
    if risk.verdict == "clamp":
        steps = (*steps, clamp_step(risk, situation))
    history, quote = priced(score.asset, situation)
    return sealed(
        Proposal(
            proposal_id=terms.proposal_id,
            created_at=terms.now,
            asset=score.asset,
            side=side,
            quantity=risk.allowed_quantity,
            notional=risk.allowed_quantity * quote.close,
            limit_price=limit_price(quote.close, side, situation.controls.sizing.limit_band),
            score=score,
            sizing=steps,
            expected_cost=cost_of(risk, situation, history, quote, score.horizon),
            price_as_of=quote.known_from,
            as_of=situation.as_of,
            expires_at=terms.now + timedelta(hours=situation.limits.expires_after_hours),
            proposed_by=terms.proposed_by,
            portfolio=terms.portfolio,
            content_hash="",
            status="pending",
            risk=risk,
            agent_versions={c.agent_id: c.agent_version for c in score.contributions if c.abstained is None},
        )
    )


def no_side(score: Score, least_edge: float) -> Without:
    """The reason when a score takes no side."""
    if score.p_up is None:
        return Without(asset=score.asset, code="abstained", reason="no agent has a live view of it")
    reason = (
        f"p_up is {abs(score.edge or 0.0):.4f} from the base rate, {least_edge:g} is the least worth an order"
    )
    return Without(asset=score.asset, code="no_edge", reason=reason)


def denied(risk: RiskResult) -> Without:
    """The reason when risk denies: the codes and the sentences of the checks that did."""
    codes = failed_codes(risk)
    sentences = "; ".join(f"{c.code}: {c.detail}" for c in risk.checks if c.outcome != "pass")
    return Without(asset=risk.asset, code="denied", reason=sentences, checks=tuple(codes))


def clamp_step(risk: RiskResult, situation: Situation) -> SizingStep:
    """What the risk check cut, as the last step of sizing."""
    quote, equity = situation.book.market.quote(risk.asset), situation.book.equity
    value = risk.allowed_quantity * quote.close / equity if quote and equity else 0.0
    codes = ", ".join(failed_codes(risk))
    detail = f"{codes} let {risk.allowed_quantity:g} of {risk.quantity:g} shares pass"
    return SizingStep(step="risk_clamp", value=value, detail=detail)


def sized_order(score: Score, side: Side, situation: Situation) -> tuple[Order, Sizing] | Without:
    """The order a score is worth, in whole lots, and how it was sized; or why it is worth none."""
    book, controls = situation.book, situation.controls
    history, quote = book.market.histories.get(score.asset), book.market.quote(score.asset)
    if history is None or quote is None:
        return Without(
            asset=score.asset, code="no_price", reason=f"no bar is known at {situation.as_of:%Y-%m-%d}"
        )
    if book.equity is None:
        missing = ", ".join(book.unpriced)
        reason = f"no price of {missing}" if missing else "the portfolio is worth nothing"
        return Without(asset=score.asset, code="no_equity", reason=reason)
    days = controls.sizing.return_days
    sizing = size(
        score,
        side,
        returns=history.returns(situation.as_of, horizon=score.horizon, days=days),
        daily_returns=history.returns(situation.as_of, days=controls.sizing.volatility_days),
        room=room_in(situation, score.asset, side, book.equity),
        policy=controls.sizing,
        costs=controls.costs,
        limits=controls.limits,
    )
    if sizing.refused is not None:
        code, reason = sizing.refused
        return Without(asset=score.asset, code=code, reason=reason)
    quantity = sizing.fraction * book.equity / quote.close
    if side == "sell" and not controls.sizing.short_selling:
        quantity = min(quantity, max(0.0, book.shares.get(score.asset, 0.0)))
    quantity = whole_lots(quantity, controls.sizing.lot)
    if quantity * quote.close < max(controls.sizing.least_notional, 1e-9):
        reason = (
            f"{sizing.fraction:.4%} of equity is {quantity:g} shares at {quote.close:g}, not worth an order"
        )
        return Without(asset=score.asset, code="too_small", reason=reason)
    return Order(asset=score.asset, side=side, quantity=quantity), sizing


def room_in(situation: Situation, asset: str, side: Side, equity: float) -> Room:
    """What the caps leave for an order, as shares of equity."""
    book, limits, sign = situation.book, situation.limits, direction(side)
    held = book.value(asset, with_open=False) or 0.0
    committed = book.value(asset) or 0.0
    sector = book.market.sector(asset)
    total = book.by_sector.get(sector, 0.0)
    return Room(
        position=room_for(limits.position * equity, abs(held), held, sign) / equity,
        unproven=room_for(limits.unproven_position * equity, abs(held), held, sign) / equity,
        sector_share=room_for(limits.sector_concentration * equity, total, committed, sign) / equity,
        sector=sector,
    )


def priced(asset: str, situation: Situation) -> tuple[History, Quote]:
    """Bars and last quote of an asset whose order passed. Raises `LookupError` without any."""
    market = situation.book.market
    quote = market.quote(asset)
    if quote is None:
        raise LookupError(f"{asset} passed the risk checks without a price")
    return market.histories[asset], quote


def limit_price(price: float, side: Side, band: float) -> float:
    """The worst price to trade at: `band` beyond the last close, to a hundredth of a cent."""
    return round(price * (1 + direction(side) * band), 4)


def cost_of(risk: RiskResult, situation: Situation, history: History, quote: Quote, horizon: int) -> float:
    """Expected cost of the round trip of what risk allows, in the portfolio's currency."""
    controls, quantity = situation.controls, risk.allowed_quantity
    volume = history.average_volume(situation.as_of, controls.limits.volume_days)
    yearly = annualised_volatility(history.returns(situation.as_of, days=controls.sizing.volatility_days))
    return expected_cost(
        controls.costs,
        side=risk.side,
        horizon=horizon,
        notional=quantity * quote.close,
        volume_share=quantity / volume if volume else None,
        daily_volatility=(yearly or 0.0) / TRADING_DAYS**0.5,
    )


def with_proposal(situation: Situation, proposal: Proposal) -> Situation:
    """The situation after one more open proposal."""
    signed = direction(proposal.side) * proposal.quantity
    return replace(
        situation,
        book=situation.book.with_order(proposal.asset, signed),
        open_proposals=[*situation.open_proposals, proposal],
    )
