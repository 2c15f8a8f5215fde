"""Splits and cash dividends, and what they make of closes as traded."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct


class Split(Struct, frozen=True, kw_only=True):
    """`ratio` new shares for one old share, from the open of `date` on: 7.0 for seven to one, 0.1 for a
    reverse split of one to ten."""

    date: date
    ratio: Annotated[float, Meta(gt=0)]


class Dividend(Struct, frozen=True, kw_only=True):
    """`cash` a share of the day before the ex-date `date`, in the currency of the price, as it was paid:
    not adjusted for later splits."""

    date: date
    cash: Annotated[float, Meta(gt=0)]


class Actions(Struct, frozen=True):
    """Corporate actions of one asset, ascending by date, at most one of a kind a day."""

    symbol: str
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()

    def ratio_between(self, after: date, until: date) -> float:
        """New shares for one held at the close of `after`, at the close of `until`."""
        ratio = 1.0
        for split in self.splits:
            if after < split.date <= until:
                ratio *= split.ratio
        return ratio

    def cash_between(self, after: date, until: date) -> float:
        """Cash a share held at the close of `after` got until the close of `until`, the split ratio of the
        days before each payment taken into account."""
        return sum(
            dividend.cash * self.ratio_between(after, _day_before(dividend.date))
            for dividend in self.dividends
            if after < dividend.date <= until
        )


def merge_actions(old: Actions, new: Actions) -> tuple[Actions, int]:
    """`old` with what `new` tells added or, for the same day and kind, replaced; and how many changed."""
    splits = {split.date: split for split in old.splits}
    dividends = {dividend.date: dividend for dividend in old.dividends}
    changed = sum(splits.get(split.date) != split for split in new.splits)
    changed += sum(dividends.get(dividend.date) != dividend for dividend in new.dividends)
    if not changed:
        return old, 0
    splits |= {split.date: split for split in new.splits}
    dividends |= {dividend.date: dividend for dividend in new.dividends}
    return Actions(
        new.symbol,
        tuple(splits[day] for day in sorted(splits)),
        tuple(dividends[day] for day in sorted(dividends)),
    ), changed


def adjusted_closes(days: Sequence[date], closes: Sequence[float], actions: Actions) -> list[float]:
    """Closes on the scale of the last one, so that their returns are those of holding with dividends put in.

    `days` ascending, `closes` as traded. A close before an ex-date is multiplied by 1 - D / P, P being the
    last close before the ex-date, and one before a split by 1 / ratio (CRSP, Data Descriptions Guide,
    "Cumulative factor to adjust price"; a dividend of more than P is passed over). Actions after the last
    day change nothing, for their P is not known.
    """
    factors = [1.0] * (len(days) + 1)
    for dividend in actions.dividends:
        row = bisect_left(days, dividend.date)
        if 0 < row < len(days) and dividend.cash < closes[row - 1]:
            factors[row] *= 1 - dividend.cash / closes[row - 1]
    for split in actions.splits:
        row = bisect_left(days, split.date)
        if 0 < row < len(days):
            factors[row] /= split.ratio
    adjusted, factor = [0.0] * len(days), 1.0
    for row in range(len(days) - 1, -1, -1):
        adjusted[row] = closes[row] * factor
        factor *= factors[row]
    return adjusted


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)
