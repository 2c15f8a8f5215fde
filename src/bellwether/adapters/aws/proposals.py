"""The proposals table, a projection of the ledger.

A proposal's own row has its time of creation as sort key and carries the newest status and the attributes of
the indexes; each decision is a further row, `decided_at#revision`. Entries may come twice and in any order:
whoever writes a row then reads all rows of the proposal and moves the status forward, never back.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from bellwether.adapters.aws.days import Days
from bellwether.adapters.aws.parallel import each
from bellwether.adapters.aws.tables import Row, Table
from bellwether.adapters.merging import decision_of, in_order_of_revision, proposal_of
from bellwether.adapters.naming import day_of, instant
from bellwether.domain.ledger import Entry
from bellwether.domain.problems import Conflict
from bellwether.domain.proposals import Decision, Proposal, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_proposals = msgspec.json.Decoder(Proposal)
_decisions = msgspec.json.Decoder(Decision)


class DynamoProposals:
    """`Proposals` with indexes `by_status` (status, created_at) and `by_day` (created_day, created_at)."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)
        self._days = Days(self._table, "proposal_id", "created_at")

    def project(self, entry: Entry) -> None:
        if entry.kind == "proposal":
            self._write_proposal(entry)
        elif entry.kind == "decision":
            self._write_decision(entry)
        else:
            return
        self._settle(str(entry.body["proposal_id"]))

    def _write_proposal(self, entry: Entry) -> None:
        proposal = proposal_of(entry)
        day = day_of(proposal.created_at)
        self._days.note([day])
        row = {
            "proposal_id": proposal.proposal_id,
            "created_at": instant(proposal.created_at),
            "created_day": day,
            "status": proposal.status,
            "revision": 0,
            "entry": entry.sequence,
            "body": msgspec.json.encode(proposal).decode(),
        }
        _once(self._table, row, "attribute_not_exists(proposal_id)")

    def _write_decision(self, entry: Entry) -> None:
        decision = decision_of(entry)
        row = {
            "proposal_id": decision.proposal_id,
            "created_at": f"{instant(decision.decided_at)}#{decision.revision:04d}",
            "decision": decision.revision,
            "entry": entry.sequence,
            "body": msgspec.json.encode(decision).decode(),
        }
        _once(
            self._table,
            row,
            "attribute_not_exists(proposal_id) OR entry > :entry",
            {":entry": entry.sequence},
        )

    def _settle(self, proposal_id: str) -> None:
        rows = self._rows(proposal_id)
        own = [row for row in rows if "status" in row]
        decided = [row for row in rows if "decision" in row]
        if not own or not decided:
            return
        newest = max(decided, key=lambda row: (row["decision"], -row["entry"]))
        try:
            self._table.update(
                {"proposal_id": proposal_id, "created_at": own[0]["created_at"]},
                "SET #status = :status, revision = :revision, decided_entry = :entry",
                {
                    ":status": _decisions.decode(newest["body"]).status,
                    ":revision": newest["decision"],
                    ":entry": newest["entry"],
                },
                condition="revision < :revision OR (revision = :revision AND decided_entry > :entry)",
                names={"#status": "status"},
            )
        except Conflict:
            return  # as new already

    def _rows(self, proposal_id: str) -> list[Row]:
        if not proposal_id:
            return []
        return list(self._table.query("proposal_id = :id", {":id": proposal_id}, consistent=True))

    def get(self, proposal_id: str) -> tuple[Proposal, list[Decision]] | None:
        rows = self._rows(proposal_id)
        own = [row for row in rows if "status" in row]
        if not own:
            return None
        decided = [(row["entry"], _decisions.decode(row["body"])) for row in rows if "decision" in row]
        return _proposals.decode(own[0]["body"]), in_order_of_revision(decided)

    def with_status(self, status: Status, limit: int = 100) -> list[Proposal]:
        if limit < 1:
            return []
        rows = self._table.query(
            "#status = :status",
            {":status": status},
            index="by_status",
            names={"#status": "status"},
            newest_first=True,
            limit=limit,
        )
        return [_current(row) for row in rows]

    def decided_between(self, first: datetime, last: datetime) -> list[Proposal]:
        start, end = instant(first), instant(last)

        def read(day: str) -> list[Row]:
            return list(
                self._table.query(
                    "created_day = :day AND created_at BETWEEN :first AND :last",
                    {":day": day, ":first": start, ":last": end},
                    index="by_day",
                )
            )

        days = self._days.between(day_of(first), day_of(last))
        found = [_current(row) for part in each(read, days) for row in part]
        return sorted(found, key=lambda proposal: (proposal.created_at, proposal.proposal_id))


def _current(row: Row) -> Proposal:
    return replace(_proposals.decode(row["body"]), status=row["status"])


def _once(table: Table, row: Row, condition: str, values: dict[str, Any] | None = None) -> None:
    try:
        table.put(row, condition, values)
    except Conflict:
        return
