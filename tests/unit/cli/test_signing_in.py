"""Logins: challenges answered, tokens kept to their owner, renewed when they end."""

import stat
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bellwether.cli import connect
from bellwether.cli.connect import StageTokens, session_for, sessions_of
from bellwether.cli.failures import NotRunning, Refused
from bellwether.cli.sessions import Session
from bellwether.cli.sign_in import UserPool
from bellwether.cli.stage import Stage

STAGE = Stage(
    name="local",
    api_url="http://127.0.0.1:9/v1",
    region="eu-central-2",
    outputs={"userpoolclientid": "client", "userpoolid": "eu-central-2_Pool"},
    endpoint_url="http://127.0.0.1:9",
)


def granted(token: str, refresh: str | None = "refresh") -> dict[str, Any]:
    result: dict[str, Any] = {"AccessToken": token, "ExpiresIn": 3600}
    return {"AuthenticationResult": {**result, **({"RefreshToken": refresh} if refresh else {})}}


VERIFY: dict[str, Any] = {
    "ChallengeName": "PASSWORD_VERIFIER",
    "Session": "s0",
    "ChallengeParameters": {
        "USER_ID_FOR_SRP": "uuid",
        "SALT": "5",
        "SRP_B": "8",
        "SECRET_BLOCK": "c2VjcmV0",
    },
}


def denied(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "InitiateAuth")


