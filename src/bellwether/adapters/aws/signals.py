"""Signals in the monthly tables, and the sums made of them in the state table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec
from botocore.exceptions import ClientError

from bellwether.adapters.aws.clients import utc_now
from bellwether.adapters.aws.faults import code_of
from bellwether.adapters.aws.parallel import each
from bellwether.adapters.aws.signal_tables import SignalTables
from bellwether.adapters.aws.tables import Row, Table
from bellwether.adapters.aws.transactions import write_groups
from bellwether.adapters.naming import instant, month_of
from bellwether.domain.problems import Unavailable
from bellwether.domain.signals import Signal, day_of, sort_key
from bellwether.domain.state import AssetDay

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_signals = msgspec.json.Decoder(Signal)
_states = msgspec.json.Decoder(AssetDay)
_encoder = msgspec.json.Encoder()

APPLIED_KEPT = timedelta(days=400)
MISPLACED = "bellwether_signals_misplaced_total"


class _Counting(Protocol):
    def add(self, counts: Mapping[str, float]) -> None: ...


class DynamoSignalStore:
    """`SignalStore` over the family of tables whose names start with `prefix`."""

    def __init__(
        self,
        client: "DynamoDBClient",
        prefix: str,
        *,
        counts: _Counting | None = None,
        tables: SignalTables | None = None,
    ) -> None:
        self._tables = tables or SignalTables(client, prefix)
        self._counts = counts

    def put(self, signals: Sequence[Signal], received_at: datetime) -> None:
        rows = {(row["pk"], row["sk"]): row for row in map(_row, signals)}
        if not rows:
            return
        wanted = month_of(received_at)
        missing: set[str] = set()
        while True:
            month = self._tables.to_write(wanted, frozenset(missing))
            if month is None:
                raise Unavailable("there is no signals table to write to")
            try:
                self._table(month).put_all(list(rows.values()))
            except Unavailable as fault:
                if not _is_missing_table(fault):
                    raise
                missing.add(month)  # listed, but not made yet or just retired
                continue
            if month != wanted and self._counts is not None:
                self._counts.add({f'{MISPLACED}{{month="{wanted}"}}': len(rows)})
            return

    def of_day(self, asset: str, day: str, until: datetime | None = None) -> Iterator[Signal]:
        condition, values = "pk = :pk", {":pk": f"{asset}#{day}"}
        if until is not None:
            # "$" follows "#": everything of the instant itself is included.
            condition, values = condition + " AND sk < :until", {**values, ":until": f"{instant(until)}$"}

        def read(month: str) -> dict[str, str]:
            try:
                rows = self._table(month).query(condition, values)
                return {row["sk"]: row["body"] for row in rows}
            except Unavailable as fault:
                if not _is_missing_table(fault):
                    raise
                return {}

        found: dict[str, str] = {}
        for part in each(read, self._tables.to_read(day[:6])):
            found |= part
        return (_signals.decode(found[key]) for key in sorted(found))

    def get(self, signal_id: str) -> Signal | None:
        asset, _, rest = signal_id.partition("#")
        day, _, key = rest.partition("#")
        if not (asset and day and key):
            return None

        def read(month: str) -> Row | None:
            try:
                return self._table(month).get({"pk": f"{asset}#{day}", "sk": key})
            except Unavailable as fault:
                if not _is_missing_table(fault):
                    raise
                return None

        rows = [row for row in each(read, self._tables.to_read(day[:6])) if row is not None]
        return _signals.decode(rows[-1]["body"]) if rows else None

    def _table(self, month: str) -> Table:
        return Table(self._tables.client, self._tables.name(month))


def _row(signal: Signal) -> Row:
    return {
        "pk": f"{signal.asset}#{day_of(signal.observed_time)}",
        "sk": sort_key(signal),
        "body": _encoder.encode(signal).decode(),
    }


def _is_missing_table(fault: Unavailable) -> bool:
    cause = fault.__cause__
    return isinstance(cause, ClientError) and code_of(cause) == "ResourceNotFoundException"


class DynamoAssetStates:
    """`AssetStates`: states in their own table, the markers of applied batches among the claims."""

    def __init__(
        self,
        client: "DynamoDBClient",
        states_table: str,
        claims_table: str | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._states = Table(client, states_table)
        self._markers = Table(client, claims_table) if claims_table else None
        self._now = now

    def days(self, asset: str, first_day: str, last_day: str) -> list[AssetDay]:
        if first_day > last_day:
            return []
        rows = self._states.query(
            "asset = :asset AND #day BETWEEN :first AND :last",
            {":asset": asset, ":first": first_day, ":last": last_day},
            names={"#day": "day"},
        )
        return [_states.decode(row["body"]) for row in rows]

    def get(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], AssetDay]:
        named = [{"asset": asset, "day": day} for asset, day in dict.fromkeys(keys)]
        # Read what was just written: a stale version would only lose the next race.
        rows = self._states.rows(named, consistent=True)
        return {(row["asset"], row["day"]): _states.decode(row["body"]) for row in rows}

    def applied(self, batch_id: str, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        markers = {_marker(batch_id, asset, day): (asset, day) for asset, day in keys}
        rows = self._marked().rows([{"pk": marker} for marker in markers], consistent=True)
        return {markers[row["pk"]] for row in rows}

    def apply(self, batch_id: str, states: Sequence[AssetDay]) -> set[tuple[str, str]]:
        markers = self._marked()
        expires = int((self._now() + APPLIED_KEPT).timestamp())
        groups = [
            [
                markers.putting(
                    {"pk": _marker(batch_id, state.asset, state.day), "expires": expires},
                    "attribute_not_exists(pk)",
                ),
                self._writing(state),
            ]
            for state in states
        ]
        refusals = write_groups(markers.client, groups, self._states.name)
        return {
            (state.asset, state.day)
            for state, refusal in zip(states, refusals, strict=True)
            if refusal and 0 not in refusal
        }

    def _writing(self, state: AssetDay) -> Row:
        row = {
            "asset": state.asset,
            "day": state.day,
            "version": state.version,
            "body": _encoder.encode(state).decode(),
        }
        if state.version <= 1:
            return self._states.putting(row, "attribute_not_exists(asset)")
        action = self._states.putting(row, "#version = :before", {":before": state.version - 1})
        action["Put"]["ExpressionAttributeNames"] = {"#version": "version"}
        return action

    def _marked(self) -> Table:
        if self._markers is None:
            raise ValueError("these states were opened for reading only, without a claims table")
        return self._markers


def _marker(batch_id: str, asset: str, day: str) -> str:
    return f"applied#{batch_id}#{asset}#{day}"
