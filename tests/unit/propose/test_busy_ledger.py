"""Proposing against a ledger that is never free, with nothing to propose, and what is checked in a basket."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether.domain.ledger import Entry, next_entry
from bellwether.domain.outcomes import Resolved
from bellwether.domain.problems import Conflict
from bellwether.domain.proposals import Proposal
from bellwether.domain.risk_order import Order
from bellwether.usecases.check_risk import basket
from bellwether.usecases.propose import ProposeRequest
from bellwether.usecases.record import ATTEMPTS
from tests.unit.evaluate.test_expire import Overtaken
from tests.unit.trading import ANALYST, NOW, Desk, desk, situation

pytestmark = pytest.mark.req("A5")

ALL = ProposeRequest(portfolio="core")


def test_a_ledger_that_is_always_busy_is_a_conflict() -> None:
    made = desk()
    busy = Overtaken(made, 10_000)
    propose = type(made.propose)(**{**vars(made.propose), "ledger": busy})
    with pytest.raises(Conflict, match="busy 40 times in a row; 0 proposals were made"):
        propose(ALL, user=ANALYST, now=NOW)
    assert busy.tried == ATTEMPTS


def test_a_desk_that_tracks_nothing_proposes_and_counts_nothing() -> None:
    made = Desk()
    answer = made.propose(ALL, user=ANALYST, now=NOW)
    assert (answer.proposals, answer.without) == ([], [])
    assert made.counts.totals() == {}


def test_a_proposal_only_the_ledger_knows_yet_is_looked_for_and_not_invented() -> None:
    """The ledger's tail names a proposal nobody can read: it is left out, the rest is proposed."""
    made = desk()
    stranger = desk("OTHER").proposed("OTHER")
    made.ledger.append(next_entry(None, at=NOW, kind="proposal", subject="unreadable", record=stranger))

    class Without:
        def project(self, entry: Entry) -> None:
            if entry.subject != "unreadable":
                made.proposals.project(entry)

        def __getattr__(self, name: str) -> Any:
            return getattr(made.proposals, name)

    propose = type(made.propose)(**{**vars(made.propose), "proposals": Without()})
    (proposal,) = propose(ALL, user=ANALYST, now=NOW).proposals
    assert proposal.asset == "ACME"


def test_an_old_tail_and_other_kinds_of_entries_are_not_read() -> None:
    made = desk()
    made.ledger.append(next_entry(None, at=NOW, kind="outcome", subject="o", record=Resolved(outcomes=())))
    later = NOW + timedelta(minutes=2)
    (proposal,) = made.propose(ALL, user=ANALYST, now=later).proposals
    assert isinstance(proposal, Proposal)


def test_an_order_that_is_denied_leaves_the_book_as_it_was() -> None:
    orders = [
        Order(asset="NONE", side="buy", quantity=5),
        Order(asset="ACME", side="buy", quantity=5),
        Order(asset="ACME", side="buy", quantity=5),
    ]
    denied, first, second = basket(orders, situation())
    assert (denied.verdict, denied.allowed_quantity) == ("deny", 0.0)
    assert (first.verdict, second.verdict) == ("pass", "pass")
    once = next(c for c in first.checks if c.code == "CONCENTRATION").observed
    twice = next(c for c in second.checks if c.code == "CONCENTRATION").observed
    assert once is not None
    assert twice == pytest.approx(2 * once)
