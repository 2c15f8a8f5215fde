"""Writing and removing one tracked thing, whatever it is, with the owner's credentials."""

from typing import Any

import msgspec

from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.output import Output


def record_of(values: dict[str, Any], type_: type[msgspec.Struct], shown: str) -> msgspec.Struct:
    """The record. Raises `WrongUse` for values that make none."""
    try:
        return msgspec.convert(values, type_)
    except msgspec.ValidationError as fault:
        raise WrongUse(f"{shown}: {fault}") from None


def put(
    kind: str,
    entity_id: str,
    values: dict[str, Any],
    type_: type[msgspec.Struct],
    shown: str,
    stage: str,
    *,
    json: bool,
) -> None:
    """Tracks it and says so."""
    from bellwether.cli import owner

    record = record_of(values, type_, shown)
    with owner.owner_changes(stage) as ports:
        ports.entities.put(kind, entity_id, record)
    Output(json=json).answer(
        {kind: msgspec.to_builtins(record)}, f"Tracking {kind} [bold]{escaped(shown)}[/bold]."
    )


def remove(kind: str, entity_id: str, shown: str, stage: str, *, json: bool) -> None:
    """Stops tracking it and says so. Raises `Failure` when it is not tracked."""
    from bellwether.cli import owner

    with owner.owner_changes(stage) as ports:
        gone = ports.entities.remove(kind, entity_id)
    if not gone:
        raise Failure(f"{shown} is not tracked.", title="Nothing to remove", hint="bellwether track list")
    Output(json=json).answer({"removed": shown, "type": kind}, f"No longer tracking {escaped(shown)}.")


def escaped(text: str) -> str:
    """Text with square brackets that are not taken for markup."""
    from rich.markup import escape

    return escape(text)
