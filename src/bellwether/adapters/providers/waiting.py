"""How long a provider asks to be left alone, as its headers say."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bellwether.domain.provider_record import LONGEST_WAIT


def retry_after(headers: Mapping[str, str], at: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for (seconds or a date), at most a day; `None` without one."""
    told = headers.get("retry-after", "").strip()
    if told.isdigit() and len(told) < 10:
        return _bounded(timedelta(seconds=int(told)))
    try:
        until = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    return _bounded((until if until.tzinfo else until.replace(tzinfo=UTC)) - at)


def until_epoch(told: str | None, at: datetime) -> timedelta | None:
    """The time to a moment given in seconds since 1970 (`x-rate-limit-reset`), at most a day."""
    seconds = number(told)
    return None if seconds is None else _bounded(timedelta(seconds=seconds - at.timestamp()))


def in_seconds(told: str | None) -> timedelta | None:
    """A number of seconds from now (`x-ratelimit-reset`), at most a day."""
    seconds = number(told)
    return None if seconds is None else _bounded(timedelta(seconds=seconds))


def number(told: str | None) -> float | None:
    """A header's finite number, `None` for anything else."""
    try:
        value = float(told) if told is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e12 else None


def _bounded(wait: timedelta) -> timedelta:
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
