"""Which days a table has rows for, so that an index by day is read for those days and no others."""

from collections.abc import Iterable
from threading import Lock
from time import monotonic

from bellwether.adapters.aws.parallel import each
from bellwether.adapters.aws.tables import Table

DAYS = "#days"
BELIEVED_SECONDS = 300.0


class Days:
    """A directory kept in the table itself: partition `#days`, one row a day (`yyyymmdd`)."""

    def __init__(self, table: Table, partition: str, sort: str) -> None:
        self._table = table
        self._partition = partition
        self._sort = sort
        self._lock = Lock()
        self._noted: dict[str, float] = {}

    def note(self, days: Iterable[str]) -> None:
        """Adds days; those added minutes ago are not written again."""
        now = monotonic()
        with self._lock:
            new = [day for day in set(days) if now - self._noted.get(day, -1e9) > BELIEVED_SECONDS]
        if not new:
            return
        each(self._table.put, [{self._partition: DAYS, self._sort: day} for day in new])
        with self._lock:
            self._noted |= dict.fromkeys(new, now)

    def between(self, first: str, last: str, *, newest_first: bool = False) -> list[str]:
        """Noted days from `first` to `last` inclusive."""
        if first > last:
            return []
        rows = self._table.query(
            "#p = :days AND #s BETWEEN :first AND :last",
            {":days": DAYS, ":first": first, ":last": last},
            names={"#p": self._partition, "#s": self._sort},
            newest_first=newest_first,
            consistent=True,
        )
        return [row[self._sort] for row in rows]
