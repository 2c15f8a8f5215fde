"""Times as files write them. What is ambiguous is refused, never guessed."""

import math
import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}$")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:?\d{2}", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?$")
_FRACTION = re.compile(r"\.(\d{6})\d+")
_EARLIEST_SECONDS, _LATEST_SECONDS = 1e8, 1e10
_LAST_MOMENT = time(23, 59, 59)


class NoTime(ValueError):
    """A cell that cannot be read as one moment."""


def read_time(cell: Any, zone: tzinfo) -> tuple[datetime | None, bool]:
    """The moment in UTC (`None` for an empty cell), and whether its zone had to be assumed to be `zone`.

    Takes ISO 8601, the date formats of mail and of the X API, and seconds or milliseconds since 1970. A day
    without a time counts as its last second: nothing may be known before it happened. Raises `NoTime`.
    """
    if isinstance(cell, str):
        cell = cell.strip()
    if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
        return None, False
    at = _moment(cell)
    zoneless = at.tzinfo is None
    try:
        return (at.replace(tzinfo=zone) if zoneless else at).astimezone(UTC), zoneless
    except (OverflowError, ValueError):
        raise NoTime(f"{cell!r} is out of range") from None


def _moment(cell: Any) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, _LAST_MOMENT)
    if isinstance(cell, bool):
        raise NoTime(f"{cell!r} is not a time")
    if isinstance(cell, int | float):
        return _since_1970(float(cell))
    if isinstance(cell, str):
        return _written(cell)
    raise NoTime(f"a {type(cell).__name__} is not a time")


def _written(text: str) -> datetime:
    try:
        if _DAY.match(text):
            return datetime.combine(date.fromisoformat(text), _LAST_MOMENT)
        if _ISO.match(text):
            return datetime.fromisoformat(_FRACTION.sub(r".\1", text.replace(" UTC", "Z")))
    except ValueError:
        raise NoTime(f"{text[:40]!r} is no moment of the calendar") from None
    if _NUMBER.match(text):
        return _since_1970(float(text))
    return _as_in_mail(text)


def _as_in_mail(text: str) -> datetime:
    """RFC 2822 (`Tue, 31 Dec 2013 23:10:08 GMT`) and `Tue Dec 31 23:10:08 +0000 2013`."""
    with suppress(ValueError):
        return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise NoTime(f"{text[:40]!r} is not a time in ISO 8601 (2024-01-31T14:30:00Z)") from None
    if not re.search(r"[A-Za-z]{3}", text):
        raise NoTime(f"{text[:40]!r} could be read in several ways; write 2024-01-31T14:30:00Z")
    return at


def _since_1970(number: float) -> datetime:
    """Seconds, milliseconds, microseconds or nanoseconds, told apart by their size (years 1973 to 2286)."""
    for scale in (1.0, 1e3, 1e6, 1e9):
        if _EARLIEST_SECONDS <= number / scale < _LATEST_SECONDS:
            return datetime.fromtimestamp(number / scale, UTC)
    raise NoTime(f"{number:g} is not a time since 1970")
