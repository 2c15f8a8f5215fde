"""The function that answers CloudFormation for a custom resource."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infrastructure.answering import index

EVENT = {
    "RequestType": "Create",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "Months",
    "ResponseURL": "https://cloudformation.example/answer",
}
INLINE_LIMIT = 4_096

Answer = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was put to the response address."""
    told: list[dict[str, Any]] = []

    def put(request: Any, timeout: float) -> io.BytesIO:
        assert request.get_method() == "PUT"
        assert request.full_url == EVENT["ResponseURL"]
        # CloudFormation's address is signed without a content type.
        assert request.get_header("Content-type") == ""
        told.append(json.loads(request.data))
        return io.BytesIO()

    monkeypatch.setattr(index, "urlopen", put)
    return told


def behind(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    class Client:
        def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
            assert FunctionName == "arn:function"
            return answer(json.loads(Payload))

    monkeypatch.setenv("FUNCTION_ARN", "arn:function")
    monkeypatch.setattr("boto3.client", lambda *_, **__: Client())


@pytest.mark.req("D1")
def test_success_is_told_with_what_the_function_gave(
    monkeypatch: pytest.MonkeyPatch, sent: list[dict[str, Any]]
) -> None:
    asked: list[dict[str, Any]] = []

    def answer(event: dict[str, Any]) -> dict[str, Any]:
        asked.append(event)
        return {"Payload": io.BytesIO(b'{"PhysicalResourceId": "tables", "Data": {"months": "202611"}}')}

    behind(monkeypatch, answer)
    index.handler(dict(EVENT), None)
    assert sent == [
        {
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Months",
            "PhysicalResourceId": "tables",
            "Status": "SUCCESS",
            "Data": {"months": "202611"},
        }
    ]
    assert "ResponseURL" not in asked[0]


def test_a_failure_is_told_at_once_and_once(
    monkeypatch: pytest.MonkeyPatch, sent: list[dict[str, Any]]
) -> None:
    behind(
        monkeypatch,
        lambda _: {
            "FunctionError": "Unhandled",
            "Payload": io.BytesIO(b'{"errorMessage": "the run failed"}'),
        },
    )
    index.handler({**EVENT, "PhysicalResourceId": "tables"}, None)
    (told,) = sent
    assert (told["Status"], told["Reason"], told["PhysicalResourceId"]) == (
        "FAILED",
        "the run failed",
        "tables",
    )


def test_a_function_that_cannot_be_called_is_a_failure_too(
    monkeypatch: pytest.MonkeyPatch, sent: list[dict[str, Any]]
) -> None:
    def answer(_: dict[str, Any]) -> dict[str, Any]:
        raise ConnectionError("x" * 2_000)

    behind(monkeypatch, answer)
    index.handler(dict(EVENT), None)
    assert sent[0]["Status"] == "FAILED"
    assert len(sent[0]["Reason"]) == index.LONGEST_REASON


def test_the_code_fits_where_it_is_uploaded_inline() -> None:
    assert len(Path(str(index.__file__)).read_text()) < INLINE_LIMIT
