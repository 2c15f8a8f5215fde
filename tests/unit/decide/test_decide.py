"""Four eyes, the content that was seen, the state, the time, the risk: and exactly one winner."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from msgspec import structs

from bellwether.domain.ledger import Entry, first_broken_link
from bellwether.domain.problems import Conflict, Forbidden, InvalidInput, NotFound, Problem
from bellwether.domain.proposals import Proposal
from bellwether.domain.rights import User
from bellwether.usecases.decide import DecisionRequest
from bellwether.usecases.expire import Expire
from tests.unit.trading import ANALYST, APPROVER, NOW, SECOND, Desk, bars, desk, wave

LATER = NOW + timedelta(minutes=5)
BOTH = User(username="ana", roles=("analyst", "approver"))


def request(proposal: Proposal, action: Any = "approve", **changes: Any) -> DecisionRequest:
    values = {
        "proposal_id": proposal.proposal_id,
        "content_hash": proposal.content_hash,
        "action": action,
        "reason": "seen",
    }
    return DecisionRequest(**{**values, **changes})


def status_of(made: Desk, proposal: Proposal) -> str:
    found = made.proposals.get(proposal.proposal_id)
    assert found is not None
    return found[1][-1].status if found[1] else found[0].status


@pytest.mark.req("A7")
def test_an_approval_is_a_revision_in_the_ledger() -> None:
    made = desk()
    proposal = made.proposed()
    answer = made.decide(request(proposal), user=APPROVER, now=LATER)
    assert (answer.decision.status, answer.decision.revision) == ("approved", 1)
    assert answer.decision.approvals == ("abe",)
    assert answer.decision.risk is not None
    assert answer.decision.risk.verdict == "pass"
    assert answer.proposal.status == "approved"
    assert answer.proposal.content_hash == proposal.content_hash
    entries = list(made.ledger.entries())
    assert [e.kind for e in entries] == ["proposal", "decision"]
    assert first_broken_link(entries) is None
    assert made.announce.announced == [1, 2]
    assert made.counts.totals()['bellwether_decisions_total{action="approve"}'] == 1


def test_nobody_decides_what_they_proposed_and_only_approvers_decide() -> None:
    made = desk()
    proposal = made.proposed()
    with pytest.raises(Forbidden, match="own"):
        made.decide(request(proposal), user=BOTH, now=LATER)
    with pytest.raises(Forbidden, match="decide"):
        made.decide(request(proposal), user=ANALYST, now=LATER)
    assert status_of(made, proposal) == "pending"


def test_an_approval_of_other_content_names_both_hashes() -> None:
    made = desk()
    proposal = made.proposed()
    with pytest.raises(Conflict) as stale:
        made.decide(request(proposal, content_hash="0" * 64), user=APPROVER, now=LATER)
    assert proposal.content_hash in stale.value.detail
    assert "0" * 64 in stale.value.detail
    assert status_of(made, proposal) == "pending"


def test_a_proposal_that_was_changed_in_the_table_cannot_be_approved() -> None:
    made = desk()
    proposal = made.proposed()
    made.proposals._proposals[proposal.proposal_id] = structs.replace(
        proposal, quantity=proposal.quantity * 10
    )
    with pytest.raises(Conflict, match="stored proposal"):
        made.decide(request(proposal), user=APPROVER, now=LATER)


@pytest.mark.parametrize(
    ("first", "then", "allowed"),
    [
        ("approve", "approve", False),
        ("approve", "reject", False),
        ("approve", "revoke", True),
        ("reject", "approve", False),
        ("reject", "revoke", False),
    ],
)
def test_each_state_allows_what_it_allows(first: Any, then: Any, allowed: bool) -> None:
    made = desk()
    proposal = made.proposed()
    before = made.decide(request(proposal, first), user=APPROVER, now=LATER).decision.status
    if allowed:
        answer = made.decide(request(proposal, then), user=SECOND, now=LATER + timedelta(minutes=1))
        assert (answer.decision.status, answer.decision.revision) == ("revoked", 2)
        return
    with pytest.raises(Conflict, match=before):
        made.decide(request(proposal, then), user=SECOND, now=LATER + timedelta(minutes=1))


def test_a_pending_proposal_cannot_be_revoked_and_a_no_needs_a_reason() -> None:
    made = desk()
    proposal = made.proposed()
    with pytest.raises(Conflict, match="pending"):
        made.decide(request(proposal, "revoke"), user=APPROVER, now=LATER)
    for action in ("reject", "revoke"):
        with pytest.raises(InvalidInput) as nothing:
            made.decide(request(proposal, action, reason="  "), user=APPROVER, now=LATER)
        assert nothing.value.path == "$.reason"
    with pytest.raises(NotFound):
        made.decide(request(proposal, proposal_id="NONE"), user=APPROVER, now=LATER)


def test_an_expired_proposal_cannot_be_approved_and_gets_its_revision() -> None:
    made = desk()
    proposal = made.proposed()
    with pytest.raises(Conflict, match="expired"):
        made.decide(request(proposal), user=APPROVER, now=proposal.expires_at)
    assert status_of(made, proposal) == "expired"
    (_, entry) = made.ledger.entries()
    assert (entry.body["action"], entry.body["decided_by"]) == ("expire", "desk")


def test_what_nobody_decided_expires_once() -> None:
    made = desk()
    proposal = made.proposed()
    expire = Expire(ledger=made.ledger, proposals=made.proposals, announce=made.announce)
    assert expire(now=LATER) == []
    assert expire(now=proposal.expires_at) == [proposal.proposal_id]
    assert expire(now=proposal.expires_at + timedelta(hours=1)) == []
    assert status_of(made, proposal) == "expired"


def test_above_a_notional_two_people_approve() -> None:
    made = desk()
    made.controls.change({"limits": {"two_approvers_above": 1_000}}, NOW)
    proposal = made.proposed()
    first = made.decide(request(proposal), user=APPROVER, now=LATER)
    assert (first.decision.status, first.decision.approvals) == ("pending", ("abe",))
    with pytest.raises(Conflict, match="second person"):
        made.decide(request(proposal), user=APPROVER, now=LATER + timedelta(minutes=1))
    second = made.decide(request(proposal), user=SECOND, now=LATER + timedelta(minutes=2))
    assert (second.decision.status, second.decision.approvals) == ("approved", ("abe", "sue"))
    assert second.decision.revision == 2


def test_risk_is_checked_again_and_denies_with_its_codes() -> None:
    made = desk()
    proposal = made.proposed()
    made.controls.change({"state": "HALTED", "reason": "fire drill"}, LATER)
    with pytest.raises(Conflict, match="KILL_SWITCH") as denied:
        made.decide(request(proposal), user=APPROVER, now=LATER)
    assert denied.value.members["codes"] == ["KILL_SWITCH"]
    made.controls.change({"state": "sideways"}, LATER)
    with pytest.raises(Conflict, match="KILL_SWITCH"):
        made.decide(request(proposal), user=APPROVER, now=LATER)
    assert made.decide(request(proposal, "reject"), user=APPROVER, now=LATER).decision.status == "rejected"


def test_a_portfolio_that_is_gone_denies() -> None:
    made = desk()
    proposal = made.proposed()
    made.entities.remove("portfolio", "core")
    with pytest.raises(Conflict, match="portfolio"):
        made.decide(request(proposal), user=APPROVER, now=LATER)


@pytest.mark.parametrize(("rise", "allowed"), [(1.02, True), (1.20, False)])
def test_a_drift_of_the_price_by_a_few_per_cent_is_no_new_situation(rise: float, allowed: bool) -> None:
    """At the cap of 1 %, a price 2 % higher is let through, one 20 % higher is not."""
    made = desk()
    proposal = made.proposed()
    tomorrow = NOW + timedelta(hours=12)
    closes = wave()
    made.prices.merge(bars("ACME", [*closes[1:], closes[-1] * rise], last=NOW.date()))
    if allowed:
        answer = made.decide(request(proposal), user=APPROVER, now=tomorrow)
        assert answer.decision.risk is not None
        assert answer.decision.risk.verdict == "clamp"
        return
    with pytest.raises(Conflict, match="UNPROVEN_AGENT"):
        made.decide(request(proposal), user=APPROVER, now=tomorrow)


def test_a_call_that_was_cut_off_can_be_repeated() -> None:
    made = desk()
    proposal = made.proposed()
    first = made.decide(request(proposal), user=APPROVER, now=LATER)
    assert made.decide(request(proposal), user=APPROVER, now=LATER) == first
    assert len(list(made.ledger.entries())) == 2


def test_a_call_repeated_later_gets_its_revision_and_no_other_call_does() -> None:
    made = desk()
    proposal = made.proposed()
    later = LATER + timedelta(hours=1)
    first = made.decide(request(proposal), user=APPROVER, now=later, first_at=LATER)
    assert (first.decision.decided_at, first.decision.first_asked_at) == (later, LATER)
    again = made.decide(request(proposal), user=APPROVER, now=later + timedelta(hours=1), first_at=LATER)
    assert again == first
    with pytest.raises(Conflict, match="is approved"):
        made.decide(request(proposal), user=APPROVER, now=later + timedelta(hours=1))
    assert len(list(made.ledger.entries())) == 2


def test_a_call_first_tried_in_time_cannot_approve_what_has_expired_since() -> None:
    made = desk()
    proposal = made.proposed()
    with pytest.raises(Conflict, match="is expired"):
        made.decide(request(proposal), user=APPROVER, now=proposal.expires_at, first_at=LATER)
    assert status_of(made, proposal) == "expired"


@pytest.mark.parametrize("racers", [2, 8])
def test_of_racing_decisions_exactly_one_wins(racers: int) -> None:
    made = desk()
    proposal = made.proposed()
    start = Barrier(racers)

    def decide(number: int) -> str:
        user = User(username=f"approver-{number}", roles=("approver",))
        action = "approve" if number % 2 else "reject"
        start.wait()
        try:
            return made.decide(
                request(proposal, action), user=user, now=LATER + timedelta(microseconds=number)
            ).decision.status
        except Problem as problem:
            return f"{problem.status} {problem.detail}"

    with ThreadPoolExecutor(racers) as pool:
        answers = list(pool.map(decide, range(racers)))
    won = [answer for answer in answers if answer in {"approved", "rejected"}]
    assert len(won) == 1, answers
    assert all(answer.startswith("409") and won[0] in answer for answer in answers if answer not in won)
    entries = list(made.ledger.entries())
    assert len(entries) == 2
    assert first_broken_link(entries) is None


def test_a_winner_that_died_before_the_table_knew_still_won() -> None:
    """The entry is in the ledger, the table has not heard: the next decision hears it first."""
    made = desk()
    proposal = made.proposed()

    class Deaf:
        """A table whose writes are lost, as when the process dies right after the ledger's."""

        def project(self, entry: Entry) -> None:
            return None

        def __getattr__(self, name: str) -> Any:
            return getattr(made.proposals, name)

    dying = type(made.decide)(**{**vars(made.decide), "proposals": Deaf()})
    dying(request(proposal, "reject"), user=APPROVER, now=LATER)
    assert status_of(made, proposal) == "pending"
    with pytest.raises(Conflict, match="rejected"):
        made.decide(request(proposal), user=SECOND, now=LATER + timedelta(minutes=1))
    assert len(list(made.ledger.entries())) == 2
