"""Follows the ledger in order: each entry checked, then in the tables and in the feed of changes.

An entry that does not follow from the one before stops the queue; its dead letters ring the alarm.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from bellwether.adapters.composition import Composition
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.queue_function import QueueFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock, QueueRetries
from bellwether.usecases.project_ledger import BrokenLedger, LedgerMessage, ProjectLedger


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    ledger_bucket: str
    proposals_table: str
    outcomes_table: str
    events_table: str
    decisions_queue_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    project: ProjectLedger
    retries: QueueRetries
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        project=ProjectLedger(
            ledger=make.ledger(settings.ledger_bucket),
            proposals=make.proposals(settings.proposals_table),
            outcomes=make.outcomes(settings.outcomes_table),
            changes=make.changes(settings.events_table),
            counts=make.counts(settings.events_table),
        ),
        retries=make.queue_retries(settings.decisions_queue_url),
    )


def work(body: bytes, parts: Parts) -> dict[str, Any]:
    """One entry. Raises what the use case raises, and for a message that is none."""
    message = msgspec.json.decode(body, type=LedgerMessage)
    try:
        done = parts.project(message, now=parts.clock())
    except BrokenLedger:
        record(BrokenLedgerLinks=1)
        raise
    return {"sequence": done.sequence, "kind": done.kind, "subject": done.subject}


handler = QueueFunction(Settings, compose, work, ordered=True, retries=lambda parts: parts.retries)
