"""One id follows what a request sets off: into the queue, the worker, the feed and the broadcast."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bellwether.adapters.aws.feed import DynamoChanges
from bellwether.adapters.aws.queues import SqsAnnouncements, SqsBatchQueue
from bellwether.adapters.correlation import carry, fit
from bellwether.domain.ledger import next_entry
from bellwether.handlers import broadcast
from bellwether.handlers.answers import Answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.logs import begin, correlation
from bellwether.handlers.queue_function import QueueFunction
from bellwether.handlers.request import Call
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import BatchMessage, Change
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context, rest_event, sqs_event, stream_event
from tests.unit.handlers.test_queue_functions import NOW

ID = "order-4711"


@dataclass
class Sqs:
    """Keeps what was sent."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    carry("")


def as_delivered(request: dict[str, Any]) -> dict[str, Any]:
    """The message of a request as an event source mapping hands it to a function."""
    event = sqs_event(request["MessageBody"])
    event["Records"][0]["messageAttributes"] = {
        name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
        for name, value in request.get("MessageAttributes", {}).items()
    }
    return event


def sends(sqs: Any) -> ApiFunction[FunctionSettings, None]:
    def respond(_call: Call, _parts: None) -> Answer:
        SqsBatchQueue(sqs, "url").send(BatchMessage(batch_id="b", key="k"))
        return Answer(body="{}")

    return ApiFunction(FunctionSettings, lambda _settings: None, respond, action=None)


@pytest.mark.req("B1")
def test_the_worker_logs_the_id_of_the_request(logged: Logged) -> None:
    sqs = Sqs()
    sends(sqs).serve(rest_event("POST", "/x", headers={"X-Correlation-Id": ID}), Context(), lambda: None)
    worker = QueueFunction(FunctionSettings, lambda _settings: None, lambda _body, _parts: {})
    worker.serve(as_delivered(sqs.sent[0]), Context(), None)
    done = [line for line in logged() if line["message"] in {"answered", "done"}]
    assert [line["correlation_id"] for line in done] == [ID, ID]
    assert all(line["function"] == "test_correlation" for line in done)


@pytest.mark.req("B1")
def test_each_message_is_logged_under_its_own_id(logged: Logged) -> None:
    sqs = Sqs()
    event: dict[str, Any] = {"Records": []}
    for one in ("first", "second"):
        begin("sender", one)
        SqsBatchQueue(sqs, "url").send(BatchMessage(batch_id="b", key="k"))  # type: ignore[arg-type]
        event["Records"] += as_delivered(sqs.sent[-1])["Records"]
    event["Records"] += sqs_event("told nothing")["Records"]
    worker = QueueFunction(FunctionSettings, lambda _settings: None, lambda _body, _parts: {})
    worker.serve(event, Context(), None)
    done = [line["correlation_id"] for line in logged() if line["message"] == "done"]
    assert done == ["first", "second", Context.aws_request_id]
    assert logged()[-1]["correlation_id"] == Context.aws_request_id


@pytest.mark.req("B1")
def test_what_a_scheduled_run_sends_carries_the_runs_id() -> None:
    sqs: Any = Sqs()

    def run(_event: Any, _parts: None, _seconds: float) -> dict[str, Any]:
        SqsBatchQueue(sqs, "url").send(BatchMessage(batch_id="b", key="k"))
        return {}

    ScheduledFunction(FunctionSettings, lambda _settings: None, run).serve({}, Context(), lambda: None)
    assert sqs.sent[0]["MessageAttributes"]["correlation_id"]["StringValue"] == Context.aws_request_id


@pytest.mark.req("B1")
def test_ledger_entries_are_announced_with_the_id() -> None:
    sqs: Any = Sqs()
    begin("decide", ID)
    decision = Change(id="", type="decision", at=NOW, data={})
    entry = next_entry(None, kind="decision", subject="p", record=decision, at=NOW)
    SqsAnnouncements(sqs, "url").announce(entry)
    assert sqs.sent[0]["MessageAttributes"]["correlation_id"]["StringValue"] == ID


@pytest.mark.req("B1")
def test_the_broadcast_names_what_set_off_the_changes(logged: Logged) -> None:
    class Rows:
        def __init__(self) -> None:
            self.rows: list[dict[str, Any]] = []

        def put_all(self, rows: list[dict[str, Any]]) -> None:
            self.rows += rows

    changes = DynamoChanges(None, "events")  # type: ignore[arg-type]
    rows = changes._table = Rows()  # type: ignore[assignment]
    begin("signal_worker", ID)
    changes.publish([Change(id="", type="signals", at=NOW, data={})] * 2)
    images = [{name: {"S": str(value)} for name, value in row.items()} for row in rows.rows]
    parts = broadcast.Parts(connections=NoConnections(), sockets=None)  # type: ignore[arg-type]
    broadcast.broadcast(stream_event(*images), parts)
    assert logged()[-1]["set_off_by"] == [ID]


class NoConnections:
    def all(self) -> list[Any]:
        return []


@pytest.mark.req("B1")
def test_an_id_that_could_forge_a_line_is_not_taken(logged: Logged) -> None:
    assert fit("a b") is None
    assert fit('x"}\n{"level":"ERROR') is None
    assert fit("x" * 129) is None
    assert fit(None) is None
    begin("ingest", "x\ny")
    assert correlation() == "unknown"
    event = as_delivered({"MessageBody": "m", "MessageAttributes": {}})
    event["Records"][0]["messageAttributes"] = {"correlation_id": {"stringValue": "x\n" + json.dumps({})}}
    QueueFunction(FunctionSettings, lambda _settings: None, lambda _body, _parts: {}).serve(
        event, Context(), None
    )
    assert logged()[0]["correlation_id"] == Context.aws_request_id
