"""The WebSocket API's routes: who is connected, and what each wants to hear.

`$connect?topics=signals,proposals` or the message `{"action": "subscribe", "topics": […]}` name the types of
change wanted; without topics everything is sent. Every answer goes through the connection itself, as a
message like those of a change: `{type, id, at, data}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from bellwether.adapters.composition import Composition
from bellwether.domain.problems import InvalidInput, Problem
from bellwether.handlers.api_function import Composed
from bellwether.handlers.clock import now
from bellwether.handlers.logs import begin, describe_fault, logger
from bellwether.handlers.request import decode, user_of
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock, Connection, Connections, Sockets

LARGEST_MESSAGE = 8_192
MOST_TOPICS = 32
SUBPROTOCOL = "bellwether"
_TOPIC = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    connections_table: str
    socket_endpoint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    connections: Connections
    sockets: Sockets
    clock: Clock = now


class Message(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client may say. Topics replace those before; no topics mean everything."""

    action: Literal["subscribe", "ping"]
    topics: Annotated[list[str], Meta(max_length=MOST_TOPICS)] = []


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        connections=make.connections(settings.connections_table),
        sockets=make.sockets(settings.socket_endpoint),
    )


def serve(event: Mapping[str, Any], parts: Parts) -> dict[str, Any]:
    """Handles one event of any route; raises `Problem`."""
    context = event["requestContext"]
    connection_id = str(context["connectionId"])
    if context.get("eventType") == "CONNECT":
        return connect(event, connection_id, parts)
    if context.get("eventType") == "DISCONNECT":
        parts.connections.remove(connection_id)
        return {"statusCode": 200}
    try:
        reply = hear(str(event.get("body") or ""), connection_id, parts)
    except InvalidInput as problem:
        reply = told("error", parts.clock(), code=problem.code, detail=problem.detail, path=problem.path)
    parts.sockets.send(connection_id, reply)
    return {"statusCode": 200}


def connect(event: Mapping[str, Any], connection_id: str, parts: Parts) -> dict[str, Any]:
    user = user_of(event)
    user.require("read")
    wanted = (event.get("queryStringParameters") or {}).get("topics") or ""
    topics = checked_topics([part.strip() for part in str(wanted).split(",") if part.strip()])
    parts.connections.put(
        Connection(
            connection_id=connection_id, username=user.username, connected_at=parts.clock(), topics=topics
        )
    )
    headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
    offered = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",") if part.strip()]
    # a browser drops a connection that picks none of the subprotocols it offered
    chosen = SUBPROTOCOL if SUBPROTOCOL in offered else next(iter(offered), None)
    return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": chosen} if chosen else {}}


def hear(body: str, connection_id: str, parts: Parts) -> bytes:
    """The reply to a client's message. Raises `InvalidInput`."""
    content = body.encode("utf-8", errors="replace")
    if len(content) > LARGEST_MESSAGE:
        raise InvalidInput(f"A message holds at most {LARGEST_MESSAGE} bytes.")
    message = decode(content, Message)
    if message.action == "ping":
        return told("pong", parts.clock())
    topics = checked_topics(message.topics)
    if not parts.connections.subscribe(connection_id, topics):
        raise InvalidInput("The connection is not known any more; connect again.")
    return told("subscribed", parts.clock(), topics=list(topics))


def checked_topics(topics: list[str]) -> tuple[str, ...]:
    if len(topics) > MOST_TOPICS or not all(_TOPIC.fullmatch(topic) for topic in topics):
        raise InvalidInput(f"Topics are at most {MOST_TOPICS} types of change.", path="$.topics")
    return tuple(dict.fromkeys(topics))


def told(kind: str, at: datetime, **data: Any) -> bytes:
    """A message of the socket's own, shaped like a change, without an id to resume from."""
    return msgspec.json.encode({"type": kind, "id": None, "at": at, "data": data})


class SocketFunction(Composed[Settings, Parts]):
    """The Lambda handler."""

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return self.answer(event, context, self.parts)

    def answer(self, event: Mapping[str, Any], _context: Any, parts: Parts) -> dict[str, Any]:
        """Answers one event with the parts given; a failure is a status and no text."""
        route = (event.get("requestContext") or {}).get("routeKey")
        begin("socket", (event.get("requestContext") or {}).get("requestId"))
        try:
            answer = serve(event, parts)
        except Problem as problem:
            answer = {"statusCode": problem.status}
        except Exception as fault:  # noqa: BLE001  whatever it is, its text must not reach the client
            logger.error("failed", route=route, **describe_fault(fault))
            answer = {"statusCode": 500}
        logger.info("answered", route=route, status=answer["statusCode"])
        return answer


handler = SocketFunction(Settings, compose)
