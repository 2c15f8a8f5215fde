"""The desk's own metrics in CloudWatch's embedded format: one log line, which costs a call nothing.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import math
import os
import time
from collections.abc import Mapping
from typing import Any

from bellwether.handlers.figure_names import FIGURES, SERVICE, known, namespace
from bellwether.handlers.logs import correlation

NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or namespace(os.environ.get("STAGE", "local"))


def record(by: Mapping[str, str] | None = None, /, **values: float) -> None:
    """Writes the values as one line. `by` says what they are split by: `{"route": "/score"}`.

    Raises `KeyError` for a name the table lacks or a figure whose dimension is not told, so that whatever is
    recorded can be relied on by a dashboard. A value that is no finite number is left out: CloudWatch would
    refuse the line, and the others with it.
    """
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    if finite:
        print(json.dumps(embedded(finite, by or {}), separators=(",", ":")), flush=True)


def embedded(values: Mapping[str, float], by: Mapping[str, str]) -> dict[str, Any]:
    """The line: the directive, the dimensions and the values, with the correlation id as a mere property."""
    directives: dict[str | None, list[dict[str, str]]] = {}
    for name in values:
        figure = FIGURES[name]
        directives.setdefault(figure.by, []).append({"Name": name, "Unit": figure.unit})
    told = {split: known(split, by[split]) for split in directives if split is not None}
    return {
        "_aws": {
            "Timestamp": round(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["service"]] + ([["service", split]] if split else []),
                    "Metrics": metrics,
                }
                for split, metrics in directives.items()
            ],
        },
        "service": SERVICE,
        "correlation_id": correlation(),
        **told,
        **values,
    }
