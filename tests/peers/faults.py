"""What the web does to an API's answers, and what a provider's module has to say of it."""

from tests.peers.web import (
    Fault,
    Said,
    bomb,
    cut,
    html,
    instead,
    large,
    redirect,
    reset,
    status,
    trickle,
    truncated,
    utf16,
)

TOO_LARGE = 5_000_001

FAULTS: dict[str, tuple[Fault, str]] = {
    "truncated JSON": (truncated, "bad_answer"),
    "another encoding": (utf16, "bad_answer"),
    "a page for people": (html(), "bad_answer"),
    "an empty body": (instead(Said(200, b"")), "bad_answer"),
    "null": (instead(Said(200, b"null")), "bad_answer"),
    "a list": (instead(Said(200, b"[]")), "bad_answer"),
    "5 MB": (large(TOO_LARGE), "too_large"),
    "a bomb": (bomb(), "too_large"),
    "cut": (cut, "cut_short"),
    "reset": (reset, "unreachable"),
    "trickle": (trickle(0.05), "too_slow"),
    "a redirect inwards": (redirect("http://127.0.0.1:9/"), "private_address"),
    "a server error": (status(503, b"<html>over capacity</html>"), "http_503"),
    "a server error that says when": (status(500, b"", Retry_After="120"), "http_500"),
}
"""By name: the fault and the code it is told by."""
