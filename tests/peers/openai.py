"""OpenAI's Responses API on loopback, as its reference describes it: who may ask, what a question has to look
like, what strict schemas forbid, usage, refusals, answers that are cut short, and its error bodies.

https://platform.openai.com/docs/api-reference/responses and .../guides/structured-outputs
"""

import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-proj-0123456789abcdefghijABCDEFGHIJ"
MODELS = {"gpt-4.1-mini": False, "gpt-5.4-nano": True, "llama-3.2": False}
"""Models this key may use, and whether they reason."""
_KNOWN = {
    "model", "instructions", "input", "text", "max_output_tokens", "store", "temperature", "reasoning",
    "metadata", "user", "top_p", "truncation", "service_tier", "prompt_cache_key", "safety_identifier",
}  # fmt: skip
_KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "description", "minimum",
    "maximum", "multipleOf", "pattern", "format", "minItems", "maxItems", "anyOf", "$ref", "$defs", "const",
}  # fmt: skip

Entry = Mapping[str, Any]
Mind = Callable[[Sequence[Entry]], list[dict[str, Any]]]
Page = Callable[[BaseHTTPRequestHandler], None]

_UP = re.compile(r"doubles|soars|wins|beats|profit rises|raises its forecast", re.IGNORECASE)
_DOWN = re.compile(r"bankruptcy|plunges|fraud|bans|profit falls|loses", re.IGNORECASE)


class Bad(Exception):
    """A question the service refuses: status and error object."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        kind = "insufficient_quota" if code == "insufficient_quota" else "invalid_request_error"
        self.status = status
        self.error = {"message": message, "type": kind, "param": param, "code": code}


def honest(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Reads each entry by its own words."""
    return [reading_of(entry) for entry in entries]


def reading_of(entry: Entry, **changes: Any) -> dict[str, Any]:
    text = str(entry["text"])
    sign = bool(_UP.search(text)) - bool(_DOWN.search(text))
    sure = "high" if sign else "none"
    told = {"id": entry["id"], "reading": 5 * sign, "sure": sure, "rationale": "as the words say"}
    return {**told, **changes}


@dataclass
class OpenAiPeer:
    """The server. `mind` answers for the model, `pages` are served instead, one a call, while there are any.

    With `enforces` the answer follows the schema whatever the mind says, as constrained decoding has it;
    compatible servers often do not.
    """

    address: str
    host: str
    mind: Mind = honest
    enforces: bool = True
    refuses: Callable[[Sequence[Entry]], bool] = lambda _entries: False
    usage: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda usage: usage
    pages: list[Page] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def entries(self) -> list[Entry]:
        """All entries that were shown to the model, controls included."""
        return [entry for body in self.bodies for entry in entries_of(body)]

    def next(self, *pages: Page) -> None:
        """What the next calls get, in turn."""
        self.pages += pages


def entries_of(body: Mapping[str, Any]) -> list[Entry]:
    (message,) = body["input"]
    (part,) = message["content"]
    found: list[Entry] = json.loads(part["text"])["entries"]
    return found


def page(status: int, content: bytes | Mapping[str, Any], **headers: str) -> Page:
    """An answer; `_` in header names stands for `-`."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    told = {name.replace("_", "-"): value for name, value in headers.items()}

    def serve(request: BaseHTTPRequestHandler) -> None:
        answer(request, status, body, told)

    return serve


def refusal(status: int, code: str, **headers: str) -> Page:
    """An error body as the service writes it, with the key in it as some proxies do."""
    error = {"message": f"Refused: {code} for {KEY}", "type": code, "param": None, "code": code}
    return page(status, {"error": error}, **headers)


def trickle(pause: float) -> Page:
    """A byte at a time, without end."""

    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
        for _ in range(1_000):
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(pause)

    return serve


def cut(request: BaseHTTPRequestHandler) -> None:
    """Promises more than it sends."""
    request.send_response(200)
    request.send_header("Content-Length", "5000")
    request.end_headers()
    request.wfile.write(b'{"id": "resp_1", "output": [')
    request.close_connection = True


def reset(request: BaseHTTPRequestHandler) -> None:
    """Hangs up without a word."""
    request.close_connection = True
    request.connection.close()


def answer(request: BaseHTTPRequestHandler, status: int, content: bytes, headers: Mapping[str, str]) -> None:
    request.send_response(status)
    told = {"Content-Type": "application/json", "x-request-id": "req_0123456789abcdef", **headers}
    for name, value in told.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


@contextmanager
def openai_peer() -> Iterator[OpenAiPeer]:
    """A server on a free port of loopback, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with peer.lock:
                peer.headers.append({name.lower(): value for name, value in self.headers.items()})
                served = peer.pages.pop(0) if peer.pages else None
            try:
                if served is not None:
                    served(self)
                else:
                    self._respond(sent)
            except OSError:
                self.close_connection = True

        def _respond(self, sent: bytes) -> None:
            try:
                body = checked(self.path, dict(self.headers.items()), sent)
                with peer.lock:
                    peer.bodies.append(body)
                told = response_to(body, peer)
            except Bad as bad:
                answer(self, bad.status, json.dumps({"error": bad.error}).encode(), {})
                return
            answer(self, 200, json.dumps(told).encode(), {"openai-processing-ms": "12"})

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    host = f"127.0.0.1:{server.server_port}"
    peer = OpenAiPeer(address=f"http://{host}", host=host)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()


