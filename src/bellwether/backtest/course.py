"""The course of a replay's forecasts: made, waited for, and over."""

from datetime import date

from bellwether.backtest.columns import Ints
from bellwether.backtest.forecasts import Forecasts, Made, Outcomes
from bellwether.backtest.records import Counts
from bellwether.backtest.resolving import Endings, EqualWeight, Waiting, together


class Course:
    """Takes forecasts day by day, and tells when it is known what became of them."""

    def __init__(self, made: Made, endings: Endings, benchmark: EqualWeight, counts: Counts) -> None:
        self._made, self._endings, self._benchmark, self._counts = made, endings, benchmark, counts
        self._waiting = Waiting()
        self._resolved: list[Ints] = []
        self._unused: list[Ints] = []

    def add(self, forecasts: Forecasts) -> None:
        """Forecasts made at the end of a day."""
        self._waiting.add(self._made.add(forecasts), self._endings.due[forecasts.row])

    def known(self, today: date) -> Outcomes:
        """What is known at the midnight that begins `today` and was not before; the rest is counted."""
        places = self._waiting.known(today.toordinal())
        ends = self._endings.take(self._made.take(places).row)
        self._counts.no_entry_price += int(ends.no_entry_price.sum())
        self._counts.without_trade += int(ends.without_trade.sum())
        self._counts.late_exits += int(ends.late.sum())
        self._counts.closed_at_last_price += int(ends.last_price.sum())
        self._unused.append(places[~ends.entered])
        self._resolved.append(places[ends.entered])
        return self._outcomes(places[ends.entered])

    def resolved(self) -> Outcomes:
        """All that is over, in order of the forecasts."""
        return self._outcomes(together(self._resolved))

    def unused(self) -> Forecasts:
        """Forecasts that could not be entered."""
        return self._made.take(together(self._unused))

    def left(self) -> Forecasts:
        """Forecasts that are not over."""
        return self._made.take(self._waiting.left())

    def _outcomes(self, places: Ints) -> Outcomes:
        made = self._made.take(places)
        ends = self._endings.take(made.row)
        return Outcomes(
            forecasts=made,
            entry=ends.entry,
            leave=ends.leave,
            value=ends.value,
            benchmark=self._benchmark(ends.entry, ends.leave),
        )
