"""Keeps the monthly signals tables coming: this month's and the next one exist before anything needs them."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from msgspec import Struct

from bellwether.adapters.aws.faults import calling, code_of
from bellwether.adapters.aws.signal_tables import SignalTables, definition
from bellwether.adapters.naming import month_of
from bellwether.domain.problems import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

POLL_SECONDS = 1.0


class Rolled(Struct, frozen=True, kw_only=True):
    """The months that have a table now, and those whose table this run made."""

    months: tuple[str, ...]
    created: tuple[str, ...]


def current_and_next(at: datetime) -> tuple[str, str]:
    """`yyyymm` of the month of `at` and of the one after it."""
    following = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
    return month_of(at), month_of(following)


class Ceiling(Struct, frozen=True, kw_only=True):
    """On-demand units a second one table may use at most: a runaway loop costs a bounded amount."""

    reads: int
    writes: int

    @property
    def specification(self) -> Any:
        """As the service calls it."""
        return {"MaxReadRequestUnits": self.reads, "MaxWriteRequestUnits": self.writes}


class SignalTableRollover:
    """Makes tables that look alike: encrypted with the stage's key, streamed, tagged, restorable, bounded.

    Everything can be repeated: a table that is there is only brought to the settings of the stage.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        prefix: str,
        *,
        key_arn: str,
        protected: bool,
        stage: str,
        ceiling: Ceiling,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._tables = SignalTables(client, prefix)
        self._key_arn = key_arn
        self._protected = protected
        self._stage = stage
        self._ceiling = ceiling
        self._sleep = sleep

    def ensure(self, months: Sequence[str], seconds: float = 240.0) -> Rolled:
        """Creates what is missing, waits until all are active. Raises `Unavailable` if that is too long."""
        created = [month for month in months if self._create(month)]
        polls = int(seconds / POLL_SECONDS)
        for month in months:
            name = self._tables.name(month)
            polls = self._await_active(name, polls)
            polls = self._conform(name, polls)
            self._protect(name)
        return Rolled(months=self._tables.months(fresh=True), created=tuple(created))

    def remove_all(self) -> tuple[str, ...]:
        """Deletes every table of the family, unless the stage protects its data; gives the months deleted."""
        if self._protected:
            return ()
        months = self._tables.months(fresh=True)
        for month in months:
            with calling("a signals table"):
                self._client.delete_table(TableName=self._tables.name(month))
        return months

    def _create(self, month: str) -> bool:
        name = self._tables.name(month)
        if self._described(name) is not None:
            return False
        tags = {"product": "bellwether", "stage": self._stage, "month": month}
        wanted: dict[str, Any] = {
            **definition(name, key_arn=self._key_arn, deletion_protection=self._protected),
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            "OnDemandThroughput": self._ceiling.specification,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        try:
            self._client.create_table(**wanted)
        except ClientError as fault:
            # another run was quicker
            if code_of(fault) == "ResourceInUseException":
                return False
            raise Unavailable(f"a signals table cannot be made: {code_of(fault)}") from fault
        return True

    def _described(self, name: str) -> Any | None:
        try:
            return self._client.describe_table(TableName=name)["Table"]
        except ClientError as fault:
            if code_of(fault) == "ResourceNotFoundException":
                return None
            raise Unavailable(f"a signals table cannot be described: {code_of(fault)}") from fault

    def _await_active(self, name: str, polls: int) -> int:
        while (table := self._described(name)) is None or table["TableStatus"] != "ACTIVE":
            if polls <= 0:
                raise Unavailable("a signals table did not become active in time")
            polls -= 1
            self._sleep(POLL_SECONDS)
        return polls

    def _conform(self, name: str, polls: int) -> int:
        """Brings a table that differs to what the stage asks for; a call at a time, as the service wants it.

        Gives the polls that are left.
        """
        table = self._described(name) or {}
        if bool(table.get("DeletionProtectionEnabled")) != self._protected:
            with calling("a signals table"):
                self._client.update_table(TableName=name, DeletionProtectionEnabled=self._protected)
            polls = self._await_active(name, polls)
        if table.get("OnDemandThroughput", {}) != self._ceiling.specification:
            with calling("a signals table"):
                self._client.update_table(TableName=name, OnDemandThroughput=self._ceiling.specification)
            polls = self._await_active(name, polls)
        return polls

    def _protect(self, name: str) -> None:
        with calling("a signals table"):
            told = self._client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = told.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        if recovery != "ENABLED":
            self._make_restorable(name)

    def _make_restorable(self, name: str, tries: int = 20) -> None:
        """Just after its creation a table may not take the setting yet."""
        for _ in range(tries):
            try:
                self._client.update_continuous_backups(
                    TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
                )
                return
            except ClientError as fault:
                if code_of(fault) != "ContinuousBackupsUnavailableException":
                    raise Unavailable(f"point-in-time recovery: {code_of(fault)}") from fault
            self._sleep(POLL_SECONDS)
        raise Unavailable("point-in-time recovery could not be switched on in time")
