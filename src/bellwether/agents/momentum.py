"""The momentum agent: time-series momentum and short-term reversal from adjusted closes.

Momentum: the return of the last twelve months without the last one (Jegadeesh & Titman, Journal of Finance
1993; as a time series: Moskowitz, Ooi & Pedersen, Journal of Financial Economics 2012). Reversal: the last
week's return tends to be given back in part (Lehmann, Quarterly Journal of Economics 1990). Both in units of
the asset's own volatility, so that the reading is roughly standard normal when there is nothing in it.
"""

import math
from datetime import datetime, timedelta
from operator import mul, sub

from bellwether.agents.readings import Stance
from bellwether.domain.decay import decay
from bellwether.domain.prices import History

AGENT_ID = "momentum"
YEAR, MONTH, WEEK = 252, 21, 5
STALE_AFTER = timedelta(days=5)
"""From the end of the last bar's day; a long weekend is shorter."""
MOST_Z = 3.0


def momentum_reading(closes: list[float]) -> float | None:
    """(z of the return from 252 to 21 days ago − z of the last 5 days' return)/√2, each clipped to ±3.

    z is a log return over the daily standard deviation of log returns times √days. `None` below 253 closes or
    when they never moved.
    """
    if len(closes) <= YEAR:
        return None
    logs = list(map(math.log, closes[-YEAR - 1 :]))
    mean = (logs[-1] - logs[0]) / YEAR
    changes = [change - mean for change in map(sub, logs[1:], logs)]
    deviation = math.sqrt(sum(map(mul, changes, changes)) / YEAR)
    if deviation <= 1e-12:
        return None
    trend = (logs[-MONTH - 1] - logs[0]) / (deviation * math.sqrt(YEAR - MONTH))
    recent = (logs[-1] - logs[-WEEK - 1]) / (deviation * math.sqrt(WEEK))
    return (_clipped(trend) - _clipped(recent)) / math.sqrt(2)


def momentum(history: History, as_of: datetime, half_life: float) -> Stance:
    """The reading of the closes known at `as_of`; `half_life` in hours, from the end of the last bar's day.

    Its evidence is the twelve non-overlapping months behind it, fading as the last close ages. Abstains when
    the history is shorter than a year and a day or the last bar older than five days.
    """
    known = history.known_rows(as_of)
    if known == 0:
        return Stance(abstained="no price is known")
    reading = momentum_reading(history.adj_close[max(0, known - YEAR - 1) : known])
    if reading is None:
        return Stance(abstained=f"{known} closes are known and {YEAR + 1} that move are needed")
    last = history.dates[known - 1]
    closed = datetime(last.year, last.month, last.day, tzinfo=as_of.tzinfo) + timedelta(days=1)
    if as_of - closed > STALE_AFTER:
        return Stance(abstained=f"the last known close is of {last.isoformat()}")
    return Stance(
        raw=reading,
        evidence=YEAR / MONTH * decay(closed, as_of, half_life),
        rationale=f"12-1 month momentum less the last week's return, in standard deviations: {reading:+.2f}",
    )


def _clipped(z: float) -> float:
    return min(MOST_Z, max(-MOST_Z, z))
