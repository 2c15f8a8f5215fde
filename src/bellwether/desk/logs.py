"""The functions' logs, from the engine's CloudWatch Logs."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from . import engine
from .aws import client
from .errors import DeskError
from .home import Home


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
    groups = _groups(home, reader, function)
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
        groups = _groups(home, reader, function)


def engine_lines(home: Home, lines: int = 200) -> list[str]:
    """The end of the engine's own log; also readable when the desk is down."""
    return engine.log_tail(home, lines).splitlines()


def _groups(home: Home, reader: Any, function: str | None) -> dict[str, str]:
    """Log groups by the functions that write to them, named as the handlers' modules are."""
    wanted = _plain(function or "")
    functions = client(engine.require(home), "lambda")
    groups = {}
    for page in functions.get_paginator("list_functions").paginate():
        for found in page["Functions"]:
            name = _short(found["FunctionName"])
            if wanted in _plain(name):
                group = found.get("LoggingConfig", {}).get("LogGroup")
                groups[group or f"/aws/lambda/{found['FunctionName']}"] = name
    existing = {
        group["logGroupName"]
        for page in reader.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    }
    return {group: name for group, name in groups.items() if group in existing}


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _short(function_name: str) -> str:
    """`signal_worker` for `…-FunctionsSignalWorkerFunct2E4B17F505D4D`: without what CloudFormation adds.

    The engine, like CloudFormation, cuts the construct's own last word short to fit a suffix.
    """
    own = re.search(
        r"Functions(\w+?)(?:F(?:u(?:n(?:c(?:t(?:i(?:on?)?)?)?)?)?)?)?[0-9A-F]{8,}$", function_name
    )
    words = re.findall(r"[A-Z][a-z]+", own.group(1)) if own else []
    return "_".join(words).lower() or function_name


def _read(reader: Any, groups: Mapping[str, str], start: float) -> Iterator[tuple[str, Event]]:
    for group, function in groups.items():
        pages = reader.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=max(0, int(start * 1000))
        )
        for page in pages:
            for number, item in enumerate(page["events"]):
                identity = item.get("eventId") or f"{group}{item['timestamp']}{number}{item['message']}"
                event = Event(item["timestamp"] / 1000, function, item["message"])
                yield identity, event
