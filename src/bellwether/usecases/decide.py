"""Deciding a proposal: four eyes, the very content that was seen, and risk checked once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from bellwether.domain.ledger import Entry
from bellwether.domain.problems import Conflict, Forbidden, InvalidInput, NotFound
from bellwether.domain.proposals import Decision, Proposal, RiskResult, Status, proposal_hash
from bellwether.domain.rights import User
from bellwether.domain.risk import failed_codes
from bellwether.usecases.expire import expiry
from bellwether.usecases.ports import (
    Announcements,
    Counts,
    DeskControls,
    Entities,
    Lake,
    Ledger,
    Prices,
    Proposals,
)
from bellwether.usecases.record import ATTEMPTS, Recorder
from bellwether.usecases.situation import SituationReader, checked_again


class DecisionRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do with a proposal. `content_hash` is that of the proposal as the approver saw it."""

    proposal_id: Annotated[str, Meta(min_length=1, max_length=64)]
    content_hash: Annotated[str, Meta(min_length=1, max_length=64)]
    action: Literal["approve", "reject", "revoke"]
    reason: Annotated[str, Meta(max_length=2_000)] = ""


class DecisionAnswer(Struct, frozen=True, kw_only=True):
    """The proposal with its newest status, and the revision that made it so."""

    proposal: Proposal
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Decide:
    """`POST /decision`."""

    entities: Entities
    prices: Prices
    controls: DeskControls
    lake: Lake
    ledger: Ledger
    proposals: Proposals
    announce: Announcements
    counts: Counts

    def __call__(
        self, request: DecisionRequest, *, user: User, now: datetime, first_at: datetime | None = None
    ) -> DecisionAnswer:
        """Decides. Of several that race for one proposal exactly one gets an answer, the others a `Conflict`.

        The same user's same request of the same `first_at` (by default `now`) gets the revision it made
        before, so that a call that was cut off can be repeated; expiry and risk are judged `now`. Raises
        `Forbidden` (no right, own proposal), `NotFound`, `InvalidInput` (a rejection or revocation without a
        reason), `Conflict` (state, hash, expiry, risk).
        """
        user.require("decide")
        asked_at = first_at or now
        if request.action != "approve" and not request.reason.strip():
            raise InvalidInput(f"to {request.action} needs a reason", path="$.reason")
        for _ in range(ATTEMPTS):
            head = self._recorder.caught_up()
            proposal, decisions = self._found(request.proposal_id)
            repeated = _made_before(request, decisions, user=user, asked_at=asked_at)
            if repeated is not None:
                return _answer(proposal, repeated)
            decision = self._decided(request, proposal, decisions, head, user=user, now=now)
            if asked_at != now:
                decision = structs.replace(decision, first_asked_at=asked_at)
            if self._written(decision, head, now):
                self.counts.add({f'bellwether_decisions_total{{action="{decision.action}"}}': 1.0})
                return _answer(proposal, decision)
        raise Conflict(f"the ledger was busy {ATTEMPTS} times in a row, try again")

    def _found(self, proposal_id: str) -> tuple[Proposal, list[Decision]]:
        found = self.proposals.get(proposal_id)
        if found is None:
            raise NotFound(f"there is no proposal {proposal_id}", path="$.proposal_id")
        return found

    def _decided(
        self,
        request: DecisionRequest,
        proposal: Proposal,
        decisions: Sequence[Decision],
        head: Entry | None,
        *,
        user: User,
        now: datetime,
    ) -> Decision:
        """The revision the request makes, or the reason why it makes none, raised."""
        status = decisions[-1].status if decisions else proposal.status
        refuse_own(proposal, user)
        refuse_changed(request, proposal)
        if status == "pending" and now >= proposal.expires_at:
            self._written(expiry(proposal, decisions, now), head, now)
            status = "expired"
        refuse_state(request, proposal, status)
        approvals: tuple[str, ...] = ()
        risk = None
        if request.action == "approve":
            approvals = _approvals(decisions, user)
            risk, needed = self._risk(proposal, now)
            status = "approved" if len(approvals) >= needed else "pending"
        return Decision(
            proposal_id=proposal.proposal_id,
            revision=len(decisions) + 1,
            decided_at=now,
            decided_by=user.username,
            action=request.action,
            status={"approve": status, "reject": "rejected", "revoke": "revoked"}[request.action],
            reason=request.reason.strip(),
            content_hash=proposal.content_hash,
            approvals=approvals,
            risk=risk,
        )

    def _risk(self, proposal: Proposal, now: datetime) -> tuple[RiskResult, int]:
        """Risk as things are now, and how many must approve. Raises `Conflict` when risk denies."""
        read = SituationReader(
            entities=self.entities,
            prices=self.prices,
            controls=self.controls,
            proposals=self.proposals,
            lake=self.lake,
        )
        try:
            result, controls = checked_again(read, proposal, now=now)
        except NotFound as gone:
            raise Conflict(f"risk cannot be checked: {gone.detail}", codes=[]) from None
        enough = (1 - controls.limits.approval_drift) * proposal.quantity
        # Prices move between proposal and approval; a clamp of a few per cent is that, not another situation.
        if result.verdict == "deny" or result.allowed_quantity < enough:
            why = "; ".join(f"{c.code}: {c.detail}" for c in result.checks if c.outcome != "pass")
            raise Conflict(f"risk denies it now: {why}", codes=failed_codes(result))
        needed = 2 if proposal.notional > controls.limits.two_approvers_above else 1
        return result, needed

    def _written(self, decision: Decision, head: Entry | None, now: datetime) -> bool:
        entry = self._recorder.append(
            head, at=now, kind="decision", subject=decision.proposal_id, record=decision
        )
        return entry is not None

    @property
    def _recorder(self) -> Recorder:
        return Recorder(ledger=self.ledger, proposals=self.proposals, announce=self.announce)


