"""Who was first: items, clusters and batches in the claims table."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING
from uuid import uuid4

from bellwether.adapters.aws.clients import utc_now
from bellwether.adapters.aws.tables import Row, Table
from bellwether.adapters.aws.transactions import write_groups
from bellwether.adapters.naming import instant
from bellwether.domain.problems import Conflict, Held

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REMEMBERED = timedelta(days=400)
"""How long a claim stands: longer than any queue holds a message or a provider shows a post again."""


class DynamoItemClaims:
    """`ItemClaims`: one row a claim, written on the condition that nobody else's is there."""

    def __init__(self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = utc_now) -> None:
        self._table = Table(client, table)
        self._now = now

    def claim_items(self, batch_id: str, item_ids: Sequence[str]) -> set[str]:
        holders = self._rows("item", item_ids)
        mine = {name for name, row in holders.items() if row["holder"] == batch_id}
        free: dict[str, Row] = {name: {} for name in item_ids if name not in holders}
        return mine | self._write("item", batch_id, free, "")

    def claim_clusters(self, batch_id: str, known: Mapping[str, datetime]) -> set[str]:
        times = {name: instant(at) for name, at in known.items()}
        holders = self._rows("cluster", list(times))
        mine = {name for name, row in holders.items() if row["holder"] == batch_id}
        free: dict[str, Row] = {
            name: {"known_at": at}
            for name, at in times.items()
            if name not in mine and (name not in holders or holders[name]["known_at"] > at)
        }
        return mine | self._write("cluster", batch_id, free, " OR known_at > :known_at")

    def _rows(self, kind: str, ids: Sequence[str]) -> dict[str, Row]:
        """Claims that are there already. Feeds show the same items for days, and this costs an eighth of a
        refused write; what a read misses, the condition of the write does not."""
        keys = [{"pk": f"{kind}#{name}"} for name in dict.fromkeys(ids)]
        # An item's claim never changes hands; a cluster's may just have.
        rows = self._table.rows(keys, consistent=kind == "cluster")
        return {row["pk"].partition("#")[2]: row for row in rows}

    def _write(self, kind: str, batch_id: str, claims: Mapping[str, Row], unless: str) -> set[str]:
        """Writes claims on the condition that there is none, or one of this batch, or `unless`."""
        expires = self._expiry()
        groups = [
            [
                self._table.putting(
                    {"pk": f"{kind}#{name}", "holder": batch_id, "expires": expires, **more},
                    f"attribute_not_exists(pk) OR holder = :holder{unless}",
                    {":holder": batch_id, **{f":{key}": value for key, value in more.items()}},
                )
            ]
            for name, more in claims.items()
        ]
        refusals = write_groups(self._table.client, groups, self._table.name)
        return {name for name, refusal in zip(claims, refusals, strict=True) if not refusal}

    def finished(self, batch_ids: Sequence[str]) -> set[str]:
        rows = self._table.rows([{"pk": f"batch#{name}"} for name in dict.fromkeys(batch_ids)])
        return {row["pk"].partition("#")[2] for row in rows}

    def finish(self, batch_id: str) -> None:
        self._table.put({"pk": f"batch#{batch_id}", "expires": self._expiry()})

    def lease(self, batch_id: str, at: datetime, until: datetime) -> str:
        name = uuid4().hex
        held = self._table.put_unless(
            _lease(batch_id, name, until),
            # A write whose answer was lost is sent again by the client, and meets itself.
            "attribute_not_exists(pk) OR ends <= :at OR holder = :holder",
            {":at": instant(at), ":holder": name},
        )
        if held is not None:
            left = datetime.fromisoformat(held["ends"]) - at
            raise Held("another worker has the batch", seconds=ceil(left.total_seconds()))
        return name

    def release(self, batch_id: str, lease: str) -> None:
        self._end(batch_id, "holder = :holder", {":holder": lease})

    def end_lease(self, batch_id: str, until: datetime) -> None:
        self._end(batch_id, "ends <= :until", {":until": instant(until)})

    def _end(self, batch_id: str, condition: str, values: Row) -> None:
        """Puts one that ended long ago in the place of a lease that meets the condition."""
        row = {**_lease(batch_id, "nobody", self._now()), "ends": instant(datetime.fromtimestamp(0, UTC))}
        with suppress(Conflict):
            self._table.put(row, condition, values)

    def locate(self, item_ids: Sequence[str]) -> Mapping[str, str]:
        return {name: row["holder"] for name, row in self._rows("item", item_ids).items()}

    def _expiry(self) -> int:
        return int((self._now() + REMEMBERED).timestamp())


def _lease(batch_id: str, holder: str, ends: datetime) -> Row:
    """`expires` is for the table, which clears away what has ended (not if that is years ago)."""
    expires = ceil(ends.timestamp())
    return {"pk": f"lease#{batch_id}", "holder": holder, "ends": instant(ends), "expires": expires}
