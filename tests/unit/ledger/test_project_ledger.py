"""Following the ledger: idempotent, in words the stream can use, and loud when a link is broken."""

import pytest
from msgspec import structs

from bellwether.adapters.memory.ledger import MemoryOutcomes, MemoryProposals
from bellwether.domain.configuration import controls_configured
from bellwether.domain.ledger import Entry, next_entry
from bellwether.domain.problems import NotFound
from bellwether.usecases.project_ledger import BrokenLedger, LedgerMessage, ProjectLedger
from tests.unit.trading import NOW, Desk, desk

pytestmark = pytest.mark.req("A7")


def projecting(made: Desk) -> ProjectLedger:
    return ProjectLedger(
        ledger=made.ledger,
        proposals=MemoryProposals(),
        outcomes=MemoryOutcomes(),
        changes=made.changes,
        counts=made.counts,
    )


def test_an_entry_is_projected_and_told() -> None:
    made = desk("ACME", "OTHER")
    first, second = made.proposed("ACME"), made.proposed("OTHER")
    follow = projecting(made)
    for sequence in (1, 2, 2):
        follow(LedgerMessage(sequence=sequence), now=NOW)
    for proposal in (first, second):
        found = follow.proposals.get(proposal.proposal_id)
        assert found is not None
        assert found[0] == proposal
    told = made.changes.after(None)
    assert [change.type for change in told] == ["proposal", "proposal", "proposal"]
    assert told[0].data["asset"] == "ACME"
    assert told[0].data["status"] == "pending"
    assert "score" not in told[0].data


def test_what_an_owner_changed_is_told_and_changes_no_proposal() -> None:
    made = desk()
    record = controls_configured(
        {}, {"state": "HALTED"}, version=1, action="halt", changed_by="owner ann", reason="drill"
    )
    entry = next_entry(None, at=NOW, kind="configuration", subject=record.subject, record=record)
    assert made.ledger.append(entry)
    follow = projecting(made)
    follow(LedgerMessage(sequence=1), now=NOW)
    (told,) = made.changes.after(None)
    assert told.type == "configuration"
    assert told.data == {
        "sequence": 1,
        "subject": "controls",
        "action": "halt",
        "changed_by": "owner ann",
        "reason": "drill",
        "version": 1,
    }
    assert follow.proposals.with_status("pending") == []


def test_a_message_before_its_entry_is_tried_again() -> None:
    with pytest.raises(NotFound):
        projecting(desk())(LedgerMessage(sequence=1), now=NOW)


@pytest.mark.parametrize("place", [0, 1])
def test_a_broken_link_is_not_projected(place: int) -> None:
    made = desk("ACME", "OTHER")
    made.proposed("ACME")
    made.proposed("OTHER")
    entries: list[Entry] = list(made.ledger.entries())
    forged = structs.replace(
        entries[place], subject="forged", hash="f" * 64 if place == 0 else entries[1].hash
    )
    made.ledger._entries[place] = forged
    follow = projecting(made)
    with pytest.raises(BrokenLedger):
        follow(LedgerMessage(sequence=2), now=NOW)
    assert follow.proposals.with_status("pending") == []
    assert made.changes.after(None)[0].type == "ledger_broken"
    assert made.counts.totals()["bellwether_ledger_broken_total"] == 1
