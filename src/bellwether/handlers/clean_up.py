"""Weekly: months of signals past their time go to the lake and out of the tables."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.adapters.aws.signal_table_retirement import SignalTableRetirement
from bellwether.adapters.composition import Composition
from bellwether.handlers.clock import now
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Change, Changes, Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    lake_bucket: str
    signals_table_prefix: str
    events_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """`retirement` makes one that stops when it is told that the time is up."""

    retirement: Callable[[Callable[[], bool]], SignalTableRetirement]
    changes: Changes
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    lake = make.lake(settings.lake_bucket)
    tables = make.clients.dynamodb()
    return Parts(
        retirement=lambda time_is_up: SignalTableRetirement(
            tables, settings.signals_table_prefix, lake, time_is_up
        ),
        changes=make.changes(settings.events_table),
    )


def work(_event: Mapping[str, Any], parts: Parts, seconds: float) -> dict[str, Any]:
    """One run. What there is no time for is continued by the next one."""
    until = time.monotonic() + seconds
    at = parts.clock()
    done = parts.retirement(lambda: time.monotonic() > until).retire_before(at)
    dropped = {month.month: month.rows for month in done if month.dropped}
    if dropped:
        parts.changes.publish([Change(id="", type="signals_retired", at=at, data={"rows": dropped})])
    return {"retired": dropped, "unfinished": [month.month for month in done if not month.dropped]}


handler = ScheduledFunction(Settings, compose, work)
