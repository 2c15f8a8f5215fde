"""Reading backwards what comes newest first: nothing is lost or read for ever, however much comes at once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.providers.newest_first import Reach, moment, read_on, window
from bellwether.adapters.providers.provider import Cursor

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SIZE = 5
REACH = Reach(first=48 * HOUR, most=480 * HOUR, overlap=HOUR, pages=6)


def page_of(times: list[datetime], start: datetime, end: datetime | None) -> list[datetime]:
    """What such a provider answers: both ends included, newest first, no more than a page."""
    found = sorted((at for at in times if start <= at and (end is None or at <= end)), reverse=True)
    return found[:SIZE]


def one_window(
    cursor: Cursor, times: list[datetime], at: datetime
) -> tuple[Cursor, set[datetime], int, bool]:
    """Reads until a window is through: the cursor, what was read, in how many pages, all of it or not."""
    read: set[datetime] = set()
    for pages in range(1, 100):
        asked = window(cursor, at, REACH)
        found = page_of(times, asked.start, asked.end)
        read |= set(found)
        cursor, note = read_on(cursor, asked, found, at, REACH, full=len(found) >= SIZE)
        if cursor.page is None:
            return cursor, read, pages, note is None
    raise AssertionError("a window that never ends")


@given(st.lists(st.sets(st.integers(1, 59), max_size=20), min_size=1, max_size=8))
def test_what_fits_is_read_and_what_does_not_is_said(arrivals: list[set[int]]) -> None:
    cursor, times, read = Cursor(), list[datetime](), set[datetime]()
    complete = True
    for hour, minutes in enumerate(arrivals):
        at = NOW + hour * HOUR
        times += [at - minute * MINUTE for minute in minutes]
        cursor, found, pages, whole = one_window(cursor, times, at)
        assert pages <= REACH.pages
        read |= found
        complete &= whole
        assert cursor.since == (max(times) if times else None)
        assert (cursor.first_id, cursor.pages) == (None, 0)
    if complete:
        assert read == set(times)


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(0, 3))
def test_many_at_one_moment_end_as_well(ages: list[int], later: int) -> None:
    times = [NOW - age * HOUR for age in ages]
    cursor, _, pages, whole = one_window(Cursor(), times, NOW)
    assert pages <= REACH.pages
    if len(times) < SIZE:
        assert whole
    again, _, _, _ = one_window(cursor, times, NOW + later * HOUR)
    assert again.since == cursor.since


def test_dates_that_cannot_be_move_no_mark() -> None:
    asked = window(Cursor(since=NOW - HOUR), NOW, REACH)
    future = [NOW + timedelta(days=900), None, NOW - 2 * HOUR]
    cursor, note = read_on(Cursor(since=NOW - HOUR), asked, future, NOW, REACH, full=False)
    assert (cursor.since, note) == (NOW - HOUR, None)


def test_moments_a_cursor_kept() -> None:
    assert moment("2026-11-23T06:00:00+00:00") == moment("2026-11-23T06:00:00") == NOW
    assert moment("soon") is moment(None) is None
