"""Reading what a portfolio's orders are checked against."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bellwether.domain.equity import EquityDay, recorded_drawdown
from bellwether.domain.items import CLOCK_SKEW, EARLIEST
from bellwether.domain.limits import Controls, read_controls
from bellwether.domain.portfolio_value import Market, direction, valued
from bellwether.domain.problems import InvalidInput, NotFound
from bellwether.domain.proposals import Proposal, RiskResult, is_open, is_replayed
from bellwether.domain.risk import check_order
from bellwether.domain.risk_order import Order, Situation
from bellwether.usecases.equity import DamagedRecord, EquityRecord
from bellwether.usecases.ports import DeskControls, Entities, Lake, Prices, Proposals

MOST_OPEN = 200


@dataclass(frozen=True, kw_only=True)
class SituationReader:
    """Reads portfolio, prices, controls, open proposals and recorded equity into one `Situation`."""

    entities: Entities
    prices: Prices
    controls: DeskControls
    proposals: Proposals
    lake: Lake

    def __call__(
        self,
        portfolio: str,
        *,
        symbols: Iterable[str],
        as_of: datetime,
        now: datetime,
        without: str = "",
        newest: Sequence[str] = (),
    ) -> Situation:
        """The situation of a portfolio at `as_of`, the proposal `without` left out. Raises `NotFound`.

        `newest` are proposals the indexes, which follow the table a moment later, may not list yet.
        """
        holdings = self.entities.portfolio(portfolio)
        if holdings is None:
            raise NotFound(f"there is no portfolio {portfolio!r}", path="$.portfolio")
        controls = read_controls(self.controls.controls())
        still_open = [
            p
            for p in self._undecided_and_approved(newest)
            if p.portfolio == portfolio and p.proposal_id != without and is_open(p, as_of=as_of, now=now)
        ]
        days = controls.limits.drawdown_days
        records, damaged = self._recorded(portfolio, as_of, days)
        # What was held at the last record, sold or not, carries the record on to `as_of`.
        held = {*(p.symbol for p in holdings.positions), *(records[-1].values if records else ())}
        needed = {*symbols, *held, *(p.asset for p in still_open)}
        market = Market(
            as_of=as_of,
            histories={symbol: self.prices.history(symbol) for symbol in sorted(needed)},
            assets={asset.symbol: asset for asset in self.entities.assets()},
            days=controls.limits.var_days,
        )
        orders = [(p.asset, direction(p.side) * p.quantity) for p in still_open]
        return Situation(
            as_of=as_of,
            controls=controls,
            book=valued(market, holdings, orders),
            open_proposals=still_open,
            recent=self._recent(portfolio, controls, now=now, without=without),
            recorded=recorded_drawdown(records, market.histories, as_of, days),
            damaged=damaged,
        )

    def _recorded(self, portfolio: str, as_of: datetime, days: int) -> tuple[list[EquityDay], str | None]:
        """The recorded equity, or what of it cannot be read."""
        try:
            return EquityRecord(lake=self.lake).days(portfolio, as_of, days), None
        except DamagedRecord as fault:
            return [], fault.key

    def _undecided_and_approved(self, newest: Sequence[str]) -> list[Proposal]:
        found = {
            p.proposal_id: p
            for p in (
                *self.proposals.with_status("pending", MOST_OPEN),
                *self.proposals.with_status("approved", MOST_OPEN),
            )
        }
        for proposal_id in newest:
            known = self.proposals.get(proposal_id)
            if known is not None:
                proposal, decisions = known
                status = decisions[-1].status if decisions else proposal.status
                found[proposal_id] = replace(proposal, status=status)
        return list(found.values())

    def _recent(self, portfolio: str, controls: Controls, *, now: datetime, without: str) -> list[Proposal]:
        first = now - timedelta(hours=controls.limits.cooldown_hours)
        found = self.proposals.decided_between(first, now)
        return [p for p in found if p.portfolio == portfolio and p.proposal_id != without]


def moment(asked: datetime | None, now: datetime) -> datetime:
    """`asked` in UTC, by default `now`; a caller's clock may run a little ahead. Raises `InvalidInput`."""
    if asked is None or now <= asked <= now + CLOCK_SKEW:
        return now
    if asked > now:
        raise InvalidInput(f"as_of {asked.isoformat()} is in the future", path="$.as_of")
    if asked < EARLIEST:
        raise InvalidInput(f"as_of {asked.isoformat()} is before {EARLIEST:%Y}", path="$.as_of")
    return asked.astimezone(UTC)


def checked_again(read: SituationReader, proposal: Proposal, *, now: datetime) -> tuple[RiskResult, Controls]:
    """The risk of a proposal as things are now, and the controls it was judged by.

    A proposal of a replayed moment is judged as of that moment, any other as of now.
    """
    as_of = proposal.as_of if is_replayed(proposal) else now
    situation = read(
        proposal.portfolio, symbols=[proposal.asset], as_of=as_of, now=now, without=proposal.proposal_id
    )
    order = Order(asset=proposal.asset, side=proposal.side, quantity=proposal.quantity)
    result = check_order(order, situation, score=proposal.score, proposal_id=proposal.proposal_id)
    return result, situation.controls
