"""What the gateway itself refuses, as RFC 9457 problem details like those of the handlers."""

import json
from collections.abc import Mapping

from aws_cdk import aws_apigateway as apigateway

from infrastructure.settings import StageSettings

_TYPE = apigateway.ResponseType

# Response type: status, code, title.
PROBLEMS: Mapping[str, tuple[apigateway.ResponseType, str, str, str]] = {
    "BadBody": (_TYPE.BAD_REQUEST_BODY, "400", "invalid_input", "The request is not valid"),
    "BadParameters": (_TYPE.BAD_REQUEST_PARAMETERS, "400", "invalid_input", "The request is not valid"),
    "Unauthorized": (_TYPE.UNAUTHORIZED, "401", "unauthenticated", "A valid token is needed"),
    "Denied": (_TYPE.ACCESS_DENIED, "403", "forbidden", "You do not have the right to do this"),
    "InvalidKey": (_TYPE.INVALID_API_KEY, "403", "forbidden", "You do not have the right to do this"),
    "NoRoute": (_TYPE.MISSING_AUTHENTICATION_TOKEN, "404", "not_found", "There is no such thing"),
    "TooLarge": (_TYPE.REQUEST_TOO_LARGE, "413", "too_large", "The request is too large"),
    "MediaType": (
        _TYPE.UNSUPPORTED_MEDIA_TYPE,
        "415",
        "unsupported_media_type",
        "The body is not of a type this route reads",
    ),
    "Throttled": (_TYPE.THROTTLED, "429", "too_many_requests", "Slow down"),
    "QuotaExceeded": (_TYPE.QUOTA_EXCEEDED, "429", "quota_exceeded", "The day's requests are used up"),
    "AuthorizerFailed": (_TYPE.AUTHORIZER_FAILURE, "503", "unavailable", "A part we depend on does not answer"),
    "FunctionFailed": (_TYPE.INTEGRATION_FAILURE, "503", "unavailable", "A part we depend on does not answer"),
    "TimedOut": (_TYPE.INTEGRATION_TIMEOUT, "504", "timeout", "This took too long"),
}
_DEFAULTS = {"4xx": (_TYPE.DEFAULT_4_XX, "refused", "The request was refused"),
             "5xx": (_TYPE.DEFAULT_5_XX, "internal", "Something went wrong on our side")}
_RETRY = {"Throttled": "10", "AuthorizerFailed": "2", "FunctionFailed": "2"}


def add_problem_responses(api: apigateway.RestApi, settings: StageSettings) -> None:
    """Adds the gateway responses; only where a dashboard on another origin may read them do they say so."""
    shared = {"Content-Type": "'application/problem+json'", "X-Correlation-Id": "context.requestId"}
    if settings.dashboard_origin:
        shared["Access-Control-Allow-Origin"] = f"'{settings.dashboard_origin}'"
        shared["Vary"] = "'Origin'"
    for name, (kind, status, code, title) in PROBLEMS.items():
        wait = {"Retry-After": f"'{_RETRY[name]}'"} if name in _RETRY else {}
        api.add_gateway_response(
            name,
            type=kind,
            status_code=status,
            response_headers={**shared, **wait},
            templates={"application/json": _problem(code, title, status)},
        )
    for name, (kind, code, title) in _DEFAULTS.items():
        api.add_gateway_response(
            f"Default{name}",
            type=kind,
            response_headers=shared,
            templates={"application/json": _problem(code, title, None)},
        )


def _problem(code: str, title: str, status: str | None) -> str:
    """The document as a mapping template: `messageString` comes quoted and escaped, the other texts do not."""
    fixed: dict[str, str | int] = {"type": f"urn:bellwether:problem:{code}", "title": title, "code": code}
    if status:
        fixed["status"] = int(status)
    detail = "$context.error.messageString"
    if code == "invalid_input":
        detail = '"$context.error.validationErrorString"'
    found = f'"detail": {detail}, "instance": "$context.path", "correlation_id": "$context.requestId"'
    return f"{json.dumps(fixed)[:-1]}, {found}}}"
