"""As much of DynamoDB's table administration as the schedules use, with its refusals and delays."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError


def refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "told by the service"}}, operation)


class TablesService:
    """Tables take `polls` descriptions to become active, and `busy_after_update` calls after each change.

    Point-in-time recovery is refused once at first.
    """

    busy_after_update = 1

    def __init__(self, polls: int = 2) -> None:
        self.polls = polls
        self.tables: dict[str, dict[str, Any]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.backups: list[dict[str, Any]] = []
        self.refusing: dict[str, str] = {}
        self.calls: list[str] = []

    def _table(self, name: str, operation: str) -> dict[str, Any]:
        self.calls.append(operation)
        if operation in self.refusing:
            raise refused(self.refusing[operation], operation)
        if name not in self.tables:
            raise refused("ResourceNotFoundException", operation)
        return self.tables[name]

    def list_tables(self, **asked: Any) -> dict[str, Any]:
        names = sorted(self.tables)
        start = names.index(asked["ExclusiveStartTableName"]) + 1 if asked else 0
        more = {"LastEvaluatedTableName": names[start + 1]} if len(names) > start + 2 else {}
        return {"TableNames": names[start : start + 2], **more}

    def create_table(self, **wanted: Any) -> None:
        self.calls.append("CreateTable")
        if wanted["TableName"] in self.tables:
            raise refused("ResourceInUseException", "CreateTable")
        self.tables[wanted["TableName"]] = {**wanted, "polls": self.polls, "recovery": "DISABLED", "asked": 0}

    def describe_table(self, *, TableName: str) -> dict[str, Any]:  # noqa: N803
        table = self._table(TableName, "DescribeTable")
        table["polls"] -= 1
        return {"Table": {**table, "TableStatus": "ACTIVE" if table["polls"] < 0 else "CREATING"}}

    def update_table(self, *, TableName: str, **changes: Any) -> None:  # noqa: N803
        assert len(changes) == 1, "the service takes one change at a time"
        table = self._table(TableName, "UpdateTable")
        if table["polls"] >= 0:
            raise refused("ResourceInUseException", "UpdateTable")
        self.tables[TableName] |= {**changes, "polls": self.busy_after_update}

    def delete_table(self, *, TableName: str) -> None:  # noqa: N803
        table = self._table(TableName, "DeleteTable")
        if table["DeletionProtectionEnabled"]:
            raise refused("ValidationException", "DeleteTable")
        table["polls"] -= 1
        if table["polls"] >= 0:
            raise refused("ResourceInUseException", "DeleteTable")
        del self.tables[TableName]

    def describe_continuous_backups(self, *, TableName: str) -> dict[str, Any]:  # noqa: N803
        status = self._table(TableName, "DescribeContinuousBackups")["recovery"]
        told = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status}}
        return {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED", **told}}

    def update_continuous_backups(self, *, TableName: str, PointInTimeRecoverySpecification: Any) -> None:  # noqa: N803
        table = self._table(TableName, "UpdateContinuousBackups")
        table["asked"] += 1
        if table["asked"] == 1:
            raise refused("ContinuousBackupsUnavailableException", "UpdateContinuousBackups")
        enabled = PointInTimeRecoverySpecification["PointInTimeRecoveryEnabled"]
        table["recovery"] = "ENABLED" if enabled else "DISABLED"

    def scan(
        self,
        *,
        TableName: str,  # noqa: N803
        ConsistentRead: bool,  # noqa: N803
        Limit: int = 10_000,  # noqa: N803
        ExclusiveStartKey: Any = None,  # noqa: N803
        Select: str = "ALL_ATTRIBUTES",  # noqa: N803
    ) -> dict[str, Any]:
        self._table(TableName, "Scan")
        assert ConsistentRead, "what was written a moment ago belongs to the month too"
        rows = self.rows.get(TableName, [])
        keys = [{"pk": row["pk"], "sk": row["sk"]} for row in rows]
        start = keys.index(ExclusiveStartKey) + 1 if ExclusiveStartKey else 0
        # a page may hold fewer rows than asked for, even none, and still not be the last
        page = rows[start : start + min(Limit, 3)]
        end = start + len(page)
        told = {"Items": page} if Select != "COUNT" else {}
        more = {"LastEvaluatedKey": keys[end - 1]} if end < len(rows) else {}
        return {**told, "Count": len(page), **more}

    def create_backup(self, *, TableName: str, BackupName: str) -> None:  # noqa: N803
        self.calls.append("CreateBackup")
        if TableName in self.refusing:
            raise refused(self.refusing[TableName], "CreateBackup")
        self.add_backup(TableName, BackupName)

    def add_backup(self, table: str, name: str) -> None:
        arn = f"arn:aws:dynamodb:eu-central-2:1:table/{table}/backup/{len(self.backups):04d}"
        created = datetime(2026, 1, 1, tzinfo=UTC)
        self.backups.append(
            {"TableName": table, "BackupName": name, "BackupArn": arn, "BackupCreationDateTime": created}
        )

    def list_backups(self, *, TableName: str, BackupType: str, **asked: Any) -> dict[str, Any]:  # noqa: N803
        assert BackupType == "USER"
        found = [b for b in self.backups if b["TableName"] == TableName]
        arns = [b["BackupArn"] for b in found]
        start = arns.index(asked["ExclusiveStartBackupArn"]) + 1 if asked else 0
        more = {"LastEvaluatedBackupArn": arns[start + 9]} if len(found) > start + 10 else {}
        return {"BackupSummaries": found[start : start + 10], **more}

    def delete_backup(self, *, BackupArn: str) -> None:  # noqa: N803
        if BackupArn in self.refusing:
            raise refused(self.refusing[BackupArn], "DeleteBackup")
        self.backups = [b for b in self.backups if b["BackupArn"] != BackupArn]
