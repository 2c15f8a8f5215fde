"""Who may do what, spelled out: the table is the contract of every route, so each cell is asserted."""

import itertools

import pytest

from bellwether.domain import problems
from bellwether.domain.problems import Forbidden, Problem
from bellwether.domain.rights import GROUPS, RIGHTS, ROUTES, User

ACTIONS = ("read", "metrics", "ingest", "score", "propose", "risk", "evaluate", "decide", "configure")
MAY = {
    "viewer": "read metrics",
    "analyst": "read metrics ingest score propose risk evaluate",
    "approver": "read metrics decide",
    "admin": "read metrics configure",
    "machine": "ingest metrics",
}


@pytest.mark.req("U2")
@pytest.mark.parametrize(("role", "action"), list(itertools.product(MAY, ACTIONS)))
def test_every_cell_of_the_table(role: str, action: str) -> None:
    user = User(username="x", roles=(role,))  # type: ignore[arg-type]
    allowed = action in MAY[role].split()
    assert user.may(action) is allowed  # type: ignore[arg-type]
    if allowed:
        user.require(action)  # type: ignore[arg-type]
    else:
        with pytest.raises(Forbidden, match=f"this needs the right to {action}, which "):
            user.require(action)  # type: ignore[arg-type]


def test_the_table_has_no_other_cells() -> None:
    assert {role: set(MAY[role].split()) for role in MAY} == {role: set(has) for role, has in RIGHTS.items()}
    assert GROUPS == ("viewer", "analyst", "approver", "admin")


def test_a_user_has_the_rights_of_all_roles_and_none_without() -> None:
    both = User(username="x", roles=("approver", "analyst"))
    assert both.may("decide")
    assert both.may("propose")
    assert not both.may("configure")
    assert not User(username="x", roles=()).may("read")


@pytest.mark.parametrize(
    ("action", "holders"),
    [
        ("decide", "approver"),
        ("configure", "admin"),
        ("ingest", "analyst, machine"),
        ("read", "viewer, analyst, approver, admin"),
    ],
)
def test_a_refusal_says_who_has_the_right(action: str, holders: str) -> None:
    with pytest.raises(Forbidden) as fault:
        User(username="x", roles=()).require(action)  # type: ignore[arg-type]
    assert fault.value.detail == f"this needs the right to {action}, which {holders} has"


@pytest.mark.req("U3")
def test_each_route_needs_one_right() -> None:
    expected = {
        ("POST", "/ingest/social"): "ingest",
        ("POST", "/ingest/news"): "ingest",
        ("POST", "/score"): "score",
        ("POST", "/propose"): "propose",
        ("POST", "/risk/check"): "risk",
        ("POST", "/decision"): "decide",
        ("POST", "/evaluate"): "evaluate",
        ("GET", "/dashboard/summary"): "read",
        ("GET", "/dashboard/stream"): "read",
        ("GET", "/metrics"): "metrics",
    }
    assert {route: ROUTES.get(route) for route in expected} == expected


@pytest.mark.parametrize(
    ("name", "status", "code", "title"),
    [
        ("Problem", 500, "internal", "Something went wrong on our side"),
        ("InvalidInput", 400, "invalid_input", "The request is not valid"),
        ("Unauthenticated", 401, "unauthenticated", "A valid token is needed"),
        ("Forbidden", 403, "forbidden", "You do not have the right to do this"),
        ("NotFound", 404, "not_found", "There is no such thing"),
        ("Conflict", 409, "conflict", "The state has changed since you looked"),
        ("TooLarge", 413, "too_large", "The request is too large"),
        (
            "IdempotencyMismatch",
            422,
            "idempotency_mismatch",
            "This Idempotency-Key was used for a different request",
        ),
        ("TooManyRequests", 429, "too_many_requests", "Slow down"),
        ("Unavailable", 503, "unavailable", "A part we depend on does not answer"),
    ],
)
def test_every_problem_has_its_status_and_its_stable_code(
    name: str, status: int, code: str, title: str
) -> None:
    kind = getattr(problems, name)
    made = kind("what happened", path="$.here", more=5)
    assert isinstance(made, Problem)
    assert (made.status, made.code, made.title) == (status, code, title)
    assert (made.detail, str(made), made.path) == ("what happened", "what happened", "$.here")
    assert made.members == {"more": 5}
    assert kind("x").path is None
