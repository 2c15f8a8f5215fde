"""The feed of changes and the counters, in the events table."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from bellwether.adapters.aws.clients import utc_now
from bellwether.adapters.aws.parallel import each
from bellwether.adapters.aws.tables import Row, Table
from bellwether.adapters.correlation import ATTRIBUTE, carried
from bellwether.adapters.naming import day_of
from bellwether.adapters.ulids import MonotonicUlids
from bellwether.domain.ids import is_ulid, ulid_time
from bellwether.usecases.ports import Change

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_DAYS = 14
COUNTERS = "counters"
_changes = msgspec.json.Decoder(Change)


def change_of(body: str) -> Change:
    """The change in the `body` attribute of a row of the events table (or of its stream)."""
    return _changes.decode(body)


class DynamoChanges:
    """`Changes`: partition `day` of the id's own time, sort key `id`; rows expire after two weeks.

    A change published without an `id` gets one; ids given by one process ascend.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        now: Callable[[], datetime] = utc_now,
        ulids: MonotonicUlids | None = None,
    ) -> None:
        self._table = Table(client, table)
        self._now = now
        self._ulids = ulids or MonotonicUlids()

    def publish(self, changes: Sequence[Change]) -> None:
        named = [change if change.id else replace(change, id=self._ulids()) for change in changes]
        expires = int((self._now() + timedelta(days=KEPT_DAYS)).timestamp())
        rows: dict[str, Row] = {
            change.id: {
                "day": day_of(ulid_time(change.id)),
                "id": change.id,
                "body": msgspec.json.encode(change).decode(),
                "expires": expires,
                **({ATTRIBUTE: carried()} if carried() else {}),
            }
            for change in named
        }
        self._table.put_all(list(rows.values()))

    def after(self, last_id: str | None, limit: int = 500) -> list[Change]:
        if limit < 1:
            return []
        if last_id is None or not is_ulid(last_id):
            return self._last(limit)
        return self._since(last_id, limit)

    def _since(self, last_id: str, limit: int) -> list[Change]:
        # Writers' clocks differ a little: near midnight tomorrow's partition may have begun.
        today = self._now() + timedelta(minutes=5)
        oldest = today - timedelta(days=KEPT_DAYS)
        day = max(ulid_time(last_id), oldest) if ulid_time(last_id) < today else today
        found: list[Change] = []
        while day_of(day) <= day_of(today) and len(found) < limit:
            rows = self._table.query(
                "#day = :day AND id > :last",
                {":day": day_of(day), ":last": last_id},
                names={"#day": "day"},
                consistent=True,
                limit=limit - len(found),
            )
            found.extend(change_of(row["body"]) for row in rows)
            day += timedelta(days=1)
        return found

    def _last(self, limit: int) -> list[Change]:
        def read(day: str) -> list[Row]:
            rows = self._table.query(
                "#day = :day",
                {":day": day},
                names={"#day": "day"},
                newest_first=True,
                consistent=True,
                limit=limit,
            )
            return list(rows)

        today = self._now() + timedelta(minutes=5)
        days = [day_of(today - timedelta(days=back)) for back in range(KEPT_DAYS + 1)]
        found: list[Row] = []
        for wave in (days[:2], days[2:]):
            if len(found) < limit:
                found += [row for part in each(read, wave) for row in part]
        found.sort(key=lambda row: str(row["id"]))
        return [change_of(row["body"]) for row in found[-limit:]]


class DynamoCounts:
    """`Counts`: one row a counter in the partition `counters`, added to atomically."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def add(self, counts: Mapping[str, float]) -> None:
        def add(count: tuple[str, float]) -> None:
            name, value = count
            self._table.update(
                {"day": COUNTERS, "id": name},
                "ADD #total :value",
                {":value": value},
                names={"#total": "total"},
            )

        each(add, [(name, value) for name, value in counts.items() if value])

    def totals(self) -> dict[str, float]:
        rows = self._table.query(
            "#day = :counters", {":counters": COUNTERS}, names={"#day": "day"}, consistent=True
        )
        return {row["id"]: float(row["total"]) for row in rows}
