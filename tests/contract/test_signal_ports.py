"""Signals, the sums made of them, and kept scores."""

from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bellwether.adapters.aws.signal_tables import SignalTables, definition
from bellwether.adapters.aws.signals import MISPLACED, DynamoSignalStore
from bellwether.domain.problems import Unavailable
from bellwether.domain.signals import sort_key
from tests.contract.conftest import Ports, ServicePorts, at_once
from tests.contract.records import NOON, signal, state

DAY = "20261123"


def test_signals_of_a_day_come_back_whole_and_in_order(ports: Ports) -> None:
    made = [signal(n, known=NOON + timedelta(microseconds=n)) for n in range(60)]
    shuffled = Random(1).sample(made, len(made))
    ports.signals.put([*shuffled, signal(99, asset="MSFT")], NOON)
    assert list(ports.signals.of_day("AAPL", DAY)) == made
    assert list(ports.signals.of_day("MSFT", DAY)) == [signal(99, asset="MSFT")]


def test_until_includes_its_own_instant_and_nothing_after(ports: Ports) -> None:
    made = [signal(n, known=NOON + timedelta(microseconds=n)) for n in range(3)]
    ports.signals.put(made, NOON)
    assert list(ports.signals.of_day("AAPL", DAY, until=made[1].observed_time)) == made[:2]
    assert list(ports.signals.of_day("AAPL", DAY, until=NOON - timedelta(hours=1))) == []
    in_zurich = datetime.fromisoformat("2026-11-23T13:00:00+01:00")
    assert list(ports.signals.of_day("AAPL", DAY, until=in_zurich)) == made[:1]


def test_signals_written_again_are_the_same_signals(ports: Ports) -> None:
    made = [signal(n) for n in range(30)]
    for part in (made, made[:10], [*made, *made]):
        ports.signals.put(part, NOON)
    assert list(ports.signals.of_day("AAPL", DAY)) == sorted(made, key=sort_key)


def test_nothing_written_nothing_read(ports: Ports) -> None:
    ports.signals.put([], NOON)
    assert list(ports.signals.of_day("AAPL", DAY)) == []
    assert ports.signals.get(signal().signal_id) is None
    assert ports.signals.get("no such id") is None
    assert ports.signals.get("") is None


def test_one_signal_by_its_id(ports: Ports) -> None:
    ports.signals.put([signal(1), signal(2)], NOON)
    assert ports.signals.get(signal(2).signal_id) == signal(2)


@pytest.mark.req("D1")
def test_the_month_boundary_is_nowhere_to_be_seen(ports: Ports) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    before, after = signal(1, known=midnight - timedelta(microseconds=1)), signal(2, known=midnight)
    late = signal(3, known=midnight - timedelta(hours=1))
    ports.signals.put([before], midnight - timedelta(microseconds=1))
    ports.signals.put([after, late], midnight + timedelta(hours=2))
    assert list(ports.signals.of_day("AAPL", "20261130")) == [late, before]
    assert list(ports.signals.of_day("AAPL", "20261201")) == [after]
    assert [ports.signals.get(one.signal_id) for one in (before, after, late)] == [before, after, late]


@pytest.mark.req("D1")
def test_imported_history_lies_in_the_month_it_arrived_in(ports: Ports) -> None:
    old = signal(1, known=datetime(2014, 1, 2, 15, tzinfo=UTC))
    ports.signals.put([old], NOON)
    assert list(ports.signals.of_day("AAPL", "20140102")) == [old]
    assert ports.signals.get(old.signal_id) == old


@pytest.mark.req("D1")
def test_a_signal_goes_to_the_table_of_its_month(service_ports: ServicePorts) -> None:
    december = datetime(2026, 12, 1, tzinfo=UTC)
    service_ports.signals.put([signal(1)], NOON)
    service_ports.signals.put([signal(2)], december)
    dynamodb = service_ports.make.clients.dynamodb()
    for month, number in (("202611", 1), ("202612", 2)):
        (row,) = dynamodb.scan(TableName=f"{service_ports.prefix}{month}")["Items"]
        assert row["pk"] == {"S": f"AAPL#{DAY}"}
        assert row["sk"] == {"S": sort_key(signal(number))}


