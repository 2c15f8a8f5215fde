"""Writing to the ledger: the one way proposals, decisions and outcomes come into being."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from bellwether.domain.ledger import Entry, EntryKind, next_entry
from bellwether.domain.problems import Unavailable
from bellwether.usecases.ports import Announcements, Ledger, Proposals

ATTEMPTS = 40
"""How often a writer that lost its sequence to another tries again."""


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
