"""The attention agent: is the asset spoken of more than usual?

Attention has no direction of its own. The small positive slope it starts with is the price pressure that
follows abnormal attention of individuals, who rarely short: Barber & Odean, "All that glitters", Review of
Financial Studies 2008; Da, Engelberg & Gao, "In search of attention", Journal of Finance 2011 (about two
weeks, then it reverts). Its weight is next to nothing until its own resolved outcomes say otherwise, and with
a slope of 0 it abstains, because a view without a direction is no view.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from statistics import median

from bellwether.agents.readings import Stance
from bellwether.domain.decay import day_start, hours_between
from bellwether.domain.state import AssetDay

AGENT_ID = "attention"
BASELINE_DAYS = 28
SHORTEST_BASELINE = 10
MOST_Z = 5.0
MAD_TO_SIGMA = 1.4826


def robust_z(now: float, before: Sequence[float]) -> float:
    """How unusual a count is against earlier ones: a z-score in [−5, 5] that a few extreme days cannot bend.

    Counts are stabilised by y = 2√(c+3/8), whose variance is 1 for a Poisson count (Anscombe 1948), then z =
    (y − median)/max(1, 1.4826·MAD) (Rousseeuw & Croux 1993); below 1 the spread would be less than chance.
    """
    return z_of_stabilised(stabilised(now), [stabilised(count) for count in before])


@lru_cache(maxsize=4_096)
def stabilised(count: float) -> float:
    """2√(c+3/8), whose variance is 1 whatever the mean of a Poisson count (Anscombe 1948)."""
    return 2 * math.sqrt(count + 0.375)


def z_of_stabilised(now: float, before: Sequence[float]) -> float:
    """`robust_z` of counts that are stabilised already."""
    middle = _middle(sorted(before))
    spread = MAD_TO_SIGMA * _middle(sorted([abs(value - middle) for value in before]))
    return min(MOST_Z, max(-MOST_Z, (now - middle) / max(1.0, spread)))


def _middle(ordered: Sequence[float]) -> float:
    """The median of sorted values."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def attention(days: Sequence[AssetDay], as_of: datetime) -> Stance:
    """Mentions of the last 24 hours against the same window on the days before, each cluster counted once.

    Young accounts are not counted: attention is what anybody can make with a hundred of them.
    Days without a row after the asset's first one had no mentions. The running hour counts as far as it has
    got, which can only understate. Abstains below ten earlier windows and without a mention.
    """
    windows = _windows(days, as_of)
    if len(windows) <= SHORTEST_BASELINE:
        known = max(0, len(windows) - 1)
        return Stance(abstained=f"{known} of the {SHORTEST_BASELINE} days a baseline needs are known")
    now, *before = windows
    if now == 0:
        return Stance(abstained="no mention in the last 24 hours")
    z = robust_z(now, before)
    usual = median(before)
    return Stance(
        raw=z,
        evidence=float(now),
        rationale=f"{now} mentions in 24 hours, usually {usual:g} (z {z:+.1f} over {len(before)} days)",
    )


def _windows(days: Sequence[AssetDay], as_of: datetime) -> list[int]:
    """Mentions in the 24 hourly bins up to `as_of`, then in the same window 1, 2, … days earlier.

    Only windows that lie wholly after the start of the asset's first day are given.
    """
    if not days:
        return []
    first = day_start(min(day.day for day in days))
    hours = int(hours_between(first, as_of)) + 1
    bins = [0] * (hours + 24)
    for day in days:
        if day.mentions_by_hour:
            at = 24 * (day_start(day.day) - first).days
            bins[at : at + 24] = day.grown_by_hour
    ends = range(hours, max(23, hours - 24 * (BASELINE_DAYS + 1)), -24)
    return [sum(bins[end - 24 : end]) for end in ends]
