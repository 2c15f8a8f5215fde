"""Reading a list that comes newest first and only so deep: one page a read, each further back in time.

The window is what lies between the newest entry known and now. A page that is full is followed by the one
before its oldest entry, in the next read when need be. Only when the window is through does the newest entry
of its first page become the mark the next window starts at: what fails in between is read again.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from bellwether.adapters.providers.provider import Cursor
from bellwether.domain.items import CLOCK_SKEW


class Reach(Struct, frozen=True, kw_only=True):
    """How far a provider is read: `first` the very first time, `most` after having been away, `overlap`
    once more each time, since entries may come late. `pages` bounds one window."""

    first: timedelta
    most: timedelta
    overlap: timedelta
    pages: int


class Window(Struct, frozen=True, kw_only=True):
    """What to ask for now. `end` is `None` for now. `note` says what is left out."""

    start: datetime
    end: datetime | None = None
    note: str | None = None


def window(cursor: Cursor, at: datetime, reach: Reach) -> Window:
    """The next page's window."""
    if cursor.since is None:
        start, note = at - reach.first, None
    else:
        start, note = cursor.since - reach.overlap, None
        if start < at - reach.most:
            start, note = at - reach.most, f"news before {at - reach.most:%Y-%m-%d} are left out"
    return Window(start=start, end=moment(cursor.page), note=note)


def read_on(
    cursor: Cursor, asked: Window, times: Iterable[datetime | None], at: datetime, reach: Reach, *, full: bool
) -> tuple[Cursor, str | None]:
    """The cursor after a page with entries of these times, and what has to be left out.

    `full` says that there may be more before its oldest entry.
    """
    known = [told for told in times if told is not None and told <= at + CLOCK_SKEW]
    newest = max([*known, *([told] if (told := moment(cursor.first_id)) else [])], default=None)
    oldest = min(known, default=None)
    pages = cursor.pages + 1
    # a page whose entries all carry the moment it ends with would be asked for again for ever
    stuck = oldest is None or (asked.end is not None and oldest >= asked.end)
    if full and not stuck and pages < reach.pages and oldest is not None and oldest > asked.start:
        first = newest.isoformat() if newest else None
        return replace(cursor, page=oldest.isoformat(), first_id=first, pages=pages), asked.note
    note = asked.note
    if full and oldest is not None and oldest > asked.start:
        note = f"there is more than can be read: news before {oldest:%Y-%m-%d %H:%M} are left out"
    since = max(newest, cursor.since) if newest and cursor.since else newest or cursor.since
    return replace(cursor, since=since, page=None, first_id=None, pages=0), note


def moment(text: str | None) -> datetime | None:
    """A time a cursor kept, `None` for none."""
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
