"""Answers to HTTP requests, before they become API Gateway's proxy format."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

JSON = "application/json"


class Answer(Struct, frozen=True, kw_only=True):
    """Status, text of the body and what is not the same for every answer of the headers."""

    body: str
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = {}


def json_answer(value: Any, status: int = 200) -> Answer:
    """A record as JSON."""
    return Answer(status=status, body=msgspec.json.encode(value).decode())


def proxy_response(answer: Answer, *, correlation_id: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as API Gateway takes it from a function."""
    return {
        "statusCode": answer.status,
        "headers": {
            "Content-Type": answer.content_type,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Correlation-Id": correlation_id,
            **cross_origin(event),
            **answer.headers,
        },
        "body": answer.body,
        "isBase64Encoded": False,
    }


def cross_origin(event: Mapping[str, Any]) -> dict[str, str]:
    """CORS headers for an origin that the stage variable `allowedOrigins` names (commas or spaces between).

    With proxy integration the function's answer must carry them; which origins they are is the API's to say.
    """
    allowed = ((event.get("stageVariables") or {}).get("allowedOrigins") or "").replace(",", " ").split()
    headers = {str(name).lower(): value for name, value in (event.get("headers") or {}).items()}
    origin = headers.get("origin")
    if not allowed:
        return {}
    if origin not in allowed:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": str(origin),
        "Access-Control-Expose-Headers": "X-Correlation-Id, Retry-After, Idempotent-Replayed",
    }
