"""After a crash: what was stored is worked off once, what was decided is in the tables again."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from bellwether.adapters.memory import MemoryPorts
from bellwether.domain.items import RawBatch
from bellwether.domain.ledger import Entry, next_entry
from bellwether.domain.outcomes import Resolved
from bellwether.domain.problems import NotFound
from bellwether.usecases.recover import Recover, batch_id_of
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, outcome_of, part, post

pytestmark = pytest.mark.req("C4")


def test_a_batch_that_was_stored_and_not_queued_is_found() -> None:
    desk = MemoryDesk()
    desk.take_in([post()])
    desk.send([post(), post()])
    desk.messages()
    done = desk.recover()
    assert (done.batches_seen, done.batches_requeued, done.items_claimed) == (2, 1, 2)
    desk.work()
    assert part(desk.score()).signals == 3
    assert desk.recover().batches_requeued == 0


def test_lost_claims_are_made_again_and_every_item_still_counts_once() -> None:
    """Two batches share an item; after the claims are gone one of them gets it, not both."""
    desk = MemoryDesk()
    same = post()
    desk.send([same, post()])
    desk.send([same, post(), post()])
    desk.messages()
    survivors = MemoryPorts(raw=desk.ports.raw, entities=desk.ports.entities)
    again = MemoryDesk(survivors)
    done = again.recover()
    assert (done.batches_requeued, done.items_claimed) == (2, 4)
    again.work()
    assert part(again.score()).signals == 4


def test_a_batch_of_which_nothing_is_its_own_is_finished() -> None:
    desk = MemoryDesk()
    items = [post()]
    desk.send(items, batch_id="a-first")
    desk.send(items, batch_id="b-again")
    survivors = MemoryPorts(raw=desk.ports.raw)
    again = MemoryDesk(survivors)
    assert again.recover().batches_requeued == 1
    assert survivors.claims.finished(["b-again"]) == {"b-again"}


def test_a_damaged_batch_does_not_keep_the_others_from_coming_back() -> None:
    desk = MemoryDesk()
    desk.send([post()], batch_id="a-damaged")
    desk.send([post()], batch_id="b-whole")
    damaged = next(message.key for message in desk.messages() if message.batch_id == "a-damaged")
    reading = desk.ports.raw.get

    def get(key: str) -> RawBatch:
        if key == damaged:
            raise NotFound(f"{key} holds no batch")
        return reading(key)

    desk.ports.raw.get = get  # type: ignore[method-assign]
    done = desk.recover()
    assert (done.batches_seen, done.batches_requeued, done.unreadable) == (2, 1, (damaged,))
    desk.work()
    assert part(desk.score()).signals == 1


def test_a_batch_older_than_the_claims_is_left_alone() -> None:
    """Its claims and its mark have expired: queued again, it would count a second time."""
    desk = MemoryDesk()
    desk.send([post(published_at=NOW - timedelta(days=380))], at=NOW - timedelta(days=380))
    desk.send([post(published_at=NOW - timedelta(days=350))], at=NOW - timedelta(days=350))
    desk.messages()
    assert desk.recover().batches_seen == 1


@pytest.mark.parametrize(("minutes", "seen"), [(0, 0), (61, 0), (125, 1), (300, 1), (400, 0)])
def test_a_batch_is_looked_at_when_it_must_have_arrived_and_not_for_ever(minutes: int, seen: int) -> None:
    """Whole hours decide: from the hour of the beginning to the one before that of the end."""
    desk = MemoryDesk()
    now = NOW + timedelta(minutes=30)
    at = now - timedelta(minutes=minutes)
    desk.send([post(published_at=at)], at=at)
    desk.messages()
    done = desk.recovery(since=now - timedelta(hours=5), until=now - timedelta(hours=1), now=now)
    assert (done.batches_seen, done.batches_requeued) == (seen, seen)


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.sampled_from(["send", "lose", "work", "recover"]), max_size=14))
def test_whatever_is_lost_on_the_way_recovery_ends_with_every_item_once(steps: list[str]) -> None:
    desk = MemoryDesk()
    accepted = 0
    for step in steps:
        if step == "send":
            accepted += desk.send([post(), post()]).accepted
        elif step == "lose":
            desk.messages()
        elif step == "work":
            desk.work()
        else:
            desk.recover()
    desk.recover()
    desk.work()
    assert part(desk.score()).signals == accepted


class _Note(Struct, frozen=True):
    """A record for the ledger."""

    number: int


class _Table:
    """Collects what is projected."""

    def __init__(self) -> None:
        self.entries: list[int] = []

    def project(self, entry: Entry) -> None:
        self.entries.append(entry.sequence)


def _recovered(ledger: Any, table: Any, days: float) -> tuple[int, list[int]]:
    ports = MemoryPorts()
    recover = Recover(
        raw=ports.raw,
        claims=ports.claims,
        queue=ports.queue,
        ledger=ledger,
        proposals=table,
        outcomes=ports.outcomes,
        controls=ports.controls,
        configs=ports.configs,
    )
    done = recover(since=NOW - timedelta(days=days), now=NOW)
    return done.ledger_entries, table.entries


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
@pytest.mark.parametrize("days", [0.5, 3, 20, 100])
def test_tables_follow_the_entries_written_since(count: int, days: float) -> None:
    ports = MemoryPorts()
    entry = None
    written = [NOW - timedelta(days=count - n) for n in range(count)]
    for number, at in enumerate(written):
        entry = next_entry(entry, at=at, kind="decision", subject="p", record=_Note(number))
        assert ports.ledger.append(entry)
    since = NOW - timedelta(days=days, hours=1)
    expected = [number + 1 for number, at in enumerate(written) if at >= since]
    assert _recovered(ports.ledger, _Table(), days) == (len(expected), expected)


def test_outcomes_come_back_from_the_ledger() -> None:
    desk = MemoryDesk()
    desk.take_in([post()])
    outcome = outcome_of(desk.score())
    record = Resolved(outcomes=(outcome,))
    entry = next_entry(None, at=NOW, kind="outcome", subject=outcome.outcome_id, record=record)
    desk.ports.ledger.append(entry)
    assert desk.ports.outcomes.get(outcome.outcome_id) is None
    assert desk.recover().projected == 1
    assert desk.ports.outcomes.get(outcome.outcome_id) == outcome


def test_the_batch_id_is_in_the_key() -> None:
    assert batch_id_of("raw-data/2026/11/20/12/01ABC.json.gz") == "01ABC"
