"""The clock of New York, whose time the SEC writes. By rule, since not every machine has a time zone file.

Daylight saving since 2007: from the second Sunday of March to the first Sunday of November, at 2 o'clock
(Energy Policy Act of 2005, section 110). The hour that comes twice in November is read as its first.
"""

from datetime import UTC, datetime, timedelta

WINTER, SUMMER = timedelta(hours=5), timedelta(hours=4)


def from_eastern(wall: datetime) -> datetime:
    """The moment (UTC) at which a clock in New York showed this; a zone of `wall` is not looked at."""
    wall = wall.replace(tzinfo=None)
    begin, end = _sunday(wall.year, 3, 2), _sunday(wall.year, 11, 1)
    west = SUMMER if begin <= wall < end else WINTER
    return (wall + west).replace(tzinfo=UTC)


def to_eastern(at: datetime) -> datetime:
    """What a clock in New York showed at a moment; the result carries no zone."""
    at = at.astimezone(UTC).replace(tzinfo=None)
    begin, end = _sunday(at.year, 3, 2) + WINTER, _sunday(at.year, 11, 1) + SUMMER
    return at - (SUMMER if begin <= at < end else WINTER)


def _sunday(year: int, month: int, which: int) -> datetime:
    first = datetime(year, month, 1, 2)  # noqa: DTZ001  a clock on a wall
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (which - 1))
