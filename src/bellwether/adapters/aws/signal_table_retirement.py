"""Takes old monthly signals tables out of service: exported to the lake, checked, then dropped.

A month becomes `curated-data/signals/{yyyymm}/part-00000.ndjson.gz` … and a `_manifest.json` (Athena passes
over names that start with `_`). The manifest is written after each part, so that a run that ends in the
middle of a large table is continued by the next one.
"""

import gzip
import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from bellwether.adapters.aws.faults import calling, code_of
from bellwether.adapters.aws.signal_tables import SignalTables
from bellwether.adapters.aws.values import item_from_wire
from bellwether.domain.problems import Conflict, Unavailable
from bellwether.usecases.ports import Lake

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_MONTHS = 13
"""Months with a table beside the current one: a year of history is read directly."""

PREFIX = "curated-data/signals"
ROWS_A_PART = 10_000
DROP_TRIES = 30


class ExportedPart(Struct, frozen=True, kw_only=True):
    """One object of an export; `sha256` of its compressed bytes."""

    key: str
    rows: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """How far the export of a month got: `after` is the last row's key, `None` at the start and the end."""

    month: str
    parts: tuple[ExportedPart, ...] = ()
    after: dict[str, Any] | None = None
    complete: bool = False

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


class Retired(Struct, frozen=True, kw_only=True):
    """What became of one month: `dropped` is False when there was no time to finish it."""

    month: str
    rows: int
    dropped: bool


def months_to_retire(months: tuple[str, ...], at: datetime, kept: int = KEPT_MONTHS) -> list[str]:
    """Of `yyyymm` months, those more than `kept` months before that of `at`, oldest first."""
    now = at.year * 12 + at.month
    return sorted(m for m in months if now - (int(m[:4]) * 12 + int(m[4:])) > kept)


