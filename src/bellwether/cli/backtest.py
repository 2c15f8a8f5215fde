"""`backtest`: a replay of history through the desk's own functions, offline."""

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.output import JsonOption, Output, examples

if TYPE_CHECKING:
    from bellwether.backtest.forecasts import Outcomes
    from bellwether.backtest.records import Counts, Settings
    from bellwether.backtest.report import Report
    from bellwether.domain.entities import Asset
    from bellwether.domain.items import Item, Kind, StoredItem
    from bellwether.domain.prices import History


def backtest(
    items: Annotated[
        list[str], typer.Option("--items", help="Posts or news: NDJSON, CSV or Parquet; may be repeated.")
    ],
    prices: Annotated[list[str], typer.Option("--prices", help="Daily bars: CSV or Parquet.")],
    companies: Annotated[
        str | None,
        typer.Option("--companies", help="Assets: symbol, name, aliases; else the prices' symbols."),
    ] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day to forecast on.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day to forecast on.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for report.html, report.json and Parquet.")
    ] = Path("backtest"),
    horizon: Annotated[int, typer.Option("--horizon", min=1, max=252, help="In trading days.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Of the intervals' draws.")] = 0,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep", metavar="STAGE", help="Also keep the report in the lake of a stage, as its owner."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Replay history as the desk would have lived it, and measure what its forecasts were worth.

    One forecast for each asset at the end of each trading day, from nothing but what was known then; the
    agents learn every night from outcomes known by the midnight before. Writes report.html, report.json and
    forecasts.parquet. The edge is "none" unless the day-clustered intervals exclude it.
    """
    # before numpy is loaded: its threads would spin for a while, and get nothing to do
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from bellwether.backtest.files import write
    from bellwether.backtest.records import Settings

    output = Output(json=json)
    settings = Settings(first=_day(first), last=_day(last), horizon=horizon, seed=seed)
    if settings.first and settings.last and settings.first > settings.last:
        raise WrongUse(f"--from {settings.first} is after --to {settings.last}")
    if out.exists() and not out.is_dir():
        raise WrongUse(f"--out {out} is a file; name a folder")
    with _without_collections():
        report, resolved = _replayed(items, prices, companies, settings, output)
        try:
            paths = write(out, report, resolved)
        except OSError as fault:
            raise Failure(f"the report cannot be written to {out}: {fault.strerror or fault}") from None
    document: dict[str, Any] = {**report.document(), "files": [str(path) for path in paths]}
    shown = _shown(report, out)
    if keep:
        kept = _kept(keep, paths)
        document["kept"] = kept
        shown.append(f"kept in the lake of {keep}: {kept[0].rpartition('/')[0]}/")
    output.answer(document, *shown)


def _kept(stage: str, paths: Sequence[Path]) -> list[str]:
    from datetime import UTC

    from bellwether.backtest.keeping import keep
    from bellwether.cli.owner import owner_ports

    with owner_ports(stage) as ports:
        return keep(ports.lake, paths, datetime.now(UTC))


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


@contextmanager
def _without_collections() -> Iterator[None]:
    """Everything a replay makes lives until it ends: looking for garbage meanwhile finds none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _replayed(
    items: Sequence[str], prices: Sequence[str], companies: str | None, settings: "Settings", output: Output
) -> tuple["Report", "Outcomes"]:
    from bellwether.agents.text import SentimentModel
    from bellwether.backtest.records import Counts
    from bellwether.backtest.replay import Replay
    from bellwether.backtest.report import report_of
    from bellwether.cli.progress import progress

    counts = Counts()
    histories, bars = _histories(prices)
    assets = _assets(companies, histories)
    ordered = _ordered(items, counts, output)
    _require_overlap(ordered, histories, settings)
    with progress(output.err, "replaying", "items", len(ordered)) as shown:
        replay = Replay(
            settings=settings,
            assets=assets,
            histories=histories,
            model=SentimentModel.load(),
            counts=counts,
            told=shown.advance,
        )
        replayed = replay(ordered)
    if not counts.linked:
        output.note("none of the items is about one of the assets: what follows is made of prices alone")
    report = report_of(replayed, histories, settings)
    report.counts.update(bars)
    return report, replayed.resolved


