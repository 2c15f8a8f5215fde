"""The functions' logs, from the engine's CloudWatch Logs."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from . import engine
from .aws import client
from .errors import DeskError
from .home import Home

_PREFIX = "/aws/lambda/"


@dataclass(frozen=True)
class Event:
    """One log line of a function."""

    at: float
    """Unix time."""
    function: str
    message: str

    def line(self) -> str:
        """For a terminal."""
        when = datetime.fromtimestamp(self.at, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
        return f"{when} {self.function} {self.message.rstrip()}"

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def events(home: Home, function: str | None, *, since: float, follow: bool) -> Iterator[Event]:
    """Events of the functions whose name contains `function`, oldest first; `follow` goes on for ever."""
    reader = client(engine.require(home), "logs")
    groups = _groups(reader, function)
    if function and not groups:
        raise DeskError(f"no function with {function!r} in its name has logged anything yet")
    seen: dict[str, float] = {}
    start = since
    while True:
        fresh = [event for event in _read(reader, groups, start) if event[0] not in seen]
        for identity, event in sorted(fresh, key=lambda pair: pair[1].at):
            seen[identity] = event.at
            yield event
        if not follow:
            return
        # Events of one moment may become readable in any order: look back a little, and skip what was shown.
        start = max([since, *seen.values()]) - 5
        seen = {identity: at for identity, at in seen.items() if at >= start}
        time.sleep(1)
        groups = _groups(reader, function)


def engine_lines(home: Home, lines: int = 200) -> list[str]:
    """The end of the engine's own log; also readable when the desk is down."""
    return engine.log_tail(home, lines).splitlines()


def _groups(reader: Any, function: str | None) -> list[str]:
    pages = reader.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_PREFIX)
    names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    wanted = (function or "").casefold()
    return [name for name in names if wanted in name.casefold()]


def _read(reader: Any, groups: list[str], start: float) -> Iterator[tuple[str, Event]]:
    for group in groups:
        pages = reader.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=max(0, int(start * 1000))
        )
        for page in pages:
            for number, item in enumerate(page["events"]):
                identity = item.get("eventId") or f"{group}{item['timestamp']}{number}{item['message']}"
                event = Event(item["timestamp"] / 1000, group.removeprefix(_PREFIX), item["message"])
                yield identity, event
