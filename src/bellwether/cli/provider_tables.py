"""Providers as a table for people."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from bellwether.usecases.provider_status import ProviderStatus

if TYPE_CHECKING:
    from rich.table import Table

COLOURS = {"ok": "green", "failing": "red", "unreachable": "yellow", "spent": "yellow"}


def provider_table(statuses: Sequence[ProviderStatus]) -> "Table":
    """A row a provider; what was never asked for comes dimmed."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("provider", "state", "next call", "lag", "calls", "items", "new", "errors", "dollars")
    for told in statuses:
        colour = COLOURS.get(told.state, "dim")
        table.add_row(
            told.title,
            f"[{colour}]{escape(told.line)}[/{colour}]",
            f"{told.next_call_at:%H:%M:%S}" if told.next_call_at else "-",
            str(timedelta(seconds=round(told.lag_seconds))) if told.lag_seconds is not None else "-",
            f"{told.calls:,}",
            f"{told.items:,}",
            f"{told.new_items:,}",
            ", ".join(f"{code} {count}" for code, count in told.errors.items()) or "-",
            _dollars(told),
        )
    return table


def _dollars(told: ProviderStatus) -> str:
    spans = (
        (told.dollars_today, told.daily_dollars, "today"),
        (told.dollars_this_month, told.monthly_dollars, "this month"),
    )
    parts = [f"{spent:.2f} of {budget:g} {span}" for spent, budget, span in spans if budget is not None]
    return ", ".join(parts) or "-"