def _histories(names: Sequence[str]) -> tuple[dict[str, "History"], dict[str, int]]:
    from bellwether.cli.bar_files import BarFile, read_bars

    histories: dict[str, History] = {}
    counts = {"bars": 0, "bars_held_back": 0, "bars_without_trade": 0}
    for name in names:
        found = BarFile()
        with _readable(name):
            for growing in read_bars(name):
                found = growing
        for history in found.histories():
            if history.symbol in histories:
                raise WrongUse(f"{history.symbol} has bars in more than one file; put them into one")
            histories[history.symbol] = history
        counts["bars"] += found.read
        counts["bars_held_back"] += found.held
        counts["bars_without_trade"] += found.without_trade
    if not histories:
        raise Failure(
            "the price files hold no bar", hint="columns: symbol, date, open, high, low, close, volume"
        )
    return histories, counts


def _require_overlap(
    items: Sequence["StoredItem"], histories: Mapping[str, "History"], settings: "Settings"
) -> None:
    """Refuses what a replay would find nothing in."""
    from bellwether.backtest.replay import trading_days

    if not items:
        raise Failure(
            "none of the files holds an item that can be used",
            hint="an item needs a text or a title, and the time it was published at",
        )
    if not trading_days(histories, settings, items):
        bars = [day for history in histories.values() for day in (history.dates[0], history.dates[-1])]
        raise Failure(
            f"items from {items[0].known_at:%Y-%m-%d} to {items[-1].known_at:%Y-%m-%d} and bars from "
            f"{min(bars)} to {max(bars)} have no day in common{_within(settings)}"
        )


def _within(settings: "Settings") -> str:
    bounds = [("from", settings.first), ("to", settings.last)]
    told = " ".join(f"--{name} {day}" for name, day in bounds if day)
    return f" within {told}" if told else ""


def _assets(name: str | None, histories: dict[str, "History"]) -> list["Asset"]:
    from bellwether.cli.asset_files import read_assets
    from bellwether.domain.entities import Asset

    if name is None:
        return [Asset(symbol=symbol, name=symbol) for symbol in sorted(histories)]
    with _readable(name):
        assets = [asset for asset in read_assets(name).assets if asset.symbol in histories]
    if not assets:
        raise Failure(f"no company of {name} has a bar in the price files")
    return assets


def _ordered(names: Sequence[str], counts: "Counts", output: Output) -> list["StoredItem"]:
    from bellwether.backtest.intake import in_order
    from bellwether.cli.progress import progress

    with progress(output.err, "reading", "items") as shown:
        batches = (_items(name, counts, shown) for name in names)
        return in_order(chain.from_iterable(chain.from_iterable(batches)), counts)


def _items(name: str, counts: "Counts", shown: Any) -> Iterator[list[tuple["Item", "Kind"]]]:
    from bellwether.cli.readers import RowReader, open_document, read_batches

    reader = RowReader()
    untold = 0
    with _readable(name), open_document(name) as document:
        for lines in read_batches(document, reader):
            found = [(line.item, line.kind) for line in lines if line.item is not None]
            counts.items += len(lines) - len(found)
            counts.rejected += len(lines) - len(found)
            yield found
            untold += len(lines)
            if untold >= 1_000:
                shown.advance(untold)
                untold = 0


@contextmanager
def _readable(name: str) -> Iterator[None]:
    from bellwether.cli.readers import FileRefused

    try:
        yield
    except FileRefused as fault:
        raise WrongUse(f"{name}: {fault}", title="That file cannot be read") from None
    except OSError as fault:
        raise WrongUse(f"{name}: {fault.strerror or fault}", title="That file cannot be read") from None


def _shown(report: "Report", out: Path) -> list[Any]:
    from rich.table import Table

    figures = report.figures
    table = Table("figure", "value", "95 % interval", box=None)
    for name in ("n", "accuracy", "mcc", "ic", "brier", "ece"):
        figure = getattr(figures, name)
        value = "–" if figure.value is None else f"{figure.value:,.4f}".removesuffix(".0000")
        interval = "–" if figure.ci95 is None else f"{figure.ci95[0]:,.4f} to {figure.ci95[1]:,.4f}"
        table.add_row(name, value, interval)
    return [table, f"edge: {figures.edge} ({figures.edge_reason})", f"report: {out / 'report.html'}"]


def register(app: typer.Typer) -> None:
    """Adds `backtest` to the main application."""
    example = "bellwether backtest --items posts.parquet --prices prices.parquet --companies companies.tsv"
    app.command("backtest", epilog=examples(example))(backtest)
