"""Hourly: batches that were stored and never worked off go to work, and tables follow the ledger again.

A function may be ended between two steps: after it wrote a batch and before it queued it, or after an entry
of the ledger and before its row. Nobody comes back to such a batch by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bellwether.adapters.composition import Composition
from bellwether.handlers.clock import now
from bellwether.handlers.logs import logger
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock
from bellwether.usecases.recover import Recover

SETTLED = timedelta(hours=1)
"""A younger batch may still be on its way: its message is tried five times in an hour, then given up."""
LOOKED_AT = timedelta(hours=4)
"""Each batch is looked at by a few runs and then no more: one that cannot be worked off lies in the queue of
failures, where an owner decides, and must not come back every hour for ever."""
MOST_TOLD = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    lake_bucket: str
    claims_table: str
    ingest_queue_url: str
    ledger_bucket: str
    proposals_table: str
    outcomes_table: str
    agents_config_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    recover: Recover
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        recover=Recover(
            raw=make.raw_batches(settings.lake_bucket),
            claims=make.item_claims(settings.claims_table),
            queue=make.batch_queue(settings.ingest_queue_url),
            ledger=make.ledger(settings.ledger_bucket),
            proposals=make.proposals(settings.proposals_table),
            outcomes=make.outcomes(settings.outcomes_table),
            controls=make.desk_controls(settings.agents_config_table),
            configs=make.agent_configs(settings.agents_config_table),
        )
    )


def work(_event: Mapping[str, Any], parts: Parts, _seconds: float) -> dict[str, Any]:
    """One run over the hours before the last one."""
    at = parts.clock()
    done = parts.recover(since=at - LOOKED_AT, until=at - SETTLED, now=at)
    if done.unreadable:
        logger.warning("objects hold no batch", keys=done.unreadable[:MOST_TOLD], count=len(done.unreadable))
    return {
        "batches_seen": done.batches_seen,
        "batches_requeued": done.batches_requeued,
        "items_claimed": done.items_claimed,
        "ledger_entries": done.ledger_entries,
        "unreadable": len(done.unreadable),
    }


handler = ScheduledFunction(Settings, compose, work)
