"""Checking orders, or a proposal as things are now, against the desk's limits. Writes nothing."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from bellwether.domain.entities import Symbol
from bellwether.domain.items import Instant
from bellwether.domain.portfolio_value import direction
from bellwether.domain.problems import InvalidInput, NotFound
from bellwether.domain.proposals import RiskResult, Side
from bellwether.domain.risk import settled
from bellwether.domain.risk_order import Order, Situation
from bellwether.usecases.ports import DeskControls, Entities, Lake, Prices, Proposals
from bellwether.usecases.situation import SituationReader, checked_again, moment


class OrderRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order somebody thinks of. `quantity` in shares."""

    asset: Symbol
    side: Side
    quantity: Annotated[float, Meta(gt=0)]


class RiskRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either `proposal_id`, or `portfolio` and `orders` (as of `as_of`, by default now)."""

    proposal_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    portfolio: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    orders: Annotated[list[OrderRequest], Meta(min_length=1, max_length=1_000)] | None = None
    as_of: Instant | None = None


class RiskAnswer(Struct, frozen=True, kw_only=True):
    """One result an order, in their order."""

    results: list[RiskResult]


@dataclass(frozen=True, kw_only=True)
class CheckRisk:
    """`POST /risk/check`."""

    entities: Entities
    prices: Prices
    controls: DeskControls
    proposals: Proposals
    lake: Lake

    def __call__(self, request: RiskRequest, *, now: datetime) -> RiskAnswer:
        """Results of the checks. Raises `InvalidInput` with the path of the fault, `NotFound`.

        Orders are judged as a basket: each one as if those before it that passed had been filled.
        """
        if request.proposal_id is not None:
            if request.orders is not None or request.portfolio is not None:
                raise InvalidInput("give a proposal_id, or a portfolio and orders", path="$.proposal_id")
            return RiskAnswer(results=[self._proposal(request.proposal_id, now)])
        if request.portfolio is None:
            raise InvalidInput("give a proposal_id, or a portfolio and orders", path="$.portfolio")
        if request.orders is None:
            raise InvalidInput("a portfolio needs orders to check", path="$.orders")
        orders = [Order(asset=o.asset, side=o.side, quantity=o.quantity) for o in request.orders]
        situation = self._read(
            request.portfolio, symbols={o.asset for o in orders}, as_of=moment(request.as_of, now), now=now
        )
        return RiskAnswer(results=basket(orders, situation))

    def _proposal(self, proposal_id: str, now: datetime) -> RiskResult:
        found = self.proposals.get(proposal_id)
        if found is None:
            raise NotFound(f"there is no proposal {proposal_id}", path="$.proposal_id")
        result, _ = checked_again(self._read, found[0], now=now)
        return result

    @property
    def _read(self) -> SituationReader:
        return SituationReader(
            entities=self.entities,
            prices=self.prices,
            controls=self.controls,
            proposals=self.proposals,
            lake=self.lake,
        )


def basket(orders: list[Order], situation: Situation) -> list[RiskResult]:
    """Results of orders one after the other, each with what was allowed of those before it in the book."""
    results = []
    for order in orders:
        result = settled(order, situation)
        if result.allowed_quantity > 0:
            signed = direction(order.side) * result.allowed_quantity
            situation = replace(situation, book=situation.book.with_order(order.asset, signed))
        results.append(result)
    return results
