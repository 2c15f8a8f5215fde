"""Requests to addresses other people chose: bounded in size and time, and never into our own network.

The host is resolved once, every address of it must be a public one, and the connection goes to the very
address that was checked (a name that resolves differently a moment later gains nothing). Redirects are
followed by hand and checked the same way.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from datetime import timedelta
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from msgspec import Struct

LARGEST_BODY = 5_000_000
LARGEST_ERROR = 65_536
"""Bytes that are read of what an answer other than 200 says."""
MOST_REDIRECTS = 5
CHUNK = 65_536
USER_AGENT = "bellwether/0.1 (feed reader)"
_REDIRECTS = {301, 302, 303, 307, 308}
_NO_BODY = _REDIRECTS | {204, 304}
_CREDENTIALS = {"authorization", "cookie", "x-api-key", "x-finnhub-token"}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolver = Callable[[str, int], Iterable[str]]


class Refused(Exception):
    """The answer was not fetched, not to its end, or is not one. `code` is stable, both are safe to show.

    `wait` is how long not to ask again, where that is known; `about_all` says whether it would have been the
    same whatever was asked for. `unanswered` is a request that was sent and whose answer did not come whole:
    whoever charges for it has charged.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        wait: timedelta | None = None,
        about_all: bool = True,
        unanswered: bool = False,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.wait = wait
        self.about_all = about_all
        self.unanswered = unanswered


