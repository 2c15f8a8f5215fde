"""Answers the front door gives itself."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from .types import Send

_TITLES = {413: "Payload Too Large"}


async def reply(
    send: Send, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send one whole HTTP response."""
    fields = {
        "content-type": content_type,
        "content-length": str(len(body)),
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        **(headers or {}),
    }
    pairs = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def reply_json(send: Send, document: Any, status: int = 200) -> None:
    """Send a JSON document."""
    await reply(send, status, json.dumps(document).encode(), "application/json")


async def problem(send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
    """Send an RFC 9457 problem document."""
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    await reply(send, status, json.dumps(document).encode(), "application/problem+json", headers)
