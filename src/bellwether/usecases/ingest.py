"""Taking items in: each one checked on its own, the batch kept whole, every item claimed once, the work
queued.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from bellwether.domain.items import (
    Kind,
    RawBatch,
    RejectedItem,
    Rejection,
    StoredItem,
    decode_item,
    settle,
)
from bellwether.domain.problems import TooLarge, Unavailable
from bellwether.usecases.ports import BatchMessage, BatchQueue, Counts, ItemClaims, RawBatches

MOST_ITEMS = 500


class IngestRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to 500 items, left undecoded: a bad one is rejected alone (more are `TooLarge`)."""

    items: Annotated[list[msgspec.Raw], Meta(extra_json_schema={"maxItems": MOST_ITEMS})]


class IngestAnswer(Struct, frozen=True, kw_only=True):
    """What became of a request's items: `accepted` + `duplicates` + rejected make up all of them."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]
    batch_id: str


def repeated(batch: RawBatch, mine: set[str]) -> tuple[int, ...]:
    """Indexes of a batch's items that are not the batch's own, or come a second time within it."""
    seen: set[str] = set()
    found: list[int] = []
    for index, item in enumerate(batch.items):
        if item.item_id not in mine or item.item_id in seen:
            found.append(index)
        seen.add(item.item_id)
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """One request becomes one batch: the object first, then the claims, then the message, then the answer.

    Each step can be repeated with the same batch id and time without counting anything twice; a batch that
    was stored but not queued is found again by `recover`.
    """

    raw: RawBatches
    claims: ItemClaims
    queue: BatchQueue
    counts: Counts
    salt: bytes

    def __call__(
        self,
        *,
        kind: Kind,
        items: Sequence[msgspec.Raw],
        batch_id: str,
        submitted_by: str,
        received_at: datetime,
    ) -> IngestAnswer:
        """Raises `TooLarge` above 500 items and `Unavailable` when storing, claiming or queueing failed."""
        if len(items) > MOST_ITEMS:
            raise TooLarge(f"{len(items)} items are more than {MOST_ITEMS}", path="$.items")
        taken, rejected = self._settled(items, kind, received_at)
        duplicates = self._store(taken, kind, batch_id, submitted_by, received_at) if taken else 0
        answer = IngestAnswer(
            accepted=len(taken) - duplicates, duplicates=duplicates, rejected=rejected, batch_id=batch_id
        )
        self._count(kind, answer)
        return answer

    def _settled(
        self, items: Sequence[msgspec.Raw], kind: Kind, received_at: datetime
    ) -> tuple[list[StoredItem], list[Rejection]]:
        taken: list[StoredItem] = []
        rejected: list[Rejection] = []
        for index, raw in enumerate(items):
            try:
                item = decode_item(raw)
                taken.append(settle(item, kind=kind, received_at=received_at, salt=self.salt))
            except RejectedItem as fault:
                rejected.append(Rejection(index=index, code=fault.code, detail=_placed(fault.detail, index)))
        return taken, rejected

    def _store(
        self, taken: list[StoredItem], kind: Kind, batch_id: str, submitted_by: str, received_at: datetime
    ) -> int:
        batch = RawBatch(
            batch_id=batch_id, kind=kind, received_at=received_at, submitted_by=submitted_by, items=taken
        )
        key = self.raw.put(batch)
        mine = self.claims.claim_items(batch_id, list(dict.fromkeys(item.item_id for item in taken)))
        duplicates = repeated(batch, mine)
        if len(duplicates) < len(taken):
            self.queue.send(BatchMessage(batch_id=batch_id, key=key, duplicates=duplicates))
        else:
            self.claims.finish(batch_id)
        return len(duplicates)

    def _count(self, kind: Kind, answer: IngestAnswer) -> None:
        outcomes = {
            "accepted": answer.accepted,
            "duplicate": answer.duplicates,
            "rejected": len(answer.rejected),
        }
        counts = {
            f'bellwether_items_total{{kind="{kind}",outcome="{outcome}"}}': float(count)
            for outcome, count in outcomes.items()
            if count
        }
        # what is stored and queued is taken: a counter that does not answer must not turn it into an error
        with suppress(Unavailable):
            if counts:
                self.counts.add(counts)


def _placed(detail: str, index: int) -> str:
    """The detail with its path counted from the request: `$.author` becomes `$.items[3].author`."""
    if "`$" in detail:
        return detail.replace("`$", f"`$.items[{index}]")
    return f"{detail} - at `$.items[{index}]`"
