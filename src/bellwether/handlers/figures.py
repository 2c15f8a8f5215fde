"""Metrics of the business in CloudWatch's embedded format: a log line each, which costs a call nothing.

Dashboards and alarms use these names; all are in one namespace and have the dimension `service`.
"""

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Bellwether")
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "bellwether")

UNITS: dict[str, MetricUnit] = {
    "ItemsAccepted": MetricUnit.Count,
    "ItemsDuplicate": MetricUnit.Count,
    "ItemsRejected": MetricUnit.Count,
    "Signals": MetricUnit.Count,
    "AgentFailures": MetricUnit.Count,
    "Scores": MetricUnit.Count,
    "Proposals": MetricUnit.Count,
    "Approvals": MetricUnit.Count,
    "Rejections": MetricUnit.Count,
    "Revocations": MetricUnit.Count,
    "Outcomes": MetricUnit.Count,
    "HitRate": MetricUnit.NoUnit,
    "Brier": MetricUnit.NoUnit,
    "ProviderFailures": MetricUnit.Count,
    "ProviderCalls": MetricUnit.Count,
    "BrokenLedgerLinks": MetricUnit.Count,
}


def record(**values: float) -> None:
    """Writes each value; only names in `UNITS` (raises `KeyError`), so that a dashboard can rely on them."""
    for name, value in values.items():
        with single_metric(
            name=name,
            unit=UNITS[name],
            value=value,
            namespace=NAMESPACE,
            default_dimensions={"service": SERVICE},
        ):
            pass
