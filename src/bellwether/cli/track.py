"""`bellwether track`: what the desk watches. Written directly, with the owner's credentials."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec
import typer

from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption
from bellwether.cli.track_entities import escaped, put
from bellwether.cli.track_entities import remove as remove_entity
from bellwether.cli.track_feeds import feed
from bellwether.domain.entities import Asset, Query, Subreddit
from bellwether.domain.items import RejectedItem

track = typer.Typer(help="What the desk watches: assets, feeds, subreddits, queries.", no_args_is_help=True)
subreddit = typer.Typer(help="Subreddits read every minute.", no_args_is_help=True)
query = typer.Typer(help="Searches on Reddit run every minute.", no_args_is_help=True)
track.add_typer(feed, name="feed")
track.add_typer(subreddit, name="subreddit")
track.add_typer(query, name="query")

WRITERS = 8
QueryText = Annotated[str, typer.Argument(metavar="TEXT", help="Up to 512 characters; quote it.")]
Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="Such as KO or $KO.")]


@track.command(
    epilog=examples('bellwether track add KO --name "Coca-Cola Company" --alias Coke --sector Staples')
)
def add(
    symbol: Symbol,
    name: Annotated[str, typer.Option(help="The company's name, as news write it.")],
    alias: Annotated[
        list[str] | None, typer.Option(help="Another name people use; may be given several times.")
    ] = None,
    sector: Annotated[str | None, typer.Option(help="For the concentration limits.")] = None,
    restricted: Annotated[bool, typer.Option("--restricted", help="No proposal may touch it.")] = False,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Track an asset, or change a tracked one."""
    from bellwether.cli import owner
    from bellwether.cli.asset_files import asset_of

    cells = {"symbol": symbol, "name": name, "aliases": alias or [], "sector": sector}
    try:
        asset = asset_of({**cells, "restricted": "yes" if restricted else ""})
    except RejectedItem as fault:
        raise WrongUse(fault.detail) from None
    with owner.owner_changes(stage) as ports:
        ports.entities.put("asset", asset.symbol, asset)
    Output(json=json).answer(
        {"asset": msgspec.to_builtins(asset)},
        f"Tracking [bold]{asset.symbol}[/bold], {escaped(asset.name)}.",
    )


