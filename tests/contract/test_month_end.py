"""The end of a month on the engine's services: tables rolled, written, read and retired by the clock."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bellwether.adapters.aws.signal_table_retirement import (
    Manifest,
    SignalTableRetirement,
    exported_signals,
    manifest_key,
)
from bellwether.adapters.aws.signal_table_rollover import Ceiling, SignalTableRollover, current_and_next
from bellwether.adapters.aws.signals import DynamoSignalStore
from bellwether.domain.problems import Conflict
from bellwether.domain.signals import Signal, sort_key
from bellwether.usecases.ports import Lake
from tests.contract.conftest import ServicePorts
from tests.contract.records import signal

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
OLD = datetime(2025, 10, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def family(service_ports: ServicePorts) -> Iterator[str]:
    """The prefix of a family of tables of which none exists yet."""
    prefix = f"{service_ports.name}-monthend_"
    yield prefix
    dynamodb = service_ports.make.clients.dynamodb()
    for name in dynamodb.list_tables()["TableNames"]:
        if name.startswith(prefix):
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)


def rollover(ports: ServicePorts, family: str) -> SignalTableRollover:
    return SignalTableRollover(
        ports.make.clients.dynamodb(),
        family,
        key_arn="alias/aws/dynamodb",
        protected=True,
        stage="test",
        ceiling=Ceiling(reads=4_000, writes=2_000),
    )


def roll(ports: ServicePorts, family: str, at: datetime) -> tuple[str, ...]:
    return rollover(ports, family).ensure(current_and_next(at), 30).created


def retire(
    ports: ServicePorts,
    family: str,
    lake: Lake,
    at: datetime,
    time_is_up: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]]:
    client = ports.make.clients.dynamodb()
    retirement = SignalTableRetirement(client, family, lake, time_is_up, rows_a_part=10)
    return [msgspec.to_builtins(one) for one in retirement.retire_before(at)]


class Crashing:
    """A lake whose function dies at the n-th write."""

    def __init__(self, lake: Lake, at: int) -> None:
        self._lake, self._left = lake, at

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> None:
        self._left -= 1
        if self._left <= 0:
            raise KeyboardInterrupt
        self._lake.put(key, content, content_type)

    def get(self, key: str) -> bytes | None:
        return self._lake.get(key)

    def list(self, prefix: str) -> Iterator[str]:
        return self._lake.list(prefix)


@pytest.mark.req("D1")
def test_from_one_month_into_the_next_by_the_clock(service_ports: ServicePorts, family: str) -> None:
    """The table is there weeks before; the last and the first microsecond each find theirs."""
    assert roll(service_ports, family, MIDNIGHT - timedelta(days=10)) == ("202611", "202612")
    last, first = MIDNIGHT - timedelta(microseconds=1), MIDNIGHT
    assert roll(service_ports, family, last) == ()
    store = DynamoSignalStore(service_ports.make.clients.dynamodb(), family)
    made = {at: signal(n, known=at) for n, at in enumerate((last, first))}
    for at, one in made.items():
        store.put([one], at)
    assert roll(service_ports, family, first) == ("202701",)
    dynamodb = service_ports.make.clients.dynamodb()
    for at, one in made.items():
        (row,) = dynamodb.scan(TableName=f"{family}{at:%Y%m}")["Items"]
        assert row["sk"] == {"S": sort_key(one)}
        assert list(store.of_day("AAPL", f"{at:%Y%m%d}")) == [one]
        assert store.get(one.signal_id) == one
    # in Zürich it is December for an hour already: the month is that of UTC
    zurich = datetime.fromisoformat("2026-12-01T00:30:00+01:00")
    store.put([signal(7, known=zurich)], zurich)
    assert dynamodb.scan(TableName=f"{family}202611")["Count"] == 2


@pytest.mark.req("D1")
def test_two_runs_at_once_make_one_table_of_each_month(service_ports: ServicePorts, family: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(lambda _: roll(service_ports, family, MIDNIGHT), range(4)))
    assert sorted(month for months in created for month in months) == ["202612", "202701"]
    tables = service_ports.make.clients.dynamodb().list_tables()["TableNames"]
    assert [name for name in tables if name.startswith(family)] == [f"{family}202612", f"{family}202701"]


def old_month(ports: ServicePorts, family: str, count: int = 35) -> list[Signal]:
    rollover(ports, family).ensure(["202510"], 30)
    made = [signal(n, known=OLD - timedelta(seconds=n)) for n in range(count)]
    DynamoSignalStore(ports.make.clients.dynamodb(), family).put(made, OLD)
    return made


@pytest.mark.req("D1", "C5", "D5")
@pytest.mark.parametrize("writes", [1, 2, 3, 4, 8])
def test_a_run_that_dies_at_any_write_is_made_good_by_the_next(
    service_ports: ServicePorts, family: str, writes: int
) -> None:
    """Two writes a part: before a part, between it and its note, or at the very last of them."""
    made = old_month(service_ports, family)
    roll(service_ports, family, MIDNIGHT)
    with pytest.raises(KeyboardInterrupt):
        retire(service_ports, family, Crashing(service_ports.lake, writes), MIDNIGHT)
    assert f"{family}202510" in service_ports.make.clients.dynamodb().list_tables()["TableNames"]

    assert retire(service_ports, family, service_ports.lake, MIDNIGHT) == [
        {"month": "202510", "rows": 35, "dropped": True}
    ]
    exported = [
        msgspec.json.decode(line, type=Signal) for line in exported_signals(service_ports.lake, "202510")
    ]
    assert sorted(exported, key=sort_key) == sorted(made, key=sort_key)
    assert f"{family}202510" not in service_ports.make.clients.dynamodb().list_tables()["TableNames"]
    assert retire(service_ports, family, service_ports.lake, MIDNIGHT) == [], "a second run has nothing to do"


@pytest.mark.req("D1")
def test_two_exports_at_once_leave_one_whole_export(service_ports: ServicePorts, family: str) -> None:
    made = old_month(service_ports, family)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(retire, service_ports, family, service_ports.lake, MIDNIGHT) for _ in range(2)]
        told = [one for run in runs for one in run.result()]
    assert any(one["dropped"] for one in told)
    lines = list(exported_signals(service_ports.lake, "202510"))
    assert len(lines) == len(set(lines)) == len(made)
    assert service_ports.lake.get(manifest_key("202510")) is not None


@pytest.mark.req("D1")
def test_a_table_that_changed_after_its_export_is_exported_again(
    service_ports: ServicePorts, family: str
) -> None:
    old_month(service_ports, family)
    lake = service_ports.lake

    def is_exported() -> bool:
        told = lake.get(manifest_key("202510"))
        return told is not None and msgspec.json.decode(told, type=Manifest).complete

    (cut_off,) = retire(service_ports, family, lake, MIDNIGHT, is_exported)
    assert (cut_off["rows"], cut_off["dropped"]) == (35, False)
    late = signal(99, known=OLD)
    DynamoSignalStore(service_ports.make.clients.dynamodb(), family).put([late], OLD)
    with pytest.raises(Conflict, match="35 rows of 36"):
        retire(service_ports, family, lake, MIDNIGHT)
    (again,) = retire(service_ports, family, lake, MIDNIGHT)
    assert (again["rows"], again["dropped"]) == (36, True)
    exported = [msgspec.json.decode(line, type=Signal) for line in exported_signals(lake, "202510")]
    assert late in exported
