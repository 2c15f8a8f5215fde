"""How the forecasts did, each figure with the interval that drawing whole days gives it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from statistics import fmean
from typing import Literal

from msgspec import Struct

from bellwether.backtest.records import Resolved, Settings
from bellwether.domain.calibration import BINS, brier_skill, calibration_bins
from bellwether.domain.classification import Confusion, matthews
from bellwether.domain.cluster_bootstrap import bootstrap, percentile_interval
from bellwether.domain.information_coefficient import spearman
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


def figures(resolved: Sequence[Resolved], settings: Settings) -> Figures:
    """The figures of resolved forecasts."""
    by_day: dict[date, list[Resolved]] = defaultdict(list)
    for outcome in resolved:
        by_day[outcome.forecast.day].append(outcome)
    days = sorted(by_day)
    daily = [(day, _ic(by_day[day])) for day in days]
    rows = [_totals_of(by_day[day], ic) for day, (_, ic) in zip(days, daily, strict=True)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    used = [place for place, column in enumerate(columns) if place < _FIRST_BIN or any(column)]
    columns = [columns[place] for place in used]
    values = _figures_of([sum(column) for column in columns]) if columns else [None] * 8
    spread = bootstrap(
        columns, _figures_of, seed=settings.seed, replicates=settings.replicates, block=settings.horizon
    )
    intervals = [percentile_interval(found) for found in spread] or [None] * 8
    made = [Figure(value, interval) for value, interval in zip(values, intervals, strict=True)]
    n, accuracy, mcc, ic, brier, ece, over, skill = made
    edge, reason = _edge(mcc, over, len(days))
    rises = sum(outcome.went_up for outcome in resolved)
    return Figures(
        n=n if resolved else Figure(0, None),
        accuracy=accuracy,
        mcc=mcc,
        ic=ic,
        brier=brier,
        ece=ece,
        accuracy_over_majority=over,
        brier_skill=skill,
        base_rate=_base_rate(resolved, rises),
        edge=edge,
        edge_reason=reason,
        calibration=calibration_bins([o.forecast.p_up for o in resolved], [o.went_up for o in resolved]),
        curve=_curve(resolved),
        daily_ic=[DailyIc(day, value) for day, value in daily if value is not None],
    )


def _ic(outcomes: Sequence[Resolved]) -> float | None:
    return spearman([o.forecast.p_up - o.forecast.base_rate for o in outcomes], [o.value for o in outcomes])


def _totals_of(outcomes: Sequence[Resolved], ic: float | None) -> list[float]:
    """One day's share of everything the figures are made of."""
    totals = [0.0] * (_FIRST_BIN + BINS)
    for outcome in outcomes:
        p, up = outcome.forecast.p_up, outcome.went_up
        said_up = p > 0.5
        totals[(_UP_RIGHT if up else _UP_WRONG) if said_up else (_DOWN_WRONG if up else _DOWN_RIGHT)] += 1
        totals[_SQUARES] += (p - up) ** 2
        totals[_REFERENCE] += (outcome.forecast.base_rate - up) ** 2
        totals[_FIRST_BIN + min(BINS - 1, int(p * BINS))] += up - p
    if ic is not None:
        totals[_IC], totals[_IC_DAYS] = ic, 1.0
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


def _curve(resolved: Sequence[Resolved]) -> list[CurvePoint]:
    """The reliability diagram over ten groups of equal size, from the lowest forecasts to the highest."""
    ordered = sorted((o.forecast.p_up, o.went_up) for o in resolved)
    bounds = [len(ordered) * group // GROUPS for group in range(GROUPS + 1)]
    groups = [ordered[low:high] for low, high in pairwise(bounds) if high > low]
    return [
        CurvePoint(len(group), fmean([p for p, _ in group]), fmean([float(up) for _, up in group]))
        for group in groups
    ]


def _base_rate(resolved: Sequence[Resolved], rises: int) -> dict[str, float | None]:
    n = len(resolved)
    reference = sum((o.forecast.base_rate - o.went_up) ** 2 for o in resolved) / n if n else None
    right = sum((o.forecast.base_rate > 0.5) == o.went_up for o in resolved) / n if n else None
    share = rises / n if n else None
    return {
        "share_up": share,
        "majority_accuracy": None if share is None else max(share, 1 - share),
        "brier": reference,
        "accuracy": right,
    }
