"""How the forecasts did, each figure with the interval that drawing whole days gives it."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Literal

import numpy as np
from msgspec import Struct

from bellwether.backtest.by_day import ByDay
from bellwether.backtest.cluster_bootstrap import bootstrap, percentile_interval
from bellwether.backtest.columns import Floats
from bellwether.backtest.forecasts import Outcomes
from bellwether.backtest.records import Settings
from bellwether.domain.calibration import BINS, brier_skill
from bellwether.domain.classification import Confusion, matthews
from bellwether.domain.outcomes import CalibrationBin

Interval = tuple[float, float]
Edge = Literal["none", "positive"]
GROUPS = 10
FEWEST_DAYS = 20
"""Clusters below which an interval says too little to call anything an edge."""
_UP_RIGHT, _UP_WRONG, _DOWN_RIGHT, _DOWN_WRONG, _SQUARES, _REFERENCE, _IC, _IC_DAYS, _FIRST_BIN = range(9)


class Figure(Struct, frozen=True):
    """A figure and where it lies with 95 % confidence, days drawn whole; `None` where undefined."""

    value: float | None
    ci95: Interval | None


class DailyIc(Struct, frozen=True):
    """Spearman's correlation over the assets of one day."""

    day: date
    value: float


class CurvePoint(Struct, frozen=True):
    """A group of forecasts of about the same probability: how many, their mean, how often it came true."""

    n: int
    mean_p: float
    frequency: float


class Figures(Struct, frozen=True, kw_only=True):
    """All figures of the fused forecast. `base_rate` holds what to compare them with."""

    n: Figure
    accuracy: Figure
    mcc: Figure
    ic: Figure
    brier: Figure
    ece: Figure
    accuracy_over_majority: Figure
    brier_skill: Figure
    base_rate: dict[str, float | None]
    edge: Edge
    edge_reason: str
    calibration: list[CalibrationBin]
    curve: list[CurvePoint]
    daily_ic: list[DailyIc]


def figures(resolved: Outcomes, settings: Settings) -> Figures:
    """The figures of resolved forecasts."""
    by_day = ByDay(resolved.forecasts.day)
    daily = by_day.spearman(resolved.forecasts.p_up - resolved.forecasts.base_rate, resolved.value)
    columns = _totals(resolved, by_day, daily)
    values = _figures_of(columns.sum(axis=1).tolist()) if len(resolved) else [None] * 8
    spread = bootstrap(
        columns, _figures_of, seed=settings.seed, replicates=settings.replicates, block=settings.horizon
    )
    intervals = [percentile_interval(found) for found in spread] or [None] * 8
    made = [Figure(value, interval) for value, interval in zip(values, intervals, strict=True)]
    n, accuracy, mcc, ic, brier, ece, over, skill = made
    edge, reason = _edge(mcc, over, len(by_day))
    return Figures(
        n=n if len(resolved) else Figure(0, None),
        accuracy=accuracy,
        mcc=mcc,
        ic=ic,
        brier=brier,
        ece=ece,
        accuracy_over_majority=over,
        brier_skill=skill,
        base_rate=_base_rate(resolved),
        edge=edge,
        edge_reason=reason,
        calibration=_calibration(resolved),
        curve=_curve(resolved),
        daily_ic=[
            DailyIc(date.fromordinal(day), value)
            for day, value in zip(by_day.days.tolist(), daily.tolist(), strict=True)
            if value == value  # NaN is not
        ],
    )


def _totals(resolved: Outcomes, by_day: ByDay, daily: Floats) -> Floats:
    """Each day's share (second axis) of everything the figures are made of."""
    p, up = resolved.forecasts.p_up, resolved.went_up
    said_up = p > 0.5
    bins = np.minimum(BINS - 1, (p * BINS).astype(np.int64))
    known = ~np.isnan(daily)
    totals = np.zeros((_FIRST_BIN + BINS, len(by_day)))
    totals[_UP_RIGHT], totals[_UP_WRONG] = by_day.sums(said_up & up), by_day.sums(said_up & ~up)
    totals[_DOWN_RIGHT], totals[_DOWN_WRONG] = by_day.sums(~said_up & ~up), by_day.sums(~said_up & up)
    totals[_SQUARES] = by_day.sums((p - up) ** 2)
    totals[_REFERENCE] = by_day.sums((resolved.forecasts.base_rate - up) ** 2)
    totals[_IC], totals[_IC_DAYS] = np.where(known, daily, 0.0), known
    totals[_FIRST_BIN:] = by_day.binned(bins, up - p, BINS).T
    return totals


