"""The client of the API, against a peer in the process: tries again, sends one key, explains refusals."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from bellwether.cli.api import LONGEST_WAIT_SECONDS, MOST_TRIES, retry_after
from bellwether.cli.failures import ApiProblem, Failure, NotRunning, Refused
from tests.unit.cli.conftest import Peer, api_of, problem

OK = {"accepted": 1}


class Wallet:
    """Tokens that can be renewed so many times."""

    def __init__(self, renewals: int) -> None:
        self.current = "first"
        self.left = renewals
        self.refused: list[str] = []

    def token(self) -> str:
        return self.current

    def renew(self, refused: str) -> str:
        self.refused.append(refused)
        if not self.left:
            raise Refused("ended")
        self.left -= 1
        self.current = f"renewed-{self.left}"
        return self.current


def test_a_write_is_tried_again_under_the_same_key_and_waits_as_long_as_it_is_told() -> None:
    waits: list[float] = []
    peer = Peer(
        [
            problem(429, {"Retry-After": "3"}),
            problem(503, {"Retry-After": "1"}),
            httpx.ConnectError("refused"),
            httpx.ReadTimeout("silence"),
            httpx.Response(202, json=OK),
        ]
    )
    assert api_of(peer, waits=waits).post("/ingest/social", {"items": []}) == OK
    assert waits[:2] == [3.0, 1.0]
    assert all(0 < wait <= 10 for wait in waits[2:])
    keys = {request.headers["Idempotency-Key"] for request in peer.seen}
    assert len(peer.seen) == 5
    assert len(keys) == 1
    assert keys.pop()
    assert {request.content for request in peer.seen} == {b'{"items":[]}'}


def test_two_writes_have_two_keys_and_a_given_key_is_kept() -> None:
    peer = Peer(route=lambda _: httpx.Response(200, json=OK))
    api = api_of(peer)
    api.post("/score", {})
    api.post("/score", {})
    api.post("/score", {}, key="mine")
    keys = [request.headers["Idempotency-Key"] for request in peer.seen]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_it_gives_up_after_some_tries_and_says_what_it_was_told() -> None:
    peer = Peer(route=lambda _: problem(503))
    with pytest.raises(ApiProblem) as failed:
        api_of(peer).get("/health")
    assert len(peer.seen) == MOST_TRIES
    assert failed.value.exit_code == 3


def test_nobody_there_is_not_running() -> None:
    def nobody(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    with pytest.raises(NotRunning) as failed:
        api_of(Peer(route=nobody)).get("/health")
    assert failed.value.exit_code == 3
    assert failed.value.hint == "bellwether status"


@pytest.mark.parametrize(
    ("status", "exit_code"), [(400, 2), (403, 4), (404, 1), (409, 4), (413, 2), (422, 2), (500, 1)]
)
def test_a_refusal_is_not_tried_again_and_has_its_exit_code(status: int, exit_code: int) -> None:
    peer = Peer(route=lambda _: problem(status, path="$.assets[0]", code="some_code"))
    with pytest.raises(ApiProblem) as failed:
        api_of(peer).post("/score", {})
    assert len(peer.seen) == 1
    assert failed.value.exit_code == exit_code
    error = failed.value.document()["error"]
    assert (error["title"], error["detail"]) == ("A title", "what happened")
    assert (error["path"], error["code"], error["status"]) == ("$.assets[0]", "some_code", status)
    assert error["exit_code"] == exit_code


@pytest.mark.req("U2")
@pytest.mark.parametrize(("path", "role"), [("/decision", "approver"), ("/score", "analyst")])
def test_a_missing_right_names_who_has_it(path: str, role: str) -> None:
    with pytest.raises(ApiProblem) as failed:
        api_of(Peer([problem(403)])).post(path, {})
    assert failed.value.hint == f"bellwether login --as {role}"


def test_after_a_try_without_an_answer_a_conflict_is_the_first_try_still_at_work() -> None:
    peer = Peer([httpx.ReadTimeout("silence"), problem(409), httpx.Response(200, json=OK)])
    assert api_of(peer).post("/decision", {}) == OK


def test_a_refused_token_is_renewed_once() -> None:
    wallet = Wallet(renewals=1)
    peer = Peer([problem(401), httpx.Response(200, json=OK)])
    assert api_of(peer, wallet).post("/score", {}) == OK
    assert [request.headers["Authorization"] for request in peer.seen] == ["Bearer first", "Bearer renewed-0"]
    assert wallet.refused == ["first"]


def test_a_token_that_is_refused_again_ends_it() -> None:
    peer = Peer(route=lambda _: problem(401))
    with pytest.raises(ApiProblem) as failed:
        api_of(peer, Wallet(renewals=5)).post("/score", {})
    assert len(peer.seen) == 2
    assert failed.value.exit_code == 4
    assert failed.value.hint == "bellwether login --as analyst"


def test_an_error_that_is_no_problem_document_is_still_told() -> None:
    with pytest.raises(ApiProblem) as failed:
        api_of(Peer([httpx.Response(418, content=b"<html>teapot")])).get("/health")
    assert "GET /health" in failed.value.detail


def test_an_answer_that_is_no_json_is_told() -> None:
    with pytest.raises(Failure, match="not JSON"):
        api_of(Peer([httpx.Response(200, content=b"<html>")])).post("/score", {})


def test_giving_up_ends_the_tries() -> None:
    peer = Peer(route=lambda _: problem(503))
    api = api_of(peer)
    api.give_up()
    with pytest.raises(ApiProblem):
        api.get("/health")
    assert len(peer.seen) == 1


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("0", 0.0),
        ("2.5", 2.5),
        ("9999", LONGEST_WAIT_SECONDS),
        ("-4", 0.0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_bounded_and_may_be_nonsense(told: str, seconds: float | None) -> None:
    assert retry_after(httpx.Response(429, headers={"Retry-After": told})) == seconds


def test_retry_after_may_be_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    header = {"Retry-After": format_datetime(now + timedelta(seconds=7), usegmt=True)}
    assert retry_after(httpx.Response(429, headers=header), now) == 7.0
