"""The desk's own metrics as its engine has counted them: what `status` shows of today."""

from datetime import UTC, datetime, timedelta
from typing import Any

from .aws import client
from .engine import Running

NAMESPACE = "Bellwether/local"
SHOWN = {
    "ItemsAccepted": "Sum",
    "Signals": "Sum",
    "Proposals": "Sum",
    "Approvals": "Sum",
    "Answers": "Sum",
    "Faults": "Sum",
    "AnswerMilliseconds": "p95",
    "MessageFailures": "Sum",
    "RunFailures": "Sum",
    "Unauthorized": "Sum",
    "ProviderCalls": "Sum",
    "ProviderDollars": "Sum",
}
"""Which figures `status` shows, and the statistic of each."""
HOURS = 24


def today(running: Running) -> dict[str, float]:
    """The figures of the last 24 hours by name; those nothing was recorded for are left out."""
    now = datetime.now(UTC)
    queries: list[dict[str, Any]] = [
        {
            "Id": f"q{number}",
            "Label": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": name,
                    "Dimensions": [{"Name": "service", "Value": "bellwether"}],
                },
                "Period": HOURS * 3_600,
                "Stat": statistic,
            },
        }
        for number, (name, statistic) in enumerate(SHOWN.items())
    ]
    answer = client(running, "cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(hours=HOURS), EndTime=now + timedelta(minutes=1)
    )
    found: dict[str, float] = {}
    for result in answer["MetricDataResults"]:
        values = result.get("Values", [])
        if values:
            name = str(result["Label"])
            # a day that spans two of the engine's periods comes as two values
            found[name] = max(values) if SHOWN[name].startswith("p") else sum(values)
    return found
