"""Daily, and as a custom resource of the deployment: this month's and the next month's signals tables exist.

As a custom resource it is the `onEvent` function of CDK's provider framework. Deleting the stack deletes the
tables only where the stage does not protect its data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.adapters.aws.signal_table_rollover import Ceiling, SignalTableRollover, current_and_next
from bellwether.adapters.composition import Composition
from bellwether.handlers.clock import now
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock

RESOURCE_ID = "signal-tables"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    signals_table_prefix: str
    table_key_arn: str
    deletion_protection: str
    table_read_limit: str
    table_write_limit: str

    @property
    def protected(self) -> bool:
        """Raises `ValueError` for anything but true or false: a typing error must not unprotect data."""
        told = {"true": True, "false": False}.get(self.deletion_protection.lower())
        if told is None:
            raise ValueError("DELETION_PROTECTION is true or false")
        return told

    @property
    def ceiling(self) -> Ceiling:
        """Raises `ValueError` for anything but whole numbers."""
        return Ceiling(reads=int(self.table_read_limit), writes=int(self.table_write_limit))


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    rollover: SignalTableRollover
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    return Parts(
        rollover=SignalTableRollover(
            Composition().clients.dynamodb(),
            settings.signals_table_prefix,
            key_arn=settings.table_key_arn,
            protected=settings.protected,
            stage=settings.stage,
            ceiling=settings.ceiling,
        )
    )


def work(event: Mapping[str, Any], parts: Parts, seconds: float) -> dict[str, Any]:
    """One run, for the schedule or for a `Create`, `Update` or `Delete` of the custom resource."""
    if event.get("RequestType") == "Delete":
        removed = parts.rollover.remove_all()
        return {"PhysicalResourceId": RESOURCE_ID, "Data": {"removed": ",".join(removed)}}
    done = parts.rollover.ensure(current_and_next(parts.clock()), seconds)
    months = ",".join(done.months)
    return {"PhysicalResourceId": RESOURCE_ID, "Data": {"months": months, "created": ",".join(done.created)}}


handler = ScheduledFunction(Settings, compose, work)
