"""What a command says: one answer on stdout, everything else on stderr.

With `--json` the answer is exactly one JSON document. Without it, tables and sentences. Colours appear
only on a terminal (and never with `NO_COLOR`); piped tables get a fixed width so that nothing is cut off.
"""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import msgspec
import typer

from bellwether.cli.failures import Failure

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPED_WIDTH = 160

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON document on stdout; the rest goes to stderr.")
]


def examples(*lines: str) -> str:
    """The epilog of a command's help: its examples, each a paragraph of its own."""
    return "\n\n".join(["Example:" if len(lines) == 1 else "Examples:", *lines])


def wants_json(arguments: list[str]) -> bool:
    """Whether the command line asks for JSON, also when it is too wrong to be parsed."""
    before_separator = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in before_separator


class Output:
    """Where one command's answer, notes and progress go."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json

    @property
    def out(self) -> "Console":
        """Standard output."""
        return _console(sys.stdout)

    @property
    def err(self) -> "Console":
        """Standard error: notes, progress, failures."""
        return _console(sys.stderr)

    def answer(self, document: Any, *shown: "RenderableType") -> None:
        """The command's answer: the document with `--json`, else what is shown of it."""
        if self.json:
            write_json(document)
            return
        for part in shown:
            self.out.print(part)

    def note(self, text: str) -> None:
        """A line for people on stderr (markup allowed)."""
        self.err.print(text, highlight=False)


def _console(stream: TextIO) -> "Console":
    from rich.console import Console

    terminal = stream.isatty()
    width = None if terminal or "COLUMNS" in os.environ else PIPED_WIDTH
    return Console(file=stream, width=width, no_color=None if terminal else True, soft_wrap=False)


def write_json(document: Any) -> None:
    """Exactly one JSON document and a newline on stdout."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def report_failure(failure: Failure, *, json: bool) -> None:
    """Title, detail, path and what to do next on stderr; with `--json` also a document on stdout."""
    from rich.markup import escape

    console = Output().err
    console.print(f"[bold red]{escape(failure.title)}[/bold red]", highlight=False)
    if failure.detail:
        console.print(f"  {escape(failure.detail)}", highlight=False)
    if path := failure.members.get("path"):
        console.print(f"  at {escape(str(path))}", highlight=False)
    if failure.hint:
        console.print(f"  [bold]Next:[/bold] {escape(failure.hint)}", highlight=False)
    if json:
        write_json(failure.document())
