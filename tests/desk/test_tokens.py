"""Forged, foreign, old and signed-out tokens at the running desk: each is refused, and the good one is not.

The forgeries that need a real signature are made with the user pool's own private keys, which the embedded
engine keeps in the desk's folder.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bellwether.handlers.logins import FRESH_SECONDS
from tests.desk.conftest import Desk
from tests.desk.processes import as_owner
from tests.desk.signed_out import SignedOut
from tests.desk.test_routes import assert_problem

PASSWORD = "Quiet-Harbour-7-Lanterns"
SUMMARY = "/dashboard/summary"


@dataclass
class Pool:
    """The desk's user pool, its keys, and a viewer of these tests' own."""

    desk: Desk
    idp: Any
    pool_id: str
    client_id: str
    keys: Mapping[str, Any]
    """Private keys by `access` and `id`."""
    kids: Mapping[str, str]

    def sign_in(self, client_id: str | None = None) -> dict[str, str]:
        """Access, id and refresh token of the viewer."""
        answer = self.idp.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=client_id or self.client_id,
            AuthParameters={"USERNAME": "tokens-viewer", "PASSWORD": PASSWORD},
        )
        tokens: dict[str, str] = answer["AuthenticationResult"]
        return tokens

    def asked(self, token: str) -> Any:
        """The answer to a request with the token."""
        return self.desk.call("GET", SUMMARY, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture(scope="module")
def pool(desk: Desk) -> Iterator[Pool]:
    idp = as_owner(desk, "cognito-idp")
    environment = as_owner(desk, "lambda").get_function_configuration(
        FunctionName=desk.outputs["functions"]["Functions/Authorizer/Function"]
    )["Environment"]["Variables"]
    pool_id = environment["USER_POOL_ID"]
    keys = {use: private_key(desk.home, pool_id, use) for use in ("access", "id")}
    idp.admin_create_user(
        UserPoolId=pool_id, Username="tokens-viewer", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
    )
    idp.admin_set_user_password(
        UserPoolId=pool_id, Username="tokens-viewer", Password=PASSWORD, Permanent=True
    )
    idp.admin_add_user_to_group(UserPoolId=pool_id, Username="tokens-viewer", GroupName="viewer")
    made = Pool(desk, idp, pool_id, environment["USER_POOL_CLIENT_ID"], keys, {})
    tokens = made.sign_in()
    made.kids = {
        "access": jwt.get_unverified_header(tokens["AccessToken"])["kid"],
        "id": jwt.get_unverified_header(tokens["IdToken"])["kid"],
    }
    yield made
    idp.admin_delete_user(UserPoolId=pool_id, Username="tokens-viewer")


def private_key(home: Path, pool_id: str, use: str) -> rsa.RSAPrivateKey:
    """The key the engine signs the pool's tokens of one kind with."""
    (path,) = home.rglob(f"{pool_id}-{use}.pem")
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def signed(pool: Pool, claims: Mapping[str, Any], *, use: str = "access", kid: str | None = None) -> str:
    """Claims signed by the pool itself."""
    headers = {"kid": kid or pool.kids[use]}
    return jwt.encode(dict(claims), pool.keys[use], algorithm="RS256", headers=headers)


