"""The engine counts what functions log in the embedded format: each line once, by minute and value."""

import contextlib
import io
import json
from typing import Any

import pytest

from bellwether.desk.engine_side.figures import Figures, samples
from bellwether.handlers.figures import embedded, record


class Logs:
    """Stores lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def _append_log_events(self, _stream: Any, events: list[dict[str, Any]]) -> None:
        self.lines += [event["message"] for event in events]


class Metrics:
    """Keeps samples as the engine does."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        self.looks = 0

    def _dims_key(self, dimensions: dict[str, str]) -> str:
        return "|".join(f"{key}={value}" for key, value in sorted(dimensions.items()))

    def get_account_id(self) -> str:
        return "000000000000"

    def get_region(self) -> str:
        return "eu-central-2"

    def _metric_bucket(self, key: tuple[str, str, str]) -> list[dict[str, Any]]:
        return self.series.setdefault(key, [])

    def _evict_old_metrics(self) -> None:
        pass

    def _evaluate_all_alarms(self) -> None:
        self.looks += 1

    def total(self, name: str, dimensions: str = "service=bellwether") -> tuple[float, float]:
        """Samples and their sum."""
        entries = self.series["Bellwether/local", name, dimensions]
        return sum(e["Count"] for e in entries), sum(e["Count"] * e["Value"] for e in entries)


@pytest.fixture
def engine() -> tuple[Logs, Metrics, Figures]:
    logs, metrics = Logs(), Metrics()
    figures = Figures(logs, metrics)
    figures.install()
    return logs, metrics, figures


def recorded(times: int) -> list[dict[str, str]]:
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        for number in range(times):
            record({"route": "/score"}, Answers=1, Faults=number % 2, AnswerMilliseconds=100 + number)
    return [{"message": line} for line in written.getvalue().splitlines()]


@pytest.mark.req("B2")
def test_what_handlers_record_is_what_the_engine_counts(engine: tuple[Logs, Metrics, Figures]) -> None:
    logs, metrics, _ = engine
    logs._append_log_events(None, recorded(10))
    assert len(logs.lines) == 10, "a line with figures stays a line"
    assert metrics.total("Answers") == (10, 10)
    assert metrics.total("Faults") == (10, 5)
    assert metrics.total("AnswerMilliseconds") == (10, 1_045)
    assert metrics.total("AnswerMilliseconds", "route=/score|service=bellwether") == (10, 1_045)


@pytest.mark.req("B2")
def test_a_busy_minute_is_a_few_entries(engine: tuple[Logs, Metrics, Figures]) -> None:
    logs, metrics, _ = engine
    events = recorded(200)
    minute = json.loads(events[0]["message"])["_aws"]["Timestamp"]
    for event in events:
        line = json.loads(event["message"])
        line["_aws"]["Timestamp"] = minute
        event["message"] = json.dumps(line)
    logs._append_log_events(None, events)
    assert [e["Count"] for e in metrics.series["Bellwether/local", "Answers", "service=bellwether"]] == [200]
    assert metrics.looks == 1


@pytest.mark.req("B2")
@pytest.mark.parametrize(
    "message",
    ['{"_aws"', '{"_aws": 1}', '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{}]}}', '["_aws"]', '"_aws"'],
)
def test_a_line_that_is_none_harms_nothing(engine: tuple[Logs, Metrics, Figures], message: str) -> None:
    logs, metrics, figures = engine
    logs._append_log_events(None, [{"message": message}])
    logs._append_log_events(None, [])
    assert logs.lines == [message]
    assert metrics.series == {}
    assert figures.taken == 0


def test_a_list_of_values_is_as_many_samples() -> None:
    line = embedded({"HitRate": 0.5}, {}) | {"HitRate": [0.25, 0.75]}
    assert [sample[3] for sample in samples(json.dumps(line))] == [0.25, 0.75]
