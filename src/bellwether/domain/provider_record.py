"""What the desk knows of a provider between calls, and what follows from it: may it be called now?

All functions and processes that call a provider share one record of it, replaced under its version, so that
quotas and budgets hold for all of them together. A call is reserved before it is made and settled after:
who dies in between has used up the call and its dollars.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from bellwether.domain.items import Instant
from bellwether.domain.provider_terms import Terms

State = Literal["ok", "failing", "unreachable", "spent", "off"]

BREAKER_AFTER = 5
"""Calls that fail one after the other until the provider is left alone for a while."""
FIRST_BREAK = timedelta(minutes=1)
LONGEST_BREAK = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=24)
UNREACHABLE = frozenset({"no_such_host", "unreachable", "too_slow"})
"""Codes of a provider that cannot be reached at all, whatever is asked for."""


class ProviderRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One provider. `version` counts its replacements (0: never kept).

    `arrivals` holds for each quota when the next evenly spaced call would be due. `not_before` is what the
    provider asked for, `open_until` when the circuit breaker lets a call try again. `dollars_today` and
    `tokens_today` are of `day` (UTC), those of this month of `month`. `lag_seconds` is how far behind
    publication the newest item of the last fetch with new items was.
    """

    name: str
    version: int = 0
    arrivals: dict[str, Instant] = {}
    not_before: Instant | None = None
    open_until: Instant | None = None
    failures: int = 0
    state: State = "ok"
    code: str | None = None
    detail: str | None = None
    called_at: Instant | None = None
    succeeded_at: Instant | None = None
    lag_seconds: float | None = None
    day: str = ""
    dollars_today: float = 0.0
    month: str = ""
    dollars_this_month: float = 0.0
    tokens_today: int = 0
    tokens_this_month: int = 0


class Wait(Struct, frozen=True, kw_only=True):
    """Why a provider is not called now, and when it may be."""

    until: Instant
    code: str
    detail: str


class Outcome(Struct, frozen=True, kw_only=True):
    """How a call went. `code` is `None` for a success; `about_all` says whether a failure is the provider's
    as a whole or only of what was asked for. `not_before` is what the provider asks to wait for.
    """

    code: str | None = None
    detail: str | None = None
    about_all: bool = True
    not_before: Instant | None = None


def reserve(
    record: ProviderRecord, terms: Terms, at: datetime, dollars: float, tokens: int = 0
) -> tuple[ProviderRecord, Wait | None]:
    """The record with one more call that may cost `dollars` and `tokens`, or unchanged but for its state, and
    the wait."""
    record = _of_this_day(record, at)
    money = _out_of_money(record, terms, at, dollars) or _out_of_tokens(record, terms, at, tokens)
    wait = money or _told_to_wait(record, at) or _too_soon(record, terms, at)
    if wait is not None:
        return _waiting(record, wait), wait
    arrivals = {}
    for quota in terms.quotas:
        due = max(record.arrivals.get(quota.name, at), at)
        arrivals[quota.name] = due + timedelta(seconds=quota.spacing)
    # A breaker that has run out lets one call try: the others wait until that one is settled or given up.
    trying = record.open_until is not None
    return replace(
        _back_on(record),
        arrivals=arrivals,
        open_until=at + FIRST_BREAK if trying else None,
        called_at=at,
        dollars_today=record.dollars_today + dollars,
        dollars_this_month=record.dollars_this_month + dollars,
        tokens_today=record.tokens_today + tokens,
        tokens_this_month=record.tokens_this_month + tokens,
    ), None


def settle(
    record: ProviderRecord,
    at: datetime,
    outcome: Outcome,
    *,
    unspent: float = 0.0,
    unspent_tokens: int = 0,
    jitter: float = 0.0,
) -> ProviderRecord:
    """The record after a reserved call. `unspent` dollars and tokens of what was reserved were not charged
    (negative: more was). `jitter` in [0, 1) spreads the breaker's end, so that many desks do not come back at
    once.
    """
    record = _of_this_day(record, at)
    record = replace(
        record,
        dollars_today=max(record.dollars_today - unspent, 0.0),
        dollars_this_month=max(record.dollars_this_month - unspent, 0.0),
        tokens_today=max(record.tokens_today - unspent_tokens, 0),
        tokens_this_month=max(record.tokens_this_month - unspent_tokens, 0),
        not_before=_bounded(outcome.not_before, at) or _still(record.not_before, at),
    )
    if outcome.code is None or not outcome.about_all:
        return _succeeded(record, at, outcome)
    failures = record.failures + 1
    return replace(
        record,
        failures=failures,
        open_until=_break_until(failures, at, jitter),
        state="unreachable" if outcome.code in UNREACHABLE else "failing",
        code=outcome.code,
        detail=outcome.detail,
    )


def switched_off(record: ProviderRecord, code: str, detail: str) -> ProviderRecord:
    """The record of a provider that is not asked at all: without a key, or because somebody said so."""
    return replace(record, state="off", code=code, detail=detail)


def next_call(record: ProviderRecord, terms: Terms, at: datetime) -> datetime | None:
    """When the provider may be called next, `at` when it may be now; `None` while it is off."""
    if record.state == "off":
        return None
    _, wait = reserve(record, terms, at, terms.call_dollars + terms.item_dollars)
    if wait is None and record.state == "spent":
        # a dollar is left, and not enough for what was to be asked
        return _budget_renewed(record, at)
    return wait.until if wait else at