@pytest.mark.req("D1")
def test_a_month_without_a_table_loses_nothing(service_ports: ServicePorts) -> None:
    january = datetime(2027, 1, 5, tzinfo=UTC)
    early, late = signal(1, known=january), signal(2, known=january + timedelta(hours=1))
    service_ports.signals.put([early], january)
    assert list(service_ports.signals.of_day("AAPL", "20270105")) == [early]
    assert service_ports.counts.totals() == {f'{MISPLACED}{{month="202701"}}': 1.0}

    dynamodb = service_ports.make.clients.dynamodb()
    dynamodb.create_table(**definition(f"{service_ports.prefix}202701"))
    fresh = DynamoSignalStore(dynamodb, service_ports.prefix)
    fresh.put([late], january)
    assert list(fresh.of_day("AAPL", "20270105")) == [early, late]
    assert fresh.get(early.signal_id) == early


@pytest.mark.req("D1")
def test_a_retired_month_is_passed_over(service_ports: ServicePorts) -> None:
    october = signal(1, known=datetime(2026, 10, 5, tzinfo=UTC))
    service_ports.signals.put([signal(2)], NOON)
    service_ports.make.clients.dynamodb().delete_table(TableName=f"{service_ports.prefix}202610")
    assert list(service_ports.signals.of_day("AAPL", DAY)) == [signal(2)], "listed a moment ago, gone now"
    assert service_ports.signals.get(october.signal_id) is None
    service_ports.signals.put([october], october.observed_time)
    assert list(service_ports.signals.of_day("AAPL", "20261005")) == [october]


@pytest.mark.req("D1")
def test_a_table_made_a_moment_ago_is_written_to_at_once(service_ports: ServicePorts) -> None:
    january = datetime(2027, 1, 5, tzinfo=UTC)
    service_ports.signals.put([signal(1)], NOON)
    dynamodb = service_ports.make.clients.dynamodb()
    dynamodb.create_table(**definition(f"{service_ports.prefix}202701"))
    service_ports.signals.put([signal(2, known=january)], january)
    assert dynamodb.scan(TableName=f"{service_ports.prefix}202701")["Count"] == 1


class ListedTables:
    """A service with more tables than one answer lists."""

    def list_tables(self, ExclusiveStartTableName: str = "") -> dict[str, Any]:  # noqa: N803
        names = ["other_202601", "s_20260", "s_202602", "s_202601", "s_abcdef", "s_202603", "s_2026011"]
        start = names.index(ExclusiveStartTableName) + 1 if ExclusiveStartTableName else 0
        page = names[start : start + 2]
        more = {"LastEvaluatedTableName": page[-1]} if start + 2 < len(names) else {}
        return {"TableNames": page, **more}


def test_only_tables_of_the_family_count_however_many_there_are() -> None:
    tables = SignalTables(ListedTables(), "s_")  # type: ignore[arg-type]
    assert tables.months() == ("202601", "202602", "202603")
    assert tables.to_read("202602") == ["202601", "202602", "202603"]
    assert tables.to_read("202701") == ["202603"]
    assert tables.to_read("201401") == ["202601", "202602", "202603"]
    assert tables.to_write("202602") == "202602"
    assert tables.to_write("202612") == "202603"
    assert tables.to_write("202603", frozenset({"202603"})) == "202602"


def test_without_any_table_the_store_is_unavailable(service_ports: ServicePorts) -> None:
    store = service_ports.make.signals("nobody-made-these_")
    assert list(store.of_day("AAPL", DAY)) == []
    with pytest.raises(Unavailable):
        store.put([signal()], NOON)


def test_which_tables_exist_is_believed_for_a_minute(service_ports: ServicePorts) -> None:
    seconds = 1000.0
    dynamodb = service_ports.make.clients.dynamodb()
    tables = SignalTables(dynamodb, service_ports.prefix, lambda: seconds)
    assert tables.months() == ("202610", "202611", "202612")
    dynamodb.create_table(**definition(f"{service_ports.prefix}202701"))
    seconds += 60
    assert "202701" not in tables.months()
    seconds += 1
    assert "202701" in tables.months()


