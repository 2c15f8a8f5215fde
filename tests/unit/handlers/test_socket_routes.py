"""The WebSocket's routes and the broadcast: who hears what, and who is forgotten."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.domain.ids import ulid
from bellwether.domain.problems import Unavailable
from bellwether.handlers import broadcast as broadcasting
from bellwether.handlers import socket
from bellwether.usecases.ports import Change, Connection
from tests.unit.handlers.events import Context, connect_event, disconnect_event, message_event, stream_event

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
ME = "L0SM9cOFvHcCIhw="


class Desk:
    """Both functions on the same ports in memory."""

    def __init__(self, ports: MemoryPorts) -> None:
        self.ports = ports
        self.parts = socket.Parts(connections=ports.connections, sockets=ports.sockets, clock=lambda: NOW)

    def route(self, event: dict[str, Any]) -> dict[str, Any]:
        return socket.handler.answer(event, Context(), self.parts)

    def say(self, text: str) -> dict[str, Any]:
        """Sends a message and gives the reply."""
        assert self.route(message_event(text)) == {"statusCode": 200}
        connection_id, reply = self.ports.sockets.sent[-1]
        assert connection_id == ME
        told: dict[str, Any] = json.loads(reply)
        assert set(told) == {"type", "id", "at", "data"}
        return told

    def broadcast(self, event: dict[str, Any]) -> list[str]:
        """Broadcasts and gives the sequence numbers to be repeated."""
        parts = broadcasting.Parts(connections=self.ports.connections, sockets=self.ports.sockets)
        failures = broadcasting.broadcast(event, parts)["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in failures]


@pytest.fixture
def desk(ports: MemoryPorts) -> Desk:
    return Desk(ports)


def change(number: int, kind: str = "signals") -> Change:
    return Change(id=ulid(NOW, number.to_bytes(10, "big")), type=kind, at=NOW, data={"n": number})


def image(change: Change) -> dict[str, Any]:
    return {
        "day": {"S": "20261123"},
        "id": {"S": change.id},
        "body": {"S": msgspec.json.encode(change).decode()},
        "expires": {"N": "1800000000"},
    }


def connection(name: str, *topics: str) -> Connection:
    return Connection(connection_id=name, username=f"user-{name}", connected_at=NOW, topics=topics)


@pytest.mark.req("A13")
def test_a_connection_is_known_from_its_beginning_to_its_end(desk: Desk) -> None:
    assert desk.route(connect_event(query={"topics": "signals, score"}))["statusCode"] == 200
    (known,) = desk.ports.connections.all()
    assert (known.username, known.topics) == ("5e6f-viewer", ("signals", "score"))
    assert desk.route(disconnect_event())["statusCode"] == 200
    assert desk.ports.connections.all() == []
    assert desk.route(disconnect_event())["statusCode"] == 200


@pytest.mark.req("A13", "U3")
def test_connecting_needs_the_right_to_read(desk: Desk) -> None:
    assert desk.route(connect_event(roles="machine"))["statusCode"] == 403
    event = connect_event()
    del event["requestContext"]["authorizer"]
    assert desk.route(event)["statusCode"] == 401
    assert desk.ports.connections.all() == []


@pytest.mark.req("A13")
def test_one_of_the_offered_subprotocols_is_picked_and_never_the_token_beside_ours(desk: Desk) -> None:
    def picked(offered: str) -> str | None:
        answer = desk.route(connect_event(headers={"Sec-WebSocket-Protocol": offered}))
        found: str | None = answer["headers"].get("Sec-WebSocket-Protocol")
        return found

    assert picked("bellwether, a.b.c") == "bellwether"
    assert picked("a.b.c,bellwether") == "bellwether"
    assert picked("") is None


@pytest.mark.req("A13")
def test_a_client_chooses_what_it_hears(desk: Desk) -> None:
    desk.route(connect_event())
    assert desk.say('{"action": "ping"}')["type"] == "pong"
    told = desk.say('{"action": "subscribe", "topics": ["signals", "signals", "decision"]}')
    assert (told["type"], told["data"]) == ("subscribed", {"topics": ["signals", "decision"]})
    assert desk.ports.connections.all()[0].topics == ("signals", "decision")
    desk.say('{"action": "subscribe"}')
    assert desk.ports.connections.all()[0].topics == ()


@pytest.mark.req("A13")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        '{"action": "format-disk"}',
        '{"action": "subscribe", "topics": ["UPPER CASE"]}',
        '{"action": "subscribe", "topics": 7}',
        '{"action": "ping", "surprise": 1}',
        json.dumps({"action": "subscribe", "topics": ["t"] * 33}),
        '{"action": "ping", "x": "' + "y" * 9_000 + '"}',
    ],
)
def test_what_cannot_be_understood_is_answered_with_an_error(desk: Desk, text: str) -> None:
    desk.route(connect_event())
    told = desk.say(text)
    assert told["type"] == "error"
    assert told["data"]["code"] == "invalid_input"


@pytest.mark.req("A13")
def test_a_failure_inside_tells_the_client_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_connection: Connection) -> None:
        raise RuntimeError("table bellwether-connections is on fire")

    monkeypatch.setattr(desk.ports.connections, "put", broken)
    assert desk.route(connect_event()) == {"statusCode": 500}
    assert desk.route(connect_event(query={"topics": "NOT A TOPIC"})) == {"statusCode": 400}


@pytest.mark.req("A13")
def test_each_connection_gets_what_it_wants_in_order(desk: Desk) -> None:
    for known in (connection("all"), connection("some", "signals"), connection("other", "decision")):
        desk.ports.connections.put(known)
    changes = [change(1), change(2, "score"), change(3)]
    assert desk.broadcast(stream_event(*map(image, changes))) == []
    heard: dict[str, list[str]] = {}
    for name, message in desk.ports.sockets.sent:
        told = json.loads(message)
        assert set(told) == {"type", "id", "at", "data"}
        heard.setdefault(name, []).append(told["id"])
    assert heard == {"all": [c.id for c in changes], "some": [changes[0].id, changes[2].id]}


@pytest.mark.req("A13")
def test_who_is_gone_is_forgotten_and_the_others_hear(desk: Desk) -> None:
    desk.ports.connections.put(connection("gone"))
    desk.ports.connections.put(connection("here"))
    desk.ports.sockets.gone.add("gone")
    assert desk.broadcast(stream_event(image(change(1)))) == []
    assert [c.connection_id for c in desk.ports.connections.all()] == ["here"]
    assert [name for name, _ in desk.ports.sockets.sent] == ["here"]


@pytest.mark.req("A13")
def test_counters_changed_rows_and_broken_rows_are_not_broadcast(desk: Desk) -> None:
    desk.ports.connections.put(connection("here"))
    counter = {"day": {"S": "counters"}, "id": {"S": "bellwether_items_total"}, "total": {"N": "5"}}
    assert desk.broadcast(stream_event(counter, image(change(1)) | {"body": {"S": "{"}})) == []
    assert desk.broadcast(stream_event(image(change(1)), event_name="MODIFY")) == []
    assert desk.broadcast(stream_event(image(change(1)), event_name="REMOVE")) == []
    assert desk.broadcast({"Records": []}) == []
    assert desk.ports.sockets.sent == []


@pytest.mark.req("A13")
def test_only_when_nobody_was_reached_is_the_stream_asked_to_repeat(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ports.connections.put(connection("one"))
    desk.ports.connections.put(connection("two"))
    event = stream_event({"day": {"S": "counters"}}, image(change(1)), image(change(2)))
    reached: set[str] = set()

    def send(connection_id: str, _message: bytes) -> bool:
        if connection_id not in reached:
            raise Unavailable("the API does not answer")
        return True

    monkeypatch.setattr(desk.ports.sockets, "send", send)
    assert desk.broadcast(event) == ["101"]
    reached.add("two")
    assert desk.broadcast(event) == []
    assert len(desk.ports.connections.all()) == 2
