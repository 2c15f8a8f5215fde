"""Batches, claims, first answers and the ingest queue, in memory."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from threading import Lock
from uuid import uuid4

from bellwether.adapters.naming import raw_hour, raw_key
from bellwether.domain.items import RawBatch
from bellwether.domain.problems import Conflict, Held, IdempotencyMismatch, NotFound
from bellwether.usecases.ports import BatchMessage, Reservation

HOLD = timedelta(seconds=60)
KEPT = timedelta(hours=48)


class MemoryRawBatches:
    """`RawBatches` in a dictionary."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._batches: dict[str, RawBatch] = {}

    def put(self, batch: RawBatch) -> str:
        key = raw_key(batch.received_at, batch.batch_id)
        with self._lock:
            self._batches.setdefault(key, batch)
        return key

    def get(self, key: str) -> RawBatch:
        with self._lock:
            batch = self._batches.get(key)
        if batch is None:
            raise NotFound(f"there is no batch at {key}")
        return batch

    def replace(self, key: str, batch: RawBatch) -> None:
        with self._lock:
            self._batches[key] = batch

    def keys(self, since: datetime) -> Iterator[str]:
        first = raw_hour(since)
        with self._lock:
            keys = sorted(key for key in self._batches if key >= first)
        return iter(keys)


class MemoryItemClaims:
    """`ItemClaims` in dictionaries."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._items: dict[str, str] = {}
        self._clusters: dict[str, tuple[str, datetime]] = {}
        self._finished: set[str] = set()
        self._leases: dict[str, tuple[str, datetime]] = {}

    def claim_items(self, batch_id: str, item_ids: Sequence[str]) -> set[str]:
        with self._lock:
            return {name for name in item_ids if self._items.setdefault(name, batch_id) == batch_id}

    def claim_clusters(self, batch_id: str, known: Mapping[str, datetime]) -> set[str]:
        won = set()
        with self._lock:
            for name, at in known.items():
                holder = self._clusters.get(name)
                if holder is None or (holder[0] != batch_id and holder[1] > at):
                    self._clusters[name] = (batch_id, at)
                if self._clusters[name][0] == batch_id:
                    won.add(name)
        return won

    def finished(self, batch_ids: Sequence[str]) -> set[str]:
        with self._lock:
            return self._finished.intersection(batch_ids)

    def finish(self, batch_id: str) -> None:
        with self._lock:
            self._finished.add(batch_id)

    def lease(self, batch_id: str, at: datetime, until: datetime) -> str:
        name = uuid4().hex
        with self._lock:
            _, ends = self._leases.get(batch_id, ("", at))
            if ends > at:
                raise Held("another worker has the batch", seconds=ceil((ends - at).total_seconds()))
            self._leases[batch_id] = (name, until)
        return name

    def release(self, batch_id: str, lease: str) -> None:
        with self._lock:
            if batch_id in self._leases and self._leases[batch_id][0] == lease:
                del self._leases[batch_id]

    def end_lease(self, batch_id: str, until: datetime) -> None:
        with self._lock:
            if batch_id in self._leases and self._leases[batch_id][1] <= until:
                del self._leases[batch_id]

    def locate(self, item_ids: Sequence[str]) -> Mapping[str, str]:
        with self._lock:
            return {name: self._items[name] for name in item_ids if name in self._items}


class _Use:
    """One idempotency key's first use."""

    __slots__ = ("answer", "first_at", "held_at", "request_hash")

    def __init__(self, request_hash: str, at: datetime) -> None:
        self.request_hash = request_hash
        self.first_at = at
        self.held_at: datetime | None = at
        self.answer: bytes | None = None


class MemoryAnswers:
    """`Answers` in a dictionary; a released key keeps its `first_at` and its request."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._uses: dict[tuple[str, str], _Use] = {}

    def begin(self, scope: str, key: str, request_hash: str, at: datetime) -> Reservation:
        at = at.astimezone(UTC)
        with self._lock:
            use = self._uses.get((scope, key))
            if use is None or at >= use.first_at + KEPT:
                self._uses[scope, key] = _Use(request_hash, at)
                return Reservation(first_at=at)
            if use.request_hash != request_hash:
                raise IdempotencyMismatch("this Idempotency-Key was first used with another request")
            if use.answer is not None:
                return Reservation(first_at=use.first_at, answer=use.answer)
            if use.held_at is not None and at < use.held_at + HOLD:
                raise Conflict("another call with this Idempotency-Key is still running")
            use.held_at = at
            return Reservation(first_at=use.first_at)

    def keep(self, scope: str, key: str, request_hash: str, answer: bytes, at: datetime) -> None:
        with self._lock:
            use = self._uses.setdefault((scope, key), _Use(request_hash, at.astimezone(UTC)))
            if use.answer is None and use.request_hash == request_hash:
                use.answer = answer

    def release(self, scope: str, key: str) -> None:
        with self._lock:
            use = self._uses.get((scope, key))
            if use is not None and use.answer is None:
                use.held_at = None


class MemoryBatchQueue:
    """`BatchQueue` as a list; `take` gives what was sent since the last call."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.sent: list[BatchMessage] = []

    def send(self, message: BatchMessage) -> None:
        with self._lock:
            self.sent.append(message)

    def take(self) -> list[BatchMessage]:
        """Empties the queue."""
        with self._lock:
            messages, self.sent = self.sent, []
        return messages
