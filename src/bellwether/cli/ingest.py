"""`bellwether ingest`: posts and articles from files, feeds and standard input into the desk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from bellwether.cli.connect import ActAs
from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption
from bellwether.domain.items import Item, Kind, RejectedItem, settle

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bellwether.cli.batches import Origin
    from bellwether.cli.progress import Progress

MOST_LISTED = 10_000
MOST_SHOWN = 10
Entry = tuple[Item, Kind, "Origin"]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=examples(
            "bellwether ingest posts.parquet --kind social",
            "bellwether ingest https://example.org/feed.xml",
            "zcat old.ndjson.gz | bellwether ingest - --dry-run --json",
        )
    )(ingest)


@dataclass
class FileResult:
    """One input: how many items it gave, and why it (or its rest) was refused."""

    file: str
    items: int = 0
    refused: str | None = None

    def document(self) -> dict[str, Any]:
        return {"file": self.file, "items": self.items, "refused": self.refused}


@dataclass
class Tally:
    """What an import came to. `rejected` lists the first ten thousand, `rejections` counts them all."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejections: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    files: list[FileResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def reject(self, origin: "Origin", code: str, detail: str) -> None:
        """Counts and lists one item that is not taken."""
        self.rejections += 1
        if len(self.rejected) < MOST_LISTED:
            told = {"file": origin.file, "row": origin.position, "code": code, "detail": detail}
            self.rejected.append(told)

    def document(self) -> dict[str, Any]:
        """The answer with `--json`."""
        return {
            "read": self.read,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "rejected_total": self.rejections,
            "files": [result.document() for result in self.files],
            "notes": self.notes,
        }


