"""Dates of feed entries that the feed reader does not understand and a person would."""

import re
from datetime import UTC, datetime, timedelta

# Months as feeds in other languages abbreviate them where RFC 822 asks for English.
_MONTHS = (
    ("jan", "ene", "gen", "janv", "jän"),
    ("feb", "fev", "fév", "févr", "fevr"),
    ("mar", "mär", "mrz", "mars", "mrt", "maa"),
    ("apr", "abr", "avr"),
    ("may", "mai", "maj", "mei", "mag"),
    ("jun", "giu", "juin"),
    ("jul", "lug", "juil"),
    ("aug", "ago", "aoû", "août", "aout"),
    ("sep", "set", "sept", "sett"),
    ("oct", "okt", "out", "ott"),
    ("nov",),
    ("dec", "dez", "dic", "déc"),
)
FURTHEST_EAST = timedelta(hours=14)
_NUMBER = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}
_RFC_822_ABROAD = re.compile(
    r"(?P<day>\d{1,2})\.?\s+(?:de\s+)?(?P<month>[^\W\d_]{3,12})\.?\s+(?:de\s+)?(?P<year>\d{4})"
    r",?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"\s*(?P<zone>[+-]\d{2}:?\d{2}|gmt|utc|z)?\s*$",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    r"(?P<month>[^\W\d_]{3,12})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})"
    r"\s*(?:[-–,]|at)?\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"\s*(?P<zone>[+-]\d{2}:?\d{2}|gmt|utc|z)?\s*$",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\s*1\d{9}\s*")


def foreign_date(text: str) -> datetime | None:
    """Reads `Seg, 24 Set 2018 19:42:40 -0300`, `Tuesday, July 28, 2026 - 09:30` and seconds since 1970;
    `None` for what is none of these.

    A time without a zone counts as UTC, as everywhere in a feed.
    """
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC)
    found = _RFC_822_ABROAD.search(text[:80]) or _MONTH_FIRST.search(text[:80])
    if found is None:
        return None
    name = found["month"].lower()
    month = _NUMBER.get(name) or _NUMBER.get(name[:3])
    if month is None:
        return None
    try:
        local = datetime(
            int(found["year"]),
            month,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"] or 0),
            tzinfo=UTC,
        )
        return local - _offset(found["zone"])
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone[0] not in "+-":
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    east = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if east > FURTHEST_EAST:
        raise ValueError("no zone is that far from UTC")
    return east if zone[0] == "+" else -east
