"""The family of monthly signals tables: what they look like, and which of them exist."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from bellwether.adapters.aws.faults import calling

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BELIEVED_SECONDS = 60.0


def definition(name: str, *, key_arn: str | None = None, deletion_protection: bool = False) -> dict[str, Any]:
    """Arguments of `CreateTable` for one month: `pk` is `asset#yyyymmdd`, `sk` is `ts#agent#sourceId`."""
    encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn} if key_arn else None
    return {
        "TableName": name,
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": deletion_protection,
        **({"SSESpecification": encryption} if encryption else {}),
    }


class SignalTables:
    """Months (`yyyymm`) with a table, as of at most a minute ago."""

    def __init__(
        self, client: "DynamoDBClient", prefix: str, seconds: Callable[[], float] = monotonic
    ) -> None:
        self.client = client
        self._prefix = prefix
        self._seconds = seconds
        self._lock = Lock()
        self._months: tuple[str, ...] = ()
        self._asked_at: float | None = None

    def name(self, month: str) -> str:
        """The table of a month."""
        return f"{self._prefix}{month}"

    def months(self, *, fresh: bool = False) -> tuple[str, ...]:
        """Months that have a table, ascending; `fresh` asks again whatever is remembered."""
        with self._lock:
            now = self._seconds()
            if fresh or self._asked_at is None or now - self._asked_at > BELIEVED_SECONDS:
                self._months = tuple(sorted(self._listed()))
                self._asked_at = now
            return self._months

    def _listed(self) -> list[str]:
        months = []
        asked: dict[str, Any] = {}
        while True:
            with calling("the signals tables"):
                answer = self.client.list_tables(**asked)
            for name in answer["TableNames"]:
                month = name.removeprefix(self._prefix)
                if name.startswith(self._prefix) and len(month) == 6 and month.isdigit():
                    months.append(month)
            if "LastEvaluatedTableName" not in answer:
                return months
            asked = {"ExclusiveStartTableName": answer["LastEvaluatedTableName"]}

    def to_write(self, month: str, without: frozenset[str] = frozenset()) -> str | None:
        """The month whose table takes what belongs to `month`: itself, or the newest there is."""
        if month in self.months() and month not in without:
            return month
        months = [found for found in self.months(fresh=True) if found not in without]
        if month in months:
            return month
        return months[-1] if months else None

    def to_read(self, month: str) -> list[str]:
        """Months whose tables may hold what became known in `month`, ascending.

        Signals lie in the month their batch arrived in, which is `month` or later. The newest table before it
        is read too: it took them if the month's own table did not exist yet.
        """
        months = self.months()
        before = [found for found in months if found < month]
        return [*before[-1:], *(found for found in months if found >= month)]
