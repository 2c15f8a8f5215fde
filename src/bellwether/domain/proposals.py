"""Trade proposals and their append-only history."""

from typing import Literal

from msgspec import Struct

from bellwether.domain.items import Instant
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
    """One revision of a proposal's status. `approvals` lists who approved so far (two above a notional)."""

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
