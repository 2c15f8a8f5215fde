"""Whatever is changed in the ledger, the chain says so."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bellwether.domain.ledger import GENESIS, Entry, content_hash, first_broken_link, next_entry
from bellwether.domain.proposals import Decision, Proposal, is_open, proposal_hash, sealed
from tests.unit.trading import NOW, desk

pytestmark = pytest.mark.req("A7")


def decision(revision: int, reason: str = "good") -> Decision:
    return Decision(
        proposal_id="P",
        revision=revision,
        decided_at=NOW,
        decided_by="abe",
        action="approve",
        status="approved",
        reason=reason,
        content_hash="c",
    )


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, length + 1):
        before = entries[-1] if entries else None
        entries.append(next_entry(before, at=NOW, kind="decision", subject="P", record=decision(number)))
    return entries


@given(st.integers(1, 12))
def test_an_untouched_chain_is_unbroken_after_storage_too(length: int) -> None:
    entries = chain(length)
    assert first_broken_link(entries) is None
    assert entries[0].previous_hash == GENESIS
    stored = [msgspec.json.decode(msgspec.json.encode(entry), type=Entry) for entry in entries]
    assert first_broken_link(stored) is None


CHANGES: dict[str, Callable[[Entry], Entry]] = {
    "at": lambda e: structs.replace(e, at=e.at + timedelta(microseconds=1)),
    "kind": lambda e: structs.replace(e, kind="outcome"),
    "subject": lambda e: structs.replace(e, subject=e.subject + "x"),
    "body": lambda e: structs.replace(e, body={**e.body, "reason": "bad"}),
    "addition": lambda e: structs.replace(e, body={**e.body, "more": None}),
    "previous_hash": lambda e: structs.replace(e, previous_hash="f" * 64),
    "hash": lambda e: structs.replace(e, hash="f" * 64),
    "sequence": lambda e: structs.replace(e, sequence=e.sequence + 1),
}


@given(data=st.data(), length=st.integers(2, 12), change=st.sampled_from(sorted(CHANGES)))
def test_any_change_of_any_entry_is_found_at_that_entry(data: Any, length: int, change: str) -> None:
    entries = chain(length)
    place = data.draw(st.integers(0, length - 1))
    entries[place] = CHANGES[change](entries[place])
    link = first_broken_link(entries)
    assert link is not None
    assert link.sequence == place + 1


@given(data=st.data(), length=st.integers(3, 12))
def test_an_entry_rewritten_with_a_fitting_hash_breaks_the_next_link(data: Any, length: int) -> None:
    entries = chain(length)
    place = data.draw(st.integers(0, length - 2))
    before = entries[place - 1] if place else None
    entries[place] = next_entry(
        before, at=NOW, kind="decision", subject="P", record=decision(place + 1, "forged")
    )
    link = first_broken_link(entries)
    assert link is not None
    assert link.sequence == place + 2


@given(data=st.data(), length=st.integers(3, 12))
def test_a_missing_or_swapped_entry_is_found(data: Any, length: int) -> None:
    place = data.draw(st.integers(0, length - 2))
    entries = chain(length)
    missing = entries[:place] + entries[place + 1 :]
    assert first_broken_link(missing) is not None
    entries[place], entries[place + 1] = entries[place + 1], entries[place]
    assert first_broken_link(entries) is not None


def test_a_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert content_hash({"a": 1, "b": [2.5, None]}) == content_hash({"b": [2.5, None], "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": 2})


def test_what_is_approved_is_every_field_but_the_status() -> None:
    proposal = desk().proposed()
    assert proposal.content_hash == proposal_hash(proposal)
    assert proposal_hash(structs.replace(proposal, status="approved")) == proposal.content_hash
    others: dict[str, Any] = {
        "quantity": proposal.quantity + 1,
        "side": "sell",
        "limit_price": 1.0,
        "expires_at": NOW,
        "proposed_by": "eve",
        "score": structs.replace(proposal.score, p_up=0.9),
        "risk": structs.replace(proposal.risk, verdict="deny"),
        "sizing": (),
    }
    for name, value in others.items():
        changed: Proposal = structs.replace(proposal, **{name: value})
        assert proposal_hash(changed) != proposal.content_hash, name


def test_a_proposal_keeps_its_hash_through_storage_and_whole_numbers() -> None:
    proposal = sealed(structs.replace(desk().proposed(), quantity=5, notional=500))
    stored = msgspec.json.decode(msgspec.json.encode(proposal), type=Proposal)
    assert isinstance(stored.quantity, float)
    assert proposal_hash(stored) == proposal.content_hash


@pytest.mark.parametrize(
    ("status", "as_of_hours", "now_hours", "is_it"),
    [
        ("pending", 1, 1, True),
        ("approved", 23, 23, True),
        ("pending", 24, 24, False),
        ("pending", 1, 24, False),
        ("pending", 24, 1, False),
        ("pending", 1, 25, False),
        ("rejected", 1, 1, False),
        ("pending", -1, 1, False),
    ],
)
def test_a_proposal_is_open_within_its_lifetime(
    status: Any, as_of_hours: float, now_hours: float, is_it: bool
) -> None:
    proposal = structs.replace(desk().proposed(), status=status)
    as_of, now = NOW + timedelta(hours=as_of_hours), NOW + timedelta(hours=now_hours)
    assert is_open(proposal, as_of=as_of, now=now) is is_it
