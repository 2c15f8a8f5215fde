"""Who is let in, by which token or key, to which routes; also while the pool cannot be reached."""

import base64
import fnmatch
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.problems import Unauthenticated, Unavailable
from bellwether.domain.rights import RIGHTS, ROUTES, Role, User
from bellwether.handlers.api_clients import ApiClients
from bellwether.handlers.authorizer import Authorizer, Parts, Settings, Unauthorized, compose
from bellwether.handlers.logins import Logins
from bellwether.handlers.request import user_of
from bellwether.handlers.tokens import (
    FIRST_RETRY_SECONDS,
    FRESH_SECONDS,
    SHORTEST_REFRESH_SECONDS,
    STALE_SECONDS,
    KeySet,
    TokenVerifier,
    read_key_set,
)
from tests.peers.feeds import feed_peer
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import ARN, Context, authorizer_event, connect_event

ISSUER = "https://cognito-idp.eu-central-2.amazonaws.com/eu-central-2_pool"
CLIENT = "client-1"
KEYS = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048) for kid in ("one", "two")}
API_KEY = "machine-key-0123456789"


def jwks(*kids: str) -> bytes:
    """The pool's document with these keys."""
    keys = [
        {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[kid].public_key())), "kid": kid, "use": "sig"}
        for kid in kids
    ]
    return json.dumps({"keys": keys}).encode()


def claims(use: str = "access", groups: Any = ("analyst",), **more: Any) -> dict[str, Any]:
    """Claims of a good token of one kind; `None` takes a claim away."""
    client = {"client_id": CLIENT} if use == "access" else {"aud": CLIENT}
    told = {
        "sub": "5e6f-sub",
        "iss": ISSUER,
        "exp": int(time.time()) + 600,
        "iat": int(time.time()),
        "token_use": use,
        "cognito:groups": list(groups) if isinstance(groups, tuple) else groups,
        **client,
        **more,
    }
    return {name: value for name, value in told.items() if value is not None}


def token(kid: str = "one", use: str = "access", groups: Any = ("analyst",), **more: Any) -> str:
    return jwt.encode(claims(use, groups, **more), KEYS[kid], algorithm="RS256", headers={"kid": kid})


class Pool:
    """A user pool's keys, which may be away."""

    def __init__(self, *kids: str) -> None:
        self.kids = kids
        self.away = False
        self.asked = 0

    def __call__(self) -> bytes:
        self.asked += 1
        if self.away:
            raise OSError("no route to the pool")
        return jwks(*self.kids)


class Ticks:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def verifier(pool: Callable[[], bytes], ticks: Callable[[], float] = time.monotonic) -> TokenVerifier:
    return TokenVerifier(KeySet(pool, ticks), issuer=ISSUER, client_id=CLIENT)


def parts(
    pool: Callable[[], bytes] | None = None, stands: Callable[[str], bool] = lambda _token: True
) -> Parts:
    digest = hashlib.sha256(API_KEY.encode()).hexdigest()
    return Parts(
        tokens=verifier(pool or Pool("one")),
        logins=Logins(stands),
        clients=ApiClients(lambda: json.dumps({"importer": digest, "broken": "abc"})),
    )


def decided(event: dict[str, Any], given_parts: Parts | None = None) -> dict[str, Any]:
    return Authorizer(Settings, compose).serve(event, Context(), given_parts or parts())


def allows(policy: dict[str, Any], arn: str) -> bool:
    """IAM's evaluation: an explicit deny wins, nothing said is a deny."""
    matching = {
        statement["Effect"]
        for statement in policy["policyDocument"]["Statement"]
        if any(fnmatch.fnmatchcase(arn, resource) for resource in statement["Resource"])
    }
    return matching == {"Allow"}


@pytest.mark.req("U3")
def test_a_good_token_lets_its_bearer_in_as_its_subject() -> None:
    event = authorizer_event(headers={"Authorization": f"Bearer {token()}"})
    policy = decided(event)
    assert policy["context"] == {
        "username": "5e6f-sub",
        "roles": "analyst",
        "name": "",
        "correlation_id": "r-1",
    }
    assert policy["principalId"] == "5e6f-sub"
    assert allows(policy, event["methodArn"])


@pytest.mark.req("U3")
def test_the_user_context_of_the_token_reaches_the_route() -> None:
    event = authorizer_event(headers={"Authorization": f"Bearer {token(desk_name='Maria Meier')}"})
    context = decided(event)["context"]
    assert context["name"] == "Maria Meier"
    told = user_of({"requestContext": {"authorizer": context}})
    assert told == User(username="5e6f-sub", roles=("analyst",), name="Maria Meier")


