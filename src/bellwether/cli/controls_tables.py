"""The desk's controls as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

Document = Mapping[str, Any]

_STATES = {"ACTIVE": "green", "REDUCING": "yellow", "HALTED": "bold red"}
_MEANING = {
    "ACTIVE": "Proposals and approvals pass within the limits.",
    "REDUCING": "Only orders that shrink a position pass; everything else is denied (KILL_SWITCH).",
    "HALTED": "Every proposal and every approval is denied (KILL_SWITCH).",
}


def switched_shown(document: Document) -> list[RenderableType]:
    """What throwing the switch did, and how to go on."""
    state, before = document["state"], document["state_before"]
    was = "as before" if state == before else f"was {before}"
    shown = [f"The desk is {_coloured(state)} ({was}). {_MEANING[state]}", _signed(document)]
    if state != "ACTIVE":
        shown.append("[dim]bellwether resume --reason WHY ends it[/dim]")
    return list(shown)


def controls_shown(document: Document) -> list[RenderableType]:
    """The state, and every setting; what differs from the default stands out."""
    why = f" ({escape(document['state_reason'])})" if document["state_reason"] else ""
    table = Table(title="Settings", title_justify="left")
    for name in ("setting", "value", "default", "may be"):
        table.add_column(name, justify="right" if name in {"value", "default"} else "left")
    section = ""
    for one in document["settings"]:
        if section and not one["name"].startswith(f"{section}."):
            table.add_section()
        section = one["name"].partition(".")[0]
        own = one["value"] != one["default"]
        value = Text(_value(one["value"]), style="bold yellow" if own else "")
        table.add_row(one["name"], value, _value(one["default"]), one["may_be"])
    written = _signed(document) if document["version"] else "[dim]as the product comes: nothing was set[/dim]"
    return [f"The desk is {_coloured(document['state'])}{why}.", written, table]


def changed_shown(document: Document) -> list[RenderableType]:
    """Before and after of what `set` changes."""
    table = Table("setting", "before", "after", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for one in document["changed"]:
        table.add_row(one.name, _value(one.before), _value(one.after))
    shown: list[RenderableType] = [table] if table.row_count else ["These are the values in force already."]
    if document["version"] is None:
        return [*shown, "[dim]--dry-run: nothing was written[/dim]"]
    return [*shown, _signed(document)]


def history_shown(lines: Sequence[Document]) -> list[RenderableType]:
    """One line a version."""
    if not lines:
        return ["Nothing was changed yet: the desk is as the product comes."]
    table = Table(title="Changes of the controls", title_justify="left")
    for name in ("version", "at", "what", "by", "reason"):
        table.add_column(name, justify="right" if name == "version" else "left", overflow="fold")
    for line in lines:
        what = [f"{one.name} {_value(one.before)} → {_value(one.after)}" for one in line["changed"]]
        table.add_row(
            str(line["version"]),
            f"{line['at']:%Y-%m-%d %H:%M:%S}",
            escape("\n".join(what) or "nothing"),
            escape(line["changed_by"] or "–"),
            escape(line["reason"] or "–"),
        )
    return [table]


def _coloured(state: str) -> str:
    return f"[{_STATES[state]}]{state}[/]"


def _signed(document: Document) -> str:
    """Who made a version, when and why."""
    at = f"{document['at']:%Y-%m-%d %H:%M:%S}Z"
    by, reason = document["changed_by"] or "somebody", document["reason"] or "without a reason"
    entry = f", ledger entry {document['ledger_entry']}" if document.get("ledger_entry") else ""
    return (
        f"[dim]{escape(reason)}, by {escape(by)} at {at}; controls version {document['version']}{entry}[/dim]"
    )


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
