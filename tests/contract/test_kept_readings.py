"""Readings of a language model that were paid for: kept for a month, found by what was read."""

from datetime import UTC, datetime, timedelta

import pytest

from bellwether.adapters.aws.kept_readings import KEPT, DynamoKeptReadings
from bellwether.adapters.aws.tables import Table
from bellwether.agents.readings import Reading
from tests.contract.conftest import Ports, ServicePorts

MANY = {f"{n:064x}": Reading(raw=n / 250 - 1, quality=0.7, rationale=f"reason {n}") for n in range(251)}


def test_readings_are_found_by_their_keys_and_others_are_not_there(ports: Ports) -> None:
    ports.readings.put(MANY)
    assert ports.readings.get([*MANY, "f" * 64, *MANY]) == MANY
    assert ports.readings.get([]) == {}


def test_an_abstention_is_kept_as_one_and_the_last_word_holds(ports: Ports) -> None:
    (key, first), *_ = MANY.items()
    ports.readings.put({key: first})
    ports.readings.put({key: Reading(abstained="nothing in it")})
    assert ports.readings.get([key]) == {key: Reading(abstained="nothing in it")}
    ports.readings.put({})


@pytest.mark.req("X1")
def test_a_row_past_its_month_is_not_believed_and_says_when_it_goes(service_ports: ServicePorts) -> None:
    table = service_ports.table("claims")
    dynamodb = service_ports.make.clients.dynamodb()
    at = datetime(2026, 11, 23, tzinfo=UTC)
    DynamoKeptReadings(dynamodb, table, lambda: at).put(dict(list(MANY.items())[:1]))
    (key,) = list(MANY)[:1]
    row = Table(dynamodb, table).get({"pk": f"reading#{key}"})
    assert row is not None
    assert row["expires"] == int((at + KEPT).timestamp())
    just_before = at + KEPT - timedelta(seconds=1)
    assert DynamoKeptReadings(dynamodb, table, lambda: just_before).get([key])
    assert DynamoKeptReadings(dynamodb, table, lambda: at + KEPT).get([key]) == {}


def test_a_damaged_row_is_as_if_it_were_not_there(service_ports: ServicePorts) -> None:
    table = Table(service_ports.make.clients.dynamodb(), service_ports.table("claims"))
    for key, told in (("a", "{"), ("b", '{"raw": 0.1, "quality": 7}')):
        table.put({"pk": f"reading#{key}", "reading": told, "expires": 10**10})
    table.put({"pk": "reading#c", "expires": 10**10})
    assert service_ports.readings.get(["a", "b", "c"]) == {}
