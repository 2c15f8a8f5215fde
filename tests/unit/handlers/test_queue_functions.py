"""Functions of queues: a poison message fails alone, FIFO queues keep their order, something is logged."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.agents.text.model import SentimentModel
from bellwether.domain.entities import Asset
from bellwether.domain.ledger import Entry, next_entry
from bellwether.domain.proposals import Decision
from bellwether.handlers import project_ledger, signal_worker
from bellwether.handlers.queue_function import QueueFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ingest import Ingest
from bellwether.usecases.leases import LEASE
from bellwether.usecases.process_batch import ProcessBatch
from bellwether.usecases.project_ledger import ProjectLedger
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context, sqs_event

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    pass


class Hidden:
    """Remembers what was hidden, and for how long."""

    def __init__(self) -> None:
        self.seconds: dict[str, int] = {}

    def hide(self, receipt: str, seconds: int) -> None:
        self.seconds[receipt] = seconds


def failures(response: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def recording(seen: list[str], *, ordered: bool) -> QueueFunction[Settings, None]:
    def work(body: bytes, _parts: None) -> dict[str, Any]:
        if body == b"poison":
            raise ValueError("the words of a post")
        seen.append(body.decode())
        return {"created": 1}

    return QueueFunction(Settings, lambda _settings: None, work, ordered=ordered)


@pytest.mark.req("C4")
def test_a_poison_message_fails_alone(logged: Logged) -> None:
    seen: list[str] = []
    response = recording(seen, ordered=False).serve(sqs_event("a", "poison", "b"), Context(), None)
    assert failures(response) == ["message-1"]
    assert seen == ["a", "b"]
    assert "words of a post" not in json.dumps(logged())


@pytest.mark.req("C4")
def test_a_fifo_queue_stops_at_the_first_failure() -> None:
    seen: list[str] = []
    response = recording(seen, ordered=True).serve(sqs_event("a", "poison", "b", "c"), Context(), None)
    assert failures(response) == ["message-1", "message-2", "message-3"]
    assert seen == ["a"]


@pytest.mark.req("C4")
def test_nothing_is_begun_that_cannot_be_finished_in_time() -> None:
    seen: list[str] = []
    response = recording(seen, ordered=False).serve(sqs_event("a", "b"), Context(milliseconds=1_000), None)
    assert failures(response) == ["message-0", "message-1"]
    assert seen == []


@pytest.mark.req("B1")
def test_even_an_empty_event_logs_a_line(logged: Logged) -> None:
    recording([], ordered=False).serve({"Records": []}, Context(), None)
    assert [line["message"] for line in logged()] == ["worked"]


@pytest.fixture(scope="module")
def model() -> SentimentModel:
    return SentimentModel.load()


def worker_parts(ports: MemoryPorts, model: SentimentModel) -> signal_worker.Parts:
    process = ProcessBatch(
        raw=ports.raw,
        claims=ports.claims,
        signals=ports.signals,
        states=ports.states,
        entities=ports.entities,
        configs=ports.configs,
        changes=ports.changes,
        counts=ports.counts,
        sentiment=model,
    )
    return signal_worker.Parts(process=process, retries=Hidden(), clock=lambda: NOW)


@pytest.mark.req("C4", "A2")
def test_a_batch_becomes_signals_once_however_often_it_is_delivered(
    ports: MemoryPorts, model: SentimentModel
) -> None:
    ports.entities.put("asset", "ACME", Asset(symbol="ACME", name="Acme Corporation"))
    ingest = Ingest(
        raw=ports.raw, claims=ports.claims, queue=ports.queue, counts=ports.counts, salt=b"s" * 32
    )
    items = [
        {
            "source": "x",
            "source_id": str(n),
            "published_at": "2026-11-23T05:59:00Z",
            "text": f"$ACME soars {n} %",
        }
        for n in range(3)
    ]
    raw = [msgspec.Raw(json.dumps(item).encode()) for item in items]
    ingest(kind="social", items=raw, batch_id="batch-1", submitted_by="tests", received_at=NOW)
    body = msgspec.json.encode(ports.queue.sent[0]).decode()
    gone = json.dumps({"batch_id": "gone", "key": "raw-data/2026/11/23/06/gone.json.gz"})
    parts = worker_parts(ports, model)
    for _ in range(2):
        response = signal_worker.handler.serve(sqs_event("{", gone, body), Context(), parts)
        assert failures(response) == ["message-0", "message-1"]
    stored = list(ports.signals.of_day("ACME", "20261123"))
    assert len(stored) == 3
    assert len(ports.changes.after(None)) == 1


def decision(revision: int) -> Decision:
    return Decision(
        proposal_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        revision=revision,
        decided_at=NOW,
        decided_by="somebody",
        action="reject",
        status="rejected",
        reason="not convinced",
        content_hash="0" * 64,
    )


def appended(ports: MemoryPorts, count: int) -> list[Entry]:
    found: list[Entry] = []
    for revision in range(1, count + 1):
        record = decision(revision)
        entry = next_entry(
            found[-1] if found else None, at=NOW, kind="decision", subject=record.proposal_id, record=record
        )
        assert ports.ledger.append(entry)
        found.append(entry)
    return found


def projecting(ports: MemoryPorts) -> project_ledger.Parts:
    project = ProjectLedger(
        ledger=ports.ledger,
        proposals=ports.proposals,
        outcomes=ports.outcomes,
        changes=ports.changes,
        counts=ports.counts,
    )
    return project_ledger.Parts(project=project, retries=Hidden(), clock=lambda: NOW)


@pytest.mark.req("A7", "C4")
def test_the_projection_keeps_the_order_of_the_ledger(ports: MemoryPorts) -> None:
    appended(ports, 3)
    event = sqs_event('{"sequence": 1}', '{"sequence": 2}', '{"sequence": 9}', '{"sequence": 3}', fifo=True)
    response = project_ledger.handler.serve(event, Context(), projecting(ports))
    assert failures(response) == ["message-2", "message-3"]
    assert [change.data["sequence"] for change in ports.changes.after(None)] == [1, 2]


@pytest.mark.req("A7", "B4")
def test_a_forged_entry_stops_the_queue(ports: MemoryPorts, capsys: pytest.CaptureFixture[str]) -> None:
    (first,) = appended(ports, 1)
    forged = next_entry(first, at=NOW, kind="decision", subject="x", record=decision(2))
    forged = msgspec.structs.replace(forged, body={**forged.body, "reason": "rewritten"})
    assert ports.ledger.append(forged)
    response = project_ledger.handler.serve(
        sqs_event('{"sequence": 2}', fifo=True), Context(), projecting(ports)
    )
    assert failures(response) == ["message-0"]
    assert "BrokenLedgerLinks" in capsys.readouterr().out


@pytest.mark.req("C4")
def test_a_failed_message_comes_back_sooner_than_that_of_a_killed_function() -> None:
    """It waits twice as long after every failure, but never longer than five minutes."""
    hidden = Hidden()

    def work(body: bytes, _parts: None) -> dict[str, Any]:
        if body != b"good":
            raise ValueError
        return {}

    function = QueueFunction(Settings, lambda _settings: None, work, retries=lambda _parts: hidden)
    event = sqs_event("good", "once", "thrice", "often")
    for record, received in zip(event["Records"], ("1", "1", "3", "40"), strict=True):
        record["attributes"] = {"ApproximateReceiveCount": received}
        record["receiptHandle"] = record["body"]
    function.serve(event, Context(), None)
    assert hidden.seconds == {"once": 2, "thrice": 8, "often": 300}


@pytest.mark.req("C4")
def test_a_message_whose_batch_somebody_has_comes_back_when_nobody_has_it(
    ports: MemoryPorts, model: SentimentModel, logged: Logged
) -> None:
    """Once, not again and again until the queue gives it up; and it is not taken for done."""
    key = "raw-data/2026/11/23/06/batch-1.json.gz"
    ports.claims.lease("batch-1", NOW - timedelta(seconds=20), NOW - timedelta(seconds=20) + LEASE)
    hidden = Hidden()
    parts = signal_worker.Parts(process=worker_parts(ports, model).process, retries=hidden, clock=lambda: NOW)
    event = sqs_event(json.dumps({"batch_id": "batch-1", "key": key}))
    assert failures(signal_worker.handler.serve(event, Context(), parts)) == ["message-0"]
    assert hidden.seconds == {"AQEB": LEASE.total_seconds() - 20}
    assert [line["message"] for line in logged() if line["level"] == "ERROR"] == []
    assert [line["seconds"] for line in logged() if line["message"] == "held"] == [160]
