"""What each route answers to callers who may, may not, and send nonsense."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.desk.conftest import Desk
from tests.desk.material import post, unique

POSTS: dict[str, tuple[str, dict[str, Any]]] = {
    "/ingest/social": ("analyst", {"items": []}),
    "/ingest/news": ("analyst", {"items": []}),
    "/score": ("analyst", {}),
    "/propose": ("analyst", {"portfolio": "nobody"}),
    "/risk/check": ("analyst", {"proposal_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}),
    "/decision": (
        "approver",
        {
            "proposal_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "content_hash": "0" * 64,
            "action": "approve",
            "reason": "x",
        },
    ),
    "/evaluate": ("analyst", {}),
}
GETS = ("/dashboard/summary", "/dashboard/stream", "/metrics")
WRONG_ROLE = {"analyst": "viewer", "approver": "analyst"}


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    """The answer is an RFC 9457 problem of this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json"), response.headers
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["title"]
    return problem


@pytest.mark.req("U3")
@pytest.mark.parametrize("path", [*POSTS, *GETS])
def test_without_a_token_nobody_gets_in(desk: Desk, path: str) -> None:
    method = "POST" if path in POSTS else "GET"
    assert_problem(desk.call(method, path, body={} if path in POSTS else None), 401)
    assert_problem(desk.call(method, path, headers={"Authorization": "Bearer not.a.token"}), 401)


@pytest.mark.req("U2", "U3")
@pytest.mark.parametrize("path", POSTS)
def test_the_wrong_role_is_refused(desk: Desk, path: str) -> None:
    role, body = POSTS[path]
    assert_problem(desk.call("POST", path, role=WRONG_ROLE[role], body=body), 403)


@pytest.mark.req("A1")
@pytest.mark.parametrize("path", POSTS)
def test_a_malformed_body_names_the_fault(desk: Desk, path: str) -> None:
    role, body = POSTS[path]
    assert_problem(desk.call("POST", path, role=role, content=b"{not json"), 400)
    unknown = assert_problem(desk.call("POST", path, role=role, body={**body, "surprise": 1}), 400)
    assert "surprise" in json.dumps(unknown)


@pytest.mark.req("A1")
@pytest.mark.parametrize(
    ("path", "role", "body", "fault"),
    [
        ("/ingest/social", "analyst", {"items": 7}, "$.items"),
        ("/score", "analyst", {"horizon": "soon"}, "$.horizon"),
        ("/propose", "analyst", {"portfolio": 3}, "$.portfolio"),
        ("/risk/check", "analyst", {"orders": "all"}, "$.orders"),
        (
            "/decision",
            "approver",
            {"proposal_id": 5, "content_hash": "a", "action": "approve"},
            "$.proposal_id",
        ),
        ("/evaluate", "analyst", {"scope": "everything"}, "$.scope"),
    ],
)
def test_a_wrong_type_is_named_by_its_path(desk: Desk, path: str, role: str, body: Any, fault: str) -> None:
    assert assert_problem(desk.call("POST", path, role=role, body=body), 400)["path"] == fault


@pytest.mark.req("A2", "A3")
def test_an_oversize_request_is_refused(desk: Desk) -> None:
    large = json.dumps({"items": [post("ACME", "x" * 60_000) for _ in range(100)]}).encode()
    assert len(large) > 5 * 1024 * 1024
    assert_problem(desk.call("POST", "/ingest/social", role="analyst", content=large), 413)
    many = {"items": [post("ACME", f"number {n}") for n in range(501)]}
    assert_problem(desk.call("POST", "/ingest/social", role="analyst", body=many), 413)


