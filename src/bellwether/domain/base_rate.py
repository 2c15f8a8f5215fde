"""How often the asset went up anyway: the base rate every forecast is measured against."""

import math
from datetime import datetime

from msgspec import Struct

from bellwether.domain.prices import History

PRIOR_DAYS = 250.0
"""An even chance counts as much as this many independent observations (one trading year)."""
MOST_ROWS = 1_000


class BaseRate(Struct, frozen=True, kw_only=True):
    """`p_up` in (0, 1), its log-odds ℓ₀, and `error`, the standard deviation of the log-odds."""

    p_up: float
    log_odds: float
    error: float


def base_rate(history: History, as_of: datetime, horizon: int) -> BaseRate:
    """Share of rises over `horizon` trading days among the last 1,000 closes known at `as_of`, shrunk to 1/2.

    The posterior mean under a symmetric Beta prior worth 250 observations; overlapping windows count
    1/horizon each, which is how many of them do not overlap. `error` is the delta-method standard deviation
    of the log-odds of a Beta(a, b) variable, √(1/a + 1/b) (Gelman et al., Bayesian Data Analysis, 2013,
    section 2.4).
    """
    known = history.known_rows(as_of)
    closes = history.adj_close[max(0, known - MOST_ROWS) : known]
    rises = sum(1 for start, end in zip(closes, closes[horizon:], strict=False) if end > start)
    return base_rate_of(rises, max(0, len(closes) - horizon), horizon)


def base_rate_of(rises: int, seen: int, horizon: int) -> BaseRate:
    """The same from counts: `rises` of `seen` windows of `horizon` trading days."""
    a = PRIOR_DAYS / 2 + rises / horizon
    b = PRIOR_DAYS / 2 + (seen - rises) / horizon
    return BaseRate(p_up=a / (a + b), log_odds=math.log(a / b), error=math.sqrt(1 / a + 1 / b))
