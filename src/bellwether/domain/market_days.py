"""Days on which a market holds no session, as far as a symbol says which market is its own."""

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

Market = Literal["us", "weekdays", "always"]

_ELSEWHERE = re.compile(r"\.(UK|L|DE|F|JP|T|HK|HU|PL|PA|AS|MI|MC|SW|TO|AX)$")
_ALWAYS = re.compile(r"=|-(USD|USDT|EUR|GBP|BTC)$|\.V$")
SATURDAY = 5

SPECIAL_CLOSINGS = frozenset(
    date.fromisoformat(day)
    for day in (
        "2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-29",
        "2012-10-30", "2018-12-05", "2025-01-09",
    )
)  # fmt: skip
"""Days the New York exchanges were closed beside their holidays (nyse.com, historical closings)."""
JUNETEENTH_SINCE, KING_SINCE = 2022, 1998


def market_of(symbol: str) -> Market:
    """Whose sessions a symbol follows: a plain one New York's, one of a pair of currencies nobody's."""
    if _ALWAYS.search(symbol):
        return "always"
    return "weekdays" if _ELSEWHERE.search(symbol) else "us"


def is_session(day: date, market: Market) -> bool:
    """Whether the market may have traded on that day. Holidays are known of New York alone."""
    if market == "always":
        return True
    if day.weekday() >= SATURDAY:
        return False
    return market != "us" or day not in us_closings(day.year)


def last_session(until: date, market: Market) -> date:
    """The last day up to `until` on which the market may have traded."""
    day = until
    while not is_session(day, market):
        day -= timedelta(days=1)
    return day


@lru_cache(maxsize=256)
def us_closings(year: int) -> frozenset[date]:
    """Weekdays of a year on which New York is closed (NYSE Rule 7.2).

    A holiday on a Sunday is kept on Monday, one on a Saturday on Friday, but New Year's Day on a Saturday is
    not kept at all.
    """
    kept = [
        _monday(year, 2, 3),
        easter(year) - timedelta(days=2),
        _last_monday_of_may(year),
        _observed(date(year, 7, 4)),
        _monday(year, 9, 1),
        _nth(year, 11, 3, 4),
        _observed(date(year, 12, 25)),
    ]
    if date(year, 1, 1).weekday() != SATURDAY:
        kept.append(_observed(date(year, 1, 1)))
    if year >= KING_SINCE:
        kept.append(_monday(year, 1, 3))
    if year >= JUNETEENTH_SINCE:
        kept.append(_observed(date(year, 6, 19)))
    return frozenset(kept) | {day for day in SPECIAL_CLOSINGS if day.year == year}


def easter(year: int) -> date:
    """Easter Sunday (Meeus, Astronomical Algorithms, 1991, chapter 8: the Gregorian calendar)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _observed(day: date) -> date:
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _monday(year: int, month: int, number: int) -> date:
    return _nth(year, month, 0, number)


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())
