"""Letting proposals nobody decided in time expire, as a revision like any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bellwether.domain.proposals import Decision, Proposal
from bellwether.usecases.ports import Announcements, Ledger, Proposals
from bellwether.usecases.record import ATTEMPTS, Recorder

DESK = "desk"
MOST = 500


def expiry(proposal: Proposal, decisions: Sequence[Decision], now: datetime) -> Decision:
    """The revision that notes that a proposal has expired."""
    return Decision(
        proposal_id=proposal.proposal_id,
        revision=len(decisions) + 1,
        decided_at=now,
        decided_by=DESK,
        action="expire",
        status="expired",
        reason=f"nobody decided before {proposal.expires_at.isoformat()}",
        content_hash=proposal.content_hash,
    )


@dataclass(frozen=True, kw_only=True)
class Expire:
    """Run by the daily evaluation; a decision that comes too late expires its proposal itself."""

    ledger: Ledger
    proposals: Proposals
    announce: Announcements

    def __call__(self, *, now: datetime) -> list[str]:
        """Expires what is pending past its time, at most 500 at once; returns the proposals' ids."""
        due = [p for p in self.proposals.with_status("pending", MOST) if now >= p.expires_at]
        return [p.proposal_id for p in due if self._expire(p.proposal_id, now)]

    def _expire(self, proposal_id: str, now: datetime) -> bool:
        recorder = Recorder(ledger=self.ledger, proposals=self.proposals, announce=self.announce)
        for _ in range(ATTEMPTS):
            head = recorder.caught_up()
            found = self.proposals.get(proposal_id)
            if found is None:
                return False
            proposal, decisions = found
            if (decisions[-1].status if decisions else proposal.status) != "pending":
                return False
            record = expiry(proposal, decisions, now)
            if recorder.append(head, at=now, kind="decision", subject=proposal_id, record=record):
                return True
        return False
