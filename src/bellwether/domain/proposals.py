"""Trade proposals and their append-only history."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bellwether.domain.items import Instant
from bellwether.domain.ledger import content_hash
from bellwether.domain.scores import Score

Side = Literal["buy", "sell"]
Status = Literal["pending", "approved", "rejected", "expired", "revoked", "superseded"]
Verdict = Literal["pass", "clamp", "deny"]
CheckOutcome = Literal["pass", "clamp", "deny"]
DeskState = Literal["ACTIVE", "REDUCING", "HALTED"]


class SizingStep(Struct, frozen=True, kw_only=True):
    """One step of sizing: `value` is the fraction of equity after it, `detail` what it did in words."""

    step: str
    value: float
    detail: str


class Check(Struct, frozen=True, kw_only=True):
    """One risk check. `limit` and `observed` share a unit (`unit`); `observed` is null when it is unknown."""

    code: str
    outcome: CheckOutcome
    limit: float | None
    observed: float | None
    unit: str
    detail: str


class RiskResult(Struct, frozen=True, kw_only=True):
    """Verdict over all checks on one order. `allowed_quantity` is what passes (after a clamp), in shares."""

    asset: str
    side: Side
    quantity: float
    allowed_quantity: float
    verdict: Verdict
    state: DeskState
    checks: tuple[Check, ...]
    as_of: Instant
    proposal_id: str | None = None


class Proposal(Struct, frozen=True, kw_only=True):
    """One revision of a proposal. `content_hash` covers what is approved, not who decided (see `ledger`).

    `notional`, `limit_price`, `expected_cost` are in the portfolio's currency.
    """

    proposal_id: str
    created_at: Instant
    asset: str
    side: Side
    quantity: float
    notional: float
    limit_price: float
    score: Score
    sizing: tuple[SizingStep, ...]
    expected_cost: float
    price_as_of: Instant
    as_of: Instant
    expires_at: Instant
    proposed_by: str
    portfolio: str
    content_hash: str
    status: Status
    risk: RiskResult
    agent_versions: dict[str, int] = {}


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One revision of a proposal's status. `approvals` lists who approved so far (two above a notional).

    `first_asked_at` is set when the request was repeated: the time of its first try.
    """

    proposal_id: str
    revision: int
    decided_at: Instant
    decided_by: str
    action: Literal["approve", "reject", "revoke", "expire", "supersede"]
    status: Status
    reason: str
    content_hash: str
    approvals: tuple[str, ...] = ()
    risk: RiskResult | None = None
    first_asked_at: Instant | None = None


# What is approved is everything but its own hash and what became of it since.
NOT_APPROVED = ("content_hash", "status")


def proposal_hash(proposal: Proposal) -> str:
    """SHA-256 of what an approver approves: every field but `content_hash` and `status`.

    Taken over the record as it reads back from JSON, so that 5 and 5.0 are the same quantity.
    """
    plain: dict[str, Any] = msgspec.to_builtins(msgspec.convert(msgspec.to_builtins(proposal), Proposal))
    for name in NOT_APPROVED:
        del plain[name]
    return content_hash(plain)


def sealed(proposal: Proposal) -> Proposal:
    """The proposal with its content hash filled in."""
    return msgspec.structs.replace(proposal, content_hash=proposal_hash(proposal))


def is_open(proposal: Proposal, *, as_of: datetime, now: datetime) -> bool:
    """Whether the proposal may still turn into a trade at `as_of`.

    Pending or approved and not expired at `now`; and within its lifetime seen from `as_of`, so that the
    proposals of one replayed day do not stand in the way of another's.
    """
    if proposal.status not in {"pending", "approved"} or now >= proposal.expires_at:
        return False
    lifetime = proposal.expires_at - proposal.created_at
    return proposal.as_of <= as_of < proposal.as_of + lifetime


def is_replayed(proposal: Proposal) -> bool:
    """Whether the proposal was made as of a moment before it was made: history that is walked through."""
    return proposal.as_of < proposal.created_at