class SignalTableRetirement:
    """`time_is_up` is asked between parts and between pages of the count.

    A table is dropped only when every part reads back as it was written and the table holds as many rows as
    the parts together. Runs may overlap or be repeated: a part's name and bytes follow from the table alone.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        prefix: str,
        lake: Lake,
        time_is_up: Callable[[], bool],
        *,
        rows_a_part: int = ROWS_A_PART,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._tables = SignalTables(client, prefix)
        self._lake = lake
        self._time_is_up = time_is_up
        self._rows_a_part = rows_a_part
        self._sleep = sleep

    def retire_before(self, at: datetime) -> list[Retired]:
        """Retires every month whose time has come, as far as there is time.

        Raises `Conflict` for an export that does not read back as it was written or has not as many rows as
        its table. The table then stays, and the next run exports it from the start.
        """
        done: list[Retired] = []
        for month in months_to_retire(self._tables.months(fresh=True), at):
            if self._time_is_up():
                break
            done.append(self._retire(month))
        return done

    def _retire(self, month: str) -> Retired:
        try:
            manifest = self._export(month)
            proven = manifest.complete and self._proven(manifest)
        except Unavailable as fault:
            if not _is_gone(fault):
                raise
            return Retired(month=month, rows=0, dropped=False)  # another run was quicker
        if proven:
            self._drop(self._tables.name(month))
        return Retired(month=month, rows=manifest.rows, dropped=proven)

    def _export(self, month: str) -> Manifest:
        content = self._lake.get(manifest_key(month))
        manifest = msgspec.json.decode(content, type=Manifest) if content else Manifest(month=month)
        while not manifest.complete and not self._time_is_up():
            lines, after = self._read(self._tables.name(month), manifest.after)
            parts = manifest.parts
            if lines:
                # named by its position: a part written before a crash is written again, the same
                key = f"{PREFIX}/{month}/part-{len(parts):05d}.ndjson.gz"
                packed = gzip.compress(b"\n".join(lines) + b"\n", mtime=0)
                self._lake.put(key, packed, "application/gzip")
                written = ExportedPart(key=key, rows=len(lines), sha256=hashlib.sha256(packed).hexdigest())
                parts = (*parts, written)
            manifest = Manifest(month=month, parts=parts, after=after, complete=after is None)
            self._lake.put(manifest_key(month), msgspec.json.encode(manifest))
        return manifest

    def _read(self, name: str, after: dict[str, Any] | None) -> tuple[list[bytes], dict[str, Any] | None]:
        lines: list[bytes] = []
        while len(lines) < self._rows_a_part:
            limit = self._rows_a_part - len(lines)
            asked: dict[str, Any] = {"TableName": name, "Limit": limit, "ConsistentRead": True}
            if after is not None:
                asked["ExclusiveStartKey"] = after
            with calling("a signals table"):
                answer = self._client.scan(**asked)
            lines += [line_of(item_from_wire(item)) for item in answer["Items"]]
            after = answer.get("LastEvaluatedKey")
            if after is None:
                break
        return lines, after

    def _proven(self, manifest: Manifest) -> bool:
        """Whether the export was found whole; False when there was no time to find out."""
        counted = self._counted(self._tables.name(manifest.month))
        if counted is None:
            return False
        whole = all(self._reads_back(part) for part in manifest.parts)
        if whole and counted == manifest.rows:
            return True
        self._lake.put(manifest_key(manifest.month), msgspec.json.encode(Manifest(month=manifest.month)))
        reason = f"has {manifest.rows} rows of {counted}" if whole else "does not read back as it was written"
        raise Conflict(f"the export of {manifest.month} {reason}")

    def _reads_back(self, part: ExportedPart) -> bool:
        content = self._lake.get(part.key) or b""
        if hashlib.sha256(content).hexdigest() != part.sha256:
            return False
        return len(gzip.decompress(content).splitlines()) == part.rows

    def _counted(self, name: str) -> int | None:
        """Rows of a table now. What the service tells of a table's size is hours old."""
        asked: dict[str, Any] = {"TableName": name, "Select": "COUNT", "ConsistentRead": True}
        rows = 0
        while not self._time_is_up():
            with calling("a signals table"):
                answer = self._client.scan(**asked)
            rows += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return rows
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return None

    def _drop(self, name: str) -> None:
        """Takes the protection off and deletes the table; one that is gone already is no error."""
        self._when_free(lambda: self._client.update_table(TableName=name, DeletionProtectionEnabled=False))
        self._when_free(lambda: self._client.delete_table(TableName=name))

    def _when_free(self, call: Callable[[], Any]) -> None:
        """Calls again while the table is still taking an earlier change."""
        for _ in range(DROP_TRIES):
            try:
                call()
                return
            except ClientError as fault:
                if code_of(fault) == "ResourceNotFoundException":
                    return
                if code_of(fault) != "ResourceInUseException":
                    raise Unavailable(f"a signals table: {code_of(fault)}") from fault
            self._sleep(1.0)
        raise Unavailable("a signals table could not be dropped in time")


def _is_gone(fault: Unavailable) -> bool:
    cause = fault.__cause__
    return isinstance(cause, ClientError) and code_of(cause) == "ResourceNotFoundException"


def manifest_key(month: str) -> str:
    """Where the manifest of a month lies."""
    return f"{PREFIX}/{month}/_manifest.json"


def line_of(row: dict[str, Any]) -> bytes:
    """A row as one line of JSON: the signal itself where the row holds one."""
    body = row.get("body")
    return body.encode() if isinstance(body, str) else msgspec.json.encode(row)


def exported_signals(lake: Lake, month: str) -> Iterator[bytes]:
    """The signals of a retired month as JSON, in the order of the export.

    The parts are what counts, as for Athena; the manifest only tells how far a run got.
    """
    for key in lake.list(f"{PREFIX}/{month}/part-"):
        yield from gzip.decompress(lake.get(key) or b"").splitlines()