def budget_used(record: ProviderRecord, terms: Terms, at: datetime) -> float | None:
    """The larger share of the day's and the month's budget that is spent; `None` without a budget."""
    record = _of_this_day(record, at)
    pairs = (
        (record.dollars_today, terms.daily_dollars),
        (record.dollars_this_month, terms.monthly_dollars),
        (record.tokens_today, terms.daily_tokens),
        (record.tokens_this_month, terms.monthly_tokens),
    )
    shares = [spent / budget if budget else 1.0 for spent, budget in pairs if budget is not None]
    return max(shares, default=None)


def _succeeded(record: ProviderRecord, at: datetime, outcome: Outcome) -> ProviderRecord:
    fine = outcome.code is None
    return replace(
        record,
        failures=0,
        open_until=None,
        state="ok",
        code=outcome.code,
        detail=outcome.detail,
        succeeded_at=at if fine else record.succeeded_at,
    )


def _waiting(record: ProviderRecord, wait: Wait) -> ProviderRecord:
    """What is broken stays told as broken while it is left alone; a spent budget is told as such."""
    if wait.code in {"daily_budget", "monthly_budget"}:
        return replace(record, state="spent", code=wait.code, detail=wait.detail)
    return _back_on(record)


def _back_on(record: ProviderRecord) -> ProviderRecord:
    if record.state in {"spent", "off"}:
        return replace(record, state="ok", code=None, detail=None)
    return record


def _told_to_wait(record: ProviderRecord, at: datetime) -> Wait | None:
    if record.not_before is not None and at < record.not_before:
        return Wait(until=record.not_before, code="asked_to_wait", detail="the provider asked to wait")
    if record.open_until is not None and at < record.open_until:
        detail = f"left alone for a while: {record.detail or 'it keeps failing'}"
        return Wait(until=record.open_until, code=record.code or "failing", detail=detail)
    return None


def _out_of_money(record: ProviderRecord, terms: Terms, at: datetime, dollars: float) -> Wait | None:
    if dollars <= 0:
        return None
    if terms.monthly_dollars is not None and record.dollars_this_month + dollars > terms.monthly_dollars:
        return _month_is_over(at, f"{terms.monthly_dollars:g} dollars")
    if terms.daily_dollars is not None and record.dollars_today + dollars > terms.daily_dollars:
        return _day_is_over(at, f"{terms.daily_dollars:g} dollars")
    return None


def _out_of_tokens(record: ProviderRecord, terms: Terms, at: datetime, tokens: int) -> Wait | None:
    if tokens <= 0:
        return None
    if terms.monthly_tokens is not None and record.tokens_this_month + tokens > terms.monthly_tokens:
        return _month_is_over(at, f"{terms.monthly_tokens:,} tokens")
    if terms.daily_tokens is not None and record.tokens_today + tokens > terms.daily_tokens:
        return _day_is_over(at, f"{terms.daily_tokens:,} tokens")
    return None


def _month_is_over(at: datetime, budget: str) -> Wait:
    return Wait(
        until=_next_month(at), code="monthly_budget", detail=f"the month's budget of {budget} is spent"
    )


def _day_is_over(at: datetime, budget: str) -> Wait:
    return Wait(until=_next_day(at), code="daily_budget", detail=f"the day's budget of {budget} is spent")


def _budget_renewed(record: ProviderRecord, at: datetime) -> datetime:
    monthly = record.code == "monthly_budget"
    of_now = record.month == f"{at:%Y%m}" if monthly else record.day == f"{at:%Y%m%d}"
    if not of_now:
        return at
    return _next_month(at) if monthly else _next_day(at)


def _next_day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _next_month(at: datetime) -> datetime:
    first = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _too_soon(record: ProviderRecord, terms: Terms, at: datetime) -> Wait | None:
    dues = []
    for quota in terms.quotas:
        due = record.arrivals.get(quota.name)
        if due is not None:
            dues.append(due - timedelta(seconds=quota.spacing * (quota.burst - 1)))
    last = max(dues, default=at)
    if last <= at:
        return None
    return Wait(until=last, code="quota", detail="its quota allows no call before")


def _break_until(failures: int, at: datetime, jitter: float) -> datetime | None:
    if failures < BREAKER_AFTER:
        return None
    pause = min(FIRST_BREAK * int(2 ** min(failures - BREAKER_AFTER, 10)), LONGEST_BREAK)
    return at + pause * (1 + jitter / 2)


def _bounded(until: datetime | None, at: datetime) -> datetime | None:
    return None if until is None or until <= at else min(until, at + LONGEST_WAIT)


def _still(until: datetime | None, at: datetime) -> datetime | None:
    return until if until is not None and until > at else None


def _of_this_day(record: ProviderRecord, at: datetime) -> ProviderRecord:
    day, month = f"{at:%Y%m%d}", f"{at:%Y%m}"
    if record.month != month:
        record = replace(record, month=month, dollars_this_month=0.0, tokens_this_month=0)
    return record if record.day == day else replace(record, day=day, dollars_today=0.0, tokens_today=0)
