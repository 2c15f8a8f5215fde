"""Who may speak to which part of the port.

The engine trusts every caller on the machine: its root key is public knowledge and one request wipes it.
A web page open in the owner's browser is such a caller too, either directly (a cross-site request) or through
a name that resolves to loopback (DNS rebinding). So a request that a browser sent reaches the product's own
paths only, and a request addressed to any name but loopback's reaches nothing.
"""

import ipaddress
from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]

# Sent by browsers and by no AWS SDK or command line. Any of them marks a request a page may have caused.
_BROWSER_HEADERS = frozenset({b"origin", b"referer", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"})

# The engine's maintenance calls (wipe, reconfigure, read every message) have no caller on a desk.
_CLOSED_PREFIXES = ("/_ministack", "/_localstack")
_DATA_PREFIXES = ("/_aws/execute-api/", "/_aws/lambda-url/")
# Where a custom resource's function reports to; its address carries a token only that function was given.
_REPORT_PREFIXES = ("/_ministack/cfn-response/", "/_ministack/cfn-signal/")


def header(headers: Headers, name: bytes) -> str | None:
    """The first value of a header (name in lower case), or None."""
    for key, value in headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None


def is_loopback(host: str | None) -> bool:
    """Whether a Host header names this machine's loopback, with or without a port."""
    if not host:
        return False
    name = host.strip().lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def from_browser(headers: Headers) -> bool:
    """Whether a browser sent this, judged by headers a page's script cannot remove."""
    for key, value in headers:
        lowered = key.lower()
        if lowered in _BROWSER_HEADERS:
            return True
        if lowered == b"user-agent" and value.startswith(b"Mozilla/"):
            return True
    return False


def same_origin(headers: Headers) -> bool:
    """Whether a request's Origin, if it has one, is the page this port itself served."""
    headers = list(headers)
    origin = header(headers, b"origin")
    if origin is None:
        return header(headers, b"sec-fetch-site") in (None, "same-origin", "none")
    return origin.partition("://")[2] == (header(headers, b"host") or "")


def is_signed(headers: Headers, query: bytes) -> bool:
    """Whether this is an AWS API call (signed in its header or its query) and not the product's own."""
    authorization = header(headers, b"authorization") or ""
    return authorization.startswith("AWS4-") or b"X-Amz-Signature=" in query or b"X-Amz-Credential=" in query


def is_closed(path: str, method: str) -> bool:
    """Whether an engine path is refused to everyone: its maintenance calls and message readers."""
    if path.startswith("/_aws/"):
        return not path.startswith(_DATA_PREFIXES)
    if path.startswith(_REPORT_PREFIXES):
        return method != "PUT"
    return path.startswith(_CLOSED_PREFIXES)