def forged_with_the_public_key() -> str:
    """The classic: the public key used as the secret of a symmetric signature."""
    pem = (
        KEYS["one"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "kid": "one", "typ": "JWT"}) + b"." + part(claims())
    signature = base64.urlsafe_b64encode(hmac.new(pem, signed, hashlib.sha256).digest()).rstrip(b"=")
    return (signed + b"." + signature).decode()


BAD: dict[str, Callable[[], str]] = {
    "expired": lambda: token(exp=int(time.time()) - 1),
    "without expiry": lambda: token(exp=None),
    "another issuer": lambda: token(iss="https://evil.example"),
    "another client": lambda: token(client_id="other"),
    "an id token's audience on an access token": lambda: token(client_id=None, aud=CLIENT),
    "an id token": lambda: token(use="id"),
    "an id token that names the client as an access token does": lambda: token(use="id", client_id=CLIENT),
    "no kind": lambda: token(token_use=None),
    "a refresh token's kind": lambda: token(token_use="refresh"),
    "no subject": lambda: token(sub=None),
    "not yet valid": lambda: token(nbf=int(time.time()) + 600),
    "another key": lambda: jwt.encode(claims(), KEYS["two"], algorithm="RS256", headers={"kid": "one"}),
    "an unknown key": lambda: token("two"),
    "no key id": lambda: jwt.encode(claims(), KEYS["one"], algorithm="RS256"),
    "no signature": lambda: jwt.encode(claims(), "", algorithm="none", headers={"kid": "one"}),
    "a symmetric signature": forged_with_the_public_key,
    "another algorithm": lambda: jwt.encode(claims(), KEYS["one"], algorithm="PS256", headers={"kid": "one"}),
    "tampered": lambda: token()[:-6] + "AAAAAA",
    "garbage": lambda: "not.a.token",
    "empty": lambda: " ",
    "endless": lambda: "x" * 100_000,
}


@pytest.mark.req("U3")
@pytest.mark.parametrize("fault", BAD)
def test_a_bad_token_is_unauthorized_and_nothing_else(fault: str) -> None:
    event = authorizer_event(headers={"authorization": f"Bearer {BAD[fault]()}"})
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        decided(event)


