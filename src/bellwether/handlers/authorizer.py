"""Authorizer of the REST API and of the WebSocket's `$connect`: who calls, and which routes they may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.domain.problems import Unauthenticated
from bellwether.domain.rights import ROUTES, User
from bellwether.handlers.api_clients import MACHINE, ApiClients
from bellwether.handlers.api_function import Composed
from bellwether.handlers.figures import record
from bellwether.handlers.logins import Logins, PoolUsers
from bellwether.handlers.logs import begin, describe_fault, logger
from bellwether.handlers.request import correlation_id
from bellwether.handlers.settings import FunctionSettings
from bellwether.handlers.tokens import KeySet, TokenVerifier, read_key_set


class Unauthorized(Exception):
    """API Gateway answers 401 to an authorizer that fails with exactly this word."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    user_pool_id: str
    user_pool_client_id: str
    jwks_url: str
    token_issuer: str
    api_clients_secret_arn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """`account_prefix` begins the names of the gateway's usage accounts (see `usage_account`)."""

    tokens: TokenVerifier
    logins: Logins
    clients: ApiClients
    account_prefix: str = "bellwether-local"


def compose(settings: Settings) -> Parts:
    keys = KeySet(lambda: read_key_set(settings.jwks_url))
    service = settings.jwks_url.removesuffix(f"/{settings.user_pool_id}/.well-known/jwks.json")
    return Parts(
        logins=Logins(PoolUsers(service)),
        tokens=TokenVerifier(keys, issuer=settings.token_issuer, client_id=settings.user_pool_client_id),
        clients=ApiClients(lambda: read_secret(settings.api_clients_secret_arn)),
        account_prefix=f"bellwether-{settings.stage}",
    )


def read_secret(arn: str) -> str:
    """The secret's text. The AWS client is imported here: callers with a token never wait for it."""
    from bellwether.adapters.composition import Composition

    return Composition().secrets().text(arn)


def authorize(event: Mapping[str, Any], parts: Parts) -> dict[str, Any]:
    """The policy for the caller. Raises `Unauthenticated` when nobody known calls."""
    headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
    socket = str(event["methodArn"]).endswith("/$connect")
    token = socket_token(event, headers) if socket else bearer_token(headers)
    if token is not None:
        user = parts.tokens.user(token)
        parts.logins.require(token)
    elif not socket and "x-api-key" in headers:
        user = parts.clients.user(headers["x-api-key"])
    else:
        raise Unauthenticated("Send a token or an API key.")
    statements = socket_statements(user, event) if socket else route_statements(user, event)
    return {
        "principalId": user.username,
        "policyDocument": {"Version": "2012-10-17", "Statement": statements},
        "context": {
            "username": user.username,
            "roles": ",".join(user.roles),
            "name": user.name,
            "correlation_id": correlation_id(headers, event, ""),
        },
        **({} if socket else {"usageIdentifierKey": usage_account(user, parts.account_prefix)}),
    }


def usage_account(user: User, prefix: str) -> str:
    """On whose account the gateway counts the request: all people together, each machine alone.

    It is a name and no credential; stages whose gateway takes no accounts from the authorizer ignore it.
    """
    machine = user.username.removeprefix(MACHINE) if user.username.startswith(MACHINE) else None
    return f"{prefix}-machine-{machine}" if machine else f"{prefix}-people"


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token of `Authorization: Bearer …`; `None` without the header."""
    if "authorization" not in headers:
        return None
    scheme, _, token = headers["authorization"].strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Authorization must be a Bearer token.")
    return token.strip()


def socket_token(event: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Browsers set no headers on sockets: the token is a subprotocol beside `bellwether`, or `?token=`."""
    offered = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",")]
    if tokens := [part for part in offered if part.count(".") == 2]:
        return tokens[0]
    return (event.get("queryStringParameters") or {}).get("token") or bearer_token(headers)


def route_statements(user: User, event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every route the user may use is allowed, every other denied: right whichever call fills the cache."""
    arn, stage, _, path = [*str(event["methodArn"]).split("/", 3), "", "", ""][:4]
    base = f"{arn}/{stage}"
    version = "/v1" if path.startswith("v1/") else ""
    by_effect: dict[str, list[str]] = {"Allow": [], "Deny": []}
    for (method, route), action in ROUTES.items():
        by_effect["Allow" if user.may(action) else "Deny"].append(f"{base}/{method}{version}{route}")
    return [statement(effect, arns) for effect, arns in by_effect.items() if arns]


def socket_statements(user: User, event: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [statement("Allow" if user.may("read") else "Deny", [str(event["methodArn"])])]


def statement(effect: str, resources: list[str]) -> dict[str, Any]:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}


class Authorizer(Composed[Settings, Parts]):
    """The Lambda handler."""

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return self.serve(event, context, self.parts)

    def serve(self, event: Mapping[str, Any], context: Any, parts: Parts) -> dict[str, Any]:
        """Decides one event with the parts given. Raises `Unauthorized`, with nothing else to read in it."""
        headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
        begin("authorizer", correlation_id(headers, event, str(getattr(context, "aws_request_id", ""))))
        try:
            decision = authorize(event, parts)
        except Unauthenticated as problem:
            logger.warning("unauthorized", reason=problem.detail)
            record(Unauthorized=1)
            raise Unauthorized from None
        except Exception as fault:  # noqa: BLE001  its text must not reach the caller
            logger.error("failed", **describe_fault(fault))
            record(AuthorizerFaults=1)
            raise RuntimeError("the authorizer failed") from None
        logger.info("authorized", principal=decision["principalId"], roles=decision["context"]["roles"])
        return decision


handler = Authorizer(Settings, compose)
