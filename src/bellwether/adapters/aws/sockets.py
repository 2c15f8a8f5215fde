"""Open WebSockets: who listens to what, and sending to them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from bellwether.adapters.aws.clients import utc_now
from bellwether.adapters.aws.faults import calling, code_of
from bellwether.adapters.aws.tables import Table
from bellwether.domain.problems import Conflict
from bellwether.usecases.ports import Connection

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from mypy_boto3_dynamodb import DynamoDBClient

LONGEST_OPEN = timedelta(hours=24)
"""API Gateway closes a connection after two hours; the row of one whose end was never told goes by itself."""


class DynamoConnections:
    """`Connections`: one row a connection. `all` scans: only the broadcaster asks, and the table is small."""

    def __init__(self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = utc_now) -> None:
        self._table = Table(client, table)
        self._now = now

    def put(self, connection: Connection) -> None:
        row = {
            "connection_id": connection.connection_id,
            "expires": int((self._now() + LONGEST_OPEN).timestamp()),
            "topics": list(connection.topics),
            "body": msgspec.json.encode(connection).decode(),
        }
        self._table.put(row)

    def remove(self, connection_id: str) -> None:
        self._table.delete({"connection_id": connection_id})

    def subscribe(self, connection_id: str, topics: Sequence[str]) -> bool:
        try:
            self._table.update(
                {"connection_id": connection_id},
                "SET topics = :topics",
                {":topics": list(topics)},
                condition="attribute_exists(connection_id)",
            )
        except Conflict:
            return False
        return True

    def all(self) -> list[Connection]:
        now = int(self._now().timestamp())
        found = [
            msgspec.structs.replace(
                msgspec.json.decode(row["body"], type=Connection), topics=tuple(row["topics"])
            )
            for row in self._table.scan()
            if row["expires"] > now
        ]
        return sorted(found, key=lambda connection: connection.connection_id)


class GatewaySockets:
    """`Sockets` through the API's management endpoint."""

    def __init__(self, client: "ApiGatewayManagementApiClient") -> None:
        self._client = client

    def send(self, connection_id: str, message: bytes) -> bool:
        with calling("the WebSocket"):
            try:
                self._client.post_to_connection(ConnectionId=connection_id, Data=message)
            except ClientError as fault:
                if code_of(fault) in {"GoneException", "410"}:
                    return False
                raise
        return True
