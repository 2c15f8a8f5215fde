"""`up`, `down`, `status`, `reset`, `logs`: the desk on this machine."""

import functools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

from bellwether.cli.failures import NOT_RUNNING, Failure, NotRunning, Refused
from bellwether.cli.output import JsonOption, Output, examples

if TYPE_CHECKING:
    from bellwether.desk.home import Home
    from bellwether.desk.up import Up

P = ParamSpec("P")
R = TypeVar("R")

_PHASES = {
    "tools": "Installing the engine and the build tool",
    "engine": "Starting the engine",
    "synth": "Building the stacks",
    "bootstrap": "Preparing the engine for deployment",
    "deploy": "Deploying",
    "repair": "Applying what the engine leaves out",
    "users": "Creating the first users",
    "ready": "Waiting until the API answers",
    "recover": "Bringing back what was interrupted",
}


def _told(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the desk's errors into the command line's failures with their exit codes."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        import httpx
        from botocore.exceptions import BotoCoreError, ClientError

        from bellwether.desk.errors import DeskError, NotRunningError, RefusedError

        try:
            return command(*args, **kwargs)
        except NotRunningError as error:
            raise NotRunning(str(error)) from error
        except RefusedError as error:
            raise Refused(str(error)) from error
        except DeskError as error:
            raise Failure(str(error), exit_code=error.exit_code) from error

        except (ClientError, BotoCoreError, httpx.HTTPError) as error:
            hint = "bellwether logs --engine"
            raise Failure(str(error), title="The engine did not do what was asked", hint=hint) from error

    return wrapper


def _home() -> "Home":
    from bellwether.desk.home import Home

    return Home.open()


@_told
def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when the desk is ready.")] = False,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Port on 127.0.0.1 (default: last used, or 4566).")
    ] = None,
    show_passwords: Annotated[
        bool, typer.Option("--show-passwords", help="Show the first users' passwords again.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Start the engine, deploy the local stage, create the first users, serve API and dashboard.

    Passwords are shown when the users are created and are null in the JSON of later starts;
    `bellwether login --as ROLE` finds them in BELLWETHER_HOME/credentials, readable by you alone.
    """
    from bellwether.desk.project import Project
    from bellwether.desk.up import bring_down, bring_up
    from bellwether.desk.users import with_passwords

    home, output = _home(), Output(json=json)
    with _terminable(), _progress(output) as report:
        started = bring_up(home, Project.find(), report, port=port, recover=_recovery())
    document = started.document()
    if show_passwords:
        document["users"] = with_passwords(home, started.users)
    _announce(output, started, document)
    if detach:
        return
    output.note("Running until you press Ctrl-C; `--detach` returns instead.")
    ended = _attached(started)
    if ended:
        raise NotRunning("the engine ended on its own; start it again with `bellwether up`")
    output.note("Stopping …")
    bring_down(home)


@_told
def down(*, json: JsonOption = False) -> None:
    """Stop the desk cleanly: running functions end, everything is written to disk."""
    from bellwether.desk.up import bring_down

    stopped = bring_down(_home())
    Output(json=json).answer({"stopped": stopped}, "Stopped." if stopped else "The desk was not up.")


@_told
def status(*, json: JsonOption = False) -> None:
    """What runs, since when, and the health of each part."""
    from bellwether.cli.controls import trading
    from bellwether.desk.up import status as desk_status

    document = desk_status(_home())
    if "api" in document:
        document["trading"] = trading()
    output = Output(json=json)
    output.answer(document, _status_table(document))
    if not document.get("api", {}).get("healthy", True):
        raise typer.Exit(NOT_RUNNING)


@_told
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Really wipe; nothing is asked.")] = False,
    json: JsonOption = False,
) -> None:
    """Wipe the desk: tables, objects, ledger, users, passwords. The installed tools stay."""
    from bellwether.desk.up import wipe

    home = _home()
    if not yes:
        raise Refused(
            f"this deletes everything the desk in {home.root} holds",
            hint="bellwether reset --yes",
        )
    wipe(home)
    Output(json=json).answer({"wiped": str(home.root)}, f"Wiped {home.root}.")


@_told
def logs(
    function: Annotated[
        str | None, typer.Argument(help="A function's name or part of it; without it, every function.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    minutes: Annotated[int, typer.Option(min=1, help="How far back to start.")] = 15,
    engine: Annotated[bool, typer.Option("--engine", help="The engine's own log instead.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the functions' logs, oldest first."""
    from bellwether.desk.logs import engine_lines, events

    home, output = _home(), Output(json=json)
    if engine:
        lines = engine_lines(home)
        output.answer({"lines": lines}, "\n".join(lines))
        return
    since = time.time() - minutes * 60
    found = events(home, function, since=since, follow=follow and not json)
    if json:
        output.answer({"events": [entry.document() for entry in found]})
        return
    for entry in found:
        output.out.print(entry.line(), markup=False, highlight=False, soft_wrap=True)


_EXAMPLES = {
    up: examples("bellwether up", "bellwether up --detach --json --port 4600"),
    down: examples("bellwether down"),
    status: examples("bellwether status", "bellwether status --json"),
    reset: examples("bellwether down && bellwether reset --yes"),
    logs: examples("bellwether logs --follow", "bellwether logs ingest --minutes 60"),
}


def register(app: typer.Typer) -> None:
    """Add the commands to an app."""
    for command, epilog in _EXAMPLES.items():
        app.command(epilog=epilog)(command)


def _recovery() -> Callable[[object], None]:
    """What a kill interrupted is finished before anyone is told that the desk is up.

    To be made before the engine is started: whoever worked earlier died with the engine before.
    """
    from datetime import UTC, datetime

    from bellwether.cli.operations import RECOVERED, recover_stage

    started = datetime.now(UTC)

    def recover(_: object) -> None:
        now = datetime.now(UTC)
        recover_stage("local", since=now - RECOVERED, now=now, dead_before=started)

    return recover


@contextmanager
def _terminable() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that a supervisor's stop also ends what was started."""

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress(output: Output) -> Iterator[Callable[[str, str], None]]:
    """A line per phase on stderr: moving on a terminal, one plain line when it is done otherwise."""
    from rich.markup import escape

    console = output.err
    began: dict[str, float] = {}
    turn = threading.Lock()

    def title(phase: str) -> str:
        return _PHASES.get(phase, phase)

    with console.status("Starting …") as shown:

        def report(phase: str, detail: str) -> None:
            with turn:
                if phase not in began:
                    _finished(began, console.print)
                    began[phase] = time.monotonic()
                    if not console.is_terminal:
                        console.print(f"{title(phase)} …", highlight=False)
                elapsed = time.monotonic() - began[phase]
                shown.update(f"{title(phase)} [dim]{elapsed:.0f} s {escape(detail[:90])}[/dim]")

        yield report
    _finished(began, console.print)


def _finished(began: dict[str, float], show: Callable[..., None]) -> None:
    if began:
        phase = next(reversed(began))
        seconds = time.monotonic() - began[phase]
        show(f"[green]✓[/green] {_PHASES.get(phase, phase)} [dim]{seconds:.1f} s[/dim]", highlight=False)


def _announce(output: Output, started: "Up", document: dict[str, Any]) -> None:
    from rich.table import Table

    places = Table(box=None, show_header=False, pad_edge=False)
    for name, key in (("API", "api_url"), ("WebSocket", "ws_url"), ("Dashboard", "dashboard_url")):
        places.add_row(name, document[key])
    people = Table("role", "username", "password", box=None, pad_edge=False)
    for role, user in document["users"].items():
        people.add_row(role, user["username"], user["password"] or "(shown at first; --show-passwords)")
    output.answer(document, places, people)
    for left in started.deployment.unrepaired:
        output.note(f"[yellow]not applied:[/yellow] {left.what} of {left.resource}: {left.fault}")


def _attached(started: "Up") -> bool:
    """Wait until interrupted (False) or until the engine ends on its own (True)."""
    import os

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.5):
        if os.waitpid(started.running.pid, os.WNOHANG)[0]:
            return True
    return False


def providers_of(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What the desk's health says of providers; nothing while it says nothing."""
    detail = document.get("api", {}).get("detail")
    told = detail.get("providers") if isinstance(detail, dict) else None
    return told if isinstance(told, dict) else {}


def _status_table(document: dict[str, Any]) -> Any:
    from datetime import UTC, datetime

    from rich.table import Table

    engine = document["engine"]
    table = Table(box=None, show_header=False, pad_edge=False)
    since = datetime.fromtimestamp(engine["since"], UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    table.add_row("engine", "healthy" if engine["healthy"] else "cannot write its state", f"since {since}")
    table.add_row("functions", f"{sum(engine['workers'].values())} processes waiting for work", "")
    written = time.time() - engine["checkpoint"]["at"]
    table.add_row(
        "state", f"written {written:.0f} s ago" if engine["checkpoint"]["at"] else "not yet written", ""
    )
    if api := document.get("api"):
        if known := document.get("trading"):
            table.add_row("trading", known["state"], known["state_reason"])
        table.add_row("api", "healthy" if api["healthy"] else f"answers {api['status_code']}", api["url"])
        table.add_row("socket", "", document["ws_url"])
        table.add_row("dashboard", "", document["dashboard_url"])
    else:
        table.add_row("api", "not deployed", "")
    for number, (name, standing) in enumerate(providers_of(document).items()):
        table.add_row("" if number else "providers", name, standing["line"])
    if known_figures := document.get("figures"):
        told = ", ".join(f"{name} {value:,.6g}" for name, value in known_figures.items())
        table.add_row("24 hours", told, "")
    return table
