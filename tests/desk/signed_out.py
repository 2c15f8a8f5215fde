"""Logins ended early in a run, for the test that looks half a minute later whether their tokens still open
anything."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.desk.conftest import Desk
from tests.desk.processes import as_owner

NAME = "leaver"


@dataclass(frozen=True)
class SignedOut:
    """Access tokens that were in use when their logins ended, one for each way to end a login, and when."""

    tokens: Sequence[str]
    at: float


def sign_out_in_every_way(desk: Desk) -> SignedOut:
    """By revoking the refresh token, by an administrator, by the user; each token opened the desk before."""
    idp, pool_id = as_owner(desk, "cognito-idp"), desk.outputs["user_pool_id"]
    client_id, password = desk.outputs["user_pool_client_id"], f"Aa1!{secrets.token_urlsafe(20)}"
    idp.admin_create_user(
        UserPoolId=pool_id, Username=NAME, TemporaryPassword=password, MessageAction="SUPPRESS"
    )
    idp.admin_set_user_password(UserPoolId=pool_id, Username=NAME, Password=password, Permanent=True)
    idp.admin_add_user_to_group(UserPoolId=pool_id, Username=NAME, GroupName="viewer")

    def revoke(tokens: Mapping[str, Any]) -> None:
        idp.revoke_token(Token=tokens["RefreshToken"], ClientId=client_id)

    def end_by_an_administrator(_tokens: Mapping[str, Any]) -> None:
        idp.admin_user_global_sign_out(UserPoolId=pool_id, Username=NAME)

    def sign_out(tokens: Mapping[str, Any]) -> None:
        idp.global_sign_out(AccessToken=tokens["AccessToken"])

    ended = []
    for way in (revoke, end_by_an_administrator, sign_out):
        tokens = idp.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=client_id,
            AuthParameters={"USERNAME": NAME, "PASSWORD": password},
        )["AuthenticationResult"]
        token = str(tokens["AccessToken"])
        answer = desk.call("GET", "/dashboard/summary", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        way(tokens)
        ended.append(token)
    return SignedOut(ended, time.monotonic())
