"""What the gateway itself refuses, as RFC 9457 problem details like those of the handlers."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from aws_cdk import aws_apigateway as apigateway

from infrastructure.settings import StageSettings

_TYPE = apigateway.ResponseType


class Refusal(NamedTuple):
    """A gateway response as a problem. Without `status` the gateway's own stays; `retry_after` is in
    seconds.
    """

    kind: apigateway.ResponseType
    status: str | None
    code: str
    title: str
    detail: str
    retry_after: int | None = None


_INVALID = ("invalid_input", "The request is not valid")
_UNAVAILABLE = ("unavailable", "A part we depend on does not answer", "Try again shortly.", 2)
_TOO_MANY = "too_many_requests", "Slow down"

REFUSALS: Mapping[str, Refusal] = {
    # The gateway's own description of the fault comes unescaped and would break the document.
    "BadBody": Refusal(
        _TYPE.BAD_REQUEST_BODY, "400", *_INVALID, "The body does not match the route's schema."
    ),
    "BadParameters": Refusal(
        _TYPE.BAD_REQUEST_PARAMETERS, "400", *_INVALID, "A parameter is missing or wrong."
    ),
    "Unauthorized": Refusal(
        _TYPE.UNAUTHORIZED, "401", "unauthenticated", "A valid token is needed", "Send a token or an API key."
    ),
    "Denied": Refusal(
        _TYPE.ACCESS_DENIED,
        "403",
        "forbidden",
        "You do not have the right to do this",
        "None of your roles may use this route.",
    ),
    "NoPlan": Refusal(
        _TYPE.INVALID_API_KEY,
        "403",
        "forbidden",
        "You do not have the right to do this",
        "The caller belongs to no usage plan.",
    ),
    "Filtered": Refusal(
        _TYPE.WAF_FILTERED,
        "403",
        "filtered",
        "The request looks like an attack",
        "The firewall refused it; wait a while, and send less at once.",
    ),
    "NoRoute": Refusal(
        _TYPE.MISSING_AUTHENTICATION_TOKEN,
        "404",
        "not_found",
        "There is no such thing",
        "There is no such route, or it does not take that method.",
    ),
    "TooLarge": Refusal(
        _TYPE.REQUEST_TOO_LARGE, "413", "too_large", "The request is too large", "A request has at most 5 MB."
    ),
    "MediaType": Refusal(
        _TYPE.UNSUPPORTED_MEDIA_TYPE,
        "415",
        "unsupported_media_type",
        "The body is not of a type this route reads",
        "Send application/json.",
    ),
    "Throttled": Refusal(_TYPE.THROTTLED, "429", *_TOO_MANY, "Too many requests at once.", 10),
    "QuotaExceeded": Refusal(
        _TYPE.QUOTA_EXCEEDED, "429", *_TOO_MANY, "The requests of this day are used up.", 3600
    ),
    "AuthorizerFailed": Refusal(_TYPE.AUTHORIZER_FAILURE, "503", *_UNAVAILABLE),
    "FunctionFailed": Refusal(_TYPE.INTEGRATION_FAILURE, "503", *_UNAVAILABLE),
    "TimedOut": Refusal(
        _TYPE.INTEGRATION_TIMEOUT,
        "504",
        "timeout",
        "This took too long",
        "The work may still be done; look again.",
    ),
    "Other4xx": Refusal(
        _TYPE.DEFAULT_4_XX, None, "refused", "The request was refused", "$context.error.responseType"
    ),
    "Other5xx": Refusal(
        _TYPE.DEFAULT_5_XX,
        None,
        "internal",
        "Something went wrong on our side",
        "$context.error.responseType",
    ),
}


def add_problem_responses(api: apigateway.RestApi, settings: StageSettings) -> None:
    """Adds the gateway responses; only where a dashboard on another origin may read them do they say so."""
    shared = {"Content-Type": "'application/problem+json'", "X-Correlation-Id": "context.requestId"}
    if settings.dashboard_origin:
        shared["Access-Control-Allow-Origin"] = f"'{settings.dashboard_origin}'"
        shared["Vary"] = "'Origin'"
    for name, refusal in REFUSALS.items():
        wait = {"Retry-After": f"'{refusal.retry_after}'"} if refusal.retry_after else {}
        api.add_gateway_response(
            name,
            type=refusal.kind,
            status_code=refusal.status,
            response_headers={**shared, **wait},
            templates={"application/json": _problem(refusal)},
        )


def _problem(refusal: Refusal) -> str:
    """The document as a mapping template.

    The gateway's own messages are not passed on: they describe policies rather than what a caller can do.
    """
    document: dict[str, str | int] = {
        "type": f"urn:bellwether:problem:{refusal.code}",
        "title": refusal.title,
        "code": refusal.code,
        "detail": refusal.detail,
        "correlation_id": "$context.requestId",
    }
    if refusal.status:
        document["status"] = int(refusal.status)
    return json.dumps(document)
