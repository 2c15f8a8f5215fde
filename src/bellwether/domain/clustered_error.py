"""The standard error of a mean of forecasts: days move together, and horizons overlap.

Observations of one trading day are added up first (Driscoll & Kraay, Review of Economics and Statistics
1998), then the days' sums may depend on each other: with Bartlett weights (Newey & West, Econometrica 1987)
and, because h − 1 such weights understate the error of returns over h overlapping days by a fifth (1 − d/h on
a correlation of 1 − d/h), also in full on the h − 1 days that overlap (Hansen & Hodrick, Journal of Political
Economy 1980). The larger counts: the second may come out negative, the first cannot.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache

WEEK, WORKING_DAYS = 7, 5
FEWEST_PERIODS = 10
"""Days, or horizons where they overlap, below which the scatter of so few sums understates the error
(Cameron, Gelbach & Miller, Review of Economics and Statistics 2008). With ten, 95 % intervals of simulated
returns over 1, 5 and 20 days hold the truth in 92, 88 and 87 % of worlds; with two, in 70, 60 and 59 %."""


@lru_cache(maxsize=4_096)  # many forecasts are of one day
def trading_day(day: date) -> int:
    """A number that grows by one from weekday to weekday; a weekend belongs to the Friday before.

    What is forecast from Friday to Sunday is entered at the same open.
    """
    weeks, weekday = divmod(day.toordinal() - 1, WEEK)
    return weeks * WORKING_DAYS + min(weekday, WORKING_DAYS - 1)


def lags_for(dates: int, horizon: int) -> int:
    """Lags that cover the overlap of horizons, and at least Newey & West's (1994) ⌊4(n/100)^(2/9)⌋."""
    return max(horizon - 1, math.floor(4 * math.pow(dates / 100, 2 / 9)))


def clustered_error(
    observations: Iterable[tuple[int, float]], *, horizon: int = 1, fewest: int = FEWEST_PERIODS
) -> float | None:
    """Standard error of the mean of (trading day, value) pairs over `horizon` trading days each.

    In the unit of the values; with G days the variance is multiplied by G/(G − 1). `None` below `fewest`
    times `horizon` days, and below two.
    """
    seen = list(observations)
    mean = sum(value for _, value in seen) / len(seen) if seen else 0.0
    sums: dict[int, float] = {}
    for day, value in seen:
        sums[day] = sums.get(day, 0.0) + value - mean
    return error_of_day_sums(sums, len(seen), horizon=horizon, fewest=fewest)


def error_of_day_sums(
    sums: Mapping[int, float], n: int, *, horizon: int = 1, fewest: int = FEWEST_PERIODS
) -> float | None:
    """`clustered_error` of `n` values from each trading day's sum of their deviations from the mean."""
    days = len(sums)
    if days < max(2, fewest * horizon):
        return None
    lags = lags_for(days, horizon)
    together = [_products(sums, lag) for lag in range(1, lags + 1)]
    own = _products(sums, 0)
    bartlett = own + 2 * sum((1 - lag / (lags + 1)) * c for lag, c in enumerate(together, 1))
    overlap = own + 2 * sum(together[: horizon - 1])
    # The Bartlett kernel is positive semi-definite; what is below zero is rounding.
    variance = max(bartlett, overlap, 0.0) * days / (days - 1)
    return math.sqrt(variance) / n


def _products(sums: Mapping[int, float], lag: int) -> float:
    """Σ of the products of days' sums `lag` trading days apart."""
    return sum(value * sums.get(day + lag, 0.0) for day, value in sums.items())
