"""`GET /dashboard/stream`: what changed since `Last-Event-ID`, as server-sent events.

A function answers once, so a stream is a series of short answers: the browser's EventSource comes back after
`retry` milliseconds with the last id it saw.
"""

from dataclasses import dataclass

import msgspec

from bellwether.adapters.composition import Composition
from bellwether.domain.ids import is_ulid
from bellwether.domain.problems import InvalidInput
from bellwether.handlers.answers import Answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.request import Call
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Change, Changes

RETRY_MILLISECONDS = 3_000
MOST_CHANGES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    events_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    changes: Changes


def compose(settings: Settings) -> Parts:
    return Parts(changes=Composition().changes(settings.events_table))


def respond(call: Call, parts: Parts) -> Answer:
    last_id = call.headers.get("last-event-id") or call.query.get("last_event_id") or None
    if last_id is not None and not is_ulid(last_id):
        raise InvalidInput("Last-Event-ID is the id of an event of this stream.", path="Last-Event-ID")
    changes = parts.changes.after(last_id, MOST_CHANGES)
    return Answer(content_type="text/event-stream; charset=utf-8", body=event_stream(changes))


def event_stream(changes: list[Change]) -> str:
    """The body: `retry`, then `id`, `event` and `data` of each change; a comment when there is none."""
    parts = [f"retry: {RETRY_MILLISECONDS}\n\n"]
    for change in changes:
        # the data is what the WebSocket sends; JSON keeps it on one line, as the format needs
        data = msgspec.json.encode(change).decode()
        parts.append(f"id: {change.id}\nevent: {one_line(change.type)}\ndata: {data}\n\n")
    if not changes:
        parts.append(": nothing new\n\n")
    return "".join(parts)


def one_line(text: str) -> str:
    return " ".join(text.split())


handler = ApiFunction(Settings, compose, respond, action="read")
