"""The answer of an evaluation as tables: outcomes, track records, who made and who lost money."""

from collections import Counter
from collections.abc import Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bellwether.cli.chain_tables import Document, coloured, number, percent

_MONEY_NOTE = (
    "[dim]A forecast, when the agent's side is followed: the return against the benchmark, the same net of "
    "the desk's costs, and the Brier score gained on the base rate. ± is one standard error (days move "
    "together, horizons overlap; – below ten of them): less than two of them from 0 shows nothing. share: "
    "the agent's part of what all outcomes returned, added up.[/dim]"
)


def evaluation_shown(answer: Document) -> list[RenderableType]:
    """Outcomes and the agents' track records of a `POST /evaluate`."""
    outcomes: Sequence[Document] = answer.get("outcomes", [])
    new, waiting = answer.get("resolved", len(outcomes)), answer.get("waiting", 0)
    shown: list[RenderableType] = [
        f"[bold]{new:,}[/bold] outcomes newly resolved, {waiting:,} forecasts still on their way."
    ]
    if outcomes:
        shown.append(_outcomes_table(outcomes))
    records = answer.get("track_records", [])
    if records:
        shown += [_records_table(records), _money_table(records), _MONEY_NOTE]
    shown += [_learned_line(config) for config in answer.get("configs", [])]
    shown += [_equity_line(name, day) for name, day in sorted(answer.get("equity", {}).items())]
    skipped = answer.get("skipped") or []
    if skipped:
        shown.append(f"[dim]{len(skipped):,} could not be resolved: {escape(_reasons(skipped))}[/dim]")
    if answer.get("more"):
        shown.append("There is more to resolve: run it again.")
    return shown


def _learned_line(config: Document) -> str:
    """The version an agent earned by these outcomes, and why."""
    return f"{config['agent_id']} is now v{config['version']}: [dim]{escape(config.get('reason', ''))}[/dim]"


def _equity_line(name: str, day: Document) -> str:
    """The day of a portfolio that is on record; its index knows nothing of cash that came or went."""
    return (
        f"Equity of {escape(name)} at the close of {day['day']}: {number(day['equity'])} "
        f"[dim](index {number(day['index'], 4)}, 1 on the first recorded day)[/dim]"
    )


def _reasons(skipped: Sequence[Document]) -> str:
    """Why, each reason once with how often it was given."""
    counts = Counter(str(told.get("code") or told.get("reason")) for told in skipped)
    return ", ".join(f"{reason} ({count:,})" for reason, count in counts.most_common(10))


def _outcomes_table(outcomes: Sequence[Document], most: int = 30) -> Table:
    table = Table(title="Outcomes", title_justify="left")
    for name in ("asset", "from", "to", "p(up)", "return", "relative", "hit", "Brier", "outcome"):
        right = name in {"p(up)", "return", "relative", "Brier"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for told in outcomes[:most]:
        table.add_row(
            told["asset"],
            told["entry_date"],
            told["exit_date"],
            percent(told["p_up"]),
            coloured(told["raw_return"], percent(told["raw_return"], 2, signed=True)),
            percent(told["relative_return"], 2, signed=True),
            "yes" if told["hit"] else "no",
            number(told["brier"], 4),
            Text(told["outcome_id"], style="dim"),
        )
    if len(outcomes) > most:
        table.caption = f"… and {len(outcomes) - most:,} more (--json lists them)"
    return table


def _records_table(records: Sequence[Document]) -> Table:
    table = Table(title="Track records", title_justify="left")
    names = ("agent", "resolved", "Brier", "skill", "reliability", "hit rate", "IC", "ECE")
    for name in names:
        table.add_column(name, justify="left" if name == "agent" else "right")
    for told in records:
        table.add_row(
            f"{told['agent_id']} v{told['version']}",
            f"{told['resolved']:,}",
            number(told["brier"], 4),
            number(told["brier_skill"], 4),
            number(told["reliability"], 3),
            percent(told["hit_rate"]),
            number(told["information_coefficient"], 3),
            number(told["ece"], 3),
        )
    return table


def _money_table(records: Sequence[Document]) -> Table:
    """Who made and who lost money, and who knew more than the base rate."""
    table = Table(title="Who made and who lost", title_justify="left")
    for name in ("agent", "followed", "against benchmark", "net", "Brier gained", "share"):
        table.add_column(name, justify="left" if name == "agent" else "right")
    for told in records:
        gross, net, share = (told.get(k) for k in ("relative_return", "relative_return_net", "return_share"))
        gained = told.get("brier_gain")
        table.add_row(
            f"{told['agent_id']} v{told['version']}",
            f"{told.get('followed', 0):,}",
            _give_or_take(percent(gross, 3, signed=True), percent(told.get("relative_return_error"), 3)),
            coloured(net, percent(net, 3, signed=True)),
            _give_or_take(_signed(gained, 5), number(told.get("brier_gain_error"), 5)),
            coloured(share, percent(share, 2, signed=True)),
        )
    return table


def _signed(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:+.{digits}f}"


def _give_or_take(figure: str, error: str) -> str:
    return figure if figure == "–" else f"{figure} ± {error}"
