"""Takes metrics from the lines functions log, as CloudWatch does and the engine does not.

A line is counted where it is stored, and figures and lines lie in the same state: whatever a restart brings
back, it brings back both, so that nothing is counted twice and nothing is forgotten that can still be read.
What a function invoked by the WebSocket prints is no line of the engine, so its figures are missing here.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

log = logging.getLogger("bellwether.figures")

_MARK = '"_aws"'
_MINUTE = 60
_EVALUATED_EVERY = 10.0
_DIGITS = 3

Key = tuple[str, str, str]


class Figures:
    """Counts what is logged (`logs` and `metrics` are ministack's services) and has alarms looked at.

    CloudWatch keeps samples by the minute, and so does this: equal values of one minute are one entry with a
    count. Milliseconds are kept to three digits, or a busy desk would hold each call for two weeks.
    """

    def __init__(self, logs: Any, metrics: Any) -> None:
        self._logs = logs
        self._metrics = metrics
        self._lock = threading.Lock()
        self._minute = 0.0
        self._open: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._evaluated = 0.0
        self.taken = 0

    def install(self) -> None:
        """From here on every stored line is looked at."""
        store = self._logs._append_log_events

        def stored(stream: Any, events: Any) -> None:
            store(stream, events)
            self.take(str(event.get("message", "")) for event in events or ())

        def evict() -> None:
            # it replaces the lists of samples: one appended meanwhile would be lost
            with self._lock:
                evict_old()

        evict_old = self._metrics._evict_old_metrics
        self._metrics._evict_old_metrics = evict
        self._logs._append_log_events = stored

    def take(self, messages: Iterable[str]) -> None:
        """Counts the embedded figures of some lines. A line that is none is passed over: it stays a line."""
        found = [sample for message in messages if _MARK in message for sample in samples(message)]
        if not found:
            return
        with self._lock:
            for sample in found:
                self._count(*sample)
            self.taken += len(found)
        self._evaluate()

    def _count(
        self, namespace: str, name: str, dimensions: dict[str, str], value: float, unit: str, at: float
    ) -> None:
        minute = at - at % _MINUTE
        if minute != self._minute:
            self._minute = minute
            self._open.clear()
        kept = _rounded(value) if unit == "Milliseconds" else value
        key: Key = (namespace, name, self._metrics._dims_key(dimensions))
        bucket = self._metrics._metric_bucket(key)
        # one engine serves several accounts and regions
        series = (self._metrics.get_account_id(), self._metrics.get_region(), *key, kept)
        entry = self._open.get(series)
        if entry is None:
            entry = {"Timestamp": minute, "Unit": unit, "Dimensions": dimensions, "Value": kept, "Count": 0.0}
            bucket.append(entry)
            self._open[series] = entry
        entry["Count"] += 1.0

    def _evaluate(self) -> None:
        """Has alarms looked at, at most every ten seconds: each look reads all samples of their metrics."""
        now = time.monotonic()
        if now - self._evaluated >= _EVALUATED_EVERY:
            self._evaluated = now
            with self._lock:
                self._metrics._evaluate_all_alarms()


def samples(message: str) -> Iterator[tuple[str, str, dict[str, str], float, str, float]]:
    """Namespace, name, dimensions, value, unit and Unix time of each sample of an embedded line."""
    try:
        line = json.loads(message)
        at = float(line["_aws"]["Timestamp"]) / 1000
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for keys in directive["Dimensions"]:
                dimensions = {key: str(line[key]) for key in keys}
                for metric in directive["Metrics"]:
                    values = line[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        unit = str(metric.get("Unit", "None"))
                        name, space = str(metric["Name"]), str(directive["Namespace"])
                        yield space, name, dimensions, float(value), unit, at
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        log.warning("a line with figures could not be read: %s", type(fault).__name__)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
