"""The feed of changes, the counters and the open sockets."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from bellwether.adapters.aws.clients import utc_now
from bellwether.adapters.aws.feed import DynamoChanges
from bellwether.adapters.ulids import MonotonicUlids
from bellwether.domain.ids import is_ulid, ulid, ulid_time
from bellwether.usecases.ports import Change, Connection
from tests.contract.conftest import Ports, ServicePorts, at_once
from tests.contract.records import NOON, WORDS


def change(change_id: str = "", number: int = 0) -> Change:
    return Change(
        id=change_id, type="score", at=NOON, data={"number": number, "words": WORDS, "p": 0.1 + 0.2}
    )


def named(at: datetime, number: int) -> Change:
    return change(ulid(at, number.to_bytes(10, "big")), number)


@pytest.mark.req("A10")
def test_a_reader_resumes_after_the_last_change_it_saw(ports: Ports) -> None:
    now = utc_now()
    made = [named(now - timedelta(seconds=60 - number), number) for number in range(60)]
    ports.changes.publish(made[30:])
    ports.changes.publish(made[:30])
    assert ports.changes.after(made[9].id) == made[10:]
    assert ports.changes.after(made[9].id, limit=5) == made[10:15]
    assert ports.changes.after(made[-1].id) == []
    assert ports.changes.after(None) == made
    assert ports.changes.after(None, limit=7) == made[-7:]
    assert ports.changes.after("not an id", limit=7) == made[-7:]
    assert ports.changes.after(None, limit=0) == []


def test_no_changes_are_nothing_to_tell(ports: Ports) -> None:
    ports.changes.publish([])
    assert ports.changes.after(None) == []
    assert ports.changes.after(named(utc_now(), 1).id) == []


def test_changes_without_an_id_get_ascending_ones(ports: Ports) -> None:
    ports.changes.publish([change(number=number) for number in range(40)])
    ports.changes.publish([change(number=number) for number in range(40, 50)])
    found = ports.changes.after(None)
    assert [one.data["number"] for one in found] == list(range(50))
    assert all(is_ulid(one.id) for one in found)


def test_a_change_published_again_is_one_change(ports: Ports) -> None:
    made = named(utc_now(), 1)
    ports.changes.publish([made, made])
    ports.changes.publish([made])
    assert ports.changes.after(None) == [made]


def test_a_reader_resumes_over_midnights(service_ports: ServicePorts) -> None:
    table, dynamodb = service_ports.table("events"), service_ports.make.clients.dynamodb()
    changes = DynamoChanges(dynamodb, table, lambda: NOON)
    made = [named(NOON - timedelta(hours=24 * 9 - 9 * number), number) for number in range(25)]
    changes.publish(made)
    assert changes.after(made[3].id) == made[4:]
    assert changes.after(made[3].id, limit=8) == made[4:12]
    assert changes.after(None, limit=6) == made[-6:]
    assert changes.after(None) == made
    assert changes.after(named(NOON - timedelta(days=4000), 1).id) == made, (
        "an id of long ago starts at the oldest"
    )
    assert changes.after(named(NOON + timedelta(days=9), 1).id) == []


def test_counters_and_changes_share_a_table_unnoticed(ports: Ports) -> None:
    ports.counts.add({"items_total": 1})
    made = named(utc_now(), 1)
    ports.changes.publish([made])
    assert ports.changes.after(None) == [made]
    assert ports.counts.totals() == {"items_total": 1.0}


def test_counters_add_up_whoever_adds(ports: Ports) -> None:
    name = 'items_total{source="rss",lang="日"}'
    at_once([partial(ports.counts.add, {name: 2, "cost": 0.25, f"c{n}": 1}) for n in range(8)])
    ports.counts.add({})
    totals = ports.counts.totals()
    assert totals[name] == 16.0
    assert totals["cost"] == 2.0
    assert len(totals) == 10


def connection(number: int, *topics: str) -> Connection:
    return Connection(connection_id=f"c{number}=", username="ana", connected_at=NOON, topics=topics)


@pytest.mark.req("A13")
def test_connections_come_subscribe_and_go(ports: Ports) -> None:
    assert ports.connections.all() == []
    ports.connections.put(connection(1))
    ports.connections.put(connection(2, "score"))
    assert ports.connections.subscribe("c1=", ["proposal", "score"])
    assert not ports.connections.subscribe("gone", ["score"])
    assert ports.connections.all() == [connection(1, "proposal", "score"), connection(2, "score")]
    ports.connections.remove("c2=")
    ports.connections.remove("c2=")
    assert ports.connections.all() == [connection(1, "proposal", "score")]
    assert ports.connections.subscribe("c1=", [])
    assert ports.connections.all()[0].wants("anything")


def test_ulids_of_one_process_ascend_though_the_clock_does_not() -> None:
    times = iter([1000, 1000, 999, 1001, 1, 1001])
    give = MonotonicUlids(lambda: next(times), lambda size: b"\xff" * size)
    made = [give() for _ in range(6)]
    assert made == sorted(set(made))
    assert all(is_ulid(one) for one in made)
    assert ulid_time(made[0]).timestamp() == 1.0


def test_ulids_given_in_threads_are_all_different() -> None:
    give = MonotonicUlids()
    made = at_once([lambda: [give() for _ in range(500)]] * 4)
    assert all(part == sorted(part) for part in made)
    assert len({one for part in made for one in part}) == 2000
