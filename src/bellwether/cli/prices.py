"""`bellwether prices`: daily bars. Written with the owner's credentials."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption

prices = typer.Typer(help="Daily bars.", no_args_is_help=True)

WRITERS = 8


@prices.callback()
def group() -> None:
    """Daily bars."""


@prices.command("import", epilog=examples("bellwether prices import prices.parquet"))
def import_(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="CSV, TSV or Parquet; - for stdin.")],
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Import daily bars. Columns: symbol, date, open, high, low, close, adj_close, volume.

    Bars of a day that is there already replace it, so importing again changes nothing. Rows that are no bar
    (missing figures, impossible ones, days to come) are held back and listed; days without trade are kept
    and counted. Without adj_close the close stands for it.
    """
    from bellwether.cli import owner

    output = Output(json=json)
    with owner.owner_ports(stage) as ports:
        results = [_import(file, ports, output) for file in files]
        tracked = {asset.symbol for asset in ports.entities.assets()}
    symbols = sorted({symbol for result in results for symbol in result["symbols"]})
    untracked = [symbol for symbol in symbols if symbol not in tracked]
    document = {
        "read": sum(result["read"] for result in results),
        "bars": sum(result["bars"] for result in results),
        "changed": sum(result["changed"] for result in results),
        "held_back": [told for result in results for told in result["held_back"]],
        "held_back_total": sum(result["held_back_total"] for result in results),
        "without_trade": sum(result["without_trade"] for result in results),
        "repeated": sum(result["repeated"] for result in results),
        "symbols": symbols,
        "untracked": untracked,
        "files": [{key: result[key] for key in ("file", "bars", "refused")} for result in results],
    }
    output.answer(document, *_shown(document, results))
    if not document["bars"]:
        raise typer.Exit(1)


@prices.command(
    epilog=examples(
        "bellwether prices fetch KO PEP",
        "bellwether prices fetch KO --provider tiingo --from 2020-01-01 --to 2024-12-31",
    )
)
def fetch(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL…", help="Such as KO or $KO.")],
    first: Annotated[str | None, typer.Option("--from", help="First day; five years ago if missing.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; yesterday (UTC) if missing.")] = None,
    provider: Annotated[
        str,
        typer.Option(
            metavar="tiingo|polygon|alphavantage|stooq", help="Whom to ask; all but stooq need a key."
        ),
    ] = "stooq",
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Fetch daily bars from a provider, with splits and dividends where it tells them.

    Keys are `tiingo_api_key`, `polygon_api_key` and `alphavantage_key` of the stage's secret `prices`; the
    environment variables TIINGO_API_KEY, POLYGON_API_KEY, ALPHAVANTAGE_API_KEY and STOOQ_API_KEY go before
    it. Stooq is asked without a key, and may refuse for want of one.

    A bar that cannot be believed is held back and listed with its reason: a split nobody told, prices in
    pence, a bad tick, an adjusted close that does not follow from the dividends. A symbol that fails is told
    and stops no other one; a provider that refuses everybody is not asked again, and up to a minute is waited
    for its quota. The bar of a day is taken when the day is over (UTC). Exit code 1 when no symbol worked, 3
    when the provider cannot be reached, 4 when there is no key.
    """
    from bellwether.cli import owner, price_fetching

    output = Output(json=json)
    days = price_fetching.days_of(first, last)
    with owner.owner_ports(stage) as ports:
        source = price_fetching.source_of(provider, ports)
        results = price_fetching.fetch_all(symbols, days, source, ports.prices, output)
        tracked = {asset.symbol for asset in ports.entities.assets()}
    price_fetching.answer(source, days, results, tracked, output)


def _import(file: str, ports: Any, output: Output) -> dict[str, Any]:
    """One file's result; a file that is refused has no bars and a reason."""
    from bellwether.cli.bar_files import BarFile, read_bars
    from bellwether.cli.progress import progress
    from bellwether.cli.readers import FileRefused

    found, refused = BarFile(), None
    try:
        with progress(output.err, f"Reading {file}", "rows") as shown:
            for found in read_bars(file):
                shown.advance(found.read - shown.done)
    except FileRefused as reason:
        refused = str(reason)
    histories = list(found.histories())
    changed = sum(_merge(histories, ports, output))
    return {
        "file": file,
        "refused": refused,
        "read": found.read,
        "bars": sum(len(history.dates) for history in histories),
        "changed": changed,
        "symbols": [history.symbol for history in histories],
        "held_back": found.held_back,
        "held_back_total": found.held,
        "without_trade": found.without_trade,
        "repeated": found.repeated,
        "unadjusted": found.unadjusted,
    }


def _merge(histories: list[Any], ports: Any, output: Output) -> Iterable[int]:
    from concurrent.futures import ThreadPoolExecutor

    from bellwether.cli.progress import progress

    with (
        progress(output.err, "Writing", "symbols", len(histories)) as shown,
        ThreadPoolExecutor(WRITERS) as pool,
    ):
        for changed in pool.map(ports.prices.merge, histories):
            shown.advance()
            yield changed


def _shown(document: dict[str, Any], results: list[dict[str, Any]]) -> list[str]:
    from rich.markup import escape

    lines = [
        f"[bold]{document['bars']:,}[/bold] bars of {len(document['symbols'])} symbols, "
        f"{document['changed']:,} of them new or changed; {document['held_back_total']:,} rows held back."
    ]
    lines += [
        f"  [red]{escape(r['file'])} refused[/red]: {escape(r['refused'])}" for r in results if r["refused"]
    ]
    lines += [
        escape(f"  row {told['row']} ({told['symbol']} {told['date']}): {told['detail']}")
        for told in document["held_back"][:10]
    ]
    if document["without_trade"]:
        lines.append(f"[dim]{document['without_trade']:,} days without trade were kept[/dim]")
    if document["repeated"]:
        lines.append(f"[dim]{document['repeated']:,} rows repeat a day; the last one stands[/dim]")
    if any(result["unadjusted"] for result in results):
        lines.append(
            "[dim]there is no adj_close: the close stands for it, splits and dividends show as returns[/dim]"
        )
    if document["untracked"]:
        some = ", ".join(document["untracked"][:10])
        lines.append(f"[dim]not tracked (bellwether track add): {some}[/dim]")
    return lines
