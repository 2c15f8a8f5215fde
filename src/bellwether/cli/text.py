"""`label`, `link` and `train sentiment`: the text models on files, offline."""

import csv
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import msgspec
import typer

from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.domain.links import Linker, LinkTarget

if TYPE_CHECKING:
    from bellwether.agents.text import Reading

FIELD_LIMIT = 4 << 20
"""Longest field of a CSV row in characters; a longer one is one bad row, not a full memory."""

LABEL_COLUMNS = ("p_negative", "p_neutral", "p_positive", "label")
LINK_COLUMNS = ("row", "symbol", "confidence", "kind", "surface", "start", "end")

_SYMBOL_HEADERS = ("symbol", "ticker", "cashtag", "entity_id")
_NAME_HEADERS = ("name", "company", "title")
_ALIAS_HEADERS = ("aliases", "alias")
_LISTED_BAD_ROWS = 20
_REPLACEMENT = "\ufffd"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")

Out = Annotated[Path, typer.Option("--out", help="File to write; it appears only when it is complete.")]
Table = Annotated[Path, typer.Argument(help="CSV file with a header row.")]
Row = dict[str, str]


class BadRow(msgspec.Struct, frozen=True):
    """A row that could not be read: its number (1 is the first after the header) and why."""

    row: int
    reason: str


class _Source:
    """The rows of a CSV file; bad ones are remembered instead of ending the run."""

    def __init__(self, path: Path, needed: Sequence[str]) -> None:
        self.path = path
        self.bad: list[BadRow] = []
        self.replaced = 0
        """Rows with bytes that are not UTF-8."""
        self.columns = self._header(needed)

    def _header(self, needed: Sequence[str]) -> list[str]:
        with _opened(self.path) as file:
            try:
                header = next(csv.reader(file), [])
            except csv.Error as fault:
                raise WrongUse(f"{self.path}: the header row cannot be read ({fault})") from fault
        columns = [name.strip() for name in header]
        if missing := [name for name in needed if name not in columns]:
            present = ", ".join(columns) or "none"
            raise WrongUse(
                f"{self.path} has no column {', '.join(missing)}; its columns are: {present}",
                title="A column is missing",
                hint="rename the column in the header row",
            )
        if repeated := sorted({name for name in columns if columns.count(name) > 1}):
            raise WrongUse(f"{self.path} has the column {', '.join(repeated)} more than once")
        return columns

    def rows(self) -> Iterator[tuple[int, Row, bool]]:
        """Number and cells of each row, and whether it is good.

        A bad row comes too, with what could be read of it, so that the output keeps step with the input.
        """
        with _opened(self.path) as file:
            reader = csv.reader(file)
            next(reader, None)
            number = 0
            while True:
                try:
                    cells = next(reader)
                    reason = self._fault(cells) if cells else None
                except StopIteration:
                    return
                except csv.Error as fault:
                    cells, reason = [], str(fault)
                if not cells and reason is None:
                    continue  # a blank line is no row
                number += 1
                if reason:
                    self.bad.append(BadRow(number, reason))
                self.replaced += any(_REPLACEMENT in cell for cell in cells)
                yield (
                    number,
                    dict(zip_longest(self.columns, cells[: len(self.columns)], fillvalue="")),
                    not reason,
                )

    def _fault(self, cells: list[str]) -> str | None:
        if len(cells) != len(self.columns):
            reason = f"{len(cells)} cells where the header has {len(self.columns)}"
            open_quote = any("\n" in cell for cell in cells)
            return f"{reason}; a quotation mark in it may not be closed" if open_quote else reason
        if not cells[self.columns.index("text")].strip():
            return "text is empty"
        return None


def _opened(path: Path) -> TextIO:
    csv.field_size_limit(FIELD_LIMIT)
    try:
        with path.open("rb") as file:
            if file.read(2) in _WIDE_MARKS:
                raise WrongUse(f"{path} is written in UTF-16", hint="save it as UTF-8")
        # undecodable bytes become the replacement character: one bad letter is no bad row
        return path.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as fault:
        raise WrongUse(f"{path}: {fault.strerror or fault}") from fault


@contextmanager
def _written(out: Path) -> Iterator[TextIO]:
    """A text file that takes the name `out` when the block ends well, and leaves nothing when it does not."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    except OSError as fault:
        raise Failure(f"{out}: {fault.strerror or fault}", title="The file cannot be written") from fault
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        if out.exists():
            part.chmod(out.stat().st_mode & 0o777)
        else:
            mask = os.umask(0)
            os.umask(mask)
            part.chmod(0o666 & ~mask)
        part.replace(out)
    except OSError as fault:
        raise Failure(f"{out}: {fault.strerror or fault}", title="The file cannot be written") from fault
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _advancing(output: Output, path: Path, what: str) -> Iterator[Callable[[int], None]]:
    """A progress bar over the rows of `path` on stderr; silent when that is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with _opened(path) as file:
        total = max(sum(1 for _ in file) - 1, 0)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output.err, transient=True) as progress:
        task = progress.add_task(what, total=total)

        def advance(done: int) -> None:
            if done % 200 == 0:
                progress.update(task, completed=done)

        yield advance


