"""The embedded metric format by its specification, as CloudWatch checks a line before it counts.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

UNITS = {"Count", "Milliseconds", "Seconds", "None"}


class Sample(NamedTuple):
    """One value of one series."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: float
    unit: str


def samples(text: str) -> list[Sample]:
    """The values of all embedded lines of an output; raises `AssertionError` for one that is none."""
    lines = [json.loads(line) for line in text.splitlines() if '"_aws"' in line]
    return [sample for line in lines for sample in of_line(line)]


def of_line(line: dict[str, Any]) -> Iterator[Sample]:
    directive = line["_aws"]
    assert isinstance(directive["Timestamp"], int)
    assert 1_000_000_000_000 < directive["Timestamp"] < 10_000_000_000_000, "milliseconds of Unix time"
    for part in directive["CloudWatchMetrics"]:
        assert part["Namespace"]
        assert 0 < len(part["Metrics"]) <= 100
        for keys in part["Dimensions"]:
            assert len(keys) <= 30
            values = [line[key] for key in keys]
            assert all(isinstance(value, str) and 0 < len(value) <= 1024 for value in values)
            for metric in part["Metrics"]:
                assert metric["Unit"] in UNITS
                value = line[metric["Name"]]
                assert isinstance(value, int | float)
                assert not isinstance(value, bool)
                yield Sample(
                    part["Namespace"],
                    metric["Name"],
                    tuple(zip(keys, values, strict=True)),
                    value,
                    metric["Unit"],
                )
