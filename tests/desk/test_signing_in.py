"""Signing in at the running desk's user pool as the command line does: SRP, first password, one-time code."""

import hmac
import json
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from bellwether.cli.failures import Refused
from bellwether.cli.sign_in import UserPool
from bellwether.cli.stage import find_stage
from bellwether.handlers.sign_in import PASSWORD_SET
from tests.desk.conftest import Desk
from tests.desk.processes import as_owner
from tests.desk.signed_out import SignedOut

FIRST, OWN = "Quiet-Harbour-7-Lanterns", "Slow-Beacon-9-Marlins!"
NAME = "signing-in"


def one_time_code(secret: str, at: float | None = None) -> str:
    """RFC 6238: six digits of the current half minute."""
    import base64

    counter = struct.pack(">Q", int((time.time() if at is None else at) // 30))
    digest = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), counter, "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def test_the_codes_are_those_of_the_rfc() -> None:
    """RFC 6238, appendix B (its eight digits end in these six)."""
    import base64

    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [one_time_code(secret, at) for at in (59, 1_111_111_109)] == ["287082", "081804"]


@pytest.fixture
def pool(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[UserPool, Any, str]]:
    """The command line's user pool, the owner's client of it, and its id; with a new user in it."""
    monkeypatch.setenv("BELLWETHER_HOME", str(desk.home))
    stage = find_stage("local")
    pool_id = stage.output("UserPoolId")
    idp = as_owner(desk, "cognito-idp")
    idp.admin_create_user(
        UserPoolId=pool_id,
        Username=NAME,
        TemporaryPassword=FIRST,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "name", "Value": "Maria Meier"}],
    )
    yield UserPool(stage), idp, pool_id
    idp.admin_delete_user(UserPoolId=pool_id, Username=NAME)


def never(what: str, hidden: bool) -> str:
    raise AssertionError(f"asked for {what}")


def password_set(idp: Any, pool_id: str) -> datetime | None:
    user = idp.admin_get_user(UserPoolId=pool_id, Username=NAME)
    told = {entry["Name"]: entry["Value"] for entry in user["UserAttributes"]}
    return datetime.fromisoformat(told[PASSWORD_SET]) if PASSWORD_SET in told else None


@pytest.mark.req("U1", "U3")
def test_a_new_user_sets_a_password_and_a_second_factor_and_is_asked_for_both(
    pool: tuple[UserPool, Any, str],
) -> None:
    users, idp, pool_id = pool
    typed = {"New password": OWN, "The same again": OWN}
    first = users.sign_in(NAME, NAME, FIRST, lambda what, _hidden: typed[what])
    claims = jwt.decode(first.token, options={"verify_signature": False})
    assert (claims["desk_name"], claims["desk_roles"]) == ("Maria Meier", "")
    set_at = password_set(idp, pool_id)
    assert set_at is not None
    assert abs(datetime.now(UTC) - set_at) < timedelta(minutes=5)

    secret = idp.associate_software_token(AccessToken=first.token)["SecretCode"]
    idp.verify_software_token(AccessToken=first.token, UserCode=one_time_code(secret))
    idp.set_user_mfa_preference(
        AccessToken=first.token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    asked: list[str] = []

    def ask(what: str, hidden: bool) -> str:
        asked.append(what)
        return one_time_code(secret)

    again = users.sign_in(NAME, NAME, OWN, ask)
    assert asked == ["One-time code"]
    assert again.token != first.token
    assert users.refresh(again).token


@pytest.mark.req("U1")
def test_a_wrong_password_is_refused_and_never_sent(pool: tuple[UserPool, Any, str]) -> None:
    users, idp, pool_id = pool
    idp.admin_set_user_password(UserPoolId=pool_id, Username=NAME, Password=OWN, Permanent=True)
    with pytest.raises(Refused, match="wrong"):
        users.sign_in(NAME, NAME, OWN + "x", never)
    assert users.sign_in(NAME, NAME, OWN, never).token


@pytest.mark.req("U1")
def test_the_deployed_function_refuses_a_password_that_is_too_old(
    desk: Desk, pool: tuple[UserPool, Any, str]
) -> None:
    """Asked as the user pool asks it: the engine's pool goes on when its trigger fails, AWS's does not."""
    _users, _idp, pool_id = pool
    functions = as_owner(desk, "lambda")
    name = desk.outputs["functions"]["Functions/SignIn/Function"]

    def asked(age: timedelta) -> dict[str, Any]:
        told = {"sub": "5e6f", PASSWORD_SET: (datetime.now(UTC) - age).isoformat(timespec="seconds")}
        event = {
            "version": "2",
            "triggerSource": "TokenGeneration_Authentication",
            "userPoolId": pool_id,
            "userName": NAME,
            "request": {"userAttributes": told, "groupConfiguration": {"groupsToOverride": ["viewer"]}},
            "response": {},
        }
        answer: dict[str, Any] = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        return answer

    refused = asked(timedelta(days=181))
    assert refused.get("FunctionError")
    assert b"forgot password" in refused["Payload"].read()
    let_in = asked(timedelta(days=179))
    assert not let_in.get("FunctionError")
    details = json.loads(let_in["Payload"].read())["response"]["claimsAndScopeOverrideDetails"]
    assert details["accessTokenGeneration"]["claimsToAddOrOverride"]["desk_roles"] == "viewer"


@pytest.mark.req("U1")
def test_a_temporary_password_is_the_administrators_way_back(pool: tuple[UserPool, Any, str]) -> None:
    users, idp, pool_id = pool
    old = (datetime.now(UTC) - timedelta(days=181)).isoformat(timespec="seconds")
    attributes = [{"Name": PASSWORD_SET, "Value": old}]
    idp.admin_update_user_attributes(UserPoolId=pool_id, Username=NAME, UserAttributes=attributes)
    typed = {"New password": OWN, "The same again": OWN}
    assert users.sign_in(NAME, NAME, FIRST, lambda what, _hidden: typed[what]).token
    set_at = password_set(idp, pool_id)
    assert set_at is not None
    assert datetime.now(UTC) - set_at < timedelta(minutes=5)


@pytest.mark.req("U1")
def test_a_login_ends_in_three_ways(signed_out: SignedOut) -> None:
    """What their tokens still open afterwards is seen in `test_tokens.py`, after half a minute."""
    assert len(set(signed_out.tokens)) == 3
