"""`bellwether controls`, `halt`, `reduce`, `resume`: the desk's switch and limits, in the owner's hand.

Written with the owner's credentials; every change is in the ledger, and in force for the next call.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwether.cli.failures import Failure, Refused, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import LOCAL, StageOption
from bellwether.domain.configuration import CHANGE, Switch, switched_controls
from bellwether.domain.limits import Controls, read_controls
from bellwether.domain.problems import Problem

if TYPE_CHECKING:
    from bellwether.usecases.configure import Change
    from bellwether.usecases.ports import ControlsVersion

controls = typer.Typer(help="The desk's limits, costs and sizing, and its switch.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why, for the ledger and for everybody whose order is denied.")]
ForTheLedger = Annotated[str, typer.Option("--reason", help="Why, for the ledger.")]


def register(app: typer.Typer) -> None:
    """Adds the commands that have to be quick to type."""
    app.command(epilog=examples('bellwether halt --reason "prices look wrong"'))(halt)
    app.command(epilog=examples('bellwether reduce --reason "too much on before the vote"'))(reduce)
    app.command(epilog=examples('bellwether resume --reason "prices were right"'))(resume)


def halt(reason: Reason, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Throw the kill switch: every proposal and every approval is denied from now on (KILL_SWITCH)."""
    switch("halt", reason, stage, json)