@pytest.mark.req("U3")
@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer"}])
def test_without_credentials_nobody_gets_in(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        decided(authorizer_event(headers=headers))


@pytest.mark.req("U2", "U3")
@pytest.mark.parametrize("role", ["viewer", "analyst", "approver", "admin"])
@pytest.mark.parametrize("version", ["", "/v1"])
def test_one_policy_is_right_for_every_route(role: Role, version: str) -> None:
    """Whichever call fills the gateway's cache, its policy decides all the others of the same token."""
    bearer = {"Authorization": f"Bearer {token(groups=[role])}"}
    for method, route in ROUTES:
        policy = decided(authorizer_event(method, route, bearer, version=version))
        for (other_method, other), action in ROUTES.items():
            arn = f"{ARN}/test/{other_method}{version}{other}"
            assert allows(policy, arn) == (action in RIGHTS[role]), (route, other)
        assert not allows(policy, f"{ARN}/other-stage/{method}{version}{route}")
        assert not allows(policy, f"{ARN}/test/DELETE{version}{route}")


@pytest.mark.req("U2")
def test_groups_this_desk_does_not_know_give_nothing() -> None:
    for groups in (["root", "machine"], "admin", None):
        bearer = {"Authorization": f"Bearer {token(groups=groups)}"}
        policy = decided(authorizer_event(headers=bearer))
        assert policy["context"]["roles"] == ""
        assert not any(allows(policy, f"{ARN}/test/{m}/v1{route}") for m, route in ROUTES)


@pytest.mark.req("A1", "U3")
def test_a_machine_has_its_key_and_only_what_machines_may() -> None:
    policy = decided(authorizer_event("POST", "/ingest/news", {"X-Api-Key": API_KEY}))
    assert policy["context"].items() >= {"username": "machine:importer", "roles": "machine"}.items()
    allowed = {route for (m, route) in ROUTES if allows(policy, f"{ARN}/test/{m}/v1{route}")}
    assert allowed == {"/ingest/social", "/ingest/news", "/metrics"}
    for wrong in (
        "",
        "x",
        API_KEY + "x",
        API_KEY[:-1],
        hashlib.sha256(API_KEY.encode()).hexdigest(),
        "k" * 1_000,
    ):
        with pytest.raises(Unauthorized):
            decided(authorizer_event("POST", "/ingest/news", {"x-api-key": wrong}))


@pytest.mark.req("A1", "X4")
def test_requests_are_counted_on_the_account_of_all_people_or_of_one_machine() -> None:
    person = decided(authorizer_event(headers={"authorization": f"Bearer {token()}"}))
    machine = decided(authorizer_event("POST", "/ingest/news", {"x-api-key": API_KEY}))
    assert person["usageIdentifierKey"] == "bellwether-local-people"
    assert machine["usageIdentifierKey"] == "bellwether-local-machine-importer"
    assert "usageIdentifierKey" not in decided(socket_event(query={"token": token()}))


@pytest.mark.req("U3")
def test_a_bad_token_is_not_rescued_by_a_good_key() -> None:
    with pytest.raises(Unauthorized):
        decided(authorizer_event(headers={"authorization": "Bearer not.a.token", "x-api-key": API_KEY}))


def socket_event(**more: Any) -> dict[str, Any]:
    return {**connect_event(**more), "type": "REQUEST", "methodArn": f"{ARN}/test/$connect"}


@pytest.mark.req("A13", "U3")
@pytest.mark.parametrize(
    "carried",
    [
        lambda t: {"query": {"token": t}},
        lambda t: {"headers": {"Sec-WebSocket-Protocol": f"bellwether, {t}"}},
        lambda t: {"headers": {"authorization": f"Bearer {t}"}},
    ],
)
def test_a_socket_opens_with_a_token_in_any_place_a_client_can_put_it(carried: Callable[[str], Any]) -> None:
    policy = decided(socket_event(**carried(token())))
    assert allows(policy, f"{ARN}/test/$connect")
    assert policy["context"]["username"] == "5e6f-sub"
    with pytest.raises(Unauthorized):
        decided(socket_event(**carried("not.a.token")))


@pytest.mark.req("A13", "U2")
def test_a_socket_needs_the_right_to_read_and_takes_no_api_key() -> None:
    nobody = token(groups=[])
    assert not allows(decided(socket_event(query={"token": nobody})), f"{ARN}/test/$connect")
    with pytest.raises(Unauthorized):
        decided(socket_event(headers={"x-api-key": API_KEY}))
    with pytest.raises(Unauthorized):
        decided(socket_event())


@pytest.mark.req("U3")
def test_new_keys_of_the_pool_are_found_and_forged_key_ids_do_not_hammer_it() -> None:
    pool, ticks = Pool("one"), Ticks()
    check = verifier(pool, ticks)
    assert check.user(token()).username == "5e6f-sub"
    assert pool.asked == 1
    pool.kids = ("one", "two")
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            check.user(token("two"))
    assert pool.asked == 1
    ticks.seconds += SHORTEST_REFRESH_SECONDS
    assert check.user(token("two")).username == "5e6f-sub"
    assert pool.asked == 2


@pytest.mark.req("U3")
def test_an_outage_of_the_pool_is_survived_with_the_known_keys_and_a_removed_key_is_dropped_after_it() -> (
    None
):
    pool, ticks = Pool("one"), Ticks()
    check = verifier(pool, ticks)
    check.user(token())
    pool.away = True
    ticks.seconds += FRESH_SECONDS + 1
    assert check.user(token()).username == "5e6f-sub"
    pool.away, pool.kids = False, ("two",)
    ticks.seconds += SHORTEST_REFRESH_SECONDS
    with pytest.raises(Unauthenticated):
        check.user(token())


@pytest.mark.req("U3")
def test_old_keys_are_not_trusted_for_ever() -> None:
    pool, ticks = Pool("one"), Ticks()
    check = verifier(pool, ticks)
    check.user(token())
    pool.away = True
    ticks.seconds += STALE_SECONDS - 1
    assert check.user(token()).username == "5e6f-sub"
    ticks.seconds += SHORTEST_REFRESH_SECONDS
    with pytest.raises(Unavailable):
        check.user(token())
    pool.away = False
    ticks.seconds += SHORTEST_REFRESH_SECONDS
    assert check.user(token()).username == "5e6f-sub"


@pytest.mark.req("U3")
def test_a_start_without_the_pool_asks_it_once_a_second_however_many_call() -> None:
    pool, ticks = Pool("one"), Ticks()
    pool.away = True
    check = verifier(pool, ticks)
    for _ in range(20):
        with pytest.raises(Unavailable):
            check.user(token())
    assert pool.asked == 1
    pool.away = False
    ticks.seconds += FIRST_RETRY_SECONDS
    assert check.user(token()).username == "5e6f-sub"


@pytest.mark.req("U3")
def test_a_token_whose_login_has_ended_opens_neither_routes_nor_the_socket() -> None:
    over = parts(stands=lambda _token: False)
    for event in (
        authorizer_event(headers={"authorization": f"Bearer {token()}"}),
        socket_event(query={"token": token()}),
    ):
        with pytest.raises(Unauthorized):
            decided(event, over)


@pytest.mark.req("U3")
def test_the_pool_is_asked_about_no_token_it_did_not_sign() -> None:
    asked: list[str] = []

    def stands(one: str) -> bool:
        asked.append(one)
        return True

    watched = parts(stands=stands)
    for forged in (token(exp=1), token("two"), "not.a.token", forged_with_the_public_key()):
        with pytest.raises(Unauthorized):
            decided(authorizer_event(headers={"authorization": f"Bearer {forged}"}), watched)
    assert asked == []
    decided(authorizer_event(headers={"authorization": f"Bearer {token()}"}), watched)
    assert len(asked) == 1


@pytest.mark.req("U3", "B1")
def test_when_no_key_was_ever_read_it_is_our_fault_and_not_the_callers(logged: Logged) -> None:
    pool = Pool("one")
    pool.away = True
    with pytest.raises(Unavailable):
        verifier(pool).user(token())
    with pytest.raises(RuntimeError, match="the authorizer failed") as failed:
        decided(authorizer_event(headers={"authorization": f"Bearer {token()}"}), parts(pool))
    assert not isinstance(failed.value, Unauthorized)
    assert any(line["message"] == "failed" for line in logged())


def test_keys_of_other_kinds_are_never_used() -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).decode()
    keys = [
        {"kty": "oct", "kid": "one", "k": secret},
        {"kty": "RSA", "kid": "one", "use": "enc", "n": "", "e": ""},
    ]
    with pytest.raises(Unavailable):
        verifier(lambda: json.dumps({"keys": keys}).encode()).user(token())


