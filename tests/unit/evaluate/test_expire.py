"""Expiring what nobody decided: exactly what is due, once, against writers that are faster."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bellwether.domain.ledger import Entry, first_broken_link
from bellwether.domain.proposals import Decision, Proposal
from bellwether.usecases.decide import DecisionRequest
from bellwether.usecases.expire import Expire, expiry
from bellwether.usecases.record import ATTEMPTS
from tests.unit.trading import APPROVER, NOW, Desk, desk

pytestmark = pytest.mark.req("A8")


class Overtaken:
    """A ledger where somebody else is faster the first `times`."""

    def __init__(self, made: Desk, times: int, act: Any = None) -> None:
        self.ledger, self.left, self.act, self.tried = made.ledger, times, act, 0

    def head(self) -> Entry | None:
        return self.ledger.head()

    def entries(self, after: int = 0) -> Any:
        return self.ledger.entries(after)

    def append(self, entry: Entry) -> bool:
        self.tried += 1
        if self.left:
            self.left -= 1
            if self.act:
                self.act()
            return False
        return self.ledger.append(entry)


class Lagging:
    """A table whose index still lists what was pending."""

    def __init__(self, made: Desk, listed: Sequence[Proposal]) -> None:
        self.made, self.listed = made, list(listed)

    def with_status(self, _status: str, _most: int) -> list[Proposal]:
        return self.listed

    def __getattr__(self, name: str) -> Any:
        return getattr(self.made.proposals, name)


def expiring(made: Desk, *, ledger: Any = None, proposals: Any = None) -> Expire:
    return Expire(ledger=ledger or made.ledger, proposals=proposals or made.proposals, announce=made.announce)


def decisions(made: Desk, proposal: Proposal) -> list[Decision]:
    found = made.proposals.get(proposal.proposal_id)
    assert found is not None
    return found[1]


def test_what_is_due_expires_with_a_revision_that_says_so() -> None:
    made = desk("ACME", "OTHER")
    due = made.proposed("ACME")
    young = made.proposed("OTHER", now=NOW + timedelta(hours=1))
    assert expiring(made)(now=due.expires_at - timedelta(seconds=1)) == []
    assert expiring(made)(now=due.expires_at) == [due.proposal_id]
    (decision,) = decisions(made, due)
    assert decision == expiry(due, [], due.expires_at)
    assert (decision.revision, decision.action, decision.status) == (1, "expire", "expired")
    assert (decision.decided_by, decision.decided_at) == ("desk", due.expires_at)
    assert decision.content_hash == due.content_hash
    assert decision.reason == f"nobody decided before {due.expires_at.isoformat()}"
    assert decisions(made, young) == []
    assert first_broken_link(made.ledger.entries()) is None


def test_again_nothing_is_due() -> None:
    made = desk()
    proposal = made.proposed()
    assert expiring(made)(now=proposal.expires_at) == [proposal.proposal_id]
    assert expiring(made)(now=proposal.expires_at + timedelta(days=1)) == []
    assert len(decisions(made, proposal)) == 1


def test_an_index_that_lags_expires_nothing_twice_and_nothing_that_is_gone() -> None:
    made = desk()
    proposal = made.proposed()
    stranger = desk("OTHER").proposed("OTHER")
    lagging = Lagging(made, [proposal, stranger])
    assert expiring(made, proposals=lagging)(now=proposal.expires_at) == [proposal.proposal_id]
    assert expiring(made, proposals=lagging)(now=proposal.expires_at) == []
    assert len(list(made.ledger.entries())) == 2


def test_who_was_faster_is_looked_at_again() -> None:
    """Somebody rejects it between the look and the write: it does not expire as well."""
    made = desk()
    proposal = made.proposed()
    request = DecisionRequest(
        proposal_id=proposal.proposal_id, content_hash=proposal.content_hash, action="reject", reason="no"
    )

    def reject() -> None:
        made.decide(request, user=APPROVER, now=NOW + timedelta(hours=1))

    ledger = Overtaken(made, 1, reject)
    assert expiring(made, ledger=ledger)(now=proposal.expires_at) == []
    assert [d.status for d in decisions(made, proposal)] == ["rejected"]
    plain = desk()
    other = plain.proposed()
    slow = Overtaken(plain, 3)
    assert expiring(plain, ledger=slow)(now=other.expires_at) == [other.proposal_id]
    assert slow.tried == 4


def test_a_ledger_that_is_always_busy_leaves_it_for_the_next_day() -> None:
    made = desk()
    proposal = made.proposed()
    busy = Overtaken(made, 10_000)
    assert expiring(made, ledger=busy)(now=proposal.expires_at) == []
    assert busy.tried == ATTEMPTS == 40
    assert decisions(made, proposal) == []


@pytest.mark.parametrize("hours", [0, 5])
def test_a_revision_counts_on_from_those_before(hours: int) -> None:
    proposal = desk().proposed()
    first = expiry(proposal, [], NOW)
    second = expiry(proposal, [first], NOW + timedelta(hours=hours))
    assert (first.revision, second.revision) == (1, 2)
