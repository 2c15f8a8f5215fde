"""Every query an adapter makes has a key or an index made for it, and nothing on a request path scans."""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from bellwether.adapters import aws
from bellwether.adapters.aws.clients import Clients
from bellwether.adapters.aws.signal_tables import definition
from bellwether.adapters.composition import Composition
from infrastructure.constructs.tables import TABLES
from infrastructure.functions import FUNCTIONS
from infrastructure.routes import ROUTES
from tests.infrastructure.synthesis import Synthesis, listed

ADAPTERS = Path(str(aws.__file__)).parent
AT = datetime(2026, 11, 23, tzinfo=UTC)
LATER = datetime(2026, 11, 24, tzinfo=UTC)
SIGNALS = "signals_202611"
OFF_THE_REQUEST_PATH = {"sockets", "signal_table_retirement", "restores"}


class Recording:
    """A table service that is all but empty, and remembers who asked what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**asked: Any) -> dict[str, Any]:
            self.asked.append((operation, _caller(sys._getframe(1)), asked))
            return {"Items": _days(asked), "Responses": {}, "TableNames": [SIGNALS]}

        return call


def _days(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The list of days there is something of, which the indexes by day are asked after."""
    if ":days" not in asked.get("ExpressionAttributeValues", {}):
        return []
    return [{asked["ExpressionAttributeNames"]["#s"]: {"S": "20261123"}}]


def _caller(frame: FrameType | None) -> str:
    """The adapter a call comes from."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.parent == ADAPTERS and path.stem not in {"tables", "parallel", "days"}:
            return path.stem
        frame = frame.f_back
    return ""


class RecordingClients(Clients):
    """Clients of which only the tables are used."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = Recording()

    def dynamodb(self) -> Any:
        return self.tables


@pytest.fixture(scope="module")
def asked() -> list[tuple[str, str, dict[str, Any]]]:
    """All calls of every reading method of every port that is kept in tables."""
    clients = RecordingClients()
    make = Composition(clients)
    for call in reads(make):
        with suppress(Exception):  # an empty table is a problem to some; what they asked is recorded
            found = call()
            if isinstance(found, Iterator):
                list(found)
    return clients.tables.asked


def reads(make: Composition) -> Iterator[Any]:
    proposals, outcomes = make.proposals("proposals"), make.outcomes("outcomes")
    yield lambda: proposals.get("p")
    yield lambda: proposals.with_status("pending")
    yield lambda: proposals.decided_between(AT, LATER)
    yield lambda: outcomes.get("o")
    yield lambda: outcomes.known(["o"])
    yield lambda: outcomes.evaluated_before(AT)
    configs, controls = make.agent_configs("agents_config"), make.desk_controls("agents_config")
    yield configs.current
    yield lambda: configs.versions("sentiment")
    yield controls.controls
    yield controls.versions
    entities = make.entities("tracked_entities")
    yield entities.assets
    yield entities.portfolios
    yield lambda: entities.portfolio("core")
    yield lambda: entities.records("feed")
    yield lambda: entities.revision("asset")
    states = make.asset_states("asset_state", "claims")
    yield lambda: states.days("ACME", "20261101", "20261123")
    yield lambda: states.get([("ACME", "20261123")])
    signals = make.signals("signals_")
    yield lambda: signals.of_day("ACME", "20261123", AT)
    yield lambda: signals.get("ACME#20261123#x#y#z")
    changes, counts = make.changes("events"), make.counts("events")
    yield lambda: changes.after(None)
    yield lambda: changes.after("01JDD0000000000000000000AA")
    yield counts.totals
    providers = make.provider_records("events")
    yield lambda: providers.get("x")
    yield providers.all
    claims = make.item_claims("claims")
    yield lambda: claims.locate(["i"])
    yield lambda: claims.finished(["b"])


def keys_of(table: str, index: str | None) -> tuple[str, ...]:
    """Partition key and sort key of a table or of one of its indexes."""
    if table == SIGNALS:
        return tuple(key["AttributeName"] for key in definition(table)["KeySchema"])
    row = TABLES[table]
    told: Mapping[str, tuple[str, ...]] = {name: (p, s) for name, p, s in row.indexes}
    keys = told[index] if index else (row.partition, *([row.sort] if row.sort else []))
    return tuple(key.partition(":")[0] for key in keys)


@pytest.mark.req("D3")
def test_each_query_names_the_partition_key_of_a_table_or_index_there_is(
    asked: list[tuple[str, str, dict[str, Any]]],
) -> None:
    queries = [request for operation, _, request in asked if operation == "query"]
    assert {request["TableName"] for request in queries} >= {
        "proposals", "outcomes", "agents_config", "tracked_entities", "asset_state", "events", SIGNALS,
    }  # fmt: skip
    for request in queries:
        keys = keys_of(request["TableName"], request.get("IndexName"))
        names = request.get("ExpressionAttributeNames", {})
        condition = request["KeyConditionExpression"]
        used = [names.get(word, word) for word in re.findall(r"(?<![:\w])#?[a-z_]+\b", condition)]
        assert used[0] == keys[0], request
        assert set(used) <= set(keys), request
        assert "FilterExpression" not in request, "a filter reads, and is paid for, what it throws away"


@pytest.mark.req("D3")
def test_each_index_is_used_and_allowed(
    asked: list[tuple[str, str, dict[str, Any]]], production: Synthesis
) -> None:
    used = {(r["TableName"], r["IndexName"]) for o, _, r in asked if o == "query" and "IndexName" in r}
    assert used == {(name, index) for name, row in TABLES.items() for index, _, _ in row.indexes}
    for name in ("propose", "decide", "evaluate", "summarise"):
        allowed = [s for s in production.statements(name) if listed(s["Action"]) == ["dynamodb:Query"]]
        assert allowed, f"{name} may not query an index"


@pytest.mark.req("D3")
def test_every_adapter_that_queries_was_looked_at(asked: list[tuple[str, str, dict[str, Any]]]) -> None:
    found = {module for operation, module, _ in asked if operation == "query"}
    written = {path.stem for path in ADAPTERS.glob("*.py") if calls(path, "query")}
    assert written - {"tables", "days"} == found


@pytest.mark.req("D3", "S3")
def test_nothing_on_a_request_path_scans(
    asked: list[tuple[str, str, dict[str, Any]]], production: Synthesis
) -> None:
    assert [module for operation, module, _ in asked if operation == "scan"] == []
    scanning = {path.stem for path in ADAPTERS.glob("*.py") if calls(path, "scan")}
    assert scanning - {"tables"} == OFF_THE_REQUEST_PATH
    on_a_path = {route.function for route in ROUTES} | {"authorizer", "socket", "signal_worker"}
    assert on_a_path <= FUNCTIONS.keys()
    for name in on_a_path:
        granted = {action for s in production.statements(name) for action in listed(s["Action"])}
        assert "dynamodb:Scan" not in granted, name


def calls(path: Path, method: str) -> bool:
    """Whether a module calls a method of that name on anything."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
        for node in ast.walk(ast.parse(path.read_text()))
    )
