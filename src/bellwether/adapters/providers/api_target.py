"""One target of a provider's API: reads on from a cursor, and says how it went instead of raising."""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from bellwether.adapters.providers.calling import Calls, ProviderClient, Waiting
from bellwether.adapters.providers.guarded_http import Refused
from bellwether.adapters.providers.provider import Cursor, Fetched, Health, State
from bellwether.domain.items import Item, Kind

MOST_SEEN = 1_000
MOST_AT_ONCE = 4
"""Targets of one provider that are read side by side, where its quota leaves room for that."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


class Got(Struct, frozen=True, kw_only=True):
    """What a read gave: items in the provider's order, the cursor that says how far it came, and how many
    entries were no items. `fault` ended it early; what was read before it counts. `note` says what had to be
    left out of a read that went well."""

    items: list[Item]
    cursor: Cursor
    refused: int = 0
    fault: Refused | None = None
    note: str | None = None


Read = Callable[[Calls, Cursor, datetime], Got]
"""Reads what is new since the cursor. Raises `Refused` when nothing could be read."""


class ApiTarget:
    """`target` is what is asked for: a query, a symbol. `every` is the least time between two reads."""

    def __init__(
        self,
        client: ProviderClient,
        read: Read,
        *,
        target: str,
        kind: Kind,
        every: timedelta = timedelta(0),
    ) -> None:
        self._client = client
        self._read = read
        self._every = every
        self.name = client.terms.name
        self.target = target
        self.kind = kind
        one_by_one = any(quota.burst == 1 and quota.spacing >= 1 for quota in client.terms.quotas)
        self.at_once = 1 if one_by_one else MOST_AT_ONCE

    def fetch(self, cursor: Cursor, at: datetime) -> Fetched:
        """Reads on from the cursor; `at` is when (UTC), and is what items are observed at."""
        if cursor.not_before is not None and at < cursor.not_before:
            health = self._health("waiting", at, None, code="waiting", detail="it is not time yet")
            return Fetched(items=[], cursor=cursor, health=health)
        began, calls = time.perf_counter(), self._client.calls()
        try:
            got = self._read(calls, cursor, at)
        except Refused as fault:
            got = Got(items=[], cursor=cursor, fault=fault)
        items, seen = unseen(got.items, cursor)
        after = replace(got.cursor, seen=seen)
        ended_by = got.fault
        if ended_by is None:
            # what one read could not finish is read on as soon as can be
            paused = bool(self._every) and after.page is None
            after = replace(after, failures=0, not_before=at + self._every if paused else None)
            health = self._health(
                "ok",
                at,
                began,
                code="left_out" if got.note else None,
                detail=got.note,
                items=len(items),
                refused=got.refused,
            )
        else:
            after = self._later(after, at, ended_by)
            state: State = "waiting" if isinstance(ended_by, Waiting) else "failing"
            health = self._health(
                state,
                at,
                began,
                code=ended_by.code,
                detail=ended_by.detail,
                items=len(items),
                refused=got.refused,
                failures=after.failures,
            )
        return Fetched(items=items, cursor=after, health=health, cost=calls.cost)

    def _later(self, cursor: Cursor, at: datetime, fault: Refused) -> Cursor:
        """A target that keeps failing is asked less often; what concerns all of them the provider's record
        keeps."""
        if isinstance(fault, Waiting) or fault.about_all:
            return replace(cursor, not_before=None)
        failures = cursor.failures + 1
        pause = fault.wait or min(FIRST_WAIT * 2 ** min(failures - 1, 6), LONGEST_WAIT)
        return replace(cursor, failures=failures, not_before=at + pause)

    def _health(
        self,
        state: State,
        at: datetime,
        began: float | None,
        *,
        code: str | None = None,
        detail: str | None = None,
        items: int = 0,
        refused: int = 0,
        failures: int = 0,
    ) -> Health:
        return Health(
            provider=self.name,
            target=self.target,
            state=state,
            checked_at=at,
            code=code,
            detail=detail,
            items=items,
            refused=refused,
            failures=failures,
            milliseconds=round((time.perf_counter() - began) * 1000, 1) if began is not None else 0.0,
        )


def unseen(items: list[Item], cursor: Cursor) -> tuple[list[Item], tuple[str, ...]]:
    """The items the last reads did not have, each once, and the digests to keep: newest first."""
    before = set(cursor.seen)
    fresh: dict[str, Item] = {}
    for item in items:
        name = digest(item.source_id)
        if name not in before:
            fresh.setdefault(name, item)
    return list(fresh.values()), (*fresh, *cursor.seen)[:MOST_SEEN]


def digest(source_id: str) -> str:
    """A short name of an item's id."""
    return hashlib.sha256(source_id.encode("utf-8", errors="replace")).hexdigest()[:16]
