"""Readings of language models, in the claims table for a month.

Rows and not objects of the lake: a batch of five hundred asks for them in five calls instead of five hundred,
and the table forgets them by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from bellwether.adapters.aws.clients import utc_now
from bellwether.adapters.aws.tables import Row, Table
from bellwether.agents.readings import Reading

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=30)
PREFIX = "reading#"


class DynamoKeptReadings:
    """`KeptReadings`: one row a reading."""

    def __init__(self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = utc_now) -> None:
        self._table = Table(client, table)
        self._now = now

    def get(self, keys: Sequence[str]) -> Mapping[str, Reading]:
        at = int(self._now().timestamp())
        rows = self._table.rows([{"pk": f"{PREFIX}{key}"} for key in dict.fromkeys(keys)])
        # the service deletes what has expired within days, not at once
        found = {str(row["pk"]).removeprefix(PREFIX): _reading(row) for row in rows if row["expires"] > at}
        return {key: reading for key, reading in found.items() if reading is not None}

    def put(self, readings: Mapping[str, Reading]) -> None:
        expires = int((self._now() + KEPT).timestamp())
        self._table.put_all(
            [
                {
                    "pk": f"{PREFIX}{key}",
                    "reading": msgspec.json.encode(reading).decode(),
                    "expires": expires,
                }
                for key, reading in readings.items()
            ]
        )


def _reading(row: Row) -> Reading | None:
    """What a row holds; one that is damaged is as if it were not there."""
    try:
        return msgspec.json.decode(str(row.get("reading")), type=Reading)
    except (msgspec.DecodeError, ValueError):
        return None
