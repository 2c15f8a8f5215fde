"""What an API Gateway (REST, proxy) event says, checked and bounded before anything else sees it."""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from bellwether.adapters.correlation import fit
from bellwether.domain.problems import InvalidInput, TooLarge, Unauthenticated
from bellwether.domain.rights import RIGHTS, Role, User
from bellwether.handlers.problem_details import UnsupportedMediaType

LARGEST_BODY = 5_000_000
"""Bytes of a decoded body. The function's own payload limit is 6 MB of event JSON around it."""

T = TypeVar("T")
_PATH = re.compile(r"^(?P<what>.*?) - at `(?P<path>\$[^`]*)`$", re.DOTALL)
_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<name>[^`]{0,100})")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Call(Struct, frozen=True, kw_only=True):
    """One request. `route` is the resource without the base path; header names are in lower case."""

    method: str
    route: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    correlation_id: str
    event: Mapping[str, Any]

    @property
    def user(self) -> User:
        """Who calls, as the authorizer said. Raises `Unauthenticated` when it said nothing."""
        return user_of(self.event)

    @property
    def caller(self) -> str | None:
        """The caller's stable name for the log, `None` on a public route."""
        told = (self.event.get("requestContext") or {}).get("authorizer") or {}
        return fit(told.get("username"))

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("idempotency-key")


def read_call(event: Mapping[str, Any], request_id: str = "") -> Call:
    """Reads everything of an event but its body; never raises for what a caller sent."""
    headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items() if v is not None}
    route = str(event.get("resource") or event.get("path") or "/")
    return Call(
        method=str(event.get("httpMethod") or "").upper(),
        route=route.removeprefix("/v1") or "/",
        path=str((event.get("requestContext") or {}).get("path") or event.get("path") or route),
        headers=headers,
        query={str(k): str(v) for k, v in (event.get("queryStringParameters") or {}).items()},
        correlation_id=correlation_id(headers, event, request_id),
        event=event,
    )


def correlation_id(headers: Mapping[str, str], event: Mapping[str, Any], request_id: str) -> str:
    """The caller's id if it can stand in a log, else the trace's, the gateway's, the function's."""
    candidates = (
        headers.get("x-correlation-id"),
        headers.get("x-amzn-trace-id"),
        (event.get("requestContext") or {}).get("requestId"),
        request_id,
    )
    return next((usable for c in candidates if (usable := fit(c))), "unknown")


def user_of(event: Mapping[str, Any]) -> User:
    """The user of `requestContext.authorizer` (`username`, `name`, `roles` with commas; unknown ones go)."""
    told = (event.get("requestContext") or {}).get("authorizer") or {}
    username = str(told.get("username") or "")
    if not username:
        raise Unauthenticated("The request carries no user.")
    named = {part.strip() for part in str(told.get("roles") or "").split(",")}
    roles: tuple[Role, ...] = tuple(role for role in RIGHTS if role in named)
    return User(username=username, roles=roles, name=str(told.get("name") or ""))


def body_of(call: Call) -> bytes:
    """The decoded body, UTF-8. Raises `InvalidInput`, `TooLarge`, `UnsupportedMediaType`."""
    require_json(call.headers.get("content-type"))
    raw = call.event.get("body") or ""
    if call.event.get("isBase64Encoded"):
        content = _unbase64(raw)
        content = _unpacked(content, call.headers.get("content-encoding"))
    else:
        content = _as_sent(raw, call.headers.get("content-length"))
    if len(content) > LARGEST_BODY:
        raise TooLarge(f"A body holds at most {LARGEST_BODY:,} bytes.", limit=LARGEST_BODY)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise InvalidInput(f"The body is not UTF-8 (byte {fault.start}).", path="$") from None
    if not content.strip():
        raise InvalidInput("The body is empty; send a JSON object.", path="$")
    return content


def require_json(content_type: str | None) -> None:
    """Raises `UnsupportedMediaType` for a content type that is sent and is not JSON in UTF-8."""
    if content_type is None or not content_type.strip():
        return
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charset = next((p.partition("=")[2].strip('" ') for p in parameters if p.startswith("charset")), "utf-8")
    if kind != "application/json" or charset not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMediaType("Send application/json in UTF-8.")


def decode(content: bytes, kind: type[T]) -> T:
    """Decodes JSON as `kind`. Raises `InvalidInput` with the `path` of the fault."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as fault:
        raise _wrong_content(str(fault)) from None
    except (msgspec.DecodeError, RecursionError) as fault:
        detail = str(fault) if isinstance(fault, msgspec.DecodeError) else "nested too deeply"
        raise InvalidInput(f"The body is not valid JSON: {detail}", path="$") from None


def _wrong_content(message: str) -> InvalidInput:
    told = _PATH.match(message)
    what, path = (told["what"], told["path"]) if told else (message, "$")
    if unknown := _UNKNOWN_FIELD.search(what):
        path = f"{path}.{unknown['name']}"
    return InvalidInput(what, path=path)


def _unbase64(raw: str) -> bytes:
    if len(raw) > LARGEST_BODY * 4 // 3 + 8:
        raise TooLarge(f"A body holds at most {LARGEST_BODY:,} bytes.", limit=LARGEST_BODY)
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("The body is marked as base64 and is not.", path="$") from None


def _unpacked(content: bytes, encoding: str | None) -> bytes:
    """Undoes `Content-Encoding: gzip`, never making more than a byte beyond the limit of it."""
    if encoding is None or encoding.strip().lower() in {"", "identity"}:
        return content
    if encoding.strip().lower() != "gzip":
        raise UnsupportedMediaType("Send the body as it is or as gzip.")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, LARGEST_BODY + 1)
    except zlib.error:
        raise InvalidInput("The body is marked as gzip and is not.", path="$") from None
    if len(unpacked) <= LARGEST_BODY and not unpacker.eof:
        raise InvalidInput("The gzip body ends early.", path="$")
    return unpacked


def _as_sent(raw: str, declared: str | None) -> bytes:
    """A body that came as text. Bytes that were no UTF-8 are replacement characters now: the length tells."""
    try:
        content = raw.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput("The body is not UTF-8.", path="$") from None
    if _REPLACEMENT in raw and declared and declared.isdigit() and int(declared) != len(content):
        raise InvalidInput("The body is not UTF-8.", path="$")
    return content