def reduce(reason: Reason, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Let only orders pass that shrink a position."""
    switch("reduce", reason, stage, json)


def resume(reason: Reason, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Let the desk trade again, within its limits."""
    switch("resume", reason, stage, json)


def switch(action: Switch, reason: str, stage: str, json: bool) -> None:
    """Halts, reduces or resumes, and says what that means."""
    from bellwether.cli import owner
    from bellwether.cli.controls_tables import switched_shown

    def change(values: Mapping[str, Any]) -> dict[str, Any]:
        stored = read_controls(values)
        if stored.state is None:
            raise Refused(
                f"{stored.reason}. Every order is denied already.",
                title="The stored controls cannot be read",
                hint="bellwether controls set KEY=default --reason WHY puts a value right",
            )
        return switched_controls(values, action, reason.strip())

    with owner.owner_changes(stage) as ports:
        done = owner.configure(ports).change_controls(
            change, action=action, changed_by=owner.identity(stage), reason=reason, now=datetime.now(UTC)
        )
    document = document_of(done)
    Output(json=json).answer(document, *switched_shown(document))


@controls.command(epilog=examples("bellwether controls show", "bellwether controls show --json"))
def show(stage: StageOption = "local", json: JsonOption = False) -> None:
    """What is in force: the desk's state, and every setting with its default and what it may be."""
    from bellwether.cli import owner
    from bellwether.cli.controls_tables import controls_shown
    from bellwether.domain.control_settings import by_name, settings

    with owner.owner_ports(stage) as ports:
        versions = ports.controls.versions()
    newest = versions[-1] if versions else None
    known = read_controls(newest.controls if newest else {})
    document = {**of_version(newest), **state_of(known)}
    values = by_name(known)
    document["settings"] = [
        {"name": one.name, "value": values[one.name], "default": one.default, "may_be": one.bounds}
        for one in settings()
    ]
    Output(json=json).answer(document, *controls_shown(document))


@controls.command(
    "set",
    epilog=examples(
        'bellwether controls set limits.position=0.03 limits.var_95=0.015 --reason "smaller for the summer"',
        'bellwether controls set sizing.short_selling=false --reason "no shorts" --dry-run',
        "bellwether controls set limits.position=default --reason back",
    ),
)
def set_(
    reason: ForTheLedger,
    assignments: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="See `controls show`; `default` resets.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help='JSON: {"limits": {"position": 0.03}, "costs": {…}, "sizing": {…}}.'),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Change limits, costs or sizing. What is not named stays as it is.

    A file and arguments may be given together; the arguments win. Proposals that are open are checked
    against the new limits when they are decided.
    """
    from bellwether.cli import owner
    from bellwether.cli.controls_tables import changed_shown
    from bellwether.domain.control_settings import changed_settings, differences

    changes = {**(in_file(file) if file else {}), **dict(map(assigned, assignments or ()))}
    if not changes:
        raise WrongUse("Say what to set: KEY=VALUE, or --file F.", hint="bellwether controls show")

    if dry_run:
        with owner.owner_ports(stage) as ports:
            before = ports.controls.controls()
        found = differences(read_controls(before), read_controls(changed_settings(before, changes)))
        document = {"changed": found, "version": None}
    else:
        with owner.owner_changes(stage) as ports:
            done = owner.configure(ports).change_controls(
                lambda values: changed_settings(values, changes),
                action="set",
                changed_by=owner.identity(stage),
                reason=reason,
                now=datetime.now(UTC),
            )
        document = document_of(done)
    Output(json=json).answer(document, *changed_shown(document))


@controls.command(epilog=examples("bellwether controls history"))
def history(stage: StageOption = "local", json: JsonOption = False) -> None:
    """Every change of the controls, newest first: what, when, why and by whom."""
    from bellwether.cli import owner
    from bellwether.cli.controls_tables import history_shown
    from bellwether.domain.control_settings import differences

    with owner.owner_ports(stage) as ports:
        versions = ports.controls.versions()
    lines, before = [], Controls()
    for version in versions:
        after = read_controls(version.controls)
        lines.append({**of_version(version), "changed": differences(before, after)})
        before = after
    Output(json=json).answer({"versions": lines[::-1]}, *history_shown(lines[::-1]))


def assigned(text: str) -> tuple[str, Any]:
    """A setting and its value from `KEY=VALUE`. Raises `WrongUse`."""
    import msgspec

    from bellwether.domain.control_settings import DEFAULT, full_name

    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise WrongUse(f"{text}: write it as KEY=VALUE, such as limits.position=0.03")
    known = full_name(name)
    if value.strip() == "default":
        return known, DEFAULT
    try:
        return known, msgspec.json.decode(value.strip().encode())
    except msgspec.DecodeError:
        return known, value.strip()


def in_file(path: Path) -> dict[str, Any]:
    """The settings of a JSON file by full name. Raises `WrongUse`."""
    import msgspec

    from bellwether.domain.control_settings import full_name

    try:
        read = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, Any]])
    except OSError as fault:
        raise WrongUse(f"{path}: {fault.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise WrongUse(f"{path}: {fault}") from None
    return {
        full_name(f"{section}.{name}"): value
        for section, fields in read.items()
        for name, value in fields.items()
    }


def document_of(done: "Change") -> dict[str, Any]:
    """A change as JSON values."""
    from bellwether.domain.control_settings import differences

    before, after = read_controls(done.before), read_controls(done.record.after)
    return {
        "action": done.record.action,
        **state_of(after),
        "state_before": before.desk_state,
        "changed": differences(before, after),
        "version": done.record.version,
        "at": done.at,
        "changed_by": done.record.changed_by,
        "reason": done.record.reason,
        "ledger_entry": done.sequence,
    }


def state_of(known: Controls) -> dict[str, Any]:
    """The desk's state as orders feel it."""
    return {"state": known.desk_state, "kill_switch": known.kill_switch, "state_reason": known.reason}


def trading() -> dict[str, Any] | None:
    """Whether the desk on this machine may trade, and why; `None` when its tables do not answer."""
    from bellwether.cli import owner

    with suppress(Failure, Problem), owner.owner_ports(LOCAL) as ports:
        return state_of(read_controls(ports.controls.controls()))
    return None


def of_version(version: "ControlsVersion | None") -> dict[str, Any]:
    """Who wrote a version, when and why; what was written without saying so is `None`."""
    change = version.controls.get(CHANGE) if version else None
    change = change if isinstance(change, dict) else {}
    return {
        "version": version.version if version else 0,
        "at": version.at if version else None,
        "action": change.get("action"),
        "changed_by": change.get("by"),
        "reason": change.get("reason"),
    }
