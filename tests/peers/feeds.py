"""A web server on loopback that serves feeds as the web does: politely, slowly, wrongly, with malice."""

import gzip
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ETAG = '"v1"'
LAST_MODIFIED = "Mon, 23 Nov 2026 05:00:00 GMT"


def rss(*titles: str, date: str = "Mon, 23 Nov 2026 05:59:00 GMT") -> bytes:
    """An RSS 2.0 document with an item a title."""
    items = "".join(
        f"<item><title>{title}</title><guid>https://news.example/{title}</guid><pubDate>{date}</pubDate></item>"
        for title in titles
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>News</title>'
        f"<link>https://news.example/</link>{items}</channel></rss>"
    ).encode()


@dataclass
class Peer:
    """The server: `pages` by path, and the requests it got."""

    address: str
    host: str
    pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"{self.address}{path}"

    def serve(self, path: str, content: bytes, status: int = 200, **headers: str) -> None:
        """A page that always answers the same; `_` in header names stands for `-`."""

        def page(request: BaseHTTPRequestHandler) -> None:
            answer(
                request, status, content, {name.replace("_", "-"): value for name, value in headers.items()}
            )

        self.pages[path] = page

    def serve_feed(self, path: str, content: bytes, etag: str = ETAG) -> None:
        """A feed with both validators, which answers 304 to either."""

        def page(request: BaseHTTPRequestHandler) -> None:
            unchanged = request.headers.get("If-None-Match") == etag
            validators = {"ETag": etag, "Last-Modified": LAST_MODIFIED}
            answer(request, 304 if unchanged else 200, b"" if unchanged else content, validators)

        self.pages[path] = page

    def serve_trickle(self, path: str, content: bytes, pause: float) -> None:
        """A byte at a time: no single read is slow, the whole never ends."""

        def page(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            for byte in content:
                request.wfile.write(bytes([byte]))
                request.wfile.flush()
                time.sleep(pause)

        self.pages[path] = page

    def serve_cut(self, path: str, content: bytes) -> None:
        """Promises more than it sends."""

        def page(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.send_header("Content-Length", str(len(content) + 1_000))
            request.end_headers()
            request.wfile.write(content)

        self.pages[path] = page

    def serve_bomb(self, path: str, size: int, *, encoding: str = "gzip") -> None:
        """A small answer that unpacks to `size` bytes."""
        self.serve(path, gzip.compress(bytes(size)), Content_Encoding=encoding)


def answer(request: BaseHTTPRequestHandler, status: int, content: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in {"Content-Type": "application/rss+xml", **headers}.items():
        request.send_header(name, value)
    if status != 304:
        request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


@contextmanager
def feed_peer(tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A server on a free port of loopback, for as long as the block lasts; with `tls` it speaks HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            peer.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            page = peer.pages.get(self.path)
            try:
                if page is None:
                    answer(self, 404, b"", {})
                else:
                    page(self)
            except OSError:
                self.close_connection = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    host = f"127.0.0.1:{server.server_port}"
    peer = Peer(address=f"http{'s' if tls else ''}://{host}", host=host)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
