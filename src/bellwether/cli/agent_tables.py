"""Agents' versions as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bellwether.cli.chain_tables import number

Line = Mapping[str, Any]

FIGURES = ("reliability", "slope")


def agents_shown(lines: Sequence[Line]) -> list[RenderableType]:
    """One line an agent, and under it why it is so."""
    table = Table(title="Agents", title_justify="left", show_lines=True)
    for name in ("agent", "on", "reliability", "slope", "resolved", "record", "because"):
        right = name in {*FIGURES, "resolved"}
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=name == "agent")
    for line in lines:
        table.add_row(f"{line['agent']} v{line['version']}", *_figures(line), _because(line))
    note = (
        "[dim]slope: the log-odds a whole reading may claim; a learned one counts once enough outcomes are "
        "resolved (200 as the product comes). resolved: outcomes, by how independent they are[/dim]"
    )
    return [table, note]


def history_shown(agent: str, lines: Sequence[Line]) -> list[RenderableType]:
    """One line a version, newest first."""
    table = Table(title=f"Versions of {escape(agent)}", title_justify="left", show_lines=True)
    for name in ("version", "on", "reliability", "slope", "resolved", "record", "because"):
        right = name in {"version", *FIGURES, "resolved"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for line in lines:
        table.add_row(str(line["version"]), *_figures(line), _because(line))
    return [table, f"[dim]bellwether agents back {escape(agent)} VERSION --reason WHY goes back to one[/dim]"]


def change_shown(document: Line) -> list[RenderableType]:
    """What a change did."""
    before, after = document["before"], document["after"]
    if not document["changed"]:
        state = "on" if after["on"] else "off"
        return [f"Nothing to change: {escape(after['agent'])} v{after['version']} is in force, and {state}."]
    parts = [
        f"{name} {number(before[name], 4)} → {number(after[name], 4)}"
        for name in FIGURES
        if before[name] != after[name]
    ]
    if before["on"] != after["on"]:
        parts.insert(0, "switched on" if after["on"] else "switched off")
    what = "; ".join(parts) or "the same figures as before"
    return [
        f"[bold]{escape(after['agent'])} v{after['version']}[/bold] (was v{before['version']}): {what}",
        f"[dim]{escape(after['reason'])}, by {escape(after['changed_by'] or '')}; "
        f"ledger entry {document['ledger_entry']}[/dim]",
    ]


def _figures(line: Line) -> list[RenderableType]:
    return [
        Text("on") if line["on"] else Text("off", style="bold red"),
        number(line["reliability"], 3),
        number(line["slope"], 3),
        f"{line['resolved']:,}",
        line["track_record"],
    ]


def _because(line: Line) -> RenderableType:
    at = f"{line['created_at']:%Y-%m-%d %H:%M} " if line["created_at"] else "as the product comes: "
    by = f" (by {line['changed_by']})" if line["changed_by"] else ""
    return Text(f"{at}{line['reason']}{by}")
