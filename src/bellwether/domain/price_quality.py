"""Which daily bars are not believed: what is held back is reported and never traded on.

Bars are looked at in order, each against the last one that was believed. What is wrong for good (a split
nobody told, prices in pence) holds back all later bars too, so that the last price grows old and the check on
stale prices denies, until the provider or the owner mends the history. Limits are in `QualityLimits`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from msgspec import Struct

from bellwether.domain.corporate_actions import Actions
from bellwether.domain.market_days import Market, is_session
from bellwether.domain.price_context import BarValues, Context, QualityLimits, bar_values, log_ratio
from bellwether.domain.prices import History

_HUNDRED = math.log(100)
DEFAULT_LIMITS = QualityLimits()


class HeldBar(Struct, frozen=True, kw_only=True):
    """One bar that is not believed. `observed` and `limit` are in the unit `detail` names."""

    symbol: str
    date: date
    code: str
    observed: float
    limit: float
    detail: str


Finding = tuple[str, float, float, str]
Check = Callable[["_Case"], Finding | None]


class _Case(Struct):
    """One bar with what it is judged by. `ahead` is the adjusted close after it, if there is one."""

    bar: BarValues
    context: Context
    actions: Actions
    market: Market
    last: date
    limits: QualityLimits
    ahead: float | None

    @property
    def before(self) -> BarValues | None:
        return self.context.last

    @property
    def move(self) -> float:
        """The log return of the close since the last believed bar, splits taken out; 0.0 for a first bar."""
        before = self.before
        if before is None:
            return 0.0
        ratio = self.actions.ratio_between(before.date, self.bar.date)
        return log_ratio(self.bar.close * ratio, before.close)

    @property
    def adjusted_move(self) -> float:
        before = self.before
        return log_ratio(self.bar.adj_close, before.adj_close) if before else 0.0


def believed(
    fetched: History,
    *,
    known: History,
    actions: Actions,
    market: Market,
    last: date,
    tells_actions: bool,
    limits: QualityLimits = DEFAULT_LIMITS,
) -> tuple[History, list[HeldBar]]:
    """The bars of `fetched` that may be merged, and those held back.

    `known` are bars believed before; those earlier than `fetched` are what its first bars are judged by.
    `actions` are all that was told; with `tells_actions` they are complete for the days of `fetched`, and
    adjusted closes have to follow from them. `last` is the last day that is over.
    """
    context = Context.of(known, fetched.dates[0] if fetched.dates else last, limits)
    checks = _CHECKS if tells_actions else _CHECKS_WITHOUT_ACTIONS
    rows: list[int] = []
    held: list[HeldBar] = []
    broken: Finding | None = None
    for row in range(len(fetched.dates)):
        bar = bar_values(fetched, row)
        ahead = fetched.adj_close[row + 1] if row + 1 < len(fetched.dates) else None
        case = _Case(bar, context, actions, market, last, limits, ahead)
        finding = _still_broken(case, broken) or next(_findings(case, checks), None)
        broken = finding if finding is not None and finding[0] in _FOR_GOOD else None
        context.saw(bar)
        if finding is None:
            rows.append(row)
            context.believe(bar, case.adjusted_move)
        else:
            held.append(_held(fetched.symbol, bar.date, finding))
    return _rows_of(fetched, rows), held


def _findings(case: _Case, checks: Sequence[Check]) -> Iterator[Finding]:
    return (finding for check in checks if (finding := check(case)) is not None)


def _still_broken(case: _Case, broken: Finding | None) -> Finding | None:
    """The fault of the bar before, as long as the price has not come back from it."""
    if broken is None or abs(case.move) < case.limits.split_from_log:
        return None
    code, _, limit, detail = broken
    return code, math.exp(case.move), limit, detail


def _future(case: _Case) -> Finding | None:
    days = (case.bar.date - case.last).days
    if days <= 0:
        return None
    return "in_the_future", float(days), 0.0, f"{case.bar.date} was not over"


def _no_session(case: _Case) -> Finding | None:
    if is_session(case.bar.date, case.market):
        return None
    return "no_session", float(case.bar.date.isoweekday()), 5.0, f"no market on {case.bar.date:%A, %Y-%m-%d}"


def _impossible(case: _Case) -> Finding | None:
    """A high below the open, the close or the low, or a low above them, beyond a rounding step."""
    bar = case.bar
    outside = max(max(bar.open, bar.close, bar.low) / bar.high, bar.low / min(bar.open, bar.close)) - 1
    if outside <= case.limits.rounding:
        return None
    limit = case.limits.rounding
    return "impossible", outside, limit, f"open or close lies {outside:.2%} outside the day's range"


def _bad_range(case: _Case) -> Finding | None:
    """A high or low so far from open and close that it is a tick nobody traded at."""
    bar = case.bar
    widest = max(bar.high / max(bar.open, bar.close), min(bar.open, bar.close) / bar.low) - 1
    if widest <= case.limits.range_share:
        return None
    detail = f"the range reaches {widest:.0%} beyond open and close"
    return "bad_tick", widest, case.limits.range_share, detail


def _stale(case: _Case) -> Finding | None:
    """The same prices without any trade for many days: the provider repeats what it last knew."""
    context, limits = case.context, case.limits
    if not context.repeats(case.bar):
        return None
    if case.bar.volume > 0:
        return "repeated_bar", 1.0, 0.0, "the same prices and volume as the day before"
    days = context.still + 1
    if days < limits.still_days:
        return None
    return "stale_bars", float(days), float(limits.still_days), f"no trade and no change for {days} days"


def _units(case: _Case) -> Finding | None:
    """A hundred times or a hundredth of the price before: pence for pounds, or the other way."""
    before = case.before
    off = abs(abs(case.move) - _HUNDRED)
    if before is None or off > case.limits.units_log:
        return None
    times = math.exp(case.move)
    return "units", times, math.exp(case.limits.units_log), f"the price is {times:.4g} times the one before"


def _missed_split(case: _Case) -> Finding | None:
    """A jump by a ratio shares are split at, with no split told, not more money traded than usual, and the
    adjusted close moving along. A fall on news to the same level comes with many times the usual money.
    """
    limits, move = case.limits, case.move
    if case.before is None or abs(move) < limits.split_from_log:
        return None
    near = min(limits.split_ratios, key=lambda ratio: abs(abs(move) - math.log(ratio)))
    off = abs(abs(move) - math.log(near))
    turnover = case.context.turnover_times(case.bar)
    moved_along = abs(case.adjusted_move - move) <= limits.split_log
    if off > limits.split_log or not moved_along or turnover > limits.split_turnover:
        return None
    kind = f"{near:g} to 1" if move < 0 else f"1 to {near:g}"
    return "missed_split", math.exp(move), near, f"the price jumped as if split {kind}, and no split is told"


def _bad_dividend(case: _Case) -> Finding | None:
    """More cash than a share of the price, which the price of the day does not show either."""
    before, limits = case.before, case.limits
    if before is None:
        return None
    share = case.actions.cash_between(before.date, case.bar.date) / before.close
    shown = abs(math.expm1(case.move) + share)
    if share <= limits.dividend_share or shown <= limits.dividend_shown:
        return None
    return "bad_dividend", share, limits.dividend_share, f"a dividend of {share:.0%} of the price is told"


def _adjustment(case: _Case) -> Finding | None:
    """Adjusted closes have to move by the return with dividends: (ratio x close + cash) is what one share
    became, and adj_close moves as close x ratio / (close before - cash)."""
    before, limits = case.before, case.limits
    if before is None:
        return None
    share = case.actions.cash_between(before.date, case.bar.date) / before.close
    if share >= 1:
        return "bad_dividend", share, 1.0, "a dividend of more than the price is told"
    off = abs(math.expm1(case.adjusted_move - (case.move - math.log1p(-share))))
    if off <= limits.adjustment:
        return None
    detail = f"adj_close is {off:.2%} from what splits and dividends make of it"
    return "bad_adjustment", off, limits.adjustment, detail


def _bad_tick(case: _Case) -> Finding | None:
    """A jump of many times the usual one that the next close takes back."""
    limits, move = case.limits, case.adjusted_move
    limit = max(limits.tick_log, limits.tick_sigmas * case.context.sigma)
    if case.before is None or case.ahead is None or abs(move) <= limit:
        return None
    left = abs(log_ratio(case.ahead, case.before.adj_close))
    if left > limits.tick_returned * abs(move):
        return None
    jump = math.expm1(move)
    return "bad_tick", jump, math.expm1(limit), f"a jump of {jump:.0%} that the next day takes back"


def _unconfirmed(case: _Case) -> Finding | None:
    """A newest bar with a jump that little money was traded at: believed when the next day confirms it."""
    limits, move = case.limits, case.adjusted_move
    limit = max(limits.unconfirmed_log, limits.tick_sigmas * case.context.sigma)
    if case.before is None or case.ahead is not None or abs(move) <= limit:
        return None
    if case.context.turnover_times(case.bar) > limits.split_turnover:
        return None
    jump = math.expm1(move)
    return "unconfirmed_jump", jump, math.expm1(limit), f"a jump of {jump:.0%} that no next day confirms yet"


_FOR_GOOD = frozenset({"units", "missed_split"})
"""Faults that the bars after them have as well."""

_CHECKS_WITHOUT_ACTIONS: tuple[Check, ...] = (
    _future, _no_session, _impossible, _stale, _units, _missed_split, _bad_tick, _bad_range, _unconfirmed,
)  # fmt: skip
_CHECKS: tuple[Check, ...] = (
    _future, _no_session, _impossible, _stale, _units, _missed_split, _bad_tick, _bad_dividend, _adjustment,
    _bad_range, _unconfirmed,
)  # fmt: skip


def _held(symbol: str, day: date, finding: Finding) -> HeldBar:
    code, observed, limit, detail = finding
    return HeldBar(symbol=symbol, date=day, code=code, observed=observed, limit=limit, detail=detail)


def _rows_of(history: History, rows: Sequence[int]) -> History:
    if len(rows) == len(history.dates):
        return history
    columns = (
        history.open,
        history.high,
        history.low,
        history.close,
        history.adj_close,
        history.volume,
    )
    return History(
        history.symbol,
        [history.dates[row] for row in rows],
        *([column[row] for row in rows] for column in columns),
    )
