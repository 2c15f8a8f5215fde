"""Which services each function calls, and which of them need a way out of the network.

All of it follows from the functions' table, so a new right brings its endpoint with it. Functions ship no
logs, metrics or traces over the network (Lambda collects their output) and use keys only through the service
that holds the data, so neither needs an endpoint.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from infrastructure.functions import FUNCTIONS, FunctionRow
from infrastructure.grants import (
    CopiedVersions,
    Grant,
    Listing,
    Objects,
    Receive,
    Rotation,
    Rows,
    Secret,
    Send,
    Signals,
    SignalTables,
    Versions,
)

Service = Literal["dynamodb", "s3", "sqs", "secretsmanager"]
WayOut = Literal["providers", "language_model", "key_set", "sockets"]

GATEWAYS: frozenset[Service] = frozenset({"dynamodb", "s3"})
"""Services with a route instead of an interface: they cost nothing."""

_CALLED: Mapping[type, Service] = {
    Rows: "dynamodb",
    Signals: "dynamodb",
    SignalTables: "dynamodb",
    Objects: "s3",
    Listing: "s3",
    CopiedVersions: "s3",
    Versions: "s3",
    Send: "sqs",
    Receive: "sqs",
    Secret: "secretsmanager",
    Rotation: "secretsmanager",
}

WAYS_OUT: Mapping[str, tuple[WayOut, str]] = {
    "PROVIDERS_SECRET_ARN": ("providers", "feeds are anywhere on the internet"),
    "PRICES_SECRET_ARN": ("providers", "prices are anywhere on the internet"),
    "OPENAI_SECRET_ARN": (
        "language_model",
        "language models are asked at a web address of whoever runs them, which the secret may name",
    ),
    "JWKS_URL": (
        "key_set",
        "the user pool publishes its keys at a web address; Cognito's endpoint is documented for its API "
        "alone, and takes no request of a pool that has a domain",
    ),
    "SOCKET_ENDPOINT": (
        "sockets",
        "the management endpoint of a WebSocket API is public; execute-api's endpoint serves private REST "
        "APIs alone and would hide the public ones",
    ),
}
"""Names of the environment that stand for an address outside, and why no endpoint leads there."""


def services_of(row: FunctionRow) -> frozenset[Service]:
    """The services a function calls. Raises `ValueError` for a kind of grant nobody has decided about."""
    return frozenset(_called(grant) for grant in row.grants)


def ways_out(row: FunctionRow) -> frozenset[WayOut]:
    """What a function reaches beyond the endpoints; empty for most."""
    return frozenset(WAYS_OUT[name][0] for name in row.environment if name in WAYS_OUT)


def services_called(rows: Iterable[FunctionRow] = tuple(FUNCTIONS.values())) -> frozenset[Service]:
    """The services any of the functions calls: those the network needs an endpoint for."""
    return frozenset().union(*(services_of(row) for row in rows))


def _called(grant: Grant) -> Service:
    try:
        return _CALLED[type(grant)]
    except KeyError:
        raise ValueError(f"endpoints.py does not say which service {type(grant).__name__} calls") from None
