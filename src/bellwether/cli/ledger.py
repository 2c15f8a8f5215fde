"""`bellwether ledger verify`: proof that nothing in the ledger was changed, removed or reordered."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from bellwether.cli import mfa_delete
from bellwether.cli.ledger_tables import Compared, Expected
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption
from bellwether.domain.ledger import BrokenLink, Entry, first_broken_link

if TYPE_CHECKING:
    from bellwether.cli.owner import OwnerPorts

ledger = typer.Typer(help="The append-only, hash-chained record.", no_args_is_help=True)


mfa_delete.register(ledger)


@ledger.callback()
def group() -> None:
    """The append-only, hash-chained record."""


class Reading:
    """Entries on their way through the check: counts them and remembers what the tables should show."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = entries
        self.count = 0
        self.head: Entry | None = None
        self.unreadable: BrokenLink | None = None
        self.expected = Expected()

    def __iter__(self) -> Iterator[Entry]:
        try:
            for entry in self._entries:
                self.count += 1
                self.head = entry
                yield entry
                self._take(entry)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            self.unreadable = BrokenLink(sequence=self.count + 1, reason=f"it cannot be read ({fault})")

    def _take(self, entry: Entry) -> None:
        """Remembers an entry that was found to follow from the one before it."""
        try:
            self.expected.add(entry)
        except msgspec.ValidationError as fault:
            reason = f"its body is no {entry.kind} ({fault})"
            self.unreadable = self.unreadable or BrokenLink(sequence=entry.sequence, reason=reason)


@ledger.command(epilog=examples("bellwether ledger verify", "bellwether ledger verify --json"))
def verify(stage: StageOption = "local", json: JsonOption = False) -> None:
    """Recompute the whole chain from the bucket and compare the tables with it.

    Exit code 1 names the first broken link, or a table row that contradicts the ledger. Rows that only lag
    behind are named too; `bellwether recover` brings them up to date.
    """
    from bellwether.cli import owner
    from bellwether.cli.progress import progress

    output = Output(json=json)
    with owner.owner_ports(stage) as ports:
        reading = Reading(ports.ledger.entries())
        with progress(output.err, "Verifying", "entries") as shown:
            broken = first_broken_link(_counted(reading, shown))
        broken = broken or reading.unreadable or rewritten(ports)
        tables = Compared() if broken else compared(reading.expected, ports)
    sound = broken is None and not tables.contradicting
    document = {
        "unbroken": broken is None,
        "entries": reading.count,
        "head": reading.head.hash if reading.head else None,
        "broken": msgspec.to_builtins(broken) if broken else None,
        "tables": {"behind": tables.behind, "contradicting": tables.contradicting},
    }
    output.answer(document, *shown_of(document))
    if not sound:
        raise typer.Exit(1)


def compared(expected: Expected, ports: "OwnerPorts") -> Compared:
    """What the tables say of all that an unbroken ledger tells."""
    found = expected.compare(ports.proposals, ports.outcomes)
    expected.compare_configuration(ports.controls, ports.configs, found)
    return found


def _counted(reading: Reading, shown: Any) -> Iterator[Entry]:
    for entry in reading:
        yield entry
        shown.advance()


def rewritten(ports: "OwnerPorts") -> BrokenLink | None:
    """The first entry that was written more than once or deleted, by the bucket's own versions.

    A chain that was rewritten from some entry on is consistent in itself; its older versions tell.
    """
    versions = getattr(ports, "ledger_versions", None)
    counts: dict[int, int] = versions() if versions else {}
    found = sorted(sequence for sequence, count in counts.items() if count > 1)
    return BrokenLink(sequence=found[0], reason="it was written more than once") if found else None


def shown_of(document: dict[str, Any]) -> list[str]:
    """The verdict for people."""
    from rich.markup import escape

    broken, tables = document["broken"], document["tables"]
    if broken:
        return [f"[bold red]Broken at entry {broken['sequence']}[/bold red]: {escape(broken['reason'])}."]
    lines = [f"[green]Unbroken[/green]: {document['entries']:,} entries, head {document['head'] or '–'}"]
    if tables["contradicting"]:
        lines.append(
            f"[bold red]Rows contradict the ledger[/bold red]: {', '.join(tables['contradicting'][:10])}"
        )
    if tables["behind"]:
        some = ", ".join(tables["behind"][:10])
        lines.append(f"[yellow]{len(tables['behind'])} rows lag behind[/yellow] (bellwether recover): {some}")
    return lines