def _figures_of(totals: Sequence[float]) -> list[float | None]:
    """n, accuracy, MCC, IC, Brier, ECE, accuracy less the majority's, Brier skill, from summed days."""
    confusion = Confusion(
        up_right=totals[_UP_RIGHT],
        up_wrong=totals[_UP_WRONG],
        down_right=totals[_DOWN_RIGHT],
        down_wrong=totals[_DOWN_WRONG],
    )
    n, accuracy, majority = confusion.n, confusion.accuracy, confusion.majority
    if not n or accuracy is None or majority is None:
        return [0.0, *[None] * 7]
    brier, reference = totals[_SQUARES] / n, totals[_REFERENCE] / n
    return [
        n,
        accuracy,
        matthews(confusion),
        totals[_IC] / totals[_IC_DAYS] if totals[_IC_DAYS] else None,
        brier,
        sum(map(abs, totals[_FIRST_BIN:])) / n,
        accuracy - majority,
        brier_skill(brier, reference),
    ]


def _edge(mcc: Figure, over: Figure, days: int) -> tuple[Edge, str]:
    """Positive only when both intervals lie above no edge: direction beyond chance, and beyond the drift."""
    if days < FEWEST_DAYS:
        return "none", f"{days} days are too few: an interval needs at least {FEWEST_DAYS}"
    if mcc.ci95 is None or mcc.ci95[0] <= 0:
        return "none", "the interval of Matthews' correlation does not exclude 0"
    if over.ci95 is None or over.ci95[0] <= 0:
        return "none", "the interval does not exclude that always naming the commoner direction does as well"
    return "positive", "the intervals exclude chance and always naming the commoner direction"


def _calibration(resolved: Outcomes) -> list[CalibrationBin]:
    """`domain.calibration.calibration_bins`."""
    p, up = resolved.forecasts.p_up, resolved.went_up
    bins = np.minimum(BINS - 1, (p * BINS).astype(np.int64))
    counts = np.bincount(bins, minlength=BINS).tolist()
    sums, rises = (np.bincount(bins, weights=of, minlength=BINS).tolist() for of in (p, up))
    return [
        CalibrationBin(
            low=place / BINS,
            high=(place + 1) / BINS,
            n=n,
            mean_p=sums[place] / n if n else None,
            frequency=rises[place] / n if n else None,
        )
        for place, n in enumerate(counts)
    ]


def _curve(resolved: Outcomes) -> list[CurvePoint]:
    """The reliability diagram over ten groups of equal size, from the lowest forecasts to the highest."""
    order = np.lexsort((resolved.went_up, resolved.forecasts.p_up))
    p, up = resolved.forecasts.p_up[order], resolved.went_up[order]
    bounds = [len(order) * group // GROUPS for group in range(GROUPS + 1)]
    return [
        CurvePoint(high - low, float(p[low:high].mean()), float(up[low:high].mean()))
        for low, high in pairwise(bounds)
        if high > low
    ]


def _base_rate(resolved: Outcomes) -> dict[str, float | None]:
    if not len(resolved):
        return dict.fromkeys(("share_up", "majority_accuracy", "brier", "accuracy"))
    base, up = resolved.forecasts.base_rate, resolved.went_up
    share = float(up.mean())
    return {
        "share_up": share,
        "majority_accuracy": max(share, 1 - share),
        "brier": float(((base - up) ** 2).mean()),
        "accuracy": float(((base > 0.5) == up).mean()),
    }
