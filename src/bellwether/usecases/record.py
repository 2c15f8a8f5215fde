"""Writing to the ledger: the one way proposals, decisions and outcomes come into being."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from bellwether.domain.ledger import Entry, EntryKind, next_entry
from bellwether.domain.outcomes import Outcome, Resolved, outcomes_of
from bellwether.domain.problems import Conflict, Unavailable
from bellwether.usecases.ports import Announcements, Ledger, Outcomes, Proposals

ATTEMPTS = 40
"""How often a writer that lost its sequence to another tries again."""
AN_ENTRY = 100
"""Outcomes a ledger entry holds at most."""


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """Appends to the ledger, then to the table made from it, then says so.

    Whoever appends first makes sure that the entry before is projected (`caught_up`). By induction every
    entry but the newest is in the table when it is read, so that no decision is ever taken on a table that
    lags.
    """

    ledger: Ledger
    proposals: Proposals
    announce: Announcements

    def caught_up(self) -> Entry | None:
        """The head of the ledger, its effect in the table."""
        head = self.ledger.head()
        if head is not None and head.kind != "outcome":
            self.proposals.project(head)
        return head

    def append(
        self, head: Entry | None, *, at: datetime, kind: EntryKind, subject: str, record: Struct
    ) -> Entry | None:
        """The entry after `head`, written; `None` when another was faster: catch up, judge again."""
        entry = next_entry(head, at=at, kind=kind, subject=subject, record=record)
        if not self.ledger.append(entry):
            return None
        if kind != "outcome":
            self.proposals.project(entry)
        # The entry is durable and in the table: a queue that does not answer must not unsay it.
        with suppress(Unavailable):
            self.announce.announce(entry)
        return entry


def record_outcomes(
    outcomes: Sequence[Outcome], recorder: Recorder, table: Outcomes, *, head: Entry | None, now: datetime
) -> list[Outcome]:
    """Appends outcomes, a hundred an entry, and puts them into the table; returns those that were new.

    `head` is the end of the ledger before anybody looked which outcomes there are. What another evaluation
    appended since is left out: each outcome is in the ledger once. Raises `Conflict`.
    """
    remaining, written, lost = list(outcomes), list[Outcome](), 0
    while remaining:
        chunk = remaining[:AN_ENTRY]
        record, subject = Resolved(outcomes=tuple(chunk)), chunk[0].outcome_id
        entry = recorder.append(head, at=now, kind="outcome", subject=subject, record=record)
        if entry is not None:
            table.put(chunk)
            written.extend(chunk)
            head, remaining = entry, remaining[AN_ENTRY:]
            continue
        lost += 1
        if lost > ATTEMPTS:
            raise Conflict(f"the ledger was busy {lost} times in a row, evaluate again for the rest")
        before, head = head, recorder.caught_up()
        taken = _ids_after(recorder.ledger, before)
        remaining = [outcome for outcome in remaining if outcome.outcome_id not in taken]
    return written


def _ids_after(ledger: Ledger, head: Entry | None) -> set[str]:
    """Ids of the outcomes appended after an entry."""
    newer = ledger.entries(after=head.sequence if head else 0)
    return {o.outcome_id for entry in newer if entry.kind == "outcome" for o in outcomes_of(entry.body)}
