"""A web server on loopback that speaks a provider's protocol, and breaks it in every way the web does.

`Site.routes` answer requests; `Site.faults` are used up one a request before them, each in its turn.
"""

import gzip
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""

    def one(self, name: str) -> str | None:
        """A parameter that stands once, `None` when it does not."""
        values = self.query.get(name, [])
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Route = Callable[[Asked], Said]
Fault = Callable[[BaseHTTPRequestHandler, Said], None]
"""Writes something else than the answer it is given."""


def said(document: Any, status: int = 200, **headers: str) -> Said:
    """A JSON answer; `_` in header names stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(document).encode()
    return Said(status, body, {"Content-Type": "application/json; charset=utf-8", **named})


@dataclass
class Site:
    """The server. A route is found by method and path; one that ends in `*` stands for all that begin so."""

    address: str
    host: str
    routes: dict[tuple[str, str], Route] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: deque[Fault | None] = field(default_factory=deque)

    def route(self, method: str, path: str, answer: Route) -> None:
        self.routes[method, path] = answer

    def answer(self, asked: Asked) -> Said:
        found = self.routes.get((asked.method, asked.path))
        if found is None:
            wild = [
                (path, route)
                for (method, path), route in self.routes.items()
                if method == asked.method and path.endswith("*") and asked.path.startswith(path[:-1])
            ]
            found = max(wild, key=lambda pair: len(pair[0]))[1] if wild else None
        return found(asked) if found else Said(404)


def write(request: BaseHTTPRequestHandler, answer: Said) -> None:
    """The answer as it is."""
    request.send_response(answer.status)
    for name, value in answer.headers.items():
        request.send_header(name, value)
    if answer.status != 304:
        request.send_header("Content-Length", str(len(answer.body)))
    request.end_headers()
    request.wfile.write(answer.body)


def instead(answer: Said) -> Fault:
    """Another answer: an error, a page, nothing."""
    return lambda request, _: write(request, answer)


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    """An error with the provider's own headers and words; `_` in header names stands for `-`."""
    return instead(Said(code, body, {name.replace("_", "-"): value for name, value in headers.items()}))


def html(code: int = 200) -> Fault:
    """A page for people where a document was asked for."""
    return instead(
        Said(code, b"<!DOCTYPE html><html><body>Sorry!</body></html>", {"Content-Type": "text/html"})
    )


def changed(change: Callable[[bytes], bytes], **headers: str) -> Fault:
    """The answer with another body, its length told rightly."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, answer: write(
        request, Said(answer.status, change(answer.body), {**answer.headers, **more})
    )


def truncated(request: BaseHTTPRequestHandler, answer: Said) -> None:
    """Half of the document, as if that were all."""
    write(request, Said(answer.status, answer.body[: len(answer.body) // 2], answer.headers))


def cut(request: BaseHTTPRequestHandler, answer: Said) -> None:
    """Promises the whole and sends half."""
    request.send_response(answer.status)
    for name, value in answer.headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(answer.body) + 1_000))
    request.end_headers()
    request.wfile.write(answer.body[: len(answer.body) // 2])
    request.close_connection = True


def reset(request: BaseHTTPRequestHandler, _: Said) -> None:
    """The connection is reset instead of an answer."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
    request.close_connection = True


def trickle(pause: float) -> Fault:
    """A byte at a time: no single read is slow, the whole never ends."""

    def slow(request: BaseHTTPRequestHandler, answer: Said) -> None:
        request.send_response(answer.status)
        request.send_header("Content-Length", str(max(len(answer.body), 1_000)))
        request.end_headers()
        for byte in answer.body or bytes(1_000):
            request.wfile.write(bytes([byte]))
            request.wfile.flush()
            time.sleep(pause)

    return slow


def bomb(size: int = 50_000_000) -> Fault:
    """A small answer that unpacks to `size` bytes."""
    return instead(Said(200, gzip.compress(bytes(size)), {"Content-Encoding": "gzip"}))


def packed(request: BaseHTTPRequestHandler, answer: Said) -> None:
    """The right answer, compressed."""
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    write(request, Said(answer.status, gzip.compress(answer.body), headers))


def redirect(target: str, code: int = 302) -> Fault:
    """Leads somewhere else."""
    return instead(Said(code, b"", {"Location": target}))


def large(size: int) -> Fault:
    """The document, blown up with blanks behind it to `size` bytes: still valid JSON or XML."""
    return changed(lambda body: body + b" " * (size - len(body)))


def utf16(request: BaseHTTPRequestHandler, answer: Said) -> None:
    """The document in another encoding than it says."""
    write(request, Said(answer.status, answer.body.decode().encode("utf-16"), answer.headers))


@contextmanager
def site() -> Iterator[Site]:
    """A server on a free port of loopback, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def do_PUT(self) -> None:
            self._serve("PUT")

        def _serve(self, method: str) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                method,
                parts.path,
                parse_qs(parts.query, keep_blank_values=True),
                {name.lower(): value for name, value in self.headers.items()},
                body,
            )
            try:
                with lock:
                    served.asked.append(asked)
                    answer = served.answer(asked)
                    fault = served.faults.popleft() if served.faults else None
                (fault or write)(self, answer)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
            return

    lock = threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    host = f"127.0.0.1:{server.server_port}"
    served = Site(address=f"http://{host}", host=host)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
