"""The `bellwether` command: every command group in one place, and how failures become exit codes.

Modules are imported for their commands' signatures only; whatever is slow to import (AWS, Arrow, HTTP) is
imported inside the command that needs it.
"""

import gc
import inspect
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from bellwether.cli import (
    backtest,
    chain,
    controls,
    desk,
    infrastructure,
    ingest,
    login,
    operations,
    text,
    trace,
)
from bellwether.cli.agents import agents
from bellwether.cli.failures import FAILED, INTERRUPTED, WRONG_USE, Failure, failure_of
from bellwether.cli.lake import lake
from bellwether.cli.ledger import ledger
from bellwether.cli.operations import queue
from bellwether.cli.output import report_failure, wants_json, write_json
from bellwether.cli.portfolio import portfolio
from bellwether.cli.prices import prices
from bellwether.cli.providers import providers
from bellwether.cli.recovery import recovery
from bellwether.cli.secrets import secrets
from bellwether.cli.track import track
from bellwether.cli.users import users
from bellwether.desk.errors import DeskError
from bellwether.domain.problems import Problem

PANELS = {
    "The desk on this machine": ("up", "down", "status", "logs", "reset", "login", "logout"),
    "What it knows": ("track", "providers", "secrets", "portfolio", "prices", "ingest"),
    "The chain": ("score", "propose", "risk", "decide", "evaluate"),
    "Who is in command": ("halt", "reduce", "resume", "controls", "agents"),
    "Proof": ("trace", "ledger", "recovery", "lake"),
    "Without a desk": ("label", "link", "train", "backtest"),
    "In the cloud": ("synth", "diff", "bootstrap", "deploy", "destroy"),
}

HELP = """An auditable AI investment desk: from posts and news to decided proposals, each with its reasons.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 not running or not reachable, 4 refused (rights, state)."""


class Commands(TyperGroup):
    """The top level: turns failures into a message, a JSON document if asked for, and an exit code."""

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        arguments = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(arguments, prog_name, complete_var, False, windows_expand_args, **extra)
        except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - the last place that can explain it
            code = explain(fault, json=wants_json(arguments))
        code = code if isinstance(code, int) else 0
        if standalone_mode:
            sys.exit(code)
        return code


def explain(fault: BaseException, *, json: bool) -> int:
    """Reports a fault and returns its exit code. What nobody foresaw comes with its traceback."""
    if isinstance(fault, KeyboardInterrupt | typer.Abort):
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED
    if isinstance(fault, BrokenPipeError):
        sys.stdout = None  # nobody reads on: do not fail again at exit
        return FAILED
    if isinstance(fault, Failure):
        report_failure(fault, json=json)
        return fault.exit_code
    if isinstance(fault, Problem):
        return explain(failure_of(fault), json=json)
    if isinstance(fault, DeskError):
        return explain(Failure(str(fault), exit_code=fault.exit_code), json=json)
    if isinstance(fault, typer.TyperException):
        return explain_usage(fault, json=json)
    traceback.print_exception(fault)
    told = f"{type(fault).__name__}: {fault}"
    return explain(Failure(told, title="A defect in bellwether; the lines above say where"), json=json)


def explain_usage(fault: typer.TyperException, *, json: bool) -> int:
    """A command line that cannot be parsed."""
    show = getattr(fault, "show", None)
    if callable(show):
        show()
    code = int(getattr(fault, "exit_code", WRONG_USE))
    if json:
        error = {"title": "That is not how this command is used", "detail": fault.format_message()}
        write_json({"error": {**error, "exit_code": code}})
    return code


app = typer.Typer(
    cls=Commands,
    name="bellwether",
    help=HELP,
    no_args_is_help=True,
    # Frames are for terminals; what is piped is plain, and does not wait for the library that draws them.
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (desk, login, ingest, chain, controls, trace, operations, text, backtest, infrastructure):
    module.register(app)
for name, group in (
    ("track", track),
    ("portfolio", portfolio),
    ("prices", prices),
    ("providers", providers),
    ("secrets", secrets),
    ("agents", agents),
    ("controls", controls.controls),
    ("ledger", ledger),
    ("lake", lake),
    ("queue", queue),
    ("recovery", recovery),
    ("users", users),
):
    app.add_typer(group, name=name)


def tidy(commands: typer.Typer) -> None:
    """Sorts the help into panels and takes the line breaks of the source out of its paragraphs."""
    panels = {name: panel for panel, names in PANELS.items() for name in names}
    for command in commands.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        command.rich_help_panel = panels.get(name.rstrip("_"), command.rich_help_panel)
        if command.callback and command.callback.__doc__ and command.help is None:
            paragraphs = inspect.cleandoc(command.callback.__doc__).split("\n\n")
            command.help = "\n\n".join(" ".join(part.split()) for part in paragraphs)
    for group in commands.registered_groups:
        group.rich_help_panel = panels.get(str(group.name), group.rich_help_panel)
        if group.typer_instance is not None:
            tidy(group.typer_instance)


tidy(app)


def main() -> None:
    """Entry point of the `bellwether` script."""
    try:
        app()
    finally:
        # the process ends: looking once more for garbage in all it holds would only delay that
        gc.freeze()
