"""How evidence fades: d = 2^(−Δt/h) with Δt = max(0, as_of − event time), dropped below 0.01 (formula 1)."""

import math
from datetime import UTC, datetime, timedelta
from functools import lru_cache

LEAST_DECAY = 0.01
LONGEST_LIFE = timedelta(days=30)
"""No signal is read for longer, whatever its half-life: a score reads a bounded number of days."""

_LONGEST_HOURS = LONGEST_LIFE.total_seconds() / 3600
_HALVINGS = math.log2(1 / LEAST_DECAY)


def hours_between(earlier: datetime, later: datetime) -> float:
    """Hours from `earlier` to `later`; negative the other way round."""
    return (later - earlier).total_seconds() / 3600


def decay(event_time: datetime, as_of: datetime, half_life: float) -> float:
    """The decay factor in (0, 1] of something that happened at `event_time`; `half_life` in hours, > 0."""
    if half_life <= 0:
        raise ValueError(f"a half-life must be positive, not {half_life}")
    return float(2.0 ** (-max(0.0, hours_between(event_time, as_of)) / half_life))


def live_hours(half_life: float) -> float:
    """Hours after which evidence is dropped: when its decay falls below 0.01, after 30 days at the latest."""
    return min(half_life * _HALVINGS, _LONGEST_HOURS)


def expiry(event_time: datetime, half_life: float) -> datetime:
    """When a signal expires: the moment its evidence is dropped."""
    return event_time + _life(half_life)


@lru_cache(maxsize=256)
def _life(half_life: float) -> timedelta:
    return timedelta(hours=live_hours(half_life))


@lru_cache(maxsize=4_096)
def day_start(day: str) -> datetime:
    """Midnight UTC at which a day of knowledge (`yyyymmdd`) begins."""
    return datetime(int(day[:4]), int(day[4:6]), int(day[6:]), tzinfo=UTC)
