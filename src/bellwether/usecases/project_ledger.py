"""Following the ledger: each entry is checked against the one before, projected, told to the stream."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from msgspec import Struct

from bellwether.domain.ledger import GENESIS, Entry, entry_hash
from bellwether.domain.outcomes import outcomes_of
from bellwether.domain.problems import NotFound, Problem
from bellwether.usecases.ports import Change, Changes, Counts, Ledger, Outcomes, Proposals

TOLD_OF_PROPOSALS = (
    "proposal_id",
    "asset",
    "side",
    "quantity",
    "status",
    "action",
    "decided_by",
    "portfolio",
)
TOLD_OF_CHANGES = ("action", "changed_by", "reason", "version")


class BrokenLedger(Problem):
    """An entry does not follow from the one before: somebody changed the ledger. Needs a person."""

    status, code, title = 500, "broken_ledger", "The ledger does not hold together"


class LedgerMessage(Struct, frozen=True, kw_only=True):
    """What travels through the decisions queue."""

    sequence: int


class Projected(Struct, frozen=True, kw_only=True):
    """What was projected."""

    sequence: int
    kind: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class ProjectLedger:
    """Function `project_ledger`, fed by the queue `decisions`."""

    ledger: Ledger
    proposals: Proposals
    outcomes: Outcomes
    changes: Changes
    counts: Counts

    def __call__(self, message: LedgerMessage, *, now: datetime) -> Projected:
        """Projects one entry; doing so again changes no table. Raises `NotFound`, `BrokenLedger`.

        A broken entry is not projected: the message goes to the dead-letter queue, where an alarm waits.
        """
        before, entry = self._pair(message.sequence)
        fault = broken(before, entry)
        if fault is not None:
            self.counts.add({"bellwether_ledger_broken_total": 1.0})
            self.changes.publish(
                [
                    Change(
                        id="",
                        type="ledger_broken",
                        at=now,
                        data={"sequence": entry.sequence, "reason": fault},
                    )
                ]
            )
            raise BrokenLedger(f"entry {entry.sequence}: {fault}")
        project(entry, proposals=self.proposals, outcomes=self.outcomes)
        self.changes.publish([Change(id="", type=entry.kind, at=now, data=told(entry))])
        return Projected(sequence=entry.sequence, kind=entry.kind, subject=entry.subject)

    def _pair(self, sequence: int) -> tuple[Entry | None, Entry]:
        pair = list(islice(self.ledger.entries(after=max(0, sequence - 2)), 2 if sequence > 1 else 1))
        entry = next((e for e in pair if e.sequence == sequence), None)
        if entry is None:
            raise NotFound(f"the ledger has no entry {sequence}")
        return next((e for e in pair if e.sequence == sequence - 1), None), entry


def broken(before: Entry | None, entry: Entry) -> str | None:
    """Why an entry does not follow from the one before; `None` when it does."""
    if entry.sequence > 1 and before is None:
        return f"entry {entry.sequence - 1} is missing"
    if entry.previous_hash != (before.hash if before else GENESIS):
        return "it does not name the hash of the entry before it"
    if entry_hash(entry) != entry.hash:
        return "its content does not match its hash"
    return None


def project(entry: Entry, *, proposals: Proposals, outcomes: Outcomes) -> None:
    """Applies an entry to the tables made from the ledger; applying it again changes nothing.

    What an owner configured is in its table before the owner hears of it; `recover` makes up for a crash.
    """
    if entry.kind == "outcome":
        outcomes.put(outcomes_of(entry.body))
    elif entry.kind != "configuration":
        proposals.project(entry)


def told(entry: Entry) -> dict[str, Any]:
    """What the dashboard is told of an entry: small, and enough to know what to read again."""
    if entry.kind == "outcome":
        return {"sequence": entry.sequence, "outcomes": [o.outcome_id for o in outcomes_of(entry.body)][:100]}
    names = TOLD_OF_CHANGES if entry.kind == "configuration" else TOLD_OF_PROPOSALS
    known = {name: entry.body[name] for name in names if name in entry.body}
    return {"sequence": entry.sequence, "subject": entry.subject, **known}