class Response(Struct, frozen=True, kw_only=True):
    """What came back. `url` is where the redirects ended; header names are in lower case.

    Of an answer other than 200, `content` is the beginning, as far as it could be read.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    content: bytes


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Refused("no_such_host", "the host name does not resolve") from None
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Whether an address may be fetched from: globally routable, also when it wraps an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class GuardedHttp:
    """`seconds` bounds a whole fetch, redirects included.

    `trusted` names `host:port` pairs that are exempt from the address check, `tls` says whose certificates
    are believed (the system's by default): both are for peers started by whoever constructs this.
    """

    def __init__(
        self,
        *,
        seconds: float = 15.0,
        largest: int = LARGEST_BODY,
        trusted: Iterable[str] = (),
        resolver: Resolver = resolve,
        user_agent: str = USER_AGENT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = seconds
        self._largest = largest
        self._trusted = frozenset(trusted)
        self._resolver = resolver
        self._user_agent = user_agent
        self._tls = tls or ssl.create_default_context()

    def named(self, user_agent: str) -> "GuardedHttp":
        """The same client, introducing itself as that."""
        other = copy(self)
        other._user_agent = user_agent
        return other

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """Fetches `url`. Raises `Refused` for what may not, cannot or does not come in time and size."""
        deadline = time.monotonic() + self._seconds
        for _ in range(MOST_REDIRECTS + 1):
            response = self._one("GET", url, headers or {}, None, deadline)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or not location:
                return response
            target = urljoin(url, location)
            headers = headers if _origin(target) == _origin(url) else _without_credentials(headers or {})
            url = target
        raise Refused("too_many_redirects", f"more than {MOST_REDIRECTS} redirects")

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
    ) -> Response:
        """Sends `body` to `url`; a redirect is an answer like any other, what is sent goes nowhere else.
        `seconds` bounds this one. Raises `Refused`."""
        within = self._seconds if seconds is None else seconds
        return self._one("POST", url, headers or {}, body, time.monotonic() + within)

    def put(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
        """Uploads `body` to `url`, as `post` sends it. Raises `Refused`."""
        return self._one("PUT", url, headers or {}, body, time.monotonic() + self._seconds)

    def _one(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Response:
        parts = checked_parts(url)
        left = deadline - time.monotonic()
        if left <= 0:
            raise _too_slow()
        connection = self._connection(parts, left)
        timer = threading.Timer(left, _hang_up, [connection])
        timer.daemon = True
        timer.start()
        try:
            response = self._exchange(connection, method, parts, headers, body)
        except (Refused, OSError, http.client.HTTPException, zlib.error, ValueError) as fault:
            refused = _too_slow() if time.monotonic() >= deadline else _refusal(fault)
            refused.unanswered = connection.sent
            raise refused from None
        finally:
            timer.cancel()
            connection.close()
        # what was hung up on looks as if it had ended
        if time.monotonic() >= deadline:
            refused = _too_slow()
            refused.unanswered = True
            raise refused
        return response

    def _connection(self, parts: SplitResult, seconds: float) -> "_PinnedHttp | _PinnedHttps":
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        address = self._checked_address(host, port)
        if parts.scheme == "https":
            return _PinnedHttps(host, port, address=address, timeout=seconds, context=self._tls)
        return _PinnedHttp(host, port, address=address, timeout=seconds)

    def _checked_address(self, host: str, port: int) -> str:
        addresses = list(self._resolver(host, port))
        if not addresses:
            raise Refused("no_such_host", "the host name does not resolve")
        if f"{host}:{port}" not in self._trusted and not all(is_public(address) for address in addresses):
            raise Refused("private_address", "the address is not on the public internet")
        return addresses[0]

    def _exchange(
        self,
        connection: "_PinnedHttp | _PinnedHttps",
        method: str,
        parts: SplitResult,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Response:
        target = quote(parts.path or "/", safe="/%:=&;@!$'()*+,~-._") + (
            "?" + quote(parts.query, safe="/%:=&;@!$'()*+,~-._?[]") if parts.query else ""
        )
        sent = {"User-Agent": self._user_agent, "Accept-Encoding": "gzip", "Connection": "close", **headers}
        connection.request(method, target, body=body, headers=sent)
        connection.sent = True
        answer = connection.getresponse()
        received = {name.lower(): value for name, value in answer.getheaders()}
        content = self._answered(answer, received)
        return Response(status=answer.status, url=parts.geturl(), headers=received, content=content)

    def _answered(self, answer: http.client.HTTPResponse, headers: Mapping[str, str]) -> bytes:
        if answer.status == 200:
            return self._body(answer, headers, self._largest)
        if answer.status in _NO_BODY:
            return b""
        try:
            return self._body(answer, headers, LARGEST_ERROR)
        except (Refused, zlib.error, OSError, http.client.HTTPException):
            # the status has said what there is to know
            return b""

    def _body(self, answer: http.client.HTTPResponse, headers: Mapping[str, str], largest: int) -> bytes:
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > largest:
            raise _too_large(largest)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "", "gzip", "x-gzip"}:
            raise Refused("unknown_encoding", "the content encoding was not asked for")
        unpacker = None if encoding in {"identity", ""} else zlib.decompressobj(wbits=31)
        content, received = bytearray(), 0
        while chunk := answer.read1(CHUNK):
            received += len(chunk)
            content += unpacker.decompress(chunk, largest + 1 - len(content)) if unpacker else chunk
            if len(content) > largest or received > largest:
                raise _too_large(largest)
        if answer.length or (unpacker is not None and not unpacker.eof):
            raise Refused("cut_short", "the answer ended early")
        return bytes(content)


def checked_parts(url: str) -> SplitResult:
    """The parts of an http(s) address without user or password. Raises `Refused`."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Refused("bad_address", "the address is not a valid one") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise Refused("bad_address", "only http and https addresses are fetched")
    if parts.username is not None or parts.password is not None:
        raise Refused("bad_address", "an address may not carry a user name")
    return parts


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = checked_parts(url)
    return parts.scheme, parts.hostname, parts.port


def _without_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    """What may be sent to whom a redirect leads: a key is for the host it was given for."""
    return {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}


def _refusal(fault: Exception) -> Refused:
    if isinstance(fault, Refused):
        return fault
    if isinstance(fault, zlib.error):
        return Refused("bad_encoding", "the answer says it is gzip and is not")
    if isinstance(fault, ssl.SSLCertVerificationError):
        return Refused("bad_certificate", "the certificate is not one for this host")
    if isinstance(fault, TimeoutError):
        return _too_slow()
    return Refused("unreachable", f"the connection failed ({type(fault).__name__})")


def _too_large(largest: int) -> Refused:
    return Refused("too_large", f"the answer is larger than {largest:,} bytes", about_all=False)


def _too_slow() -> Refused:
    return Refused("too_slow", "the answer did not come in time")


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """Ends a fetch that trickles: every single read may be quick enough, the whole is not."""
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class _PinnedHttp(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, *, address: str, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address
        self.sent = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _PinnedHttps(http.client.HTTPSConnection):
    def __init__(
        self, host: str, port: int, *, address: str, timeout: float, context: ssl.SSLContext
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._address = address
        self.sent = False
        self._tls = context

    def connect(self) -> None:
        # the plain socket is set first, so that a handshake that trickles can be hung up on as well
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)