def test_states_are_written_once_per_batch(ports: Ports) -> None:
    pairs = [(f"A{number}", DAY) for number in range(130)]
    states = [state(asset) for asset, _ in pairs]
    assert ports.states.apply("b1", states) == set()
    assert ports.states.get([*pairs, ("none", DAY)]) == dict(zip(pairs, states, strict=True))
    assert ports.states.applied("b1", [*pairs, ("none", DAY)]) == set(pairs)
    assert ports.states.applied("b2", pairs) == set()

    redelivered = [state(asset, version=2, items=99) for asset, _ in pairs]
    assert ports.states.apply("b1", redelivered) == set(), "a batch that was applied is done"
    assert ports.states.get(pairs[:1])[pairs[0]].items == 1


def test_a_state_that_lost_its_race_is_told_and_the_others_are_written(ports: Ports) -> None:
    ports.states.apply("b1", [state("A"), state("B")])
    ports.states.apply("b2", [state("C")])
    lost = ports.states.apply(
        "b2", [state("A"), state("B", version=2, items=5), state("C", version=2), state("D", version=3)]
    )
    assert lost == {("A", DAY), ("D", DAY)}
    assert ports.states.applied("b2", [(asset, DAY) for asset in "ABCD"]) == {("B", DAY), ("C", DAY)}
    assert ports.states.get([("B", DAY)])[("B", DAY)].items == 5
    assert ports.states.get([("C", DAY)])[("C", DAY)].version == 1, "C was applied before, so nothing changed"


def test_no_states_are_no_work(ports: Ports) -> None:
    assert ports.states.apply("b1", []) == set()
    assert ports.states.get([]) == {}
    assert ports.states.applied("b1", []) == set()
    assert ports.states.days("AAPL", "20260101", "20261231") == []


def test_days_of_an_asset_ascend_and_both_ends_count(ports: Ports) -> None:
    days = ["20261030", "20261031", "20261101", "20261102"]
    ports.states.apply("b1", [state(day=day) for day in reversed(days)] + [state("MSFT", days[1])])
    assert [one.day for one in ports.states.days("AAPL", days[1], days[2])] == days[1:3]
    assert ports.states.days("AAPL", days[2], days[1]) == []


def test_racing_batches_each_count_once(ports: Ports) -> None:
    """Six batches add to the same four states, each delivered twice at the same time."""
    keys = [(asset, DAY) for asset in ("A", "B", "C", "D")]

    def work(batch_id: str) -> None:
        waiting = set(keys) - ports.states.applied(batch_id, keys)
        while waiting:
            now = ports.states.get(list(waiting))
            new = [
                replace(now[key], version=now[key].version + 1, items=now[key].items + 1)
                if key in now
                else state(*key)
                for key in sorted(waiting)
            ]
            waiting = ports.states.apply(batch_id, new)

    at_once([partial(work, f"b{number % 6}") for number in range(12)])
    assert {(one.items, one.version) for one in ports.states.get(keys).values()} == {(6, 6)}


def test_states_opened_for_reading_do_not_pretend_to_write(service_ports: ServicePorts) -> None:
    reading = service_ports.make.asset_states(service_ports.table("asset_state"))
    assert reading.days("AAPL", DAY, DAY) == []
    with pytest.raises(ValueError, match="reading only"):
        reading.apply("b1", [state()])


def score_line(as_of: datetime, number: int = 0) -> bytes:
    return msgspec.json.encode({"score_id": f"sc{number}", "as_of": as_of, "p_up": 0.1 + 0.2, "why": "↑"})


@pytest.mark.req("D5")
def test_scores_between_two_instants(ports: Ports) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    times = [midnight + timedelta(minutes=minutes) for minutes in (-1, 0, 1, 24 * 60)]
    lines = [score_line(at, number) for number, at in enumerate(times)]
    ports.forecasts.keep([b"gone"], "features/scores/2026/12/01/AAPL-1.ndjson")
    ports.forecasts.keep(lines[1:3], "features/scores/2026/12/01/AAPL-1.ndjson")
    ports.forecasts.keep(lines[:1], "2026/11/30/AAPL-1.ndjson")
    ports.forecasts.keep(lines[3:], "features/scores/2026/12/02/AAPL-1.ndjson")
    ports.forecasts.keep([], "features/scores/2026/12/02/MSFT-1.ndjson")
    assert list(ports.forecasts.between(times[0], times[1])) == lines[:2]
    assert list(ports.forecasts.between(times[1], times[3])) == lines[1:]
    assert list(ports.forecasts.between(times[3] + timedelta(seconds=1), times[3] + timedelta(days=9))) == []
