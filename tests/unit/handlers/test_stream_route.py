"""`GET /dashboard/stream`: server-sent events that a browser can resume."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.domain.ids import ulid
from bellwether.handlers.stream import Parts, handler
from bellwether.usecases.ports import Change
from tests.unit.handlers.events import Context, rest_event

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def read(ports: MemoryPorts, **more: Any) -> dict[str, Any]:
    event = rest_event("GET", "/dashboard/stream", roles="viewer", **more)
    return handler.serve(event, Context(), lambda: Parts(changes=ports.changes))


def events(body: str) -> list[dict[str, str]]:
    """What a browser's parser makes of the body: blocks of `field: value` lines, comments left out."""
    blocks = [block for block in body.split("\n\n") if block]
    parsed = [dict(line.split(": ", 1) for line in b.split("\n") if not line.startswith(":")) for b in blocks]
    return [block for block in parsed if block]


@pytest.mark.req("A10")
def test_a_stream_is_read_from_its_end_and_resumed_after_the_last_id(ports: MemoryPorts) -> None:
    ids = [ulid(NOW + timedelta(seconds=n), bytes(10)) for n in range(4)]
    changes = [
        Change(id=name, type="signals", at=NOW, data={"n": n, "text": "two\nlines"})
        for n, name in enumerate(ids)
    ]
    ports.changes.publish(changes[:3])
    first = read(ports)
    assert first["statusCode"] == 200
    assert first["headers"]["Content-Type"].startswith("text/event-stream")
    retry, *told = events(first["body"])
    assert retry == {"retry": "3000"}
    assert [event["id"] for event in told] == ids[:3]
    assert {event["event"] for event in told} == {"signals"}
    data = json.loads(told[0]["data"])
    assert (data["type"], data["id"], data["data"]) == ("signals", ids[0], {"n": 0, "text": "two\nlines"})

    ports.changes.publish(changes[3:])
    for more in ({"headers": {"Last-Event-ID": ids[2]}}, {"query": {"last_event_id": ids[2]}}):
        assert [event["id"] for event in events(read(ports, **more)["body"])[1:]] == ids[3:]
    nothing = read(ports, headers={"Last-Event-ID": ids[3]})["body"]
    assert events(nothing) == [{"retry": "3000"}]
    assert "\n: " in nothing


@pytest.mark.req("A10")
def test_an_id_that_is_none_is_refused(ports: MemoryPorts) -> None:
    for wrong in ("42", "' OR 1=1", "01ARZ3NDEKTSV4RRFFQ69G5FAVX", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"):
        assert read(ports, headers={"Last-Event-ID": wrong})["statusCode"] == 400
    assert read(ports, headers={"Last-Event-ID": ""})["statusCode"] == 200


def test_a_type_cannot_break_out_of_its_line(ports: MemoryPorts) -> None:
    name = ulid(NOW, bytes(10))
    ports.changes.publish([Change(id=name, type="a\ndata: forged\n\nid: 1", at=NOW, data={})])
    told = events(read(ports)["body"])[1:]
    assert len(told) == 1
    assert told[0]["id"] == name
