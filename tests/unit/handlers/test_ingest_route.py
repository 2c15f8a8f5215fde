"""`POST /ingest/*` as a caller sees it, on ports in memory: what is taken, and what a repeated call gets."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.domain.problems import Conflict, Unavailable
from bellwether.handlers.idempotency import once
from bellwether.handlers.ingest import Parts, handler
from bellwether.handlers.request import read_call
from bellwether.usecases.ingest import Ingest
from bellwether.usecases.ports import BatchMessage, Reservation
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context, rest_event

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
Post = Callable[..., tuple[int, dict[str, Any]]]


def item(number: int, **more: Any) -> dict[str, Any]:
    told = {"source": "x", "source_id": f"post-{number}", "published_at": "2026-11-23T05:59:00Z"}
    return {**told, "text": f"$ACME looks good, number {number}", **more}


class Desk:
    """The route on ports in memory, at a time that moves when told."""

    def __init__(self, ports: MemoryPorts) -> None:
        self.ports = ports
        self.now = NOW
        ingest = Ingest(
            raw=ports.raw, claims=ports.claims, queue=ports.queue, counts=ports.counts, salt=b"salt" * 8
        )
        self.parts = Parts(ingest=ingest, answers=ports.answers, clock=lambda: self.now)

    def response(self, body: Any = None, route: str = "/ingest/social", **more: Any) -> dict[str, Any]:
        return handler.serve(rest_event("POST", route, body=body, **more), Context(), lambda: self.parts)

    def post(self, body: Any, **more: Any) -> tuple[int, dict[str, Any]]:
        response = self.response(body, **more)
        return response["statusCode"], json.loads(response["body"])


@pytest.fixture
def desk(ports: MemoryPorts) -> Desk:
    return Desk(ports)


@pytest.mark.req("A2", "A3")
@pytest.mark.parametrize("kind", ["social", "news"])
def test_items_are_stored_queued_and_then_acknowledged(desk: Desk, kind: str) -> None:
    status, told = desk.post({"items": [item(1), item(2), item(1)]}, route=f"/ingest/{kind}")
    assert status == 202
    assert (told["accepted"], told["duplicates"], told["rejected"]) == (2, 1, [])
    (message,) = desk.ports.queue.sent
    assert message.batch_id == told["batch_id"]
    batch = desk.ports.raw.get(message.key)
    assert {stored.kind for stored in batch.items} == {kind}
    assert batch.submitted_by == "5e6f-analyst"


@pytest.mark.req("A2")
def test_one_bad_item_never_sinks_the_rest(desk: Desk) -> None:
    bad = [{"source": "x"}, "no object", None, item(3, surprise=1), item(4, text=" ")]
    status, told = desk.post({"items": [item(1), *bad, item(2)]})
    assert (status, told["accepted"]) == (202, 2)
    assert [rejection["index"] for rejection in told["rejected"]] == [1, 2, 3, 4, 5]
    assert all(rejection["code"] and rejection["detail"] for rejection in told["rejected"])


@pytest.mark.req("A1", "A2")
def test_requests_that_are_none_leave_nothing_behind(desk: Desk) -> None:
    too_many = {"items": [item(n) for n in range(501)]}
    assert desk.post(too_many)[0] == 413
    assert desk.post({"items": [], "surprise": 1})[1]["path"] == "$.surprise"
    assert desk.post({"items": "all"})[1]["path"] == "$.items"
    assert desk.post({})[0] == 400
    assert desk.response(content="{")["statusCode"] == 400
    assert desk.response(content="x" * 5_000_001)["statusCode"] == 413
    assert desk.response({"items": [item(1)]}, route="/ingest/gossip")["statusCode"] == 404
    assert desk.post({"items": [item(1)]}, roles="viewer")[0] == 403
    assert desk.post({"items": [item(1)]}, roles="approver,admin")[0] == 403
    assert list(desk.ports.raw.keys(NOW - timedelta(days=1))) == []
    assert desk.ports.queue.sent == []


@pytest.mark.req("A2")
def test_a_machine_may_ingest(desk: Desk) -> None:
    assert desk.post({"items": [item(1)]}, roles="machine", username="machine:importer")[0] == 202


@pytest.mark.req("A2")
def test_a_repeated_key_gets_the_first_answer_and_does_nothing(desk: Desk) -> None:
    key = {"Idempotency-Key": "import-1"}
    first = desk.response({"items": [item(1)]}, headers=key)
    desk.now += timedelta(minutes=5)
    again = desk.response({"items": [item(1)]}, headers=key)
    assert (first["statusCode"], first["body"]) == (again["statusCode"], again["body"])
    assert json.loads(again["body"])["accepted"] == 1
    assert "Idempotent-Replayed" not in first["headers"]
    assert again["headers"]["Idempotent-Replayed"] == "true"
    assert len(desk.ports.queue.sent) == 1


@pytest.mark.req("A2")
def test_a_key_belongs_to_a_user_a_route_and_a_body(desk: Desk) -> None:
    key = {"Idempotency-Key": "import-1"}
    first = desk.post({"items": [item(1)]}, headers=key)[1]
    status, problem = desk.post({"items": [item(2)]}, headers=key)
    assert (status, problem["code"]) == (422, "idempotency_mismatch")
    others = [
        desk.post({"items": [item(3)]}, headers=key, username="somebody-else"),
        desk.post({"items": [item(4)]}, headers=key, route="/ingest/news"),
    ]
    assert [status for status, _ in others] == [202, 202]
    assert len({first["batch_id"], *(told["batch_id"] for _, told in others)}) == 3


@pytest.mark.req("A2", "C4")
def test_a_key_used_again_after_it_was_forgotten_loses_nothing(desk: Desk) -> None:
    """Keys are kept for two days, the marks of finished batches for a year: a batch must not meet a mark."""
    key = {"Idempotency-Key": "daily"}
    first = desk.post({"items": [item(1)]}, headers=key)[1]
    desk.ports.claims.finish(first["batch_id"])
    desk.now += timedelta(days=3)
    fresh = item(2, published_at="2026-11-26T05:59:00Z")
    status, told = desk.post({"items": [fresh]}, headers=key)
    assert (status, told["accepted"]) == (202, 1)
    assert desk.ports.claims.finished([told["batch_id"]]) == set()
    assert desk.ports.queue.sent[-1].batch_id == told["batch_id"]


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256, "line\nbreak"])
def test_a_key_that_is_none_is_refused(desk: Desk, key: str) -> None:
    status, problem = desk.post({"items": [item(1)]}, headers={"Idempotency-Key": key})
    assert (status, problem["path"]) == (400, "Idempotency-Key")
    assert desk.ports.queue.sent == []


@pytest.mark.req("A2")
def test_a_failure_gives_the_key_back_and_the_next_try_writes_the_same_batch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"Idempotency-Key": "import-2"}
    sending = desk.ports.queue.send

    def away(_message: BatchMessage) -> None:
        raise Unavailable("the queue is away")

    monkeypatch.setattr(desk.ports.queue, "send", away)
    response = desk.response({"items": [item(1)]}, headers=key)
    assert response["statusCode"] == 503
    assert response["headers"]["Retry-After"]
    monkeypatch.setattr(desk.ports.queue, "send", sending)
    desk.now += timedelta(seconds=1)
    status, told = desk.post({"items": [item(1)]}, headers=key)
    assert (status, told["accepted"]) == (202, 1)
    assert len(list(desk.ports.raw.keys(NOW - timedelta(days=1)))) == 1


@pytest.mark.req("A2")
def test_while_the_first_call_runs_a_second_one_is_a_conflict(desk: Desk) -> None:
    call = read_call(rest_event("POST", "/ingest/social", body={}, headers={"Idempotency-Key": "k"}))
    body = b"{}"

    def overlapping(_occasion: Any) -> Any:
        with pytest.raises(Conflict):
            once(call, body, desk.ports.answers, lambda: NOW, overlapping)
        raise Unavailable("and then it failed")

    with pytest.raises(Unavailable):
        once(call, body, desk.ports.answers, lambda: NOW, overlapping)


class Forgetful:
    """Answers that take a key and can neither keep nor give it back."""

    def begin(self, scope: str, key: str, request_hash: str, at: datetime) -> Reservation:
        return Reservation(first_at=at)

    def keep(self, scope: str, key: str, request_hash: str, answer: bytes, at: datetime) -> None:
        raise Unavailable("away")

    def release(self, scope: str, key: str) -> None:
        raise Unavailable("away")


@pytest.mark.req("A2")
def test_what_was_done_is_answered_even_if_the_answer_cannot_be_kept(desk: Desk, logged: Logged) -> None:
    desk.parts = Parts(ingest=desk.parts.ingest, answers=Forgetful(), clock=lambda: NOW)
    status, told = desk.post({"items": [item(1)]}, headers={"Idempotency-Key": "k"})
    assert (status, told["accepted"]) == (202, 1)
    assert any("could not be kept" in line["message"] for line in logged())


@pytest.mark.req("B1")
def test_no_word_of_a_post_is_logged(desk: Desk, logged: Logged, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "insiders whisper about the merger"
    desk.post({"items": [item(1, text=secret, author="@somebody"), item(2, text=secret, surprise=1)]})
    written = json.dumps(logged()) + capsys.readouterr().out
    assert logged()
    assert secret not in written
    assert "@somebody" not in written


@pytest.mark.req("B2")
def test_what_was_taken_is_told_as_metrics(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.post({"items": [item(1), item(1), item(2, surprise=1)]})
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    told = {
        metric["Name"]: blob[metric["Name"]]
        for blob in blobs
        for directive in blob["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    assert told.pop("AnswerMilliseconds") >= 0
    items = {"ItemsAccepted": 1, "ItemsDuplicate": 1, "ItemsRejected": 1}
    assert told == items | {"Answers": 1, "Refusals": 0, "Faults": 0}
    assert {d["Namespace"] for blob in blobs for d in blob["_aws"]["CloudWatchMetrics"]} == {
        "Bellwether/local"
    }