def with_the_public_key_as_secret(pool: Pool, claims: Mapping[str, Any]) -> str:
    """HS256, its secret the key everybody can read."""
    pem = (
        pool.keys["access"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    text = part({"alg": "HS256", "kid": pool.kids["access"], "typ": "JWT"}) + b"." + part(claims)
    signature = base64.urlsafe_b64encode(hmac.digest(pem, text, hashlib.sha256)).rstrip(b"=")
    return (text + b"." + signature).decode()


Forgery = Callable[[Pool, dict[str, Any]], str]
FORGERIES: dict[str, Forgery] = {
    "expired": lambda p, c: signed(p, {**c, "exp": int(time.time()) - 1}),
    "of another client": lambda p, c: signed(p, {**c, "client_id": "another"}),
    "of another issuer": lambda p, c: signed(p, {**c, "iss": c["iss"] + "X"}),
    "an id token by its kind": lambda p, c: signed(p, {**c, "token_use": "id", "aud": p.client_id}),
    "without a subject": lambda p, c: signed(p, {k: v for k, v in c.items() if k != "sub"}),
    "without an expiry": lambda p, c: signed(p, {k: v for k, v in c.items() if k != "exp"}),
    "not signed": lambda p, c: jwt.encode(c, "", algorithm="none", headers={"kid": p.kids["access"]}),
    "signed with the public key": with_the_public_key_as_secret,
    "under another key's name": lambda p, c: signed(p, c, kid=p.kids["id"]),
    "under an unknown key's name": lambda p, c: signed(p, c, kid="unknown"),
    "by a key of the forger's": lambda p, c: jwt.encode(
        c,
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        algorithm="RS256",
        headers={"kid": p.kids["access"]},
    ),
}


@pytest.mark.req("U3")
def test_the_same_claims_signed_by_the_pool_open_the_desk(pool: Pool) -> None:
    """The refusals below come from what is wrong with each token, not from how these tests make them."""
    claims = jwt.decode(pool.sign_in()["AccessToken"], options={"verify_signature": False})
    assert pool.asked(signed(pool, claims)).status_code == 200


@pytest.mark.req("U3")
@pytest.mark.parametrize("fault", FORGERIES)
def test_a_forged_token_opens_nothing(pool: Pool, fault: str) -> None:
    claims = jwt.decode(pool.sign_in()["AccessToken"], options={"verify_signature": False})
    assert_problem(pool.asked(FORGERIES[fault](pool, claims)), 401)


@pytest.mark.req("U3")
def test_an_id_token_opens_nothing(pool: Pool) -> None:
    tokens = pool.sign_in()
    assert_problem(pool.asked(tokens["IdToken"]), 401)
    assert_problem(pool.asked(tokens["RefreshToken"]), 401)


@pytest.mark.req("U3")
def test_tokens_of_another_client_and_of_another_pool_open_nothing(pool: Pool) -> None:
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    own = pool.idp.create_user_pool_client(
        UserPoolId=pool.pool_id, ClientName="another", ExplicitAuthFlows=flows
    )["UserPoolClient"]["ClientId"]
    assert_problem(pool.asked(pool.sign_in(own)["AccessToken"]), 401)
    other = pool.idp.create_user_pool(PoolName="another")["UserPool"]["Id"]
    try:
        client = pool.idp.create_user_pool_client(
            UserPoolId=other, ClientName="another", ExplicitAuthFlows=flows
        )["UserPoolClient"]["ClientId"]
        pool.idp.admin_create_user(UserPoolId=other, Username="tokens-viewer", MessageAction="SUPPRESS")
        pool.idp.admin_set_user_password(
            UserPoolId=other, Username="tokens-viewer", Password=PASSWORD, Permanent=True
        )
        pool.idp.create_group(UserPoolId=other, GroupName="viewer")
        pool.idp.admin_add_user_to_group(UserPoolId=other, Username="tokens-viewer", GroupName="viewer")
        assert_problem(pool.asked(pool.sign_in(client)["AccessToken"]), 401)
    finally:
        pool.idp.delete_user_pool(UserPoolId=other)
        pool.idp.delete_user_pool_client(UserPoolId=pool.pool_id, ClientId=own)


@pytest.mark.req("U3")
def test_a_signed_out_token_is_refused_at_once_where_it_was_never_seen(pool: Pool) -> None:
    tokens = pool.sign_in()
    pool.idp.global_sign_out(AccessToken=tokens["AccessToken"])
    assert_problem(pool.asked(tokens["AccessToken"]), 401)


@pytest.mark.req("U3")
def test_a_token_in_use_is_refused_half_a_minute_after_the_sign_out(
    pool: Pool, signed_out: SignedOut
) -> None:
    """Three ways to end a login; a fourth login goes on."""
    going_on = pool.sign_in()["AccessToken"]
    time.sleep(max(0.0, signed_out.at + FRESH_SECONDS + 1 - time.monotonic()))
    for token in signed_out.tokens:
        assert_problem(pool.asked(token), 401)
    assert pool.asked(going_on).status_code == 200
