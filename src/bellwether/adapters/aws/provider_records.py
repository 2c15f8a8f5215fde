"""Records of providers, in the events table."""

from typing import TYPE_CHECKING

import msgspec

from bellwether.adapters.aws.tables import Row, Table
from bellwether.domain.problems import Conflict
from bellwether.domain.provider_record import ProviderRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PROVIDERS = "providers"


class DynamoProviderRecords:
    """`ProviderRecords`: one row a provider in the partition `providers`, replaced under its version."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def get(self, name: str) -> ProviderRecord:
        # by a query, which every function that reads the table may make anyway
        rows = self._table.query(
            "#day = :providers AND id = :name",
            {":providers": PROVIDERS, ":name": name},
            names={"#day": "day"},
            consistent=True,
        )
        return next((_record(row) for row in rows), ProviderRecord(name=name))

    def put(self, record: ProviderRecord) -> bool:
        values: Row = {":body": msgspec.json.encode(record).decode(), ":version": record.version}
        first = record.version == 1
        try:
            # an update: the fetchers may do nothing else to the table
            self._table.update(
                {"day": PROVIDERS, "id": record.name},
                "SET body = :body, #version = :version",
                values if first else {**values, ":before": record.version - 1},
                condition="attribute_not_exists(#version)" if first else "#version = :before",
                names={"#version": "version"},
            )
        except Conflict:
            return False
        return True

    def all(self) -> list[ProviderRecord]:
        rows = self._table.query(
            "#day = :providers", {":providers": PROVIDERS}, names={"#day": "day"}, consistent=True
        )
        return [_record(row) for row in rows]


def _record(row: Row) -> ProviderRecord:
    return msgspec.json.decode(str(row["body"]), type=ProviderRecord)
