"""Sends what is new in the events table to every WebSocket connection that wants it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from bellwether.adapters.aws.feed import COUNTERS, change_of
from bellwether.adapters.composition import Composition
from bellwether.adapters.correlation import ATTRIBUTE, fit
from bellwether.domain.problems import Problem
from bellwether.handlers.api_function import Composed
from bellwether.handlers.logs import begin, describe_fault, logger
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Change, Connection, Connections, Sockets

MOST_AT_ONCE = 16
MOST_CORRELATIONS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    connections_table: str
    socket_endpoint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    connections: Connections
    sockets: Sockets


class Delivery(Struct, frozen=True, kw_only=True):
    """What became of sending to one connection: `failed_at` is the position of the first change not sent."""

    sent: int
    gone: bool = False
    failed_at: int | None = None


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        connections=make.connections(settings.connections_table),
        sockets=make.sockets(settings.socket_endpoint),
    )


def broadcast(event: Mapping[str, Any], parts: Parts) -> dict[str, Any]:
    """Sends the changes of a stream batch, in order for each connection, connections side by side.

    A connection that is gone is forgotten. When nobody could be reached the stream repeats the batch from
    the first change that was not sent; a single connection that fails is not worth repeating to all others:
    it catches up by the stream's `Last-Event-ID`.
    """
    numbered = [(number, change) for number, change in changes_of(event) if change is not None]
    if not numbered:
        return report({}, [])
    connections = parts.connections.all()
    messages = [(change.type, msgspec.json.encode(change)) for _, change in numbered]
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        deliveries = list(pool.map(lambda c: deliver(c, messages, parts.sockets), connections))
    for connection, delivery in zip(connections, deliveries, strict=True):
        if delivery.gone:
            parts.connections.remove(connection.connection_id)
    failed = [d.failed_at for d in deliveries if d.failed_at is not None]
    nobody = bool(failed) and not any(delivery.sent for delivery in deliveries)
    figures = {
        "changes": len(numbered),
        "connections": len(connections),
        "sent": sum(delivery.sent for delivery in deliveries),
        "gone": sum(delivery.gone for delivery in deliveries),
        "failed": len(failed),
    }
    return report(figures, [numbered[min(failed)][0]] if nobody else [], correlations_of(event))


def deliver(connection: Connection, messages: Sequence[tuple[str, bytes]], sockets: Sockets) -> Delivery:
    sent = 0
    for position, (topic, message) in enumerate(messages):
        if not connection.wants(topic):
            continue
        try:
            if not sockets.send(connection.connection_id, message):
                return Delivery(sent=sent, gone=True)
            sent += 1
        except Problem as fault:
            logger.warning("a connection could not be reached", **describe_fault(fault))
            return Delivery(sent=sent, failed_at=position)
    return Delivery(sent=sent)


def changes_of(event: Mapping[str, Any]) -> list[tuple[str, Change | None]]:
    """Sequence number and change of each record; counters and rows that only changed or expired are none."""
    found = []
    for record in event.get("Records", []):
        stream = record.get("dynamodb") or {}
        image = stream.get("NewImage") if record.get("eventName") == "INSERT" else None
        found.append((str(stream.get("SequenceNumber")), change_in(image or {})))
    return found


def correlations_of(event: Mapping[str, Any]) -> list[str]:
    """The ids of what set off the changes, each once and at most as many as fit a line."""
    images = ((record.get("dynamodb") or {}).get("NewImage") or {} for record in event.get("Records", []))
    found = (fit((image.get(ATTRIBUTE) or {}).get("S")) for image in images)
    return list(dict.fromkeys(one for one in found if one))[:MOST_CORRELATIONS]


def change_in(image: Mapping[str, Any]) -> Change | None:
    """The change of a new row of the events table; `None` for a counter's row."""
    if "body" not in image or (image.get("day") or {}).get("S") == COUNTERS:
        return None
    try:
        return change_of(str(image["body"]["S"]))
    except (msgspec.DecodeError, KeyError) as fault:
        # repeating the batch would not make it readable, and would hold up those behind it
        logger.error("a change could not be read", **describe_fault(fault))
        return None


def report(
    figures: Mapping[str, int], failed: Sequence[str], correlations: Sequence[str] = ()
) -> dict[str, Any]:
    logger.info("broadcast", figures=dict(figures), set_off_by=list(correlations))
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


class BroadcastFunction(Composed[Settings, Parts]):
    """The Lambda handler."""

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        begin("broadcast", getattr(context, "aws_request_id", None))
        return broadcast(event, self.parts)


handler = BroadcastFunction(Settings, compose)