@pytest.mark.req("S2")
def test_api_keys_survive_an_outage_of_the_secret_and_follow_its_changes() -> None:
    digest = hashlib.sha256(API_KEY.encode()).hexdigest()
    answers: list[str | Exception] = [json.dumps({"importer": digest})]
    ticks = Ticks()

    def read() -> str:
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers[-1]

    clients = ApiClients(read, ticks)
    assert clients.user(API_KEY) == User(username="machine:importer", roles=("machine",))
    answers.append(OSError("away"))
    ticks.seconds += 301
    assert clients.user(API_KEY).username == "machine:importer"
    answers.append("{}")
    ticks.seconds += 301
    with pytest.raises(Unauthenticated):
        clients.user(API_KEY)
    with pytest.raises(Unavailable):
        ApiClients(lambda: "not json").user(API_KEY)


@pytest.mark.req("B1")
def test_neither_tokens_nor_keys_are_logged(logged: Logged) -> None:
    good, bad = token(), token(exp=1)
    decided(authorizer_event(headers={"authorization": f"Bearer {good}"}))
    decided(authorizer_event(headers={"x-api-key": API_KEY}))
    with pytest.raises(Unauthorized):
        decided(authorizer_event(headers={"authorization": f"Bearer {bad}"}))
    text = json.dumps(logged())
    assert len(logged()) == 3
    assert not any(secret in text for secret in (good, bad, API_KEY))


@given(st.text(max_size=60))
def test_no_text_whatever_is_a_token(text: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier(Pool("one")).user(text)


@pytest.mark.enable_socket
@pytest.mark.req("U3")
def test_the_keys_are_read_over_the_web_once_and_from_nowhere_else() -> None:
    with feed_peer() as peer:
        peer.serve("/pool/.well-known/jwks.json", jwks("one"), Content_Type="application/json")
        peer.serve("/moved", b"", 302, Location=peer.url("/pool/.well-known/jwks.json"))
        settings = Settings(
            stage="test",
            user_pool_id="pool",
            user_pool_client_id=CLIENT,
            jwks_url=peer.url("/pool/.well-known/jwks.json"),
            token_issuer=ISSUER,
            api_clients_secret_arn="arn",
        )
        peer.serve("/", b'{"Username": "maria"}', Content_Type="application/x-amz-json-1.1")
        built = compose(settings)
        event = authorizer_event(headers={"authorization": f"Bearer {token()}"})
        for _ in range(3):
            assert decided(event, built)["principalId"] == "5e6f-sub"
        assert len(peer.requests) == 2, "one for the keys, one for the login"
        for url in (peer.url("/moved"), peer.url("/nothing"), "file:///etc/passwd", "pool"):
            with pytest.raises((OSError, ValueError)):
                read_key_set(url)
