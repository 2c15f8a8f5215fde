"""`bellwether portfolio`: what proposals are sized against. Written with the owner's credentials."""

import math
from typing import Annotated, Any

import msgspec
import typer

from bellwether.cli.failures import Failure, WrongUse
from bellwether.cli.output import JsonOption, Output, examples
from bellwether.cli.stage import StageOption
from bellwether.domain.entities import Portfolio, Position

portfolio = typer.Typer(
    help="What proposals are sized against.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The portfolio's name.")]


@portfolio.command("set", epilog=examples("bellwether portfolio set core --cash 1000000"))
def set_(
    name: Name,
    cash: Annotated[float, typer.Option(help="Cash in the portfolio's currency.")],
    currency: Annotated[str | None, typer.Option(help="Three letters; USD for a new portfolio.")] = None,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Create a portfolio, or change its cash. Positions stay."""
    from bellwether.cli import owner

    with owner.owner_changes(stage) as ports:
        known = ports.entities.portfolio(name)
        made = checked(
            name=name,
            cash=cash,
            currency=(currency or (known.currency if known else "USD")).upper(),
            positions=known.positions if known else (),
        )
        ports.entities.put("portfolio", name, made)
    Output(json=json).answer(document_of(made), shown_of(made))


@portfolio.command(
    # A negative quantity looks like an option.
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "bellwether portfolio position core KO 250 --cost 58.40",
        "bellwether portfolio position core XOM -100 --cost 110",
    ),
)
def position(
    name: Name,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL")],
    quantity: Annotated[
        float, typer.Argument(metavar="QTY", help="Shares, negative when owed; 0 removes the position.")
    ],
    cost: Annotated[float, typer.Option(help="What a share cost, in the portfolio's currency.")],
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Set a position. The quantity replaces the one before."""
    from bellwether.cli import owner
    from bellwether.cli.asset_files import clean_symbol

    plain = clean_symbol(symbol)
    with owner.owner_changes(stage) as ports:
        known = found(ports.entities.portfolio(name), name)
        others = [held for held in known.positions if held.symbol != plain]
        new = [{"symbol": plain, "quantity": quantity, "cost": cost}] if quantity else []
        made = checked(
            name=name,
            cash=known.cash,
            currency=known.currency,
            positions=sorted([*msgspec.to_builtins(others), *new], key=lambda held: str(held["symbol"])),
        )
        ports.entities.put("portfolio", name, made)
    Output(json=json).answer(document_of(made), shown_of(made))


@portfolio.command("list", epilog=examples("bellwether portfolio list"))
def list_(stage: StageOption = "local", json: JsonOption = False) -> None:
    """List portfolios."""
    from rich.markup import escape
    from rich.table import Table

    from bellwether.cli import owner

    with owner.owner_ports(stage) as ports:
        known = ports.entities.portfolios()
    table = Table("portfolio", "cash", "positions")
    for one in known:
        table.add_row(escape(one.name), f"{one.cash:,.2f} {one.currency}", str(len(one.positions)))
    shown = table if known else "No portfolio yet: bellwether portfolio set NAME --cash X"
    Output(json=json).answer({"portfolios": [document_of(one) for one in known]}, shown)


@portfolio.command(epilog=examples("bellwether portfolio show core"))
def show(name: Name, stage: StageOption = "local", json: JsonOption = False) -> None:
    """Show cash and positions."""
    from bellwether.cli import owner

    with owner.owner_ports(stage) as ports:
        known = found(ports.entities.portfolio(name), name)
    Output(json=json).answer(document_of(known), shown_of(known))


@portfolio.command(epilog=examples("bellwether portfolio equity core"))
def equity(
    name: Name,
    days: Annotated[int, typer.Option(min=1, max=2_000, help="How many trading days back.")] = 63,
    stage: StageOption = "local",
    json: JsonOption = False,
) -> None:
    """Show the recorded equity, newest first: what the DRAWDOWN check goes by.

    The index chains the returns of what was held; cash that came or went moves the equity, not the index.
    Every evaluation adds the last complete day.
    """
    from datetime import UTC, datetime

    from bellwether.cli import owner
    from bellwether.usecases.equity import EquityRecord

    with owner.owner_ports(stage) as ports:
        found(ports.entities.portfolio(name), name)
        records = EquityRecord(lake=ports.lake).days(name, datetime.now(UTC), days)[-days:]
    lines, best = [], 0.0
    for record in records:
        best = max(best, record.index)
        lines.append({**msgspec.to_builtins(record), "below_best": 1 - record.index / best})
    Output(json=json).answer({"name": name, "days": lines[::-1]}, equity_shown(name, lines[::-1]))


def equity_shown(name: str, lines: list[dict[str, Any]]) -> Any:
    """The recorded days as a table."""
    from rich.markup import escape
    from rich.table import Table

    if not lines:
        return "Nothing is recorded yet; every evaluation adds a day: bellwether evaluate"
    table = Table(title=f"Equity of {escape(name)}", title_justify="left")
    for column in ("close of", "equity", "cash", "positions", "index", "below its best"):
        table.add_column(column, justify="left" if column == "close of" else "right")
    for line in lines:
        table.add_row(
            line["day"],
            f"{line['equity']:,.2f}",
            f"{line['cash']:,.2f}",
            str(len(line["values"])),
            f"{line['index']:.4f}",
            f"{line['below_best']:.2%}",
        )
    return table


def found(portfolio: Portfolio | None, name: str) -> Portfolio:
    """The portfolio, if there is one. Raises `Failure`."""
    if portfolio is None:
        raise Failure(
            f"There is no portfolio {name}.",
            title="Unknown portfolio",
            hint=f"bellwether portfolio set {name} --cash X",
        )
    return portfolio


def checked(**values: Any) -> Portfolio:
    """A portfolio whose figures make sense. Raises `WrongUse`."""
    try:
        made = msgspec.convert({**values, "positions": msgspec.to_builtins(values["positions"])}, Portfolio)
    except msgspec.ValidationError as fault:
        raise WrongUse(str(fault)) from None
    figures = [made.cash, *(figure for held in made.positions for figure in (held.quantity, held.cost))]
    if not all(math.isfinite(figure) for figure in figures):
        raise WrongUse("cash, quantity and cost are finite numbers")
    return made


def document_of(known: Portfolio) -> dict[str, Any]:
    """The portfolio as JSON values, positions always listed."""
    return {
        "name": known.name,
        "cash": known.cash,
        "currency": known.currency,
        "positions": msgspec.to_builtins(known.positions),
    }


def shown_of(known: Portfolio) -> Any:
    """The portfolio as a table."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        "symbol", "quantity", "cost a share", "cost", title=escape(known.name), title_justify="left"
    )
    for held in known.positions:
        table.add_row(*_cells(held))
    table.add_section()
    table.add_row("cash", "", "", f"{known.cash:,.2f} {known.currency}")
    return table


def _cells(held: Position) -> tuple[str, str, str, str]:
    return held.symbol, f"{held.quantity:,g}", f"{held.cost:,.2f}", f"{held.quantity * held.cost:,.2f}"
