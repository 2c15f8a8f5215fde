"""What CloudWatch makes of the samples of one period.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

import re
from collections.abc import Callable, Mapping, Sequence

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")

_BASIC: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SampleCount": len,
    "Sum": sum,
    "Average": lambda samples: sum(samples) / len(samples),
    "Minimum": min,
    "Maximum": max,
}


def statistic(name: str, samples: Sequence[float]) -> float | None:
    """The statistic of a period's samples; `None` for a period without any. Raises `ValueError`."""
    if not samples:
        return None
    if name in _BASIC:
        return float(_BASIC[name](samples))
    if found := _PERCENTILE.fullmatch(name):
        return percentile(samples, float(found[1]))
    raise ValueError(f"there is no statistic {name!r}")


def percentile(samples: Sequence[float], percent: float) -> float:
    """The value `percent` of the samples do not exceed, between ranks on a straight line.

    CloudWatch keeps percentiles in a sketch of its own, which is that exact within a few tenths of a percent;
    tests stay further away from a threshold than that.
    """
    ordered = sorted(samples)
    rank = percent / 100 * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (rank - low) * (ordered[high] - ordered[low])
