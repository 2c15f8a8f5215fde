"""What the one port answers itself: closed until recovered, and a handshake as API Gateway has it."""

import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from bellwether.desk.engine_side.front import FrontDoor
from bellwether.desk.engine_side.routes import RoutesFile
from bellwether.desk.engine_side.site import Site
from bellwether.desk.engine_side.types import Message
from bellwether.desk.home import write_private

HOST = (b"host", b"127.0.0.1:4566")


def finished(work: Coroutine[Any, Any, None]) -> None:
    """Runs what waits for nothing but fakes."""
    with pytest.raises(StopIteration):
        work.send(None)


class Engine:
    """An engine that says what it is told to and remembers which paths it was asked."""

    def __init__(self, *says: dict[str, Any]) -> None:
        self.says = says
        self.asked: list[str] = []

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        for message in self.says:
            await send(message)


async def no_control(_scope: Any, _send: Any) -> bool:
    return False


def answers(engine: Engine, path: str, tmp_path: Path, *, kind: str = "http", **more: Any) -> list[Any]:
    target = {"api_id": "abc", "stage": "v1"}
    write_private(tmp_path / "routes.json", {"rest": target, "socket": target})
    routes = RoutesFile(tmp_path / "routes.json")
    door = FrontDoor(
        engine, routes=routes, site=Site(None), control=no_control, closed=more.pop("closed", False)
    )
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request" if kind == "http" else "websocket.connect", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": kind, "path": path, "method": "POST", "headers": [HOST], "query_string": b"", **more}
    finished(door(scope, receive, send))
    return sent


@pytest.mark.req("C4")
def test_until_what_a_kill_interrupted_is_back_nothing_is_decided_on_old_tables(tmp_path: Path) -> None:
    engine = Engine()
    for path in ("/v1/decision", "/v1/ingest/social", "/v1/propose", "/v1/dashboard/summary"):
        start, body = answers(engine, path, tmp_path, closed=True)
        assert start["status"] == 503
        assert (b"retry-after", b"2") in start["headers"]
        assert b"brought back" in body["body"]
    (refused,) = answers(engine, "/ws", tmp_path, kind="websocket", closed=True)
    assert refused["type"] == "websocket.close"
    assert engine.asked == []
    answers(engine, "/v1/health", tmp_path, closed=True)
    answers(engine, "/v1/decision", tmp_path)
    assert engine.asked == [f"/restapis/abc/v1/_user_request_{path}" for path in ("/health", "/decision")]


@pytest.mark.parametrize(("said", "told"), [(500, 401), (401, 401), (403, 403)])
def test_a_socket_without_a_good_token_is_unauthorized(tmp_path: Path, said: int, told: int) -> None:
    engine = Engine(
        {"type": "websocket.http.response.start", "status": said, "headers": []},
        {"type": "websocket.http.response.body", "body": b'{"message": "as the engine says"}'},
    )
    start, body = answers(engine, "/ws", tmp_path, kind="websocket")
    assert start["status"] == told
    assert body["body"] == (
        b'{"message":"Unauthorized"}' if said == 500 else b'{"message": "as the engine says"}'
    )


def test_a_socket_that_is_accepted_names_a_subprotocol_it_was_offered(tmp_path: Path) -> None:
    engine = Engine({"type": "websocket.accept"})
    (accepted,) = answers(engine, "/ws", tmp_path, kind="websocket", subprotocols=["bellwether", "a.b.c"])
    assert accepted["subprotocol"] == "bellwether"


def said(status: int, kind: bytes, *bodies: bytes) -> list[dict[str, Any]]:
    start = {"type": "http.response.start", "status": status, "headers": [(b"Content-Type", kind)]}
    parts = [{"type": "http.response.body", "body": body, "more_body": True} for body in bodies[:-1]]
    return [start, *parts, {"type": "http.response.body", "body": bodies[-1]}]


@pytest.mark.req("A1")
@pytest.mark.parametrize(("status", "words"), [(429, "at once"), (502, "bellwether logs"), (500, "--engine")])
def test_a_fault_of_the_engine_is_told_in_the_desks_own_words(
    tmp_path: Path, status: int, words: str
) -> None:
    engine = Engine(*said(status, b"application/json", b'{"__type": "Too', b'Many", "message": "FunctionX"}'))
    start, body = answers(engine, "/v1/score", tmp_path)
    assert start["status"] == status
    assert (b"content-type", b"application/problem+json") in start["headers"]
    document = json.loads(body["body"])
    assert document["status"] == status
    assert words in document["detail"]
    assert "FunctionX" not in str(document)


@pytest.mark.parametrize(
    ("status", "kind"), [(200, b"application/json"), (404, b"text/plain"), (503, b"application/problem+json")]
)
def test_whatever_the_product_says_passes_as_it_comes(tmp_path: Path, status: int, kind: bytes) -> None:
    messages = said(status, kind, b"one", b"two")
    assert answers(Engine(*messages), "/v1/score", tmp_path) == messages
