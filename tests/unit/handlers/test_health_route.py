"""`GET /health`: what it says of parts that answer, fail, hang, or hold dead letters."""

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from bellwether.adapters.memory import MemoryProviderRecords
from bellwether.domain.problems import Unavailable
from bellwether.domain.provider_record import ProviderRecord, switched_off
from bellwether.handlers import health
from bellwether.handlers.health import Parts, Probe, active, handler
from tests.unit.handlers.events import Context, rest_event


def asked(parts: Parts) -> tuple[int, dict[str, Any]]:
    response = handler.serve(rest_event("GET", "/health", roles=None), Context(), lambda: parts)
    return response["statusCode"], json.loads(response["body"])


def away() -> None:
    raise Unavailable("bellwether-events-1234: ResourceNotFoundException")


def parts_of(probes: Mapping[str, Probe], **more: Any) -> Parts:
    return Parts(records=MemoryProviderRecords(), probes=probes, **more)


@pytest.mark.req("A11")
def test_health_is_public_and_names_each_part() -> None:
    status, told = asked(parts_of({"lake": lambda: None, "ingest_queue": lambda: 7}))
    assert (status, told["status"]) == (200, "ok")
    assert told["dependencies"]["lake"]["state"] == "ok"
    assert told["dependencies"]["ingest_queue"]["messages"] == 7
    assert all(part["milliseconds"] >= 0 for part in told["dependencies"].values())


@pytest.mark.req("A11")
def test_one_part_that_fails_is_a_503_that_names_no_resource() -> None:
    status, told = asked(parts_of({"lake": lambda: None, "events": away}))
    assert (status, told["status"]) == (503, "down")
    assert told["dependencies"]["events"]["state"] == "down"
    assert told["dependencies"]["lake"]["state"] == "ok"
    assert "1234" not in json.dumps(told)


@pytest.mark.req("A11")
def test_a_part_that_hangs_is_down_and_does_not_hang_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    release = threading.Event()

    def hang() -> None:
        release.wait(20)

    status, told = asked(parts_of({"ledger": hang, "lake": lambda: None}))
    release.set()
    assert status == 503
    assert told["dependencies"]["ledger"]["state"] == "down"
    assert told["dependencies"]["lake"]["state"] == "ok"


@pytest.mark.req("A11", "B4")
def test_dead_letters_make_someone_look_and_do_not_make_the_desk_unhealthy() -> None:
    probes: dict[str, Probe] = {"ingest_dead_letters": lambda: 2, "decisions_dead_letters": lambda: 0}
    status, told = asked(parts_of(probes))
    assert status == 200
    assert told["dependencies"]["ingest_dead_letters"] | {"milliseconds": 0} == {
        "state": "attention",
        "milliseconds": 0,
        "messages": 2,
    }
    assert told["dependencies"]["decisions_dead_letters"]["state"] == "ok"


@pytest.mark.req("A11")
def test_a_finding_serves_everybody_for_five_seconds() -> None:
    calls: list[float] = []
    seconds = [0.0]

    def probe() -> None:
        calls.append(seconds[0])

    parts = parts_of({"lake": probe}, ticks=lambda: seconds[0])
    for at in (0.0, 1.0, 4.9, 5.5, 6.0):
        seconds[0] = at
        asked(parts)
    assert calls == [0.0, 5.5]


def test_a_table_that_is_being_made_is_not_in_service() -> None:
    active("ACTIVE")
    active("UPDATING")
    with pytest.raises(Unavailable):
        active("CREATING")


@pytest.mark.req("A11", "S2")
def test_a_provider_without_a_key_is_one_clear_line_and_no_failure() -> None:
    records = MemoryProviderRecords()
    off = switched_off(ProviderRecord(name="x"), "no_key", "no key; bellwether secrets set x bearer_token")
    assert records.put(replace(off, version=1))
    status, told = asked(Parts(records=records, probes={"events": lambda: None}))
    assert (status, told["status"]) == (200, "ok")
    assert told["providers"] == {
        "x": {"state": "off", "line": "off: no key; bellwether secrets set x bearer_token"}
    }


@pytest.mark.req("A11")
def test_providers_records_that_do_not_answer_cost_nobody_the_answer() -> None:
    class AwayRecords(MemoryProviderRecords):
        def all(self) -> list[ProviderRecord]:
            raise Unavailable("away")

    status, told = asked(Parts(records=AwayRecords(), probes={"events": lambda: None}))
    assert (status, told["providers"]) == (200, {})
    status, told = asked(Parts(records=AwayRecords(), probes={"events": away}))
    assert (status, told["providers"]) == (503, {})
