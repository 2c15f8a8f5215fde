"""One DynamoDB table: reads and writes of any number of rows, nothing dropped."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from bellwether.adapters.aws.faults import CONDITION, calling, code_of
from bellwether.adapters.aws.parallel import each
from bellwether.adapters.aws.patience import Patience
from bellwether.adapters.aws.values import Wire, item_from_wire, item_to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_WRITES = 25
MOST_READS = 100

Part = TypeVar("Part")
Row = dict[str, Any]


def chunks(parts: Sequence[Part], size: int) -> list[Sequence[Part]]:
    """Consecutive parts, `size` at most in each."""
    return [parts[start : start + size] for start in range(0, len(parts), size)]


class Table:
    """Rows are plain mappings; see `values` for what they may hold."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: Row, *, consistent: bool = False) -> Row | None:
        """One row, `None` when there is none."""
        with calling(self.name):
            answer = self.client.get_item(
                TableName=self.name, Key=item_to_wire(key), ConsistentRead=consistent
            )
        return item_from_wire(answer["Item"]) if "Item" in answer else None

    def put(self, row: Row, condition: str | None = None, values: Row | None = None) -> None:
        """Writes one row. Raises `Conflict` when the condition does not hold."""
        conditions: dict[str, Any] = {}
        if condition:
            conditions["ConditionExpression"] = condition
        if values:
            conditions["ExpressionAttributeValues"] = item_to_wire(values)
        with calling(self.name):
            self.client.put_item(TableName=self.name, Item=item_to_wire(row), **conditions)

    def put_unless(self, row: Row, condition: str, values: Row) -> Row | None:
        """Writes one row when the condition holds; else the row that is in the way."""
        with calling(self.name):
            try:
                self.client.put_item(
                    TableName=self.name,
                    Item=item_to_wire(row),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=item_to_wire(values),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as fault:
                if code_of(fault) not in CONDITION:
                    raise
                answer: Any = fault.response
                return item_from_wire(answer["Item"])
        return None

    def update(
        self,
        key: Row,
        expression: str,
        values: Row | None = None,
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Updates one row. Raises `Conflict` when the condition does not hold."""
        more: dict[str, Any] = {}
        if values:
            more["ExpressionAttributeValues"] = item_to_wire(values)
        if condition:
            more["ConditionExpression"] = condition
        if names:
            more["ExpressionAttributeNames"] = dict(names)
        with calling(self.name):
            self.client.update_item(
                TableName=self.name, Key=item_to_wire(key), UpdateExpression=expression, **more
            )

    def delete(self, key: Row) -> bool:
        """Deletes one row; False when there was none."""
        with calling(self.name):
            answer = self.client.delete_item(
                TableName=self.name, Key=item_to_wire(key), ReturnValues="ALL_OLD"
            )
        return bool(answer.get("Attributes"))

    def query(
        self,
        condition: str,
        values: Row,
        *,
        index: str | None = None,
        names: Mapping[str, str] | None = None,
        newest_first: bool = False,
        consistent: bool = False,
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Rows of one partition in order of the sort key, page by page, `limit` at most."""
        asked: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": item_to_wire(values),
            "ScanIndexForward": not newest_first,
            "ConsistentRead": consistent,
        }
        if index:
            asked["IndexName"] = index
        if names:
            asked["ExpressionAttributeNames"] = dict(names)
        if limit is not None:
            asked["Limit"] = limit
        return islice(self._pages(asked, self.client.query), limit)

    def scan(self) -> Iterator[Row]:
        """Every row: for small tables off the request path only."""
        return self._pages({"TableName": self.name}, self.client.scan)

    def _pages(self, asked: dict[str, Any], call: Any) -> Iterator[Row]:
        while True:
            with calling(self.name):
                answer = call(**asked)
            for item in answer["Items"]:
                yield item_from_wire(item)
            if "LastEvaluatedKey" not in answer:
                return
            asked = {**asked, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def rows(self, keys: Sequence[Row], *, consistent: bool = False) -> list[Row]:
        """Rows by key, those that exist, in no order. The keys have to differ."""

        def read(part: Sequence[Row]) -> list[Row]:
            waiting: dict[str, Any] = {
                self.name: {"Keys": [item_to_wire(key) for key in part], "ConsistentRead": consistent}
            }
            found: list[Row] = []
            patience = Patience(self.name)
            while waiting:
                with calling(self.name):
                    answer = self.client.batch_get_item(RequestItems=waiting)
                found.extend(map(item_from_wire, answer["Responses"].get(self.name, ())))
                waiting = dict(answer.get("UnprocessedKeys") or {})
                if waiting:
                    patience.wait()
            return found

        return [row for part in each(read, chunks(keys, MOST_READS)) for row in part]

    def put_all(self, rows: Sequence[Row]) -> None:
        """Writes rows whose keys differ, in no order; what the table did not take is sent again."""

        def write(part: Sequence[Row]) -> None:
            waiting: dict[str, Any] = {
                self.name: [{"PutRequest": {"Item": item_to_wire(row)}} for row in part]
            }
            patience = Patience(self.name)
            while waiting:
                with calling(self.name):
                    answer = self.client.batch_write_item(RequestItems=waiting)
                waiting = dict(answer.get("UnprocessedItems") or {})
                if waiting:
                    patience.wait()

        each(write, chunks(rows, MOST_WRITES))

    def putting(self, row: Row, condition: str, values: Row | None = None) -> Wire:
        """The same as `put`, as one action of a transaction."""
        put: Wire = {"TableName": self.name, "Item": item_to_wire(row), "ConditionExpression": condition}
        if values:
            put["ExpressionAttributeValues"] = item_to_wire(values)
        return {"Put": put}
