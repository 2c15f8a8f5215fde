"""What a token is told at a sign-in, and which passwords are too old."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellwether.handlers.sign_in import PASSWORD_SET, Parts, PasswordTooOld, Settings, SignIn, compose
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAYS = 180


class Marks:
    """Passwords' times as they were written; `away` is a pool that takes none."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str, datetime]] = []
        self.away = False

    def __call__(self, pool: str, user: str, at: datetime) -> None:
        if self.away:
            raise OSError("away")
        self.written.append((pool, user, at))


@pytest.fixture
def marks() -> Marks:
    return Marks()


def event(source: str, *, set_at: str | None = None, **more: Any) -> dict[str, Any]:
    """A trigger's event as the user pool sends it (version 2)."""
    attributes = {"sub": "5e6f-sub", "email": "maria@example.org", **more}
    if set_at is not None:
        attributes[PASSWORD_SET] = set_at
    return {
        "version": "2",
        "triggerSource": source,
        "region": "eu-central-2",
        "userPoolId": "eu-central-2_pool",
        "userName": "maria",
        "callerContext": {"awsSdkVersion": "1", "clientId": "client"},
        "request": {
            "userAttributes": attributes,
            "groupConfiguration": {"groupsToOverride": ["approver", "analyst", "guests"]},
            "scopes": ["aws.cognito.signin.user.admin"],
        },
        "response": {},
    }


def answered(told: dict[str, Any], marks: Marks) -> dict[str, Any]:
    parts = Parts(stage="test", password_days=DAYS, mark=marks, clock=lambda: NOW)
    return SignIn(Settings, compose).answer(told, Context(), parts)


def access_claims(answer: dict[str, Any]) -> dict[str, str]:
    details = answer["response"]["claimsAndScopeOverrideDetails"]
    assert details["idTokenGeneration"] == details["accessTokenGeneration"]
    claims: dict[str, str] = details["accessTokenGeneration"]["claimsToAddOrOverride"]
    return claims


@pytest.mark.req("U3")
@pytest.mark.parametrize(
    "source", ["Authentication", "NewPasswordChallenge", "RefreshTokens", "AuthenticateDevice"]
)
def test_the_token_carries_name_roles_and_stage(source: str, marks: Marks) -> None:
    claims = access_claims(answered(event(f"TokenGeneration_{source}", name=" Maria \n Meier "), marks))
    assert claims == {"desk_name": "Maria Meier", "desk_roles": "analyst approver", "desk_stage": "test"}


@pytest.mark.req("U3")
def test_a_person_without_a_name_is_shown_by_the_user_name(marks: Marks) -> None:
    assert access_claims(answered(event("TokenGeneration_Authentication"), marks))["desk_name"] == "maria"
    long = answered(event("TokenGeneration_Authentication", name="x" * 500), marks)
    assert len(access_claims(long)["desk_name"]) == 80


@pytest.mark.req("U1")
def test_a_password_lives_its_days_and_no_longer(marks: Marks) -> None:
    for age, refused in ((timedelta(days=DAYS), False), (timedelta(days=DAYS, seconds=1), True)):
        told = event("TokenGeneration_Authentication", set_at=(NOW - age).isoformat())
        if refused:
            with pytest.raises(PasswordTooOld, match="forgot password"):
                answered(told, marks)
        else:
            answered(told, marks)
    assert marks.written == []


@pytest.mark.req("U1")
@pytest.mark.parametrize(
    "source", ["TokenGeneration_NewPasswordChallenge", "PostConfirmation_ConfirmForgotPassword"]
)
def test_whoever_sets_a_new_password_is_let_in_again(source: str, marks: Marks) -> None:
    old = (NOW - timedelta(days=10 * DAYS)).isoformat()
    told = answered(event(source, set_at=old), marks)
    assert marks.written == [("eu-central-2_pool", "maria", NOW)]
    assert ("claimsAndScopeOverrideDetails" in told["response"]) == source.startswith("Token")
    answered(event("TokenGeneration_Authentication", set_at=marks.written[0][2].isoformat()), marks)


@pytest.mark.req("U1")
@pytest.mark.parametrize("set_at", [None, "", "yesterday", "2026-01-01T00:00:00"])
def test_without_a_time_that_can_be_read_the_time_begins_now(set_at: str | None, marks: Marks) -> None:
    answered(event("TokenGeneration_Authentication", set_at=set_at), marks)
    assert marks.written == [("eu-central-2_pool", "maria", NOW)]


@pytest.mark.req("U1")
def test_a_login_that_renews_itself_is_not_ended_by_the_age_of_the_password(marks: Marks) -> None:
    answered(event("TokenGeneration_RefreshTokens", set_at="2020-01-01T00:00:00+00:00"), marks)
    assert marks.written == []


@pytest.mark.req("U1")
def test_a_pool_that_takes_no_mark_keeps_nobody_out(marks: Marks, logged: Logged) -> None:
    marks.away = True
    assert access_claims(answered(event("TokenGeneration_Authentication"), marks))
    assert any(line["level"] == "ERROR" for line in logged())


@pytest.mark.req("B1")
def test_nothing_of_a_person_is_logged(marks: Marks, logged: Logged) -> None:
    answered(event("TokenGeneration_Authentication", name="Maria Meier"), marks)
    with pytest.raises(PasswordTooOld):
        answered(event("TokenGeneration_Authentication", set_at="2020-01-01T00:00:00+00:00"), marks)
    text = json.dumps(logged())
    assert not any(word in text for word in ("maria", "Meier", "5e6f-sub"))
