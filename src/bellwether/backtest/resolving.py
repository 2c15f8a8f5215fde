"""What becomes of forecasts, and when it is known: the desk's returns from open to open.

As `domain.evaluation.forward_return`, except that no position is forgotten once it has been opened. On a day
without trade nothing can be sold: the position is held until the next open of a day with trade. Where no bar
comes any more (a takeover, a bankruptcy, a delisting) it is closed at the last price there was. Leaving out
such forecasts would leave out the losers (Shumway, "The delisting bias in CRSP data", Journal of Finance
1997).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from msgspec import Struct

from bellwether.backtest.columns import Flags, Floats, Ints, distinct
from bellwether.domain.evaluation import PATIENCE_DAYS
from bellwether.domain.prices import History


def ordinals(history: History) -> Ints:
    """The days of a history."""
    return np.array([day.toordinal() for day in history.dates], np.int64)


def adjusted_opens(history: History) -> Floats:
    """`History.adjusted_open` of each row."""
    opens: Floats = np.array(history.open) * np.array(history.adj_close) / np.array(history.close)
    return opens


class Endings(Struct, frozen=True, kw_only=True, eq=False):
    """What becomes of a forecast made at the end of each bar's day. Days are ordinals.

    `due` is the midnight that begins the day on which it is known. Exactly one of `entered`,
    `no_entry_price` and `without_trade` holds; `late` and `last_price` say that a position was held on, or
    closed at the last price.
    """

    due: Ints
    entry: Ints
    leave: Ints
    value: Floats
    entered: Flags
    no_entry_price: Flags
    without_trade: Flags
    late: Flags
    last_price: Flags

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One after another."""
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in cls.__struct_fields__
            }
        )

    def take(self, rows: Ints) -> Self:
        """Some of them."""
        return type(self)(**{name: getattr(self, name)[rows] for name in self.__struct_fields__})


def endings(history: History, horizon: int) -> Endings:
    """The endings of forecasts over `horizon` trading days; the history must have a bar."""
    days, volume = ordinals(history), np.array(history.volume)
    rows = len(days)
    entry = np.arange(1, rows + 1)
    entered = _comes_in_time(days)
    bought = np.minimum(entry, rows - 1)
    traded = volume > 0
    without_trade = entered & ~traded[bought]
    entered &= traded[bought]
    planned = np.minimum(entry + horizon, rows)
    sold = _next_traded(traded)[planned]
    last_price = entered & (sold >= rows)
    sold = np.minimum(sold, rows - 1)
    opens = adjusted_opens(history)
    prices = np.where(last_price, history.adj_close[-1], opens[sold])
    # five bars a week; holidays are in the patience
    given_up = np.maximum(days[-1] + 1, days + 2 + int(horizon * 7 / 5 + PATIENCE_DAYS))
    due = np.where(last_price, given_up, days[sold] + 1)
    due = np.where(without_trade, days[bought] + 1, due)
    missed = ~(entered | without_trade)
    return Endings(
        due=np.where(missed, days + 2 + PATIENCE_DAYS, due),
        entry=days[bought],
        leave=days[sold],
        value=prices / opens[bought] - 1,
        entered=entered,
        no_entry_price=missed,
        without_trade=without_trade,
        late=entered & ~last_price & (sold > planned),
        last_price=last_price,
    )


def _comes_in_time(days: Ints) -> Flags:
    """Whether each bar is followed by one before patience ends."""
    comes = np.zeros(len(days), np.bool_)
    comes[:-1] = np.diff(days) <= PATIENCE_DAYS + 1
    return comes


def _next_traded(traded: Flags) -> Ints:
    """The first row with trade at or after each row and at the end; the number of rows where none comes."""
    rows = len(traded)
    candidates = np.append(np.where(traded, np.arange(rows), rows), rows)
    found: Ints = np.minimum.accumulate(candidates[::-1])[::-1]
    return found


class Waiting:
    """Forecasts that are not over, by the day on which they will be."""

    def __init__(self) -> None:
        self._places: defaultdict[int, list[Ints]] = defaultdict(list)

    def add(self, places: Ints, due: Ints) -> None:
        """Forecasts with these places are known at the midnights that begin the days `due`."""
        for day in distinct(due):
            self._places[day].append(places[due == day])

    def known(self, today: int) -> Ints:
        """What is known at the midnight that begins `today` and was not before."""
        return together(self._places.pop(today, []))

    def left(self) -> Ints:
        """What is not over yet."""
        return together([places for day in self._places.values() for places in day])


def together(parts: Sequence[Ints]) -> Ints:
    """All of them in order."""
    return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)


class EqualWeight:
    """`domain.evaluation.equal_weight` from columns: the mean return of the assets that have both bars."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        found = [history for history in histories.values() if history.dates]
        days = [ordinals(history) for history in found]
        self._first = min([int(one[0]) for one in days], default=0)
        size = max([int(one[-1]) for one in days], default=-1) - self._first + 1
        self._opens = np.full((size, len(found)), np.nan)
        for column, (history, own) in enumerate(zip(found, days, strict=True)):
            self._opens[own - self._first, column] = adjusted_opens(history)
        self._answers: dict[tuple[int, int], float] = {}

    def __call__(self, entry: Ints, leave: Ints) -> Floats:
        """From each open to each later one, NaN below two assets."""
        pairs = list(zip(entry.tolist(), leave.tolist(), strict=True))
        for pair in set(pairs) - self._answers.keys():
            self._answers[pair] = self._mean(*pair)
        return np.array([self._answers[pair] for pair in pairs])

    def _mean(self, entry: int, leave: int) -> float:
        returns = self._opens[leave - self._first] / self._opens[entry - self._first] - 1
        returns = returns[~np.isnan(returns)]
        return float(returns.mean()) if len(returns) > 1 else np.nan
