"""Daily bars into the desk: judged first, on one scale with what is there, their corporate actions beside."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import date
from math import log

from msgspec import Struct

from bellwether.domain.corporate_actions import Actions
from bellwether.domain.market_days import market_of
from bellwether.domain.price_quality import HeldBar, believed
from bellwether.domain.prices import History
from bellwether.usecases.ports import Prices

SAME_SCALE = 1e-3
"""Closes of one day that differ by less are the same figure, rounded."""
LONGEST_GAP = 10
"""Calendar days after which the last known bar no longer says what the next may be."""
_UNITS = (log(100) - 0.01, log(100) + 0.01)


class Answer(Struct, frozen=True, kw_only=True):
    """What a provider told of one symbol: bars that are bars, rows that are none, payments and splits.

    `tells_actions` says whether `actions` are complete for the days of `history`.
    """

    history: History
    refused: list[HeldBar]
    actions: Actions
    tells_actions: bool


class Taken(Struct, frozen=True, kw_only=True):
    """What became of an answer. `bars` were believed, `changed` of them (or of older ones that were put on
    their scale) are new or other than before."""

    symbol: str
    bars: int
    changed: int
    held: list[HeldBar]
    first: date | None = None
    last: date | None = None
    without_trade: int = 0
    refetched: bool = False
    rescaled: int = 0


class TakePrices:
    """Takes answers of providers in, one symbol at a time."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices

    def __call__(self, answer: Answer, *, last: date, again: Callable[[date], Answer] | None = None) -> Taken:
        """Merges what is believed of an answer. `last` is the last day that is over.

        When the adjusted closes of days both have differ, something was paid or split since, or another
        provider told them: `again` is asked for everything from the first known day on. Older bars it does
        not have are put on the scale of the oldest common day. Whatever `again` raises, nothing was merged.
        """
        symbol = answer.history.symbol
        known = self._prices.history(symbol)
        refetched = False
        if again is not None and moved(known, answer.history) and known.dates[0] < answer.history.dates[0]:
            answer, refetched = again(known.dates[0]), True
        if held := _in_other_units(known, answer.history):
            return Taken(symbol=symbol, bars=0, changed=0, held=[*answer.refused, *held], refetched=refetched)
        good, held = believed(
            answer.history,
            known=known if _continues(known, answer.history) else History(symbol),
            actions=answer.actions,
            market=market_of(symbol),
            last=last,
            tells_actions=answer.tells_actions,
        )
        merged = rescaled(known, good)
        self._prices.keep_actions(_without(answer.actions, {one.date for one in held}))
        return Taken(
            symbol=symbol,
            bars=len(good.dates),
            changed=self._prices.merge(merged),
            held=[*answer.refused, *held],
            first=good.dates[0] if good.dates else None,
            last=good.dates[-1] if good.dates else None,
            without_trade=sum(volume == 0 for volume in good.volume),
            refetched=refetched,
            rescaled=len(merged.dates) - len(good.dates),
        )


def moved(known: History, fetched: History) -> bool:
    """Whether a day both have has another close or adjusted close."""
    return any(
        abs(new / old - 1) > SAME_SCALE
        for row, there in _common(known, fetched)
        for new, old in (
            (fetched.adj_close[row], known.adj_close[there]),
            (fetched.close[row], known.close[there]),
        )
    )


def rescaled(known: History, good: History) -> History:
    """`good`, with the known bars before it put on its scale of adjusted closes, where that is another.

    An action after all of them multiplies all adjusted closes before it by one factor, which the oldest
    common day tells.
    """
    common = next(_common(known, good), None)
    if common is None:
        return good
    row, there = common
    factor = good.adj_close[row] / known.adj_close[there]
    older = bisect_left(known.dates, good.dates[0])
    if abs(factor - 1) <= SAME_SCALE or older == 0:
        return good
    return History(
        good.symbol,
        known.dates[:older] + good.dates,
        known.open[:older] + good.open,
        known.high[:older] + good.high,
        known.low[:older] + good.low,
        known.close[:older] + good.close,
        [close * factor for close in known.adj_close[:older]] + good.adj_close,
        known.volume[:older] + good.volume,
    )


def _continues(known: History, fetched: History) -> bool:
    """Whether the known bars say something about the first one fetched: on one scale, and not long before."""
    if not known.dates or not fetched.dates or moved(known, fetched):
        return False
    row = bisect_left(known.dates, fetched.dates[0])
    return row > 0 and (fetched.dates[0] - known.dates[row - 1]).days <= LONGEST_GAP


def _without(actions: Actions, days: set[date]) -> Actions:
    """Actions of bars that were held back are not believed either."""
    return Actions(
        actions.symbol,
        tuple(split for split in actions.splits if split.date not in days),
        tuple(dividend for dividend in actions.dividends if dividend.date not in days),
    )


def _in_other_units(known: History, fetched: History) -> list[HeldBar]:
    """All bars, when days both have are told at a hundred times or a hundredth of what is known."""
    times = [fetched.close[row] / known.close[there] for row, there in _common(known, fetched)]
    if not times or not all(_UNITS[0] <= abs(log(ratio)) <= _UNITS[1] for ratio in times):
        return []
    detail = f"the price is {times[0]:.4g} times the one known of the same day"
    return [
        HeldBar(symbol=fetched.symbol, date=day, code="units", observed=times[0], limit=1.0, detail=detail)
        for day in fetched.dates
    ]


def _common(known: History, fetched: History) -> Iterator[tuple[int, int]]:
    """Rows of the same day in both, oldest first: of `fetched`, of `known`."""
    return ((row, there) for row, day in enumerate(fetched.dates) if (there := known.row_of(day)) is not None)