def _report(output: Output, source: _Source, out: Path, document: dict[str, Any], sentence: str) -> None:
    for bad in source.bad[:_LISTED_BAD_ROWS]:
        output.note(f"[yellow]row {bad.row} not read[/yellow]: {bad.reason}")
    if source.replaced:
        output.note(f"[yellow]{source.replaced} rows hold bytes that are not UTF-8[/yellow]: each reads as �")
    if (unlisted := len(source.bad) - _LISTED_BAD_ROWS) > 0:
        output.note(f"[yellow]and {unlisted} more rows not read[/yellow]")
    output.answer({"out": str(out), **document, "bad_rows": source.bad}, sentence)


class _Sentiment:
    """Reads rows with the packaged text model."""

    def __init__(self) -> None:
        from bellwether.agents.text import SentimentModel

        self._model = SentimentModel.load()

    def read(self, row: Row) -> "Reading":
        return self._model.read(row["text"], row.get("entity", "").strip() or None)

    def words(self, row: Row) -> str:
        """The words that drove the label, each with the log-odds it adds."""
        from bellwether.agents.reasons import spoken

        return "; ".join(spoken(self._model.explain(row["text"], row.get("entity", "").strip() or None)))


LABELLERS = {"sentiment": _Sentiment}
"""Agents that can label offline, by name."""


