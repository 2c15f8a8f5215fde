"""Sums and rank correlations of the forecasts of each day."""

from functools import cached_property

import numpy as np

from bellwether.backtest.columns import Flags, Floats, Ints
from bellwether.domain.information_coefficient import FEWEST_ASSETS


class ByDay:
    """Forecasts grouped by their days, which must not descend; `days` are the days there are, in order."""

    def __init__(self, days: Ints) -> None:
        begins = np.flatnonzero(np.diff(days, prepend=days[:1] - 1))
        self.days = days[begins]
        self._place = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(days)))

    def __len__(self) -> int:
        return len(self.days)

    @cached_property
    def counts(self) -> Floats:
        """How many forecasts each day has."""
        return np.bincount(self._place, minlength=len(self)).astype(np.float64)

    def sums(self, values: Floats | Flags) -> Floats:
        """Of each day's values."""
        return np.bincount(self._place, weights=values, minlength=len(self)).astype(np.float64)

    def spread(self, values: Floats) -> Floats:
        """Each forecast's day's value."""
        return values[self._place]

    def binned(self, bins: Ints, values: Floats, size: int) -> Floats:
        """The sums of each day's values (first axis) by bin."""
        places = self._place * size + bins
        found = np.bincount(places, weights=values, minlength=len(self) * size).astype(np.float64)
        return found.reshape(-1, size)

    def largest(self, values: Ints) -> Ints:
        """Of each day's values."""
        if not len(self):
            return values
        found: Ints = np.maximum.reduceat(values, np.searchsorted(self._place, np.arange(len(self))))
        return found

    def spearman(self, xs: Floats, ys: Floats) -> Floats:
        """`domain.information_coefficient.spearman` of each day; NaN where it is undefined."""
        dx, dy = self._centred_ranks(xs), self._centred_ranks(ys)
        squares = self.sums(dx * dx) * self.sums(dy * dy)
        defined = (self.counts >= FEWEST_ASSETS) & (squares > 0)
        found = np.full(len(self), np.nan)
        np.divide(self.sums(dx * dy), np.sqrt(squares), out=found, where=defined)
        return found

    def _centred_ranks(self, values: Floats) -> Floats:
        """Ranks within the day less their mean, ties sharing the mean of theirs."""
        order = np.lexsort((values, self._place))
        place, ordered = self._place[order], values[order]
        new = np.ones(len(values), np.bool_)
        new[1:] = (place[1:] != place[:-1]) | (ordered[1:] != ordered[:-1])
        first = np.flatnonzero(new)
        last = np.append(first[1:], len(values)) - 1
        before = np.cumsum(self.counts) - self.counts
        rank = np.empty(len(values))
        rank[order] = ((first + last) / 2)[np.cumsum(new) - 1]
        centred: Floats = rank - self.spread(before + (self.counts - 1) / 2)
        return centred
