"""Following entries of every kind, and why an entry does not follow from the one before."""

import pytest
from msgspec import structs

from bellwether.domain.ledger import Entry, next_entry
from bellwether.domain.outcomes import Resolved
from bellwether.domain.problems import NotFound
from bellwether.usecases.project_ledger import BrokenLedger, LedgerMessage, broken, told
from tests.unit.ledger.test_project_ledger import projecting
from tests.unit.score.desk_in_memory import outcome_of
from tests.unit.trading import NOW, Desk, desk, score

pytestmark = pytest.mark.req("A7")


def entry_of(count: int) -> Entry:
    made = tuple(
        outcome_of(score(score_id=f"s{n}"), subject=f"s{n}", outcome_id=f"o-{n:03}") for n in range(count)
    )
    return next_entry(None, at=NOW, kind="outcome", subject="o-000", record=Resolved(outcomes=made))


def test_outcomes_reach_their_table_and_the_stream_is_told_their_ids() -> None:
    made = Desk()
    entry = entry_of(3)
    made.ledger.append(entry)
    follow = projecting(made)
    answer = follow(LedgerMessage(sequence=1), now=NOW)
    assert (answer.sequence, answer.kind, answer.subject) == (1, "outcome", "o-000")
    assert follow.outcomes.known(["o-000", "o-002", "o-003"]) == {"o-000", "o-002"}
    (change,) = made.changes.after(None)
    assert (change.type, change.data) == ("outcome", {"sequence": 1, "outcomes": ["o-000", "o-001", "o-002"]})


def test_the_stream_is_told_of_a_hundred_outcomes_at_most() -> None:
    assert len(told(entry_of(101))["outcomes"]) == 100


def test_what_is_wrong_with_an_entry() -> None:
    made = desk("ACME", "OTHER")
    made.proposed("ACME")
    made.proposed("OTHER")
    first, second = made.ledger.entries()
    assert broken(None, first) is None
    assert broken(first, second) is None
    assert broken(None, second) == "entry 1 is missing"
    assert broken(second, first) == "it does not name the hash of the entry before it"
    assert broken(first, structs.replace(second, subject="x")) == "its content does not match its hash"


def test_a_gap_in_the_ledger_is_loud() -> None:
    made = desk("ACME", "OTHER")
    made.proposed("ACME")
    made.proposed("OTHER")
    del made.ledger._entries[0]
    with pytest.raises(BrokenLedger, match="entry 2: entry 1 is missing"):
        projecting(made)(LedgerMessage(sequence=2), now=NOW)
    (change,) = made.changes.after(None)
    assert (change.type, change.data) == ("ledger_broken", {"sequence": 2, "reason": "entry 1 is missing"})
    with pytest.raises(NotFound, match="no entry 7"):
        projecting(made)(LedgerMessage(sequence=7), now=NOW)