class Idp:
    """A user pool that answers from a list and remembers what it was asked."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, action: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append((action, request))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Idp:
    idp = Idp([])
    monkeypatch.setattr(boto3, "client", lambda *_, **__: idp)
    return idp


def never(what: str, hidden: bool) -> str:
    raise AssertionError(f"asked for {what}")


def session(**changes: Any) -> Session:
    values = {"name": "analyst", "username": "ana", "token": "t0", "refresh_token": "r0"}
    return Session(**{**values, "expires_at": time.time() + 3600, **changes})


@pytest.mark.req("U1")
def test_a_first_password_and_a_one_time_code_are_asked_for(pool: Idp) -> None:
    pool.answers = [
        VERIFY,
        {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s1", "ChallengeParameters": {}},
        {"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "s2", "ChallengeParameters": {"USERNAME": "uuid"}},
        granted("token"),
    ]
    typed = {"New password": "n3w!", "The same again": "n3w!", "One-time code": "123456"}
    made = UserPool(STAGE).sign_in("analyst", "ana", "old", lambda what, _: typed[what])
    assert (made.token, made.refresh_token, made.username) == ("token", "refresh", "ana")
    assert [action for action, _ in pool.asked] == ["initiate_auth", *["respond_to_auth_challenge"] * 3]
    assert pool.asked[0][1]["AuthFlow"] == "USER_SRP_AUTH"
    assert set(pool.asked[0][1]["AuthParameters"]) == {"USERNAME", "SRP_A"}
    assert pool.asked[1][1]["ChallengeResponses"]["USERNAME"] == "uuid"
    assert pool.asked[2][1]["ChallengeResponses"] == {"USERNAME": "ana", "NEW_PASSWORD": "n3w!"}
    assert pool.asked[3][1]["ChallengeResponses"] == {"USERNAME": "uuid", "SOFTWARE_TOKEN_MFA_CODE": "123456"}


def test_a_dishonest_pool_learns_nothing_of_the_password(pool: Idp) -> None:
    parameters = {**VERIFY["ChallengeParameters"], "SRP_B": "0"}
    pool.answers = [{**VERIFY, "ChallengeParameters": parameters}]
    with pytest.raises(Refused, match="cannot be answered"):
        UserPool(STAGE).sign_in("a", "ana", "pw", never)
    assert len(pool.asked) == 1


def test_a_new_authenticator_is_set_up(pool: Idp) -> None:
    pool.answers = [
        {"ChallengeName": "MFA_SETUP", "Session": "s1"},
        {"SecretCode": "KEY", "Session": "s2"},
        {"Status": "SUCCESS", "Session": "s3"},
        granted("token"),
    ]
    asked: list[str] = []

    def ask(what: str, hidden: bool) -> str:
        asked.append(what)
        return "654321"

    UserPool(STAGE).sign_in("a", "ana", "pw", ask)
    assert "KEY" in asked[0]
    assert pool.asked[2][1] == {"Session": "s2", "UserCode": "654321"}
    assert pool.asked[3][1]["Session"] == "s3"


@pytest.mark.parametrize("code", ["NotAuthorizedException", "UserNotFoundException"])
def test_a_wrong_user_and_a_wrong_password_are_refused_in_the_same_words(pool: Idp, code: str) -> None:
    pool.answers = [denied(code)]
    with pytest.raises(Refused, match="Username or password is wrong") as failed:
        UserPool(STAGE).sign_in("a", "ana", "pw", never)
    assert failed.value.exit_code == 4


@pytest.mark.req("U1")
def test_a_forgotten_password_is_replaced_with_a_mailed_code(pool: Idp) -> None:
    pool.answers = [{"CodeDeliveryDetails": {}}, {}]
    typed = {"The code that was mailed to you": "112233", "New password": "n3w!", "The same again": "n3w!"}
    assert UserPool(STAGE).replace_forgotten("ana", lambda what, _: typed[what]) == "n3w!"
    assert pool.asked == [
        ("forgot_password", {"ClientId": "client", "Username": "ana"}),
        (
            "confirm_forgot_password",
            {"ClientId": "client", "Username": "ana", "ConfirmationCode": "112233", "Password": "n3w!"},
        ),
    ]


@pytest.mark.req("U1")
def test_a_password_that_is_too_old_says_the_way_back(pool: Idp) -> None:
    pool.answers = [VERIFY, denied("UserLambdaValidationException")]
    with pytest.raises(Refused, match="--forgot-password"):
        UserPool(STAGE).sign_in("a", "ana", "pw", never)


def test_a_pool_that_does_not_answer_is_not_reachable(pool: Idp) -> None:
    pool.answers = [EndpointConnectionError(endpoint_url="http://127.0.0.1:9")]
    with pytest.raises(NotRunning):
        UserPool(STAGE).sign_in("a", "ana", "pw", never)


def test_tokens_are_for_their_owner_alone(home: Path) -> None:
    sessions_of(STAGE).keep(session(), current=True)
    (file,) = (home / "tokens").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert sessions_of(STAGE).read().sessions["analyst"].token == "t0"


def test_the_last_login_is_used_unless_another_is_named(home: Path) -> None:
    book = sessions_of(STAGE)
    book.keep(session(), current=True)
    book.keep(session(name="approver", username="bob"), current=True)
    assert session_for(STAGE, None).name == "approver"
    assert session_for(STAGE, "analyst").name == "analyst"
    assert book.forget("approver") == ["approver"]
    assert session_for(STAGE, None).name == "analyst"
    assert book.forget(None) == ["analyst"]
    with pytest.raises(Refused) as failed:
        session_for(STAGE, None)
    assert failed.value.hint == "bellwether login --as analyst"


def test_a_damaged_book_is_an_empty_one(home: Path) -> None:
    (home / "tokens").mkdir(parents=True)
    (home / "tokens" / "local.json").write_text("{")
    assert sessions_of(STAGE).read().sessions == {}


def test_a_token_that_has_expired_is_refreshed_and_kept(home: Path, pool: Idp) -> None:
    old = session(expires_at=time.time() - 1)
    sessions_of(STAGE).keep(old, current=True)
    pool.answers = [granted("t1", refresh=None)]
    assert StageTokens(STAGE, old).token() == "t1"
    assert pool.asked[0][1]["AuthFlow"] == "REFRESH_TOKEN_AUTH"
    kept = sessions_of(STAGE).read().sessions["analyst"]
    assert (kept.token, kept.refresh_token) == ("t1", "r0")


def test_a_fresh_token_asks_nobody(home: Path, pool: Idp) -> None:
    assert StageTokens(STAGE, session()).token() == "t0"
    assert pool.asked == []


def test_a_refused_token_is_renewed_by_one_of_many(home: Path, pool: Idp) -> None:
    tokens = StageTokens(STAGE, session())
    pool.answers = [granted("t1")]
    assert tokens.renew("t0") == "t1"
    assert tokens.renew("t0") == "t1"
    assert len(pool.asked) == 1


def test_on_the_local_desk_an_ended_login_is_made_again(
    home: Path, pool: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "local_credentials", lambda name: (name, "pw"))
    pool.answers = [denied("NotAuthorizedException"), granted("t2")]
    assert StageTokens(STAGE, session(expires_at=0.0)).token() == "t2"


def test_elsewhere_an_ended_login_says_how_to_log_in(home: Path, pool: Idp) -> None:
    stage = Stage(name="staging", api_url="", region="eu-central-2", outputs=STAGE.outputs)
    pool.answers = [denied("NotAuthorizedException")]
    with pytest.raises(Refused) as failed:
        StageTokens(stage, session(expires_at=0.0)).token()
    assert failed.value.hint == "bellwether login --stage staging"


def test_naming_a_first_user_is_enough_on_the_local_desk(
    home: Path, pool: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "local_credentials", lambda name: (name, "pw"))
    pool.answers = [granted("t3")]
    assert session_for(STAGE, "viewer").token == "t3"
    assert session_for(STAGE, "viewer").token == "t3"
    assert len(pool.asked) == 1
