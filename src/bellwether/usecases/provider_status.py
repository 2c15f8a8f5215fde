"""How each provider does, in one line a person can act on and in figures."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from bellwether.domain.counters import named
from bellwether.domain.items import Instant
from bellwether.domain.provider_record import ProviderRecord, budget_used, next_call
from bellwether.domain.provider_terms import Purpose, Terms

Standing = Literal["ok", "failing", "unreachable", "spent", "off", "idle"]


class ProviderStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One provider. `idle` is one nothing was asked of yet; `line` says its state and what follows.

    Counts are since the desk was set up; `new_items` are those the desk did not have. Dollars are US dollars,
    `budget_used` is the larger share of the day's and the month's budget.
    """

    name: str
    title: str
    purpose: Purpose
    state: Standing
    line: str
    code: str | None = None
    called_at: Instant | None = None
    succeeded_at: Instant | None = None
    next_call_at: Instant | None = None
    lag_seconds: float | None = None
    calls: int = 0
    items: int = 0
    new_items: int = 0
    errors: dict[str, int] = {}
    dollars_today: float = 0.0
    daily_dollars: float | None = None
    dollars_this_month: float = 0.0
    monthly_dollars: float | None = None
    budget_used: float | None = None


def provider_statuses(
    records: Iterable[ProviderRecord],
    terms: Mapping[str, Terms],
    totals: Mapping[str, float],
    now: datetime,
) -> list[ProviderStatus]:
    """All providers there are, in the order of the table of terms. `totals` are the desk's counters."""
    known = {record.name: record for record in records}
    counts = _counts(totals)
    return [_status(known.get(name), row, counts.get(name, {}), now) for name, row in terms.items()]


def _status(
    record: ProviderRecord | None, terms: Terms, counts: Mapping[tuple[str, str], int], now: datetime
) -> ProviderStatus:
    if record is None:
        return ProviderStatus(
            name=terms.name, title=terms.title, purpose=terms.purpose, state="idle", line="nothing asked yet"
        )
    again = next_call(record, terms, now)
    today = record.dollars_today if record.day == f"{now:%Y%m%d}" else 0.0
    month = record.dollars_this_month if record.month == f"{now:%Y%m}" else 0.0
    return ProviderStatus(
        name=terms.name,
        title=terms.title,
        purpose=terms.purpose,
        state=record.state,
        line=line_of(record, again, now),
        code=record.code,
        called_at=record.called_at,
        succeeded_at=record.succeeded_at,
        next_call_at=again,
        lag_seconds=record.lag_seconds,
        calls=counts.get(("provider_calls", ""), 0),
        items=counts.get(("provider_items", ""), 0),
        new_items=counts.get(("provider_new_items", ""), 0),
        errors={kind: count for (name, kind), count in counts.items() if name == "provider_errors"},
        dollars_today=today,
        daily_dollars=terms.daily_dollars,
        dollars_this_month=month,
        monthly_dollars=terms.monthly_dollars,
        budget_used=budget_used(record, terms, now),
    )


def line_of(record: ProviderRecord, again: datetime | None, now: datetime) -> str:
    """The state of a provider as one sentence, with the next attempt where it waits."""
    words = {
        "ok": "working",
        "failing": "failing",
        "unreachable": "unreachable",
        "spent": "budget spent",
        "off": "off",
    }[record.state]
    told = f"{words}: {record.detail}" if record.detail else words
    if record.state == "off":
        return told
    if again is not None and (again > now or record.state in {"failing", "unreachable"}):
        what = "goes on" if record.state in {"ok", "spent"} else "next attempt"
        if again <= now:
            return f"{told}; {what} in the next round"
        day = "" if again.date() == now.date() else f"{again:%Y-%m-%d} "
        return f"{told}; {what} {day}{again:%H:%M:%S} UTC"
    return told


def _counts(totals: Mapping[str, float]) -> dict[str, dict[tuple[str, str], int]]:
    """Counters by provider, and by name and kind of error."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for counter, value in sorted(totals.items()):
        name, labels = named(counter)
        provider = labels.get("provider")
        if provider is not None:
            key = (name, labels.get("code", ""))
            mine = found.setdefault(provider, {})
            mine[key] = mine.get(key, 0) + int(value)
    return found
