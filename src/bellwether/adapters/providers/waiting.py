"""How long a provider asks to be left alone, as its headers say."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bellwether.domain.provider_record import LONGEST_WAIT


def retry_after(headers: Mapping[str, str], at: datetime) -> timedelta | None:
    """What `retry-after-ms` (milliseconds) or `Retry-After` (seconds or a date) asks for, at most a day;
    `None` without one."""
    milliseconds = number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(timedelta(milliseconds=milliseconds))
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit() and len(told) < 10:
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


_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


def duration(told: str | None) -> timedelta | None:
    """A time as `6m0s`, `1.5s` or `120ms` (`x-ratelimit-reset-requests`), at most a day."""
    match = _DURATION.fullmatch(told.strip()) if told and len(told) < 40 else None
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    if max(hours, minutes, seconds, milliseconds) >= 1e8:
        return LONGEST_WAIT
    whole = timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
    return _bounded(whole)


def number(told: str | None) -> float | None:
    """A header's finite number, `None` for anything else."""
    try:
        value = float(told) if told is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e12 else None


def _bounded(wait: timedelta) -> timedelta:
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