def label(
    file: Table,
    out: Out,
    agent: Annotated[str, typer.Option("--agent", help="Which agent reads the rows.")] = "sentiment",
    explain: Annotated[
        bool, typer.Option("--explain", help="Add a column `words`: those that drove the label.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Add p_negative, p_neutral, p_positive and label to each row of `text[, entity]`.

    With a column `entity` the reading is of what the text says about it; a row whose entity is empty or not
    in its text is read as a whole. A row that cannot be read stays, its four cells empty. Works offline.
    With --explain a word comes with the log-odds it adds to the label (about twenty times slower).
    """
    if agent not in LABELLERS:
        raise WrongUse(f"no agent {agent!r} labels text; there is: {', '.join(LABELLERS)}")
    output = Output(json=json)
    source = _Source(file, ["text"])
    added = [*LABEL_COLUMNS, *(["words"] if explain else [])]
    kept = [name for name in source.columns if name not in added]
    labeller = LABELLERS[agent]()
    counts = {"negative": 0, "neutral": 0, "positive": 0}
    with _written(out) as written, _advancing(output, file, "labelling") as advance:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow([*kept, *added])
        for number, row, good in source.rows():
            cells = [row[name] for name in kept]
            if good:
                reading = labeller.read(row)
                counts[reading.label] += 1
                figures = (reading.p_negative, reading.p_neutral, reading.p_positive)
                why = [labeller.words(row)] if explain else []
                writer.writerow([*cells, *(f"{p:.6f}" for p in figures), reading.label, *why])
            else:
                writer.writerow([*cells, *[""] * len(added)])
            advance(number)
    rows = sum(counts.values())
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    _report(output, source, out, {"rows": rows, "labels": counts}, f"Labelled {rows} rows ({told}): {out}")


def link(
    file: Table,
    entities: Annotated[
        Path,
        typer.Option("--entities", help="Tracked entities (CSV, TSV or NDJSON): symbol, name[, aliases]."),
    ],
    out: Out,
    json: JsonOption = False,
) -> None:
    """Say which tracked entities each `text` is about: one row per (row, entity) with its confidence.

    `row` counts from 1 after the header; the input's other columns are carried along. Several aliases in one
    cell are separated by `|` or `;`.
    """
    output = Output(json=json)
    targets, unusable = read_targets(entities)
    if not targets:
        raise WrongUse(f"{entities} names no entity")
    if unusable:
        output.note(f"[yellow]{unusable} rows of {entities.name} without a symbol left out[/yellow]")
    linker = Linker(targets)
    source = _Source(file, ["text"])
    kept = [name for name in source.columns if name not in LINK_COLUMNS]
    rows = linked = found = 0
    with _written(out) as written, _advancing(output, file, "linking") as advance:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow([*LINK_COLUMNS, *kept])
        for number, row, good in source.rows():
            links = linker.link(row["text"]) if good else []
            rows, linked, found = rows + 1, linked + bool(links), found + len(links)
            for one in links:
                facts = (one.symbol, f"{one.confidence:.4f}", one.kind, one.surface, one.start, one.end)
                writer.writerow([number, *facts, *(row[name] for name in kept)])
            advance(number)
    document = {"rows": rows, "linked": linked, "links": found, "entities": len(targets)}
    _report(output, source, out, document, f"Linked {linked} of {rows} rows, {found} links: {out}")


def read_targets(path: Path) -> tuple[list[LinkTarget], int]:
    """Tracked entities of a CSV, TSV or NDJSON file, and how many of its rows have no symbol.

    Header names are matched without regard to case: symbol (or ticker), name (or company), aliases.
    """
    with _opened(path) as file:
        content = file.read()
    first = content.lstrip()[:1]
    records = list(_ndjson(path, content) if first == "{" else _delimited(path, content))
    targets = [target for record in records if (target := _target(record)) is not None]
    return targets, len(records) - len(targets)


def _ndjson(path: Path, content: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as fault:
            raise WrongUse(f"{path}, line {number}: {fault}") from fault
        yield {name.strip().lower(): value for name, value in record.items()}


def _delimited(path: Path, content: str) -> Iterator[dict[str, Any]]:
    lines = content.splitlines()
    header = lines[0] if lines else ""
    delimiter = max("\t,;", key=header.count)
    reader = csv.reader(lines, delimiter=delimiter)
    columns = [name.strip().lower() for name in next(reader, [])]
    if not set(columns) & set(_SYMBOL_HEADERS):
        raise WrongUse(
            f"{path} has no column symbol; its columns are: {', '.join(columns) or 'none'}",
            title="A column is missing",
        )
    for cells in reader:
        yield dict(zip(columns, cells, strict=False))


def _first(record: dict[str, Any], names: Iterable[str]) -> Any:
    return next((record[name] for name in names if record.get(name)), "")


def _target(record: dict[str, Any]) -> LinkTarget | None:
    symbol = str(_first(record, _SYMBOL_HEADERS)).strip()
    if not symbol.lstrip("$"):
        return None
    aliases = _first(record, _ALIAS_HEADERS)
    if isinstance(aliases, str):
        aliases = aliases.replace(";", "|").split("|")
    told = tuple(alias for value in aliases if (alias := str(value).strip()))
    return LinkTarget(symbol, str(_first(record, _NAME_HEADERS)).strip(), told)


train = typer.Typer(name="train", help="Train the project's own models.", no_args_is_help=True)


@train.command(
    "sentiment",
    epilog=examples("bellwether train sentiment --sentfin headlines.csv --tfns tweets.csv --out weights.bin"),
)
def train_sentiment(
    sentfin: Annotated[Path, typer.Option("--sentfin", help="SEntFiN 1.0: title, entity, sentiment.")],
    tfns: Annotated[Path, typer.Option("--tfns", help="Twitter financial news: text, sentiment.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Weights file to write [default: the packaged one].")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Decides the folds; same seed, same weights.")] = 0,
    json: JsonOption = False,
) -> None:
    """Cross-validate the sentiment text model, print its figures, train on everything and write the weights.

    Needs the development dependencies (scikit-learn). About two minutes on one core.
    """
    from bellwether.agents.text.examples import DataError
    from bellwether.agents.text.model import PACKAGED
    from bellwether.agents.text.training import train as train_model

    output = Output(json=json)
    waiting: AbstractContextManager[Any] = nullcontext()
    if sys.stderr.isatty():
        waiting = output.err.status("training")
    for path in (sentfin, tfns):
        if not path.is_file():
            raise WrongUse(f"{path}: no such file")
    try:
        with waiting:
            report = train_model(sentfin, tfns, out or PACKAGED, seed=seed, say=output.note)
    except ImportError as fault:
        raise Failure(
            f"{fault.name} is not installed", hint="uv sync --group dev", title="Training needs scikit-learn"
        ) from fault
    except DataError as fault:
        raise WrongUse(str(fault)) from fault
    output.answer(report, f"Trained version {report.version}: {report.out} ({report.size} bytes)")


LABEL_EPILOG = examples("bellwether label headlines.csv --out labelled.csv")
LINK_EPILOG = examples("bellwether link posts.csv --entities companies.tsv --out links.csv")


def register(app: typer.Typer) -> None:
    """Adds `label`, `link` and `train` to the main application."""
    app.command("label", epilog=LABEL_EPILOG)(label)
    app.command("link", epilog=LINK_EPILOG)(link)
    app.add_typer(train)
