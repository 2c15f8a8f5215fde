"""Pages of other origins: what the API lets a browser show them, which is nothing."""

import httpx
import jwt
import pytest

from tests.desk.conftest import Desk

OTHER = "https://evil.example"


def own_origin(desk: Desk) -> str:
    return desk.api_url.removesuffix("/v1")


def preflight(desk: Desk, origin: str) -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return httpx.options(f"{desk.api_url}/score", headers=asked, timeout=30)


@pytest.mark.req("A1")
def test_a_preflight_lets_the_desks_own_page_in_with_its_headers(desk: Desk) -> None:
    answer = preflight(desk, own_origin(desk))
    assert answer.status_code in {200, 204}, answer.text
    assert answer.headers["access-control-allow-origin"] == own_origin(desk)
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "idempotency-key" in allowed
    assert "*" not in answer.headers["access-control-allow-methods"]


@pytest.mark.req("A1")
def test_a_preflight_of_another_origin_is_not_answered_for_it(desk: Desk) -> None:
    """A browser goes on only when its own origin, or all of them, is named."""
    named = preflight(desk, OTHER).headers.get("access-control-allow-origin")
    assert named not in {OTHER, "*", "null"}


@pytest.mark.req("A1")
@pytest.mark.parametrize("role", ["viewer", None])
def test_an_answer_is_shown_to_the_desks_own_page_alone(desk: Desk, role: str | None) -> None:
    own = desk.call("GET", "/dashboard/summary", role=role, headers={"Origin": own_origin(desk)})
    assert own.headers.get("access-control-allow-origin") in {own_origin(desk), None if role is None else ""}
    other = desk.call("GET", "/dashboard/summary", role=role, headers={"Origin": OTHER})
    assert other.headers.get("access-control-allow-origin") not in {OTHER, "*", "null"}


@pytest.mark.req("U3")
def test_the_access_token_carries_the_user_context(desk: Desk) -> None:
    claims = jwt.decode(desk.token("approver"), options={"verify_signature": False})
    assert claims["desk_name"] == "approver"
    assert claims["desk_roles"] == "approver"
    assert claims["desk_stage"] == "local"
