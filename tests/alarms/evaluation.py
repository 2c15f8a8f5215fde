"""How CloudWatch decides the state of a metric alarm, written from its documentation.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html

It takes an alarm's properties as they stand in a template, and samples by metric and period. How many
periods beyond those to be evaluated CloudWatch looks back at is not documented in general; the examples look
back five for three, and so does this module: half as many again, at least one more, rounded up.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tests.alarms.metric_math import evaluate
from tests.alarms.statistics import statistic

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class Metric(NamedTuple):
    """What a metric is known by; dimensions as they stand in the template, in the order of their names."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


Samples = Mapping[Metric, Sequence[Sequence[float]]]
"""By metric: the samples of each period, oldest period first."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An alarm's settings, without its metric."""

    threshold: float
    comparison: str
    evaluated: int
    to_alarm: int
    missing: Missing = "missing"

    @property
    def looked_at(self) -> int:
        """The evaluation range: how many periods are retrieved in case some are empty."""
        return self.evaluated + max(1, math.ceil(self.evaluated / 2))

    def breaches(self, value: float) -> bool:
        return _COMPARED[self.comparison](value, self.threshold)


def state_of(rule: Rule, points: Sequence[bool | None], before: State = "INSUFFICIENT_DATA") -> State:
    """The state after these periods, oldest first: breaching, not breaching, or `None` without data."""
    looked_at = list(points)[-rule.looked_at :]
    real = [point for point in looked_at if point is not None]
    if len(real) >= rule.evaluated:
        return _counted(rule, sum(real[-rule.evaluated :]))
    if rule.missing in ("breaching", "notBreaching"):
        filled = (rule.evaluated - len(real)) * (rule.missing == "breaching")
        return _counted(rule, sum(real) + filled)
    if not real:
        return "INSUFFICIENT_DATA" if rule.missing == "missing" else before
    if sum(real) >= rule.to_alarm:
        return "ALARM"
    return _with_too_little(rule, looked_at, before)


def _with_too_little(rule: Rule, points: Sequence[bool | None], before: State) -> State:
    """Fewer real points than are to be evaluated, and too few that breach: still OK, unless all of them
    breach.

    Then the documentation's premature alarm applies: the oldest breaching point is at least as old as the
    datapoints to alarm, and everything since is breaching or missing. A newer one waits.
    """
    if not all(point for point in points if point is not None):
        return "OK"
    if rule.missing == "ignore":
        return before
    oldest = len(points) - next(at for at, point in enumerate(points) if point)
    return "ALARM" if oldest >= rule.to_alarm else before


def _counted(rule: Rule, breaching: int) -> State:
    return "ALARM" if breaching >= rule.to_alarm else "OK"


def rule_of(properties: Mapping[str, Any]) -> Rule:
    """The rule of an `AWS::CloudWatch::Alarm`. DynamoDB's metrics ignore missing data, whatever it says."""
    missing: Missing = properties.get("TreatMissingData", "missing")
    return Rule(
        threshold=float(properties["Threshold"]),
        comparison=properties["ComparisonOperator"],
        evaluated=int(properties["EvaluationPeriods"]),
        to_alarm=int(properties.get("DatapointsToAlarm", properties["EvaluationPeriods"])),
        missing="ignore" if properties.get("Namespace") == "AWS/DynamoDB" else missing,
    )


def values_of(properties: Mapping[str, Any], samples: Samples, periods: int) -> list[float | None]:
    """The alarm's own series: of its metric and statistic, or of its expression."""
    if "Metrics" not in properties:
        name = properties.get("ExtendedStatistic") or properties["Statistic"]
        return _series(metric_of(properties), name, samples, periods)
    series: dict[str, list[float | None]] = {}
    asked: list[float | None] | None = None
    for query in sorted(properties["Metrics"], key=lambda one: "Expression" in one):
        if "Expression" in query:
            found = evaluate(query["Expression"], series, periods)
        else:
            stat = query["MetricStat"]
            found = _series(metric_of(stat["Metric"]), stat["Stat"], samples, periods)
        series[query["Id"]] = found
        if query.get("ReturnData", True):
            asked = found
    if asked is None:
        raise ValueError("no query of the alarm returns data")
    return asked


def metrics_of(properties: Mapping[str, Any]) -> list[Metric]:
    """Every metric an alarm reads."""
    if "Metrics" not in properties:
        return [metric_of(properties)]
    return [metric_of(q["MetricStat"]["Metric"]) for q in properties["Metrics"] if "MetricStat" in q]


def metric_of(properties: Mapping[str, Any]) -> Metric:
    pairs = ((str(one["Name"]), repr(one["Value"])) for one in properties.get("Dimensions", []))
    return Metric(properties["Namespace"], properties["MetricName"], tuple(sorted(pairs)))


def period_of(properties: Mapping[str, Any]) -> int:
    """Seconds of one period; all metrics of an expression have the same."""
    if "Metrics" not in properties:
        return int(properties["Period"])
    periods = {int(q["MetricStat"]["Period"]) for q in properties["Metrics"] if "MetricStat" in q}
    (one,) = periods
    return one


def states(properties: Mapping[str, Any], samples: Samples, periods: int) -> list[State]:
    """The alarm's state after each period, beginning before the first with no data at all."""
    rule, values = rule_of(properties), values_of(properties, samples, periods)
    points = [None if value is None else rule.breaches(value) for value in values]
    found: list[State] = []
    for end in range(1, periods + 1):
        found.append(state_of(rule, points[:end], found[-1] if found else "INSUFFICIENT_DATA"))
    return found


def _series(metric: Metric, name: str, samples: Samples, periods: int) -> list[float | None]:
    given = samples.get(metric, [])
    return [statistic(name, given[at]) if at < len(given) else None for at in range(periods)]
