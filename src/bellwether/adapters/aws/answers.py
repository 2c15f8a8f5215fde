"""First answers by idempotency key, in the claims table."""

import hashlib
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bellwether.adapters.aws.tables import Table
from bellwether.adapters.naming import instant
from bellwether.domain.problems import Conflict, IdempotencyMismatch
from bellwether.usecases.ports import Reservation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOLD = timedelta(seconds=60)
KEPT = timedelta(hours=48)
_TAKEN = "another call with this Idempotency-Key is still running"


class DynamoAnswers:
    """`Answers`: one row a key. A released key keeps its `first_at` and its request."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def begin(self, scope: str, key: str, request_hash: str, at: datetime) -> Reservation:
        first = at.astimezone(UTC)
        used = self._reserve(scope, key, request_hash, first)
        if used is None:
            return Reservation(first_at=first)
        if used["request_hash"] != request_hash:
            raise IdempotencyMismatch("this Idempotency-Key was first used with another request")
        first_at = datetime.fromisoformat(used["first_at"])
        if "answer" in used:
            return Reservation(first_at=first_at, answer=zlib.decompress(used["answer"]))
        held_at = used.get("held_at")
        if held_at is not None and first < datetime.fromisoformat(held_at) + HOLD:
            raise Conflict(_TAKEN)
        self._take_over(scope, key, held_at, first)
        return Reservation(first_at=first_at)

    def _reserve(self, scope: str, key: str, request_hash: str, at: datetime) -> dict[str, Any] | None:
        """Writes the key's first use; the row of an earlier one when there is one that still counts."""
        row = {
            **_key(scope, key),
            "request_hash": request_hash,
            "first_at": instant(at),
            "held_at": instant(at),
            "expires": int((at + KEPT).timestamp()),
        }
        return self._table.put_unless(
            row, "attribute_not_exists(pk) OR expires <= :now", {":now": int(at.timestamp())}
        )

    def _take_over(self, scope: str, key: str, held_at: str | None, at: datetime) -> None:
        """Of several callers that found the key free, one gets it. Raises `Conflict` for the others."""
        values: dict[str, Any] = {":at": instant(at)}
        if held_at is None:
            unchanged = "attribute_not_exists(held_at)"
        else:
            unchanged, values[":held"] = "held_at = :held", held_at
        try:
            self._table.update(
                _key(scope, key),
                "SET held_at = :at",
                values,
                condition=f"attribute_exists(pk) AND attribute_not_exists(answer) AND {unchanged}",
            )
        except Conflict:
            raise Conflict(_TAKEN) from None

    def keep(self, scope: str, key: str, request_hash: str, answer: bytes, at: datetime) -> None:
        values = {
            ":answer": zlib.compress(answer, 1),
            ":hash": request_hash,
            ":at": instant(at),
            ":expires": int((at + KEPT).timestamp()),
        }
        try:
            self._table.update(
                _key(scope, key),
                "SET answer = :answer, request_hash = :hash, expires = :expires,"
                " first_at = if_not_exists(first_at, :at)",
                values,
                condition="attribute_not_exists(pk)"
                " OR (attribute_not_exists(answer) AND request_hash = :hash)",
            )
        except Conflict:
            return  # an answer that was given once is the answer

    def release(self, scope: str, key: str) -> None:
        try:
            self._table.update(
                _key(scope, key),
                "REMOVE held_at",
                condition="attribute_exists(pk) AND attribute_not_exists(answer)",
            )
        except Conflict:
            return  # there is nothing to give back


def _key(scope: str, key: str) -> dict[str, Any]:
    # Callers choose the key; hashed, its length and its characters do not matter.
    named = hashlib.sha256(f"{scope}\x00{key}".encode()).hexdigest()
    return {"pk": f"answer#{named}"}
