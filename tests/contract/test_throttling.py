"""A throttled service loses nothing: what was not written is written when the queue delivers again."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.adapters.aws import patience
from bellwether.adapters.aws.clients import Clients
from bellwether.adapters.composition import Composition
from bellwether.adapters.memory import MemoryPorts
from bellwether.domain.problems import Held, Unavailable
from tests.contract.conftest import ServicePorts
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, post

WRITES = ("put_item", "update_item", "batch_write_item", "transact_write_items")
READS = ("get_item", "batch_get_item", "query")
DELIVERIES = 4_000


class ThrottledTables:
    """Tables that refuse a share of all calls, and of a batch sometimes take a part only."""

    def __init__(self, client: Any, rate: float, seed: int) -> None:
        self._client, self._rate, self._random = client, rate, Random(seed)
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name not in WRITES + READS:
            return method

        def call(**asked: Any) -> Any:
            if self._random.random() >= self._rate:
                return method(**asked)
            self.refused += 1
            if name == "batch_write_item" and self._random.random() < 0.7:
                return self._in_part(asked["RequestItems"])
            code = self._random.choice(["ThrottlingException", "ProvisionedThroughputExceededException"])
            raise ClientError({"Error": {"Code": code, "Message": "slow down"}}, name)

        return call

    def _in_part(self, items: dict[str, list[Any]]) -> Any:
        ((table, requests),) = items.items()
        taken = self._random.randrange(len(requests))
        if taken:
            self._client.batch_write_item(RequestItems={table: requests[:taken]})
        return {"UnprocessedItems": {table: requests[taken:]}}


class ThrottledClients(Clients):
    """Clients whose tables are throttled."""

    def __init__(self, clients: Clients, rate: float, seed: int) -> None:
        super().__init__()
        self._others = clients
        self.tables = ThrottledTables(clients.dynamodb(), rate, seed)

    def dynamodb(self) -> Any:
        return self.tables

    def s3(self) -> Any:
        return self._others.s3()


class Ports(ServicePorts):
    """Ports on the engine, with a queue in memory."""

    def __init__(self, make: Composition) -> None:
        super().__init__(make)
        self.queue = MemoryPorts().queue


@pytest.mark.req("D4", "C4")
@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), rate=st.floats(0.1, 0.5))
def test_throttled_writes_lose_nothing_and_double_nothing(
    services: Composition, seed: int, rate: float
) -> None:
    calm = MemoryDesk()
    items = [post(source_id=f"{seed}-{n}", text=f"$BEACON and $HARBOR rise on profit {n}") for n in range(40)]
    calm.send(items)
    calm.work()
    ports: Any = Ports(services)
    desk = MemoryDesk(ports=ports)
    desk.send(items)
    (message,) = desk.messages()
    clients = ThrottledClients(services.clients, rate, seed)
    throttled = Ports(Composition(clients))
    throttled.name, throttled.tables = ports.name, ports.tables
    assert ports.prefix
    throttled.__dict__["prefix"], throttled.__dict__["bucket"] = ports.prefix, ports.bucket
    worker = desk.processor(
        **{
            name: getattr(throttled, name)
            for name in ("raw", "claims", "signals", "states", "changes", "counts")
        }
    )
    deliveries, now = 0, NOW
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(patience, "sleep", lambda _seconds: None)
        while not ports.claims.finished([message.batch_id]):
            deliveries += 1
            assert deliveries < DELIVERIES
            try:
                worker(message, now=now)
            except Held as held:  # giving the lease back was refused as well
                now += timedelta(seconds=held.seconds)
            except Unavailable:
                continue  # what the queue does: the message comes again
    assert clients.tables.refused > 0 or rate < 0.2
    for asset in ("BEACON", "HARBOR"):
        mine, theirs = (list(one.signals.of_day(asset, "20261120")) for one in (ports, calm.ports))
        assert mine == theirs
        assert len(mine) == 40
        ours = ports.states.get([(asset, "20261120")])[asset, "20261120"]
        assert ours == calm.ports.states.get([(asset, "20261120")])[asset, "20261120"]
