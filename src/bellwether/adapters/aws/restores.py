"""Bringing tables back from their backups, and telling whether what came back is what was there."""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from bellwether.adapters.aws.faults import calling, code_of
from bellwether.adapters.aws.values import item_from_wire
from bellwether.domain.problems import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

POLL_SECONDS = 1.0


class Backup(Struct, frozen=True, kw_only=True):
    """One backup of a table, by its ARN, and when it was taken."""

    arn: str
    at: datetime


class Content(Struct, frozen=True, kw_only=True):
    """How many rows a table has, and a digest of all of them that does not depend on their order."""

    rows: int
    digest: str


class TableRestores:
    """A restored table is new: it has the backup's rows and indexes and none of the settings beside them.

    So `restore` is given the description of the table it stands in for, and sets those again.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        sleep: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._seconds = seconds

    def newest(self, table: str) -> Backup | None:
        """The last backup that is complete, `None` when there is none."""
        found: list[Backup] = []
        asked: dict[str, Any] = {"TableName": table, "BackupType": "USER"}
        while True:
            with calling("the backups of a table"):
                answer = self._client.list_backups(**asked)
            found += [
                Backup(arn=one["BackupArn"], at=one["BackupCreationDateTime"])
                for one in answer.get("BackupSummaries", [])
                if one.get("BackupStatus") == "AVAILABLE"
            ]
            if "LastEvaluatedBackupArn" not in answer:
                return max(found, key=lambda backup: backup.at, default=None)
            asked["ExclusiveStartBackupArn"] = answer["LastEvaluatedBackupArn"]

    def take(self, table: str, name: str, within: float = 900.0) -> Backup:
        """Takes a backup now and waits until it is complete."""
        with calling("a backup"):
            arn = self._client.create_backup(TableName=table, BackupName=name)["BackupDetails"]["BackupArn"]
        until = self._seconds() + within
        while True:
            with calling("a backup"):
                told = self._client.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]
            if told["BackupStatus"] == "AVAILABLE":
                return Backup(arn=arn, at=told["BackupCreationDateTime"])
            self._wait(until, "a backup")

    def described(self, table: str) -> Any:
        """What the service says of a table."""
        with calling("a table"):
            return self._client.describe_table(TableName=table)["Table"]

    def tags(self, arn: str) -> list[Any]:
        """A table's tags; those the service put there itself are not ours to set."""
        with calling("a table's tags"):
            found = self._client.list_tags_of_resource(ResourceArn=arn).get("Tags", [])
        return [tag for tag in found if not tag["Key"].startswith("aws:")]

    def restore(
        self, backup: Backup, target: str, like: Any, tags: list[Any], *, within: float = 7_200.0
    ) -> None:
        """Restores to a table of that name and waits for it.

        It is encrypted, bounded, restorable and tagged `like` the table described, and protected last.
        """
        asked: dict[str, Any] = {"BackupArn": backup.arn, "TargetTableName": target}
        asked["BillingModeOverride"] = "PAY_PER_REQUEST"
        if key := like.get("SSEDescription", {}).get("KMSMasterKeyArn"):
            asked["SSESpecificationOverride"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
        if bound := like.get("OnDemandThroughput"):
            asked["OnDemandThroughputOverride"] = bound
        with calling("a restore"):
            self._client.restore_table_from_backup(**asked)
        table = self._await_active(target, self._seconds() + within)
        with calling("a restored table"):
            self._client.update_continuous_backups(
                TableName=target, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
            if tags:
                self._client.tag_resource(ResourceArn=table["TableArn"], Tags=tags)
            if like.get("DeletionProtectionEnabled"):
                self._client.update_table(TableName=target, DeletionProtectionEnabled=True)

    def drop(self, table: str, within: float = 600.0) -> None:
        """Deletes a table and waits until it is gone; one that is gone already is no error."""
        until = self._seconds() + within
        asked = False
        while True:
            try:
                status = self._client.describe_table(TableName=table)["Table"]["TableStatus"]
                if status == "ACTIVE" and not asked:
                    self._client.update_table(TableName=table, DeletionProtectionEnabled=False)
                    self._client.delete_table(TableName=table)
                    asked = True
            except ClientError as fault:
                if code_of(fault) == "ResourceNotFoundException":
                    return
                if code_of(fault) != "ResourceInUseException":
                    raise Unavailable(f"a table cannot be dropped: {code_of(fault)}") from fault
            self._wait(until, "the end of a table")

    def content(self, table: str) -> Content:
        """Reads a whole table. Off the request path only."""
        rows, combined = 0, 0
        asked: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
        while True:
            with calling("a table"):
                answer = self._client.scan(**asked)
            for item in answer["Items"]:
                line = msgspec.json.encode(item_from_wire(item), order="sorted")
                rows += 1
                combined ^= int.from_bytes(hashlib.sha256(line).digest(), "big")
            if "LastEvaluatedKey" not in answer:
                return Content(rows=rows, digest=f"{combined:064x}")
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _await_active(self, table: str, until: float) -> Any:
        while (told := self.described(table))["TableStatus"] != "ACTIVE":
            self._wait(until, "a restored table")
        return told

    def _wait(self, until: float, what: str) -> None:
        if self._seconds() >= until:
            raise Unavailable(f"{what} did not come in time")
        self._sleep(POLL_SECONDS)
