"""After a crash: unfinished batches go back to work, and tables follow the ledger again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Protocol

from msgspec import Struct

from bellwether.domain.ledger import Entry
from bellwether.domain.outcomes import outcomes_of
from bellwether.domain.problems import NotFound
from bellwether.usecases.configure import apply_configuration
from bellwether.usecases.ingest import repeated
from bellwether.usecases.leases import LEASE
from bellwether.usecases.ports import (
    AgentConfigs,
    BatchMessage,
    BatchQueue,
    DeskControls,
    ItemClaims,
    Ledger,
    Outcomes,
    Proposals,
    RawBatches,
)

CHUNK = 100
FURTHEST = timedelta(days=365)
"""Claims and finished marks are remembered for little more than a year: of an older batch nobody can tell
whether it was worked off, so it is left alone."""
MARGIN = timedelta(hours=1)
"""Entries of racing writers may carry times a little out of order."""


class Recovered(Struct, frozen=True, kw_only=True):
    """What was looked at and what had to be done again; `unreadable` are keys that hold no batch."""

    batches_seen: int
    batches_requeued: int
    items_claimed: int
    ledger_entries: int
    projected: int
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recover:
    """Safe to run at any time and as often as one likes: every step is idempotent."""

    raw: RawBatches
    claims: ItemClaims
    queue: BatchQueue
    ledger: Ledger
    proposals: Proposals
    outcomes: Outcomes
    controls: DeskControls
    configs: AgentConfigs

    def __call__(
        self,
        *,
        since: datetime,
        now: datetime,
        until: datetime | None = None,
        dead_before: datetime | None = None,
    ) -> Recovered:
        """Batches received and entries written since a moment (and a little before, to be sure).

        Batches are looked at for a year before `now` at the most, the ledger as far as `since` says. With
        `until`, batches of its hour and later are left alone: they may be on their way as they should.
        Of workers that began before `dead_before` none lives any more: nobody waits for their leases to end.
        """
        seen = requeued = claimed = 0
        unreadable: list[str] = []
        for keys in _chunks(_received_before(until, self.raw.keys(max(since, now - FURTHEST)))):
            by_id = {batch_id_of(key): key for key in keys}
            seen += len(by_id)
            finished = self.claims.finished(list(by_id))
            for batch_id, key in by_id.items():
                if batch_id in finished:
                    continue
                if dead_before is not None:
                    self.claims.end_lease(batch_id, dead_before + LEASE)
                try:
                    count = self._requeue(key)
                except NotFound:  # one damaged object must not keep all the others from coming back
                    unreadable.append(key)
                    continue
                claimed += count
                requeued += count > 0
        entries, projected = self._project(since)
        return Recovered(
            batches_seen=seen,
            batches_requeued=requeued,
            items_claimed=claimed,
            ledger_entries=entries,
            projected=projected,
            unreadable=tuple(unreadable),
        )

    def _requeue(self, key: str) -> int:
        """Claims the batch's items again and queues it; returns how many items are its own."""
        batch = self.raw.get(key)
        ids = list(dict.fromkeys(item.item_id for item in batch.items))
        mine = self.claims.claim_items(batch.batch_id, ids)
        if mine:
            duplicates = repeated(batch, mine)
            self.queue.send(BatchMessage(batch_id=batch.batch_id, key=key, duplicates=duplicates))
        else:
            self.claims.finish(batch.batch_id)
        return len(mine)

    def _project(self, since: datetime) -> tuple[int, int]:
        entries = projected = 0
        for entry in self.ledger.entries(after=self._last_before(since - MARGIN)):
            entries += 1
            project(entry, self)
            projected += 1
        return entries, projected

    def _last_before(self, moment: datetime) -> int:
        """The last sequence written before `moment`, found by bisection: sequences have no gaps."""
        head = self.ledger.head()
        low, high = 0, head.sequence if head else 0
        while low < high:
            middle = (low + high + 1) // 2
            entry: Entry | None = next(iter(self.ledger.entries(after=middle - 1)), None)
            if entry is not None and entry.at < moment:
                low = middle
            else:
                high = middle - 1
        return low


class Projections(Protocol):
    """The tables that follow the ledger."""

    @property
    def proposals(self) -> Proposals: ...
    @property
    def outcomes(self) -> Outcomes: ...
    @property
    def controls(self) -> DeskControls: ...
    @property
    def configs(self) -> AgentConfigs: ...


def project(entry: Entry, tables: Projections) -> None:
    """Applies one entry to the tables; applying it again changes nothing."""
    if entry.kind == "outcome":
        tables.outcomes.put(outcomes_of(entry.body))
    elif entry.kind == "configuration":
        apply_configuration(entry, tables.controls, tables.configs)
    else:
        tables.proposals.project(entry)


def batch_id_of(key: str) -> str:
    """The batch id in a raw batch's key, `raw-data/yyyy/mm/dd/HH/{batch_id}.json.gz`."""
    return key.rsplit("/", 1)[-1].partition(".")[0]


def _received_before(until: datetime | None, keys: Iterable[str]) -> Iterable[str]:
    """Keys of the hours before that of `until`; they come in order of their hours."""
    if until is None:
        return keys
    hour = f"{until.astimezone(UTC):%Y/%m/%d/%H}"
    return takewhile(lambda key: key.partition("/")[2] < hour, keys)


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(keys)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
