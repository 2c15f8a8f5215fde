"""API Gateway's limit on a request body, which the engine does not have."""

from .guard import header
from .types import Message, Receive, Scope

LIMIT = 10 * 1024 * 1024
"""Bytes. https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (payload size, REST)"""


class TooLarge(Exception):
    """The body is over the limit."""


class Gone(Exception):
    """The client left before its body was complete."""


async def bounded(scope: Scope, receive: Receive) -> Receive:
    """Read the body and hand back a receive that replays it.

    Raises TooLarge as soon as the length is declared or reached, so an oversized upload costs one buffer.
    """
    declared = header(scope["headers"], b"content-length")
    if declared and declared.isdigit() and int(declared) > LIMIT:
        raise TooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > LIMIT:
            raise TooLarge
        if not message.get("more_body", False):
            break
    return _replay(b"".join(chunks), receive)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
