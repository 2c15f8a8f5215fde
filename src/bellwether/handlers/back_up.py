"""Daily: an on-demand backup of each table that cannot be made again from the lake, and old ones dropped."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.adapters.aws.backups import Backups
from bellwether.adapters.composition import Composition
from bellwether.handlers.clock import now
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Change, Changes, Clock


class Incomplete(RuntimeError):
    """Some table has no backup of today; the log names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    proposals_table: str
    outcomes_table: str
    agents_config_table: str
    tracked_entities_table: str
    events_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """`tables` maps the desk's name of a table to its physical one."""

    backups: Backups
    tables: Mapping[str, str]
    changes: Changes
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        backups=Backups(make.clients.dynamodb()),
        tables={
            "proposals": settings.proposals_table,
            "outcomes": settings.outcomes_table,
            "agents_config": settings.agents_config_table,
            "tracked_entities": settings.tracked_entities_table,
        },
        changes=make.changes(settings.events_table),
    )


def work(_event: Mapping[str, Any], parts: Parts, _seconds: float) -> dict[str, Any]:
    """One run. Raises `Incomplete`, after all tables were tried, when one of them failed."""
    at = parts.clock()
    done = parts.backups.back_up(parts.tables, at)
    told = {
        "created": list(done.created),
        "present": list(done.present),
        "dropped": done.dropped,
        "failed": list(done.failed),
    }
    parts.changes.publish([Change(id="", type="backup", at=at, data=told)])
    if done.failed:
        raise Incomplete(", ".join(done.failed))
    return told


handler = ScheduledFunction(Settings, compose, work)
