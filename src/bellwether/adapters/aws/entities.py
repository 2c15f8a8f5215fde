"""Tracked entities, agents' configurations and the desk's controls."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from msgspec import Struct

from bellwether.adapters.aws.patience import Patience
from bellwether.adapters.aws.tables import Row, Table
from bellwether.adapters.aws.transactions import write_groups
from bellwether.adapters.aws.values import Wire
from bellwether.adapters.naming import instant
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.entities import Asset, Portfolio
from bellwether.domain.problems import Conflict
from bellwether.usecases.ports import ControlsVersion

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DESK = "desk"
REVISION = "#revision"
"""Partition with one row a type, whose body is new after every change."""
NEWEST = "#newest"
"""Row that names the newest version of each agent, so that reading them all is no scan."""

_NEWEST_KEY: Row = {"agent_id": NEWEST, "version": 0}


class DynamoEntities:
    """`Entities`: one row an entity, its record as JSON."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def assets(self) -> list[Asset]:
        return [msgspec.json.decode(body, type=Asset) for body in self._bodies("asset")]

    def portfolio(self, name: str) -> Portfolio | None:
        if not name:
            return None
        row = self._table.get({"entity_type": "portfolio", "entity_id": name}, consistent=True)
        return msgspec.json.decode(row["body"], type=Portfolio) if row else None

    def portfolios(self) -> list[Portfolio]:
        return [msgspec.json.decode(body, type=Portfolio) for body in self._bodies("portfolio")]

    def records(self, entity_type: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(body) for body in self._bodies(entity_type)]

    def _bodies(self, entity_type: str) -> list[str]:
        rows = self._table.query("entity_type = :type", {":type": entity_type}, consistent=True)
        return [row["body"] for row in rows]

    def put(self, entity_type: str, entity_id: str, record: Struct) -> None:
        body = msgspec.json.encode(record).decode()
        self._table.put({"entity_type": entity_type, "entity_id": entity_id, "body": body})
        self._revise(entity_type)

    def remove(self, entity_type: str, entity_id: str) -> bool:
        removed = self._table.delete({"entity_type": entity_type, "entity_id": entity_id})
        self._revise(entity_type)
        return removed

    def revision(self, entity_type: str) -> str:
        row = self._table.get({"entity_type": REVISION, "entity_id": entity_type}, consistent=True)
        return str(row["body"]) if row else ""

    def _revise(self, entity_type: str) -> None:
        """After the change, never before: who reads the new revision must find what it stands for."""
        self._table.put({"entity_type": REVISION, "entity_id": entity_type, "body": uuid4().hex})


class DynamoAgentConfigs:
    """`AgentConfigs`: a row a version, never changed, and one row that names the newest of each agent."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def current(self) -> dict[str, AgentConfig]:
        keys: list[Row] = [
            {"agent_id": agent, "version": version} for agent, version in self._newest()["agents"].items()
        ]
        rows = self._table.rows(keys, consistent=True)
        return {row["agent_id"]: msgspec.json.decode(row["body"], type=AgentConfig) for row in rows}

    def versions(self, agent_id: str) -> list[AgentConfig]:
        rows = self._table.query("agent_id = :agent", {":agent": agent_id}, consistent=True)
        return [msgspec.json.decode(row["body"], type=AgentConfig) for row in rows]

    def put(self, config: AgentConfig) -> None:
        row: Row = {
            "agent_id": config.agent_id,
            "version": config.version,
            "body": msgspec.json.encode(config).decode(),
        }
        writing = self._table.putting(row, "attribute_not_exists(agent_id)")
        patience = Patience(self._table.name)
        while True:
            group = [writing, self._naming(config)]
            (refusal,) = write_groups(self._table.client, [group], self._table.name)
            if not refusal:
                return
            if 0 in refusal:
                raise Conflict(f"version {config.version} of {config.agent_id} exists")
            patience.wait()  # another agent's version was written since we looked

    def _naming(self, config: AgentConfig) -> Wire:
        """Replaces the row of newest versions, on the condition that it is the one that was read."""
        seen = self._newest()
        newest = max(config.version, seen["agents"].get(config.agent_id, config.version))
        row = {
            **_NEWEST_KEY,
            "agents": {**seen["agents"], config.agent_id: newest},
            "writes": seen["writes"] + 1,
        }
        condition = "writes = :seen" if seen["writes"] else "attribute_not_exists(agent_id)"
        return self._table.putting(row, condition, {":seen": seen["writes"]} if seen["writes"] else None)

    def _newest(self) -> Row:
        row = self._table.get(_NEWEST_KEY, consistent=True)
        return row or {"agents": {}, "writes": 0}


class DynamoDeskControls:
    """`DeskControls`: versions of the agent id `desk` in the same table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def controls(self) -> dict[str, Any]:
        newest = self._newest()
        return msgspec.json.decode(newest["body"], type=dict[str, Any]) if newest else {}

    def versions(self) -> list[ControlsVersion]:
        rows = self._table.query("agent_id = :desk", {":desk": DESK}, consistent=True)
        return [
            ControlsVersion(
                version=int(row["version"]),
                at=datetime.fromisoformat(row["created_at"]),
                controls=msgspec.json.decode(row["body"], type=dict[str, Any]),
            )
            for row in rows
        ]

    def change(self, controls: Mapping[str, Any], at: datetime, *, version: int | None = None) -> int:
        body = msgspec.json.encode(dict(controls)).decode()
        if version is not None:
            with suppress(Conflict):
                self._put(version, body, at)
            return version
        patience = Patience(self._table.name)
        while True:
            newest = self._newest()
            number = int(newest["version"]) + 1 if newest else 1
            try:
                self._put(number, body, at)
            except Conflict:
                patience.wait()
                continue
            return number

    def _put(self, version: int, body: str, at: datetime) -> None:
        row: Row = {"agent_id": DESK, "version": version, "body": body, "created_at": instant(at)}
        self._table.put(row, "attribute_not_exists(agent_id)")

    def _newest(self) -> Row | None:
        rows = self._table.query(
            "agent_id = :desk", {":desk": DESK}, newest_first=True, consistent=True, limit=1
        )
        return next(rows, None)