@track.command("import", epilog=examples("bellwether track import companies.tsv"))
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV, TSV, JSON, NDJSON or Parquet; - for stdin.")
    ],
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Track the assets of a file. Columns: symbol or ticker, name or company, aliases, sector, restricted.

    A symbol may carry a $. Aliases are separated by a semicolon. Rows that are no asset are listed with
    their number; the others go in. Exit code 1 when none did.
    """
    from bellwether.cli import owner
    from bellwether.cli.asset_files import read_assets
    from bellwether.cli.readers import FileRefused

    output = Output(json=json)
    with owner.owner_changes(stage) as ports:
        try:
            found = read_assets(file)
        except FileRefused as reason:
            raise Failure(f"{file}: {reason}", title="The file was refused") from None
        put_all(found.assets, lambda asset: ports.entities.put("asset", asset.symbol, asset), output)
    document = {
        "imported": len(found.assets),
        "refused": found.refused,
        "symbols": [asset.symbol for asset in found.assets],
    }
    rows = [f"  [red]row {told['row']}[/red]: {escaped(told['detail'])}" for told in found.refused[:20]]
    output.answer(
        document,
        f"[bold]{len(found.assets)}[/bold] assets tracked, {len(found.refused)} rows refused.",
        *rows,
    )
    if not found.assets:
        raise typer.Exit(1)


def put_all(assets: list[Asset], put: Callable[[Asset], Any], output: Output) -> None:
    """Writes many assets, several at a time."""
    from concurrent.futures import ThreadPoolExecutor

    from bellwether.cli.progress import progress

    with (
        progress(output.err, "Tracking", "assets", len(assets)) as shown,
        ThreadPoolExecutor(WRITERS) as pool,
    ):
        for _ in pool.map(put, assets):
            shown.advance()


@track.command("list", epilog=examples("bellwether track list", "bellwether track list --json"))
def list_(stage: StageOption = "local", json: JsonOption = False) -> None:
    """List everything the desk watches."""
    from bellwether.cli import owner

    with owner.owner_ports(stage) as ports:
        assets = ports.entities.assets()
        others = {kind: ports.entities.records(kind) for kind in ("feed", "subreddit", "query")}
        portfolios = [portfolio.name for portfolio in ports.entities.portfolios()]
    document = {
        "assets": msgspec.to_builtins(assets),
        "feeds": others["feed"],
        "subreddits": others["subreddit"],
        "queries": others["query"],
        "portfolios": portfolios,
    }
    Output(json=json).answer(document, _assets_table(assets), *_others(others, portfolios))


def _assets_table(assets: Iterable[Asset]) -> Any:
    from rich.table import Table

    table = Table("symbol", "name", "aliases", "sector", "", title="Assets", title_justify="left")
    for asset in assets:
        state = "[red]restricted[/red]" if asset.restricted else ""
        aliases = ", ".join(asset.aliases)
        table.add_row(asset.symbol, escaped(asset.name), escaped(aliases), escaped(asset.sector or ""), state)
    if not table.row_count:
        return "No asset is tracked yet: bellwether track add SYMBOL --name NAME"
    return table


def _others(others: dict[str, list[dict[str, Any]]], portfolios: list[str]) -> list[str]:
    lines = [f"feed       {escaped(str(told.get('url')))}" for told in others["feed"]]
    lines += [f"subreddit  r/{escaped(str(told.get('name')))}" for told in others["subreddit"]]
    lines += [f"query      {escaped(str(told.get('text')))}" for told in others["query"]]
    return lines + [f"portfolio  {escaped(name)}" for name in portfolios]


@track.command(epilog=examples("bellwether track remove KO"))
def remove(symbol: Symbol, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Stop tracking an asset. What is known of it stays."""
    from bellwether.cli.asset_files import clean_symbol

    remove_entity("asset", clean_symbol(symbol), clean_symbol(symbol), stage, json=json)


@subreddit.command("add", epilog=examples("bellwether track subreddit add stocks"))
def add_subreddit(
    name: Annotated[str, typer.Argument(metavar="NAME", help="With or without r/.")],
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Read a subreddit from now on."""
    plain = subreddit_name(name)
    put("subreddit", plain.lower(), {"name": plain}, Subreddit, f"r/{plain}", stage, json=json)


@subreddit.command("remove", epilog=examples("bellwether track subreddit remove stocks"))
def remove_subreddit(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Stop reading a subreddit."""
    plain = subreddit_name(name)
    remove_entity("subreddit", plain.lower(), f"r/{plain}", stage, json=json)


@query.command("add", epilog=examples("bellwether track query add '$KO OR \"Coca-Cola\"'"))
def add_query(text: QueryText, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Search for these words from now on."""
    plain = query_text(text)
    put("query", query_id(plain), {"text": plain}, Query, plain, stage, json=json)


@query.command("list", epilog=examples("bellwether track query list"))
def list_queries(stage: StageOption = "local", json: JsonOption = False) -> None:
    """List what is searched for."""
    from bellwether.cli import owner

    with owner.owner_ports(stage) as ports:
        records = ports.entities.records("query")
    shown = [escaped(str(told.get("text"))) for told in records]
    none = ["No query is tracked yet: bellwether track query add TEXT"]
    Output(json=json).answer({"queries": records}, *(shown or none))


@query.command("remove", epilog=examples("bellwether track query remove '$KO OR \"Coca-Cola\"'"))
def remove_query(text: QueryText, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Stop searching for these words."""
    plain = query_text(text)
    remove_entity("query", query_id(plain), plain, stage, json=json)


def query_text(text: str) -> str:
    """A query as it is kept: blanks at its ends and doubled ones mean nothing to a search."""
    return " ".join(text.split())


def query_id(text: str) -> str:
    """The id of a query; capitals stay apart, since a search's operators (`OR`) are written in them."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def subreddit_name(name: str) -> str:
    """The bare name of `r/name` or `/r/name`."""
    return name.strip().strip("/").removeprefix("r/")