def ingest(
    inputs: Annotated[
        list[str], typer.Argument(metavar="FILE|URL|-", help="Files, addresses, or - for stdin.")
    ],
    kind: Annotated[
        str | None, typer.Option(help="social or news; by default told from each item.", metavar="KIND")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read and check; needs no desk.")] = False,
    timezone: Annotated[
        str, typer.Option(help="What a time without an offset is in, such as Europe/Zurich.")
    ] = "UTC",
    history: Annotated[
        bool, typer.Option("--history", help="Say that old items are meant: leaves out the note about them.")
    ] = False,
    stage: StageOption = "local",
    act_as: ActAs = None,
    json: JsonOption = False,
) -> None:
    """Send posts and articles from files, feeds and stdin.

    Reads RSS, Atom, JSON Feed, NDJSON, JSON, CSV, TSV and Parquet, gzipped too. The format is told from the
    content. Columns are named like an item's fields (source_id, published_at, author, title, text, url,
    lang, repost_of, engagement or engagement_likes and so on); without a source it is "upload". A bad row
    or a bad file never stops the others: each is listed with its reason. Run it again after an
    interruption: nothing is counted twice.

    Items published more than a day ago, without an observed_at, count as known since their publication, so
    that a history can be replayed.
    """
    output = Output(json=json)
    chosen = _kind(kind)
    reading = Reading(inputs, chosen, _zone(timezone), output)
    if dry_run:
        with reading.progress("Reading") as shown:
            check_only(reading, shown)
    else:
        send(reading, stage, act_as)
    if not history:
        reading.note_history()
    output.answer(reading.tally.document(), *shown_of(reading.tally, dry_run=dry_run))
    if not reading.tally.accepted + reading.tally.duplicates:
        raise typer.Exit(1)


def _kind(kind: str | None) -> Kind | None:
    if kind not in {None, "social", "news"}:
        raise WrongUse(f"--kind is social or news, not {kind}")
    return cast("Literal['social', 'news'] | None", kind)


def _zone(name: str) -> tzinfo:
    if name.upper() in {"UTC", "Z"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongUse(f"{name} is no time zone; write UTC or a name like Europe/Zurich") from None


class Reading:
    """Reads all inputs one after the other and keeps the tally."""

    def __init__(self, inputs: Sequence[str], kind: Kind | None, zone: tzinfo, output: Output) -> None:
        from bellwether.cli.readers import RowReader

        self.inputs = inputs
        self.output = output
        self.tally = Tally()
        self._kind = kind
        self._rows = RowReader(zone=zone)
        self._zone = zone
        self._old = 0
        self._now = datetime.now(UTC)

    def progress(self, what: str) -> Any:
        """Progress in items."""
        from bellwether.cli.progress import progress

        return progress(self.output.err, what, "items")

    def entries(self) -> Iterator[Entry]:
        """Every item of every input. What cannot be read goes to the tally."""
        from bellwether.cli.readers import FileRefused

        for name in self.inputs:
            result = FileResult(file=name)
            self.tally.files.append(result)
            try:
                yield from self._entries_of(name, result)
            except FileRefused as reason:
                result.refused = str(reason)
        self._note_rows()

    def _entries_of(self, name: str, result: FileResult) -> Iterator[Entry]:
        from bellwether.cli.batches import Origin
        from bellwether.cli.readers import open_document, read_items

        with open_document(name) as document:
            for line in read_items(document, self._rows):
                origin = Origin(name, line.position)
                self.tally.read += 1
                result.items += 1
                if line.item is None:
                    fault = line.fault or RejectedItem("invalid_item", "it cannot be read")
                    self.tally.reject(origin, fault.code, fault.detail)
                    continue
                self._old += line.item.observed_at is None and (self._now - line.item.published_at).days >= 1
                yield line.item, self._kind or line.kind, origin

    def _note_rows(self) -> None:
        if self._rows.zoneless:
            zone = getattr(self._zone, "key", "UTC")
            self.tally.notes.append(
                f"{self._rows.zoneless:,} times had no offset and were read as {zone} (see --timezone)"
            )
        if self._rows.ignored:
            self.tally.notes.append(f"left out: {', '.join(sorted(self._rows.ignored))}")

    def note_history(self) -> None:
        """Says once that old items count as known since they were published."""
        if self._old:
            self.tally.notes.append(
                f"{self._old:,} items are older than a day: known since their publication (--history)"
            )


def check_only(reading: Reading, shown: "Progress") -> None:
    """What the API would say of each item by itself, without asking it."""
    now = datetime.now(UTC)
    seen: set[str] = set()
    for item, kind, origin in reading.entries():
        try:
            known = settle(item, kind=kind, received_at=now, salt=b"dry run").item_id
        except RejectedItem as fault:
            reading.tally.reject(origin, fault.code, fault.detail)
        else:
            reading.tally.duplicates += known in seen
            reading.tally.accepted += known not in seen
            seen.add(known)
        shown.advance(what=f"Reading {origin.file}")


def send(reading: Reading, stage: str, act_as: str | None) -> None:
    """Sends every batch, several at a time. What was answered before an interruption is in the tally."""
    from bellwether.cli.connect import open_api
    from bellwether.cli.import_runs import ImportRun
    from bellwether.cli.sending import Sender
    from bellwether.desk.home import default_home

    with open_api(stage, act_as) as api:
        run = ImportRun(default_home(), stage, reading.inputs)
        if run.resumed:
            reading.output.note("Going on with an import of the same input that did not end.")
        try:
            with reading.progress("Sending") as shown:
                Sender(api, run.name, reading.tally, shown).send_all(reading.entries())
        except (KeyboardInterrupt, Failure):
            reading.output.note(
                f"{reading.tally.accepted:,} items were accepted before the end; "
                "run the same command again to go on."
            )
            raise
        run.ended()


def shown_of(tally: Tally, *, dry_run: bool) -> "list[RenderableType]":
    """The tally for people: a line a file, then the sum, then the first rejections."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("input", "items", "result", box=None, pad_edge=False)
    for result in tally.files:
        state = f"[red]refused: {escape(result.refused)}[/red]" if result.refused else "read"
        table.add_row(escape(result.file), f"{result.items:,}", state)
    verb = "would be accepted (nothing was sent)" if dry_run else "accepted"
    total = (
        f"[bold]{tally.accepted:,}[/bold] {verb}, {tally.duplicates:,} duplicates, "
        f"{tally.rejections:,} rejected of {tally.read:,} read."
    )
    lines: list[RenderableType] = [table, total]
    lines.extend(
        f"  [red]{escape(told['file'])} row {told['row']}[/red]: {told['code']}: {escape(told['detail'])}"
        for told in tally.rejected[:MOST_SHOWN]
    )
    if tally.rejections > MOST_SHOWN:
        lines.append(f"  … and {tally.rejections - MOST_SHOWN:,} more (--json lists them)")
    return [*lines, *(f"[dim]{escape(note)}[/dim]" for note in tally.notes)]
