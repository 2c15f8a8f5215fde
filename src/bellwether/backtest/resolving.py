"""What became of forecasts, when it became known: the desk's returns from open to open.

As `domain.evaluation.forward_return`, except that no position is forgotten once it has been opened. On a day
without trade nothing can be sold: the position is held until the next open of a day with trade. Where no bar
comes any more (a takeover, a bankruptcy, a delisting) it is closed at the last price there was. Leaving out
such forecasts would leave out the losers (Shumway, "The delisting bias in CRSP data", Journal of Finance
1997).
"""

from collections import deque
from collections.abc import Iterator
from datetime import date

from msgspec import Struct

from bellwether.backtest.records import Counts, Prediction, Resolved
from bellwether.domain.evaluation import PATIENCE_DAYS, Benchmark
from bellwether.domain.prices import History


class _Exit(Struct, frozen=True):
    """The bar a position is left at, and at what adjusted price."""

    row: int
    price: float


class Waiting:
    """One asset's forecasts that are not over, oldest first, each with the row it enters at."""

    def __init__(self, history: History, horizon: int, counts: Counts) -> None:
        self._history = history
        self._horizon = horizon
        self._counts = counts
        self._forecasts: deque[tuple[Prediction, int]] = deque()
        self.unused: list[Prediction] = []

    def add(self, forecast: Prediction, row: int) -> None:
        """A forecast made at the end of the day whose bar is in `row`."""
        self._forecasts.append((forecast, row + 1))

    def left(self) -> list[Prediction]:
        """The forecasts that are not over."""
        return [forecast for forecast, _ in self._forecasts]

    def resolved(self, today: date, benchmark: Benchmark) -> Iterator[Resolved]:
        """What is known at the midnight that begins `today` and was not before; the rest is counted."""
        dates = self._history.dates
        while self._forecasts:
            forecast, entry = self._forecasts[0]
            waited = (today - forecast.day).days - 1
            if entry >= len(dates) or dates[entry] >= today:
                if waited <= PATIENCE_DAYS:
                    return
                self._counts.no_entry_price += 1
                self.unused.append(forecast)
            elif self._history.volume[entry] <= 0:
                self._counts.without_trade += 1
                self.unused.append(forecast)
            else:
                found = self._exit(entry, today, waited)
                if found is None:
                    return
                yield self._outcome(forecast, entry, found, benchmark)
            self._forecasts.popleft()

    def _exit(self, entry: int, today: date, waited: int) -> _Exit | None:
        """Where a position opened at `entry` is left; `None` as long as that is not known."""
        history, planned = self._history, entry + self._horizon
        rows = len(history.dates)
        row = planned
        while row < rows and history.volume[row] <= 0:
            row += 1
        if row < rows:
            if history.dates[row] >= today:
                return None
            self._counts.late_exits += row > planned
            return _Exit(row, history.adjusted_open(row))
        if history.dates[-1] >= today or waited <= self._horizon * 7 / 5 + PATIENCE_DAYS:
            return None
        self._counts.closed_at_last_price += 1
        return _Exit(rows - 1, history.adj_close[rows - 1])

    def _outcome(self, forecast: Prediction, entry: int, found: _Exit, benchmark: Benchmark) -> Resolved:
        dates = self._history.dates
        return Resolved(
            forecast=forecast,
            entry=dates[entry],
            leave=dates[found.row],
            value=found.price / self._history.adjusted_open(entry) - 1,
            benchmark=benchmark(dates[entry], dates[found.row]),
        )
