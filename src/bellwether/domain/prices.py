"""Daily bars and what may be read from them at a given time."""

from bisect import bisect_left
from datetime import date, datetime
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
        return bisect_left(self.dates, as_of.date())
