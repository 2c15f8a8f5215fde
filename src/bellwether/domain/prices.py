"""Daily bars and what may be read from them at a given time."""

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct


class Bar(Struct, frozen=True, kw_only=True):
    """One trading day of one asset; prices in the asset's currency, `volume` in shares."""

    symbol: str
    date: date
    open: Annotated[float, Meta(gt=0)]
    high: Annotated[float, Meta(gt=0)]
    low: Annotated[float, Meta(gt=0)]
    close: Annotated[float, Meta(gt=0)]
    adj_close: Annotated[float, Meta(gt=0)]
    volume: Annotated[float, Meta(ge=0)]


def known_from(day: date) -> datetime:
    """When the bar of a day is complete: the end of that day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


class Quote(Struct, frozen=True):
    """The close and the volume of one day."""

    date: date
    close: float
    volume: float

    @property
    def known_from(self) -> datetime:
        """When the bar was complete: the end of its day, UTC."""
        return known_from(self.date)


class History(Struct, frozen=True):
    """Bars of one asset as columns, ascending by date, one row a date."""

    symbol: str
    dates: list[date] = []
    open: list[float] = []
    high: list[float] = []
    low: list[float] = []
    close: list[float] = []
    adj_close: list[float] = []
    volume: list[float] = []

    def known_rows(self, as_of: datetime) -> int:
        """How many bars were complete at `as_of`. A day's bar is known from the end of that day, UTC.

        US, European and Asian sessions all end before midnight UTC of their date, so no bar is read early.
        """
        return bisect_left(self.dates, as_of.astimezone(UTC).date())

    def last_known(self, as_of: datetime) -> Quote | None:
        """The last bar that was complete at `as_of`; `None` when there was none."""
        rows = self.known_rows(as_of)
        if rows == 0:
            return None
        return Quote(date=self.dates[rows - 1], close=self.close[rows - 1], volume=self.volume[rows - 1])

    def returns(self, as_of: datetime, *, horizon: int = 1, days: int = 500) -> list[float]:
        """The last `days` returns over `horizon` bars known at `as_of`, decimals, oldest first.

        They are taken from adjusted closes; over more than one bar they overlap.
        """
        rows = self.known_rows(as_of)
        first = max(0, rows - days - horizon)
        closes = self.adj_close[first:rows]
        return [later / earlier - 1 for earlier, later in zip(closes, closes[horizon:], strict=False)]

    def average_volume(self, as_of: datetime, days: int) -> float | None:
        """Average daily volume in shares over the last `days` known bars; `None` without any."""
        rows = self.known_rows(as_of)
        volumes = self.volume[max(0, rows - days) : rows]
        return sum(volumes) / len(volumes) if volumes else None

    def row_of(self, day: date) -> int | None:
        """The row of a date, `None` when there is no bar of it."""
        row = bisect_left(self.dates, day)
        return row if row < len(self.dates) and self.dates[row] == day else None

    def first_row_after(self, as_of: datetime) -> int:
        """The row of the first bar whose UTC day begins at or after `as_of`: its open can still be traded."""
        utc = as_of.astimezone(UTC)
        midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
        return bisect_left(self.dates, utc.date() if utc == midnight else utc.date() + timedelta(days=1))

    def adjusted_open(self, row: int) -> float:
        """The open of a bar on the scale of the adjusted closes."""
        return self.open[row] * self.adj_close[row] / self.close[row]
