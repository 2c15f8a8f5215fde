"""The function that publishes the dashboard's files."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure.publishing import index

EVENT = {
    "RequestType": "Create",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "Published",
    "ResponseURL": "https://cloudformation.example/answer",
    "ResourceProperties": {"Bucket": "site", "Distribution": "E1", "Config": {"stage": "test"}},
}


class Services:
    """S3 and CloudFront, as far as the function uses them."""

    def __init__(self, *there: str) -> None:
        self.objects: dict[str, dict[str, Any]] = {name: {} for name in there}
        self.calls: list[str] = []
        self.refuses: str | None = None

    def put_object(self, *, Bucket: str, Key: str, **told: Any) -> None:  # noqa: N803
        assert Bucket == "site"
        if self.refuses == Key:
            raise PermissionError("no")
        self.calls.append(f"put {Key}")
        self.objects[Key] = told

    def list_objects_v2(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803
        return {"Contents": [{"Key": name} for name in self.objects]}

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        self.calls.append(f"delete {Key}")
        del self.objects[Key]

    def create_invalidation(self, *, DistributionId: str, InvalidationBatch: dict[str, Any]) -> None:  # noqa: N803
        assert InvalidationBatch["Paths"] == {"Quantity": 1, "Items": ["/*"]}
        self.calls.append(f"empty {DistributionId}")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []

    def put(request: Any, timeout: float) -> io.BytesIO:
        told.append(json.loads(request.data))
        return io.BytesIO()

    monkeypatch.setattr(index, "urlopen", put)
    return told


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Services:
    made = Services("old.js")
    monkeypatch.setattr("boto3.client", lambda _name: made)
    for name in ("index.html", "app.js", "fonts/text.woff2", ".hidden"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    monkeypatch.setattr(index, "SITE", tmp_path)
    return made


@pytest.mark.req("X1")
def test_pages_come_after_their_parts_and_what_is_old_goes(
    services: Services, answers: list[dict[str, Any]]
) -> None:
    index.handler(EVENT, None)
    assert services.calls == [
        "put app.js",
        "put fonts/text.woff2",
        "put config.json",
        "put index.html",
        "delete old.js",
        "empty E1",
    ]
    assert services.objects["app.js"]["CacheControl"].startswith("public, max-age=300")
    assert services.objects["index.html"]["CacheControl"].startswith("public, no-cache")
    assert services.objects["index.html"]["ContentType"] == "text/html; charset=utf-8"
    assert json.loads(services.objects["config.json"]["Body"]) == {"stage": "test"}
    assert [(a["Status"], a["PhysicalResourceId"]) for a in answers] == [("SUCCESS", "site")]


@pytest.mark.req("X1")
def test_a_failure_is_told_once_with_its_reason(services: Services, answers: list[dict[str, Any]]) -> None:
    services.refuses = "index.html"
    index.handler(EVENT, None)
    assert [(a["Status"], a["Reason"]) for a in answers] == [("FAILED", "PermissionError: no")]


def test_when_the_stack_goes_the_files_are_left(services: Services, answers: list[dict[str, Any]]) -> None:
    index.handler({**EVENT, "RequestType": "Delete", "PhysicalResourceId": "site"}, None)
    assert services.calls == []
    assert answers[0]["Status"] == "SUCCESS"
