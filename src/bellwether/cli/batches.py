"""Items packed into requests: at most 500 items and 5 MB each, one kind a request."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from bellwether.domain.items import Item, Kind

MOST_ITEMS = 500
MOST_BYTES = 4_500_000
_OPEN, _CLOSE = b'{"items":[', b"]}"


@dataclass(frozen=True)
class Origin:
    """Where an item was read: which input, and its row, line or entry in it."""

    file: str
    position: int


@dataclass(frozen=True)
class Batch:
    """One request: its route's kind, its body, and where each of its items came from."""

    kind: Kind
    body: bytes
    origins: tuple[Origin, ...]

    def key(self, run: str) -> str:
        """Idempotency-Key: a batch that is sent again within one run has the same key."""
        digest = hashlib.sha256(f"{run}\x00{self.kind}\x00".encode() + self.body).hexdigest()
        return f"ingest-{digest[:48]}"


@dataclass
class _Open:
    """A batch being filled."""

    parts: list[bytes] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    size: int = len(_OPEN) + len(_CLOSE)

    def has_room(self, part: bytes) -> bool:
        return len(self.parts) < MOST_ITEMS and self.size + len(part) + 1 <= MOST_BYTES

    def add(self, part: bytes, origin: Origin) -> None:
        self.parts.append(part)
        self.origins.append(origin)
        self.size += len(part) + 1

    def close(self, kind: Kind) -> Batch:
        body = _OPEN + b",".join(self.parts) + _CLOSE
        return Batch(kind=kind, body=body, origins=tuple(self.origins))


def batches(items: Iterable[tuple[Item, Kind, Origin]]) -> Iterator[Batch]:
    """Packs items in order, kinds apart. An item alone is always below the limit (its fields are bounded)."""
    opened: dict[Kind, _Open] = {}
    for item, kind, origin in items:
        part = msgspec.json.encode(item)
        current = opened.setdefault(kind, _Open())
        if not current.has_room(part):
            yield current.close(kind)
            current = opened[kind] = _Open()
        current.add(part, origin)
    for kind, rest in opened.items():
        if rest.parts:
            yield rest.close(kind)
