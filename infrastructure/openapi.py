"""The API's description, OpenAPI 3.1, made of the routes' table and the types the handlers decode and encode.

uv run python -m infrastructure.openapi          writes docs/openapi.json
uv run python -m infrastructure.openapi --check  exits with 1 when that file is stale
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bellwether.domain.items import Item
from bellwether.domain.rights import RIGHTS, Action
from bellwether.domain.rights import ROUTES as RIGHT_OF
from bellwether.handlers.problem_details import CONTENT_TYPE, ProblemDetails
from bellwether.usecases.ports import Change
from infrastructure.gateway_models import named_type
from infrastructure.routes import JSON, ROUTES, Route
from infrastructure.settings import API_VERSION

DOCUMENT = Path(__file__).parents[1] / "docs" / "openapi.json"
_COMPONENT = "#/components/schemas/{name}"

_HEADERS: Mapping[str, Any] = {
    "CorrelationId": {
        "description": "What to ask about this answer with; your own `X-Correlation-Id` if it can stand in a "
        "log.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Whole seconds after which the same request may succeed.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "IdempotentReplayed": {
        "description": "The answer is that of the first request with this Idempotency-Key.",
        "schema": {"const": "true"},
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Sent again with the same body within two days, the first answer comes again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_LAST_EVENT = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event seen; without it the newest ones come.",
    "schema": {"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"},
}
# Each event of the stream, as those who read OpenAPI take the schema of this media type.
_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Goes into `Last-Event-ID`."},
        "event": {"type": "string", "description": "What changed: the `type` of the change."},
        "data": {
            "type": "string",
            "contentMediaType": JSON,
            "contentSchema": {"$ref": _COMPONENT.format(name="Change")},
        },
    },
}
_REFUSED: Mapping[int, str] = {
    400: "The request is not valid; `path` names the fault.",
    401: "No valid token or API key.",
    403: "None of the caller's roles may do this, or not to this proposal.",
    404: "There is no such proposal or portfolio.",
    409: "The state has changed since the caller looked, or the same key is under way.",
    413: "More than 5 MB, or more items than a request may hold.",
    415: "The body is no JSON in UTF-8.",
    422: "The Idempotency-Key was first used with another body.",
    429: "Too many requests at once, or those of the day are used up.",
    500: "A fault of the desk, logged under the correlation id.",
    503: "A part the desk depends on does not answer.",
    504: "It took too long; the work may still be done.",
}
_SCHEMES = {
    "person": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access or id token of the stage's user pool; its groups are the caller's roles.",
    },
    "machine": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "The key of a machine that collects or scrapes.",
    },
}


def document() -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bellwether",
            "version": API_VERSION.removeprefix("v"),
            "summary": "Signals, scores, proposals, decisions and outcomes of an auditable investment desk",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"/{API_VERSION}"}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "responses": {f"Problem{status}": _problem(status) for status in _REFUSED},
            "headers": dict(_HEADERS),
            "securitySchemes": _SCHEMES,
        },
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for row in ROUTES:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return paths


def _operation(row: Route) -> dict[str, Any]:
    action = RIGHT_OF.get((row.method, row.path))
    return {
        "operationId": f"{row.method.lower()}_{row.path.strip('/').replace('/', '_')}",
        "summary": row.summary,
        "security": _security(action),
        **({"x-right": action, "x-roles": _holders(action)} if action else {}),
        "x-throttle": {"rate": row.throttle.rate, "burst": row.throttle.burst},
        "parameters": [*([_KEY] if row.keyed else []), *([_LAST_EVENT] if row.function == "stream" else [])],
        **({"requestBody": _body(row.request)} if row.request else {}),
        "responses": _responses(row),
    }


def _holders(action: Action) -> list[str]:
    return [role for role, rights in RIGHTS.items() if action in rights]


def _security(action: Action | None) -> list[dict[str, list[str]]]:
    if action is None:
        return []
    schemes = ("person", "machine") if "machine" in _holders(action) else ("person",)
    return [{scheme: []} for scheme in schemes]


def _body(request: str) -> dict[str, Any]:
    return {"required": True, "content": {JSON: {"schema": _reference(request)}}}


def _responses(row: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in row.refusals
    }
    for status, meaning in row.answers.items():
        content: dict[str, Any] = {row.media_type: {"schema": _schema(row)}}
        headers = {"X-Correlation-Id": _header("CorrelationId")}
        if row.keyed:
            headers["Idempotent-Replayed"] = _header("IdempotentReplayed")
        if status in _REFUSED:
            content |= _problem(status)["content"]
            headers |= _problem(status)["headers"]
        found[str(status)] = {"description": meaning, "headers": headers, "content": content}
    return dict(sorted(found.items()))


def _schema(row: Route) -> dict[str, Any]:
    if row.response:
        return _reference(row.response)
    return _EVENT if row.media_type == "text/event-stream" else {"type": "string"}


def _problem(status: int) -> dict[str, Any]:
    headers = {"X-Correlation-Id": _header("CorrelationId")}
    if status in {429, 503}:
        headers["Retry-After"] = _header("RetryAfter")
    schema = {"$ref": _COMPONENT.format(name="ProblemDetails")}
    return {
        "description": _REFUSED[status],
        "headers": headers,
        "content": {CONTENT_TYPE: {"schema": schema}},
    }


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _COMPONENT.format(name=name.rpartition(":")[2])}


def _schemas() -> dict[str, Any]:
    names = dict.fromkeys(name for row in ROUTES for name in (row.request, row.response) if name)
    types = [*(named_type(name) for name in names), ProblemDetails, Item, Change]
    _, found = msgspec.json.schema_components(types, ref_template=_COMPONENT)
    # Items are decoded one by one, so that a bad one is refused alone; what a good one is, the reader wants
    # to know here.
    found["IngestRequest"]["properties"]["items"]["items"] = {"$ref": _COMPONENT.format(name="Item")}
    return dict(sorted((name, _dedented(schema)) for name, schema in found.items()))


def _dedented(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its description, a docstring, as plain lines."""
    lines = [line.strip() for line in str(schema.get("description", "")).splitlines()]
    return {**schema, "description": "\n".join(lines)} if any(lines) else schema


def text() -> str:
    """The document as it is kept."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Writes the document, or with `--check` tells whether it is the one kept."""
    if "--check" in sys.argv[1:]:
        return int(DOCUMENT.read_text() != text())
    DOCUMENT.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
