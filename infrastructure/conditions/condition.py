"""One thing an operator must hear of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from bellwether.handlers.figure_names import FIGURES, SERVICE, namespace
from infrastructure.settings import StageSettings

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)
HOUR = Duration.hours(1)


class Incident(StrEnum):
    """What wakes somebody; its value is the runbook. Each is one page, however many alarms belong to it."""

    ANSWERS = "incident-answers"
    WORK_LOST = "incident-work-lost"
    SILENCE = "incident-silence"
    ATTACK = "incident-attack"


INCIDENTS: Mapping[Incident, str] = {
    Incident.ANSWERS: "People get errors, or wait too long",
    Incident.WORK_LOST: "Something was given up that nobody will try again by itself",
    Incident.SILENCE: "Nothing fails and nothing happens: the desk has stopped taking in or passing on",
    Incident.ATTACK: "Somebody tries what they must not",
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """An alarm. `runbook` names the file under docs/runbooks, `name` the alarm where a runbook has several.

    `metric` compared with `threshold` in `datapoints` of `periods` periods, all of them when not told. What
    belongs to an `incident` pages; everything else waits for the morning.
    """

    runbook: str
    meaning: str
    metric: cloudwatch.IMetric
    threshold: float
    name: str = ""
    below: bool = False
    """Alarm when the metric is under the threshold instead of above."""
    periods: int = 1
    datapoints: int | None = None
    silence_is_bad: bool = False
    """No data is the finding itself. Otherwise no data means that nothing happened."""
    incident: Incident | None = None

    @property
    def full_name(self) -> str:
        """`dead-letters-ingest`; unique in a stage."""
        return "-".join(part.replace("_", "-") for part in (self.runbook, self.name) if part)


def figure(
    settings: StageSettings,
    name: str,
    *,
    statistic: str = "Sum",
    period: Duration = FIVE_MINUTES,
    label: str | None = None,
    **split: str,
) -> cloudwatch.Metric:
    """A figure of the desk's own, in total or by one value of its dimension (`provider="rss"`).

    An alarm takes no label: with one it would be made of an expression. Raises `KeyError` for a name no
    handler records, `ValueError` for a split it is not kept by.
    """
    row = FIGURES[name]
    if set(split) - {row.by}:
        raise ValueError(f"{name} is not kept by {', '.join(split)}")
    dimensions = {"service": SERVICE, **split} if row.source == "handlers" else {}
    return cloudwatch.Metric(
        namespace=namespace(settings.name),
        metric_name=name,
        dimensions_map=dimensions or None,
        statistic=statistic,
        period=period,
        label=label,
    )