def refuse_own(proposal: Proposal, user: User) -> None:
    """Four eyes: raises `Forbidden` for the one who proposed."""
    if user.username == proposal.proposed_by:
        raise Forbidden("this is your own proposal: somebody else has to decide it")


def refuse_changed(request: DecisionRequest, proposal: Proposal) -> None:
    """Raises `Conflict` unless what is stored is what was sealed and what the approver saw."""
    actual = proposal_hash(proposal)
    if actual != proposal.content_hash:
        raise Conflict(
            f"the stored proposal has the content hash {actual}, it was made under {proposal.content_hash}",
            expected=proposal.content_hash,
            given=actual,
        )
    if request.content_hash != proposal.content_hash:
        raise Conflict(
            f"the proposal has the content hash {proposal.content_hash}, you name {request.content_hash}",
            expected=proposal.content_hash,
            given=request.content_hash,
        )


def refuse_state(request: DecisionRequest, proposal: Proposal, status: Status) -> None:
    """Raises `Conflict`, naming the state, unless the action is possible in it."""
    needed: Status = "approved" if request.action == "revoke" else "pending"
    if status != needed:
        raise Conflict(
            f"{proposal.proposal_id} is {status}; only a {needed} one can be {past_tense(request.action)}",
            status=status,
        )


def past_tense(action: Literal["approve", "reject", "revoke"]) -> str:
    """approved, rejected, revoked."""
    return {"approve": "approved", "reject": "rejected", "revoke": "revoked"}[action]


def _approvals(decisions: Sequence[Decision], user: User) -> tuple[str, ...]:
    earlier = decisions[-1].approvals if decisions else ()
    if user.username in earlier:
        raise Conflict(
            "you approved it already, and it is still pending: a second person has to", status="pending"
        )
    return (*earlier, user.username)


def _made_before(
    request: DecisionRequest, decisions: Sequence[Decision], *, user: User, asked_at: datetime
) -> Decision | None:
    for decision in decisions:
        same = decision.decided_by == user.username and decision.action == request.action
        at = decision.first_asked_at or decision.decided_at
        if same and at == asked_at and decision.content_hash == request.content_hash:
            return decision
    return None


def _answer(proposal: Proposal, decision: Decision) -> DecisionAnswer:
    return DecisionAnswer(proposal=structs.replace(proposal, status=decision.status), decision=decision)
