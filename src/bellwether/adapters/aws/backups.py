"""On-demand backups of tables: one a day, kept for five weeks, never the last one dropped."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from msgspec import Struct

from bellwether.adapters.aws.faults import calling, code_of
from bellwether.adapters.naming import day_of
from bellwether.domain.problems import Problem, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=35)


class BackedUp(Struct, frozen=True, kw_only=True):
    """What a run did, by the desk's own names of tables; `failed` are those without a backup of today."""

    created: tuple[str, ...]
    present: tuple[str, ...]
    dropped: int
    failed: tuple[str, ...]


class Backups:
    """Backups are named `bellwether-{table}-{yyyymmdd}`; others are left alone."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client

    def back_up(self, tables: Mapping[str, str], at: datetime) -> BackedUp:
        """Backs up each table (the desk's name to its physical one) once a day, then drops what is too old.

        One table's failure does not keep the others from being backed up; where there is no backup of today,
        none is dropped.
        """
        outcome: dict[str, list[str]] = {"created": [], "present": [], "failed": []}
        dropped = 0
        for own_name, name in tables.items():
            try:
                outcome["created" if self._create(own_name, name, at) else "present"].append(own_name)
                dropped += self._drop_old(own_name, name, at - KEPT)
            except Problem:
                outcome["failed"].append(own_name)
        return BackedUp(
            created=tuple(outcome["created"]),
            present=tuple(outcome["present"]),
            dropped=dropped,
            failed=tuple(outcome["failed"]),
        )

    def _create(self, own_name: str, name: str, at: datetime) -> bool:
        wanted = f"bellwether-{own_name}-{day_of(at)}"
        if any(backup["BackupName"] == wanted for backup in self._listed(own_name, name)):
            return False
        with calling(f"the backup of {own_name}"):
            self._client.create_backup(TableName=name, BackupName=wanted)
        return True

    def _drop_old(self, own_name: str, name: str, before: datetime) -> int:
        backups = sorted(self._listed(own_name, name), key=lambda b: str(b["BackupName"]))
        last_day = f"bellwether-{own_name}-{day_of(before)}"
        dropped = 0
        for backup in backups[:-1]:
            if str(backup["BackupName"]) < last_day and self._delete(own_name, backup["BackupArn"]):
                dropped += 1
        return dropped

    def _delete(self, own_name: str, arn: str) -> bool:
        try:
            self._client.delete_backup(BackupArn=arn)
        except ClientError as fault:
            # gone already, or being restored from: the next run sees to it
            if code_of(fault) in {"BackupNotFoundException", "BackupInUseException"}:
                return False
            raise Unavailable(f"the backup of {own_name}: {code_of(fault)}") from fault
        return True

    def _listed(self, own_name: str, name: str) -> Iterator[Any]:
        asked: dict[str, Any] = {"TableName": name, "BackupType": "USER"}
        while True:
            with calling(f"the backups of {own_name}"):
                answer = self._client.list_backups(**asked)
            for backup in answer.get("BackupSummaries", []):
                if backup["BackupName"].startswith(f"bellwether-{own_name}-"):
                    yield backup
            if "LastEvaluatedBackupArn" not in answer:
                return
            asked["ExclusiveStartBackupArn"] = answer["LastEvaluatedBackupArn"]
