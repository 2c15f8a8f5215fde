"""Items as the desk would have taken them in: each once, in the order in which they became known."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from bellwether.backtest.records import Counts
from bellwether.domain.items import Item, Kind, RejectedItem, StoredItem, author_hash, settle

READ_AT = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than any item: all of them are history, known since they were published or observed."""
SALT = b"bellwether backtest"
"""Authors only have to be told apart within one run."""


def in_order(items: Iterable[tuple[Item, Kind]], counts: Counts) -> list[StoredItem]:
    """Each item once (the first of a source and id stands), by when it became known."""
    taken: dict[tuple[str, str], StoredItem] = {}
    hashed = lru_cache(maxsize=None)(author_hash)
    for item, kind in items:
        counts.items += 1
        identity = item.source, item.source_id
        if identity in taken:
            counts.duplicates += 1
            continue
        try:
            taken[identity] = settle(item, kind=kind, received_at=READ_AT, salt=SALT, hashed=hashed)
        except RejectedItem:
            counts.rejected += 1
    return sorted(taken.values(), key=lambda item: (item.known_at, item.item_id))