def checked(path: str, headers: Mapping[str, str], sent: bytes) -> dict[str, Any]:
    """The question, if the service would take it. Raises `Bad`."""
    if path != "/v1/responses":
        raise Bad(404, f"Invalid URL (POST {path})")
    if headers.get("Authorization") != f"Bearer {KEY}":
        told = headers.get("Authorization", "")[-4:]
        raise Bad(401, f"Incorrect API key provided: sk-***{told}.", "invalid_api_key")
    if headers.get("Content-Type") != "application/json":
        raise Bad(400, "Unsupported content type", "unsupported_content_type")
    try:
        body: dict[str, Any] = json.loads(sent)
    except ValueError:
        raise Bad(400, "We could not parse the JSON body of your request.") from None
    for name in body:
        if name not in _KNOWN:
            raise Bad(400, f"Unknown parameter: '{name}'.", "unknown_parameter", name)
    if body.get("model") not in MODELS:
        raise Bad(404, "The model does not exist or you do not have access to it.", "model_not_found")
    _check_parameters(body)
    _check_format(body.get("text"))
    return body


def _check_parameters(body: Mapping[str, Any]) -> None:
    reasons = MODELS[body["model"]]
    if reasons and "temperature" in body:
        raise Bad(400, "Unsupported parameter: 'temperature'", "unsupported_parameter", "temperature")
    if not reasons and "reasoning" in body:
        raise Bad(400, "Unsupported parameter: 'reasoning.effort'", "unsupported_parameter", "reasoning")
    most = body.get("max_output_tokens")
    if not isinstance(most, int) or most < 16:
        raise Bad(400, "Expected a value >= 16", "integer_below_min_value", "max_output_tokens")
    told = body.get("input")
    if not isinstance(told, list) or not all({"role", "content"} == set(message) for message in told):
        raise Bad(400, "Invalid type for 'input'", "invalid_type", "input")
    for message in told:
        if any(part.get("type") != "input_text" for part in message["content"]):
            raise Bad(400, "Invalid value", "invalid_value", "input[0].content[0].type")


def _check_format(text: Any) -> None:
    told = (text or {}).get("format") or {}
    if told.get("type") != "json_schema" or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", told.get("name", "")):
        raise Bad(400, "Missing required parameter: 'text.format.name'", "missing_required_parameter")
    if told.get("strict") is not True:
        raise Bad(400, "this peer takes strict schemas alone", "invalid_value", "text.format.strict")
    if told["schema"].get("type") != "object":
        raise _bad_schema("schema must be a JSON Schema of 'type: \"object\"'")
    check_schema(told["schema"])


def check_schema(schema: Mapping[str, Any], depth: int = 1) -> None:
    """The rules of strict mode. Raises `Bad`."""
    if depth > 10:
        raise _bad_schema("more than 10 levels of nesting")
    for keyword in schema:
        if keyword not in _KEYWORDS:
            raise _bad_schema(f"'{keyword}' is not permitted")
    if schema.get("type") == "array":
        check_schema(schema["items"], depth + 1)
    if schema.get("type") == "object":
        _check_object(schema)
        for inner in schema["properties"].values():
            check_schema(inner, depth + 1)


def _check_object(schema: Mapping[str, Any]) -> None:
    if schema.get("additionalProperties") is not False:
        raise _bad_schema("'additionalProperties' is required to be supplied and to be false")
    if sorted(schema.get("required", ())) != sorted(schema.get("properties", {})):
        raise _bad_schema("'required' has to be an array including every key in properties")


def _bad_schema(why: str) -> Bad:
    message = f"Invalid schema for response_format 'readings': {why}."
    return Bad(400, message, "invalid_json_schema", "text.format.schema")


def response_to(body: Mapping[str, Any], peer: OpenAiPeer) -> dict[str, Any]:
    """The response object."""
    entries = entries_of(body)
    told = [_enforced(reading) if peer.enforces else reading for reading in peer.mind(entries)]
    text = json.dumps({"readings": told})
    read = tokens(body["instructions"]) + tokens(body["input"][0]["content"][0]["text"])
    written, most = tokens(text), body["max_output_tokens"]
    complete, refused = written <= most, peer.refuses(entries)
    content: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    if not complete:
        content["text"], written = text[: 4 * most], most
    if refused:
        content = {"type": "refusal", "refusal": "I'm sorry, I cannot assist with that request."}
    usage = {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
    message = {
        "type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [content],
    }  # fmt: skip
    reasoning = [{"type": "reasoning", "id": "rs_1", "summary": []}] if MODELS[body["model"]] else []
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed" if complete else "incomplete",
        "error": None,
        "incomplete_details": None if complete else {"reason": "max_output_tokens"},
        "model": f"{body['model']}-2025-04-14",
        "output": [*reasoning, message],
        "store": body.get("store", True),
        "usage": peer.usage(usage),
    }


def _enforced(reading: Mapping[str, Any]) -> dict[str, Any]:
    """What constrained decoding makes of it: four members, of their types and words."""
    told = reading.get("reading")
    level = told if isinstance(told, int) else 0
    return {
        "id": str(reading.get("id", "")),
        "reading": max(-5, min(5, level)),
        "sure": reading.get("sure") if reading.get("sure") in {"none", "low", "medium", "high"} else "none",
        "rationale": str(reading.get("rationale", "")),
    }


def tokens(text: str) -> int:
    """As many as English text usually has."""
    return math.ceil(len(text) / 4)
