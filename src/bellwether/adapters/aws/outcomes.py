"""The outcomes table, a projection of the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from bellwether.adapters.aws.days import Days
from bellwether.adapters.aws.parallel import THREADS, each
from bellwether.adapters.aws.tables import Row, Table, chunks
from bellwether.adapters.aws.transactions import write_groups
from bellwether.adapters.naming import day_of, instant
from bellwether.domain.outcomes import Outcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KNOWN = "known"
FIRST_DAY = "00000000"
_outcomes = msgspec.json.Decoder(Outcome)


class DynamoOutcomes:
    """`Outcomes` with the index `by_day` (evaluated_day, evaluated_at).

    Beside each outcome lies a row with the sort key `known`, written in the same transaction on the condition
    that it is not there: an outcome exists once whenever it was evaluated, and is found by its id alone.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)
        self._days = Days(self._table, "outcome_id", "evaluated_at")

    def put(self, outcomes: Sequence[Outcome]) -> None:
        first = {outcome.outcome_id: outcome for outcome in reversed(outcomes)}
        self._days.note(day_of(outcome.evaluated_at) for outcome in first.values())
        groups = [
            [
                self._table.putting(
                    {"outcome_id": outcome.outcome_id, "evaluated_at": KNOWN},
                    "attribute_not_exists(outcome_id)",
                ),
                self._table.putting(_row(outcome), "attribute_not_exists(outcome_id)"),
            ]
            for outcome in first.values()
        ]
        write_groups(self._table.client, groups, self._table.name)

    def known(self, outcome_ids: Sequence[str]) -> set[str]:
        keys = [{"outcome_id": name, "evaluated_at": KNOWN} for name in dict.fromkeys(outcome_ids)]
        return {row["outcome_id"] for row in self._table.rows(keys, consistent=True)}

    def evaluated_before(self, as_of: datetime, limit: int = 10_000) -> list[Outcome]:
        end = instant(as_of)

        def read(day: str) -> list[Row]:
            return list(
                self._table.query(
                    "evaluated_day = :day AND evaluated_at <= :end",
                    {":day": day, ":end": end},
                    index="by_day",
                    newest_first=True,
                    limit=limit,
                )
            )

        found: list[Outcome] = []
        for days in chunks(self._days.between(FIRST_DAY, day_of(as_of), newest_first=True), THREADS):
            if len(found) >= limit:
                break
            found += [_outcomes.decode(row["body"]) for part in each(read, days) for row in part]
        found.sort(key=lambda outcome: (outcome.evaluated_at, outcome.outcome_id), reverse=True)
        return found[:limit]

    def get(self, outcome_id: str) -> Outcome | None:
        if not outcome_id:
            return None
        rows = self._table.query("outcome_id = :id", {":id": outcome_id}, consistent=True)
        return next((_outcomes.decode(row["body"]) for row in rows if "body" in row), None)


def _row(outcome: Outcome) -> Row:
    return {
        "outcome_id": outcome.outcome_id,
        "evaluated_at": instant(outcome.evaluated_at),
        "evaluated_day": day_of(outcome.evaluated_at),
        "body": msgspec.json.encode(outcome).decode(),
    }
