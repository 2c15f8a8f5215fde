"""Every contract test runs twice: with the ports in memory, and with those on the engine's services."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import count
from threading import RLock
from typing import Any, Protocol, TypeVar

import pytest

from bellwether.adapters.aws.clients import Clients
from bellwether.adapters.aws.signal_tables import definition
from bellwether.adapters.composition import Composition
from bellwether.adapters.memory import MemoryPorts
from bellwether.agents.language.ports import KeptReadings
from bellwether.usecases import ports as wanted
from tests.conftest import Engine

Given = TypeVar("Given")

MONTHS = ("202610", "202611", "202612")

# Key attributes as `name:type`; indexes as (name, partition key, sort key).
TABLES: dict[str, tuple[str, str | None, Sequence[tuple[str, str, str]]]] = {
    "proposals": (
        "proposal_id:S",
        "created_at:S",
        (("by_status", "status:S", "created_at:S"), ("by_day", "created_day:S", "created_at:S")),
    ),
    "outcomes": ("outcome_id:S", "evaluated_at:S", (("by_day", "evaluated_day:S", "evaluated_at:S"),)),
    "agents_config": ("agent_id:S", "version:N", ()),
    "tracked_entities": ("entity_type:S", "entity_id:S", ()),
    "asset_state": ("asset:S", "day:S", ()),
    "claims": ("pk:S", None, ()),
    "events": ("day:S", "id:S", ()),
    "connections": ("connection_id:S", None, ()),
}
_numbers = count(1)
_making = RLock()


class Ports(Protocol):
    """The ports under test, by the names `MemoryPorts` gives them."""

    @property
    def raw(self) -> wanted.RawBatches: ...
    @property
    def claims(self) -> wanted.ItemClaims: ...
    @property
    def answers(self) -> wanted.Answers: ...
    @property
    def signals(self) -> wanted.SignalStore: ...
    @property
    def states(self) -> wanted.AssetStates: ...
    @property
    def forecasts(self) -> wanted.Forecasts: ...
    @property
    def entities(self) -> wanted.Entities: ...
    @property
    def prices(self) -> wanted.Prices: ...
    @property
    def configs(self) -> wanted.AgentConfigs: ...
    @property
    def controls(self) -> wanted.DeskControls: ...
    @property
    def ledger(self) -> wanted.Ledger: ...
    @property
    def proposals(self) -> wanted.Proposals: ...
    @property
    def outcomes(self) -> wanted.Outcomes: ...
    @property
    def changes(self) -> wanted.Changes: ...
    @property
    def counts(self) -> wanted.Counts: ...
    @property
    def providers(self) -> wanted.ProviderRecords: ...
    @property
    def readings(self) -> KeptReadings: ...
    @property
    def connections(self) -> wanted.Connections: ...
    @property
    def lake(self) -> wanted.Lake: ...


class ServicePorts:
    """Ports on services whose tables and buckets are made when a test first asks for them."""

    def __init__(self, make: Composition) -> None:
        self.make = make
        self.name = f"contract{next(_numbers)}"
        self.tables: dict[str, str] = {}

    def __getattribute__(self, name: str) -> Any:
        # Tests race on these ports, and cached_property has had no lock since Python 3.12.
        with _making:
            return super().__getattribute__(name)

    def table(self, kind: str) -> str:
        if kind not in self.tables:
            self.tables[kind] = create_table(self.make.clients, f"{self.name}-{kind}", kind)
        return self.tables[kind]

    @cached_property
    def bucket(self) -> str:
        s3 = self.make.clients.s3()
        s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": "eu-central-2"})
        return self.name

    @cached_property
    def prefix(self) -> str:
        for month in MONTHS:
            self.make.clients.dynamodb().create_table(**definition(f"{self.name}-signals_{month}"))
        return f"{self.name}-signals_"

    @cached_property
    def raw(self) -> wanted.RawBatches:
        return self.make.raw_batches(self.bucket)

    @cached_property
    def claims(self) -> wanted.ItemClaims:
        return self.make.item_claims(self.table("claims"))

    @cached_property
    def answers(self) -> wanted.Answers:
        return self.make.answers(self.table("claims"))

    @cached_property
    def signals(self) -> wanted.SignalStore:
        return self.make.signals(self.prefix, self.counts)

    @cached_property
    def states(self) -> wanted.AssetStates:
        return self.make.asset_states(self.table("asset_state"), self.table("claims"))

    @cached_property
    def forecasts(self) -> wanted.Forecasts:
        return self.make.forecasts(self.bucket)

    @cached_property
    def entities(self) -> wanted.Entities:
        return self.make.entities(self.table("tracked_entities"))

    @cached_property
    def prices(self) -> wanted.Prices:
        return self.make.prices(self.bucket)

    @cached_property
    def configs(self) -> wanted.AgentConfigs:
        return self.make.agent_configs(self.table("agents_config"))

    @cached_property
    def controls(self) -> wanted.DeskControls:
        return self.make.desk_controls(self.table("agents_config"))

    @cached_property
    def ledger(self) -> wanted.Ledger:
        return self.make.ledger(self.bucket)

    @cached_property
    def proposals(self) -> wanted.Proposals:
        return self.make.proposals(self.table("proposals"))

    @cached_property
    def outcomes(self) -> wanted.Outcomes:
        return self.make.outcomes(self.table("outcomes"))

    @cached_property
    def changes(self) -> wanted.Changes:
        return self.make.changes(self.table("events"))

    @cached_property
    def counts(self) -> wanted.Counts:
        return self.make.counts(self.table("events"))

    @cached_property
    def providers(self) -> wanted.ProviderRecords:
        return self.make.provider_records(self.table("events"))

    @cached_property
    def readings(self) -> KeptReadings:
        return self.make.kept_readings(self.table("claims"))

    @cached_property
    def connections(self) -> wanted.Connections:
        return self.make.connections(self.table("connections"))

    @cached_property
    def lake(self) -> wanted.Lake:
        return self.make.lake(self.bucket)


def create_table(clients: Clients, name: str, kind: str) -> str:
    partition, sort, indexes = TABLES[kind]
    named = {partition, *([sort] if sort else []), *(key for index in indexes for key in index[1:])}
    asked: dict[str, Any] = {
        "TableName": name,
        "KeySchema": _keys(partition, sort),
        "AttributeDefinitions": [
            {"AttributeName": key.partition(":")[0], "AttributeType": key.partition(":")[2]} for key in named
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if indexes:
        asked["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": _keys(*keys), "Projection": {"ProjectionType": "ALL"}}
            for index, *keys in indexes
        ]
    clients.dynamodb().create_table(**asked)
    return name


def _keys(partition: str, sort: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": partition.partition(":")[0], "KeyType": "HASH"}]
    if sort:
        keys.append({"AttributeName": sort.partition(":")[0], "KeyType": "RANGE"})
    return keys


@pytest.fixture(scope="session")
def services(engine: Engine) -> Composition:
    """A composition root on the engine."""
    return Composition(
        Clients(region=engine.region, endpoint=engine.endpoint, credentials=engine.credentials)
    )


@pytest.fixture
def service_ports(services: Composition) -> Iterator[ServicePorts]:
    """Ports on the services alone, for what only they can meet."""
    made = ServicePorts(services)
    yield made
    dynamodb = services.clients.dynamodb()
    for table in dynamodb.list_tables()["TableNames"]:
        if table.startswith(f"{made.name}-"):
            dynamodb.delete_table(TableName=table)


@pytest.fixture(params=["memory", "services"])
def ports(request: pytest.FixtureRequest) -> Ports:
    """One set of ports without any content."""
    if request.param == "memory":
        return MemoryPorts()
    made: Ports = request.getfixturevalue("service_ports")
    return made


def at_once(calls: Sequence[Callable[[], Given]]) -> list[Given]:
    """Runs all calls at the same time, in threads of their own; answers in order."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
