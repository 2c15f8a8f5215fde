"""The feed of changes, the counters and the sockets, in memory."""

from collections.abc import Mapping, Sequence
from threading import Lock

from msgspec.structs import replace

from bellwether.adapters.ulids import MonotonicUlids
from bellwether.domain.ids import is_ulid
from bellwether.domain.provider_record import ProviderRecord
from bellwether.usecases.ports import Change, Connection


class MemoryChanges:
    """`Changes` as a dictionary sorted when read. A change without an `id` gets one."""

    def __init__(self, ulids: MonotonicUlids | None = None) -> None:
        self._lock = Lock()
        self._ulids = ulids or MonotonicUlids()
        self._changes: dict[str, Change] = {}

    def publish(self, changes: Sequence[Change]) -> None:
        with self._lock:
            for change in changes:
                named = change if change.id else replace(change, id=self._ulids())
                self._changes[named.id] = named

    def after(self, last_id: str | None, limit: int = 500) -> list[Change]:
        with self._lock:
            ids = sorted(self._changes)
            if last_id is None or not is_ulid(last_id):
                chosen = ids[-limit:] if limit else []
            else:
                chosen = [change_id for change_id in ids if change_id > last_id][:limit]
            return [self._changes[change_id] for change_id in chosen]


class MemoryCounts:
    """`Counts` in a dictionary."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._totals: dict[str, float] = {}

    def add(self, counts: Mapping[str, float]) -> None:
        with self._lock:
            for name, value in counts.items():
                self._totals[name] = self._totals.get(name, 0.0) + value

    def totals(self) -> dict[str, float]:
        with self._lock:
            return dict(self._totals)


class MemoryProviderRecords:
    """`ProviderRecords` in a dictionary."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._records: dict[str, ProviderRecord] = {}

    def get(self, name: str) -> ProviderRecord:
        with self._lock:
            return self._records.get(name) or ProviderRecord(name=name)

    def put(self, record: ProviderRecord) -> bool:
        with self._lock:
            known = self._records.get(record.name)
            if record.version != (known.version if known else 0) + 1:
                return False
            self._records[record.name] = record
            return True

    def all(self) -> list[ProviderRecord]:
        with self._lock:
            return [self._records[name] for name in sorted(self._records)]


class MemoryConnections:
    """`Connections` in a dictionary."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connections: dict[str, Connection] = {}

    def put(self, connection: Connection) -> None:
        with self._lock:
            self._connections[connection.connection_id] = connection

    def remove(self, connection_id: str) -> None:
        with self._lock:
            self._connections.pop(connection_id, None)

    def subscribe(self, connection_id: str, topics: Sequence[str]) -> bool:
        with self._lock:
            connection = self._connections.get(connection_id)
            if connection is None:
                return False
            self._connections[connection_id] = replace(connection, topics=tuple(topics))
            return True

    def all(self) -> list[Connection]:
        with self._lock:
            return [self._connections[connection_id] for connection_id in sorted(self._connections)]


class MemorySockets:
    """`Sockets` that keeps what was sent; ids in `gone` answer that the connection is gone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.sent: list[tuple[str, bytes]] = []
        self.gone: set[str] = set()

    def send(self, connection_id: str, message: bytes) -> bool:
        with self._lock:
            if connection_id in self.gone:
                return False
            self.sent.append((connection_id, message))
            return True
