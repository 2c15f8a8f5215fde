"""Records of providers: replaced under their version, by whoever comes first."""

from functools import partial

from bellwether.domain.provider_record import ProviderRecord
from tests.contract.conftest import Ports, at_once
from tests.contract.records import NOON


def test_a_provider_nobody_called_has_a_new_record(ports: Ports) -> None:
    assert ports.providers.get("x") == ProviderRecord(name="x")
    assert ports.providers.all() == []


def test_a_record_is_read_as_it_was_written(ports: Ports) -> None:
    record = ProviderRecord(
        name="x",
        version=1,
        arrivals={"450/900s": NOON},
        not_before=NOON,
        failures=3,
        state="failing",
        code="http_503",
        detail="„X“ answered 503",
        lag_seconds=1.25,
        day="20261126",
        dollars_today=0.1 + 0.2,
    )
    assert ports.providers.put(record)
    assert ports.providers.get("x") == record


def test_a_record_follows_the_version_before_it_or_is_not_written(ports: Ports) -> None:
    first = ProviderRecord(name="x", version=1)
    assert not ports.providers.put(ProviderRecord(name="x", version=2))
    assert ports.providers.put(first)
    assert not ports.providers.put(ProviderRecord(name="x", version=1, failures=1))
    assert not ports.providers.put(ProviderRecord(name="x", version=3))
    assert ports.providers.get("x") == first
    assert ports.providers.put(ProviderRecord(name="x", version=2, failures=2))
    assert ports.providers.get("x").failures == 2


def test_of_writers_at_the_same_time_one_wins(ports: Ports) -> None:
    tries = [ProviderRecord(name="x", version=1, failures=number) for number in range(8)]
    won = at_once([partial(ports.providers.put, record) for record in tries])
    assert sum(won) == 1
    assert ports.providers.get("x").failures == won.index(True)


def test_all_records_come_by_name_and_leave_the_counters_alone(ports: Ports) -> None:
    for name in ("x", "gdelt", "reddit"):
        assert ports.providers.put(ProviderRecord(name=name, version=1))
    ports.counts.add({"bellwether_items_total": 1.0})
    assert [record.name for record in ports.providers.all()] == ["gdelt", "reddit", "x"]
    assert ports.counts.totals() == {"bellwether_items_total": 1.0}