@pytest.mark.req("A2")
def test_one_bad_item_never_sinks_the_rest(desk: Desk) -> None:
    items = [
        post("ACME", "a good one"),
        {"source": "x", "source_id": "no-time"},
        post("ACME", "", text=""),
        {**post("ACME", "another"), "surprise": True},
        post("ACME", "the last good one"),
    ]
    answer = desk.call("POST", "/ingest/social", role="analyst", body={"items": items})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["accepted"], told["duplicates"]) == (2, 0)
    assert [(r["index"], r["code"]) for r in told["rejected"]] == [
        (1, "invalid_item"),
        (2, "no_words"),
        (3, "unknown_field"),
    ]


@pytest.mark.req("A2")
def test_an_item_counts_once_however_often_it_is_sent(desk: Desk) -> None:
    items = {"items": [post("ACME", f"said once, number {n}") for n in range(3)]}
    first = desk.call("POST", "/ingest/social", role="analyst", body=items).json()
    again = desk.call("POST", "/ingest/social", role="analyst", body=items).json()
    assert (first["accepted"], first["duplicates"]) == (3, 0)
    assert (again["accepted"], again["duplicates"]) == (0, 3)


@pytest.mark.req("A3")
def test_news_are_taken_in_once_and_apart_from_posts(desk: Desk) -> None:
    items = [post("ACME", "profit rises", source="rss", title=f"Headline {n}") for n in range(3)]
    first = desk.call("POST", "/ingest/news", role="analyst", body={"items": items})
    assert first.status_code == 202, first.text
    assert first.json()["accepted"] == 3
    again = desk.call("POST", "/ingest/news", role="analyst", body={"items": items}).json()
    assert (again["accepted"], again["duplicates"]) == (0, 3)


@pytest.mark.req("A2")
def test_a_replayed_idempotency_key_gets_the_first_answer(desk: Desk) -> None:
    key = {"Idempotency-Key": unique("key")}
    body = {"items": [post("ACME", "sent twice under one key")]}
    first = desk.call("POST", "/ingest/social", role="analyst", body=body, headers=key)
    again = desk.call("POST", "/ingest/social", role="analyst", body=body, headers=key)
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert first.json()["accepted"] == 1
    other = {"items": [post("ACME", "something else under the same key")]}
    assert_problem(desk.call("POST", "/ingest/social", role="analyst", body=other, headers=key), 422)


@pytest.mark.req("A2")
def test_concurrent_copies_of_one_item_are_accepted_once(desk: Desk) -> None:
    items = {"items": [post("ACME", f"racing number {n}") for n in range(20)]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: desk.call("POST", "/ingest/social", role="analyst", body=items), range(4))
        )
    assert {answer.status_code for answer in answers} == {202}
    assert sum(answer.json()["accepted"] for answer in answers) == 20


@pytest.mark.req("A11")
def test_health_is_public_and_says_what_it_looked_at(desk: Desk) -> None:
    answer = desk.call("GET", "/health")
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ok"
    assert answer.json()["dependencies"]


@pytest.mark.req("A12")
def test_metrics_are_openmetrics_text(desk: Desk) -> None:
    answer = desk.call("GET", "/metrics", role="viewer")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.req("A9")
def test_a_viewer_reads_the_summary_and_may_not_write(desk: Desk) -> None:
    assert desk.call("GET", "/dashboard/summary", role="viewer").status_code == 200
    assert_problem(desk.call("POST", "/ingest/social", role="viewer", body={"items": []}), 403)


@pytest.mark.req("A1")
def test_an_unknown_route_is_a_problem_too(desk: Desk) -> None:
    assert desk.call("GET", "/nothing/here", role="viewer").status_code in {403, 404}


@pytest.mark.req("A2")
def test_a_body_that_is_not_utf8_is_refused_clearly(desk: Desk) -> None:
    assert_problem(
        desk.call("POST", "/ingest/social", role="analyst", content=b'{"items": ["\xff\xfe"]}'), 400
    )
    squeezed = gzip.compress(json.dumps({"items": []}).encode())
    assert_problem(desk.call("POST", "/ingest/social", role="analyst", content=squeezed), 400)
