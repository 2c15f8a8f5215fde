"""Faults of the engine in the desk's own words: whatever a route answers is a problem document."""

from .replies import problem
from .types import Message, Send

_DETAILS = {
    429: ("More is asked of this part of the desk at once than it takes: try again.", {"retry-after": "1"}),
    502: ("The function that answers here failed; `bellwether logs` says of what.", {}),
    503: ("The function that answers here cannot be started now: try again.", {"retry-after": "2"}),
    504: ("The function that answers here took too long; `bellwether logs` says where.", {}),
}
_OTHERS = ("The desk's engine failed; `bellwether logs --engine` says of what.", dict[str, str]())
_OF_THE_PRODUCT = b"application/problem+json"


class OwnWords:
    """Passes a route's answer on, unless the engine itself answered with a fault.

    The engine speaks of its own functions and limits, and says other things than API Gateway would in its
    place. Such an answer is replaced once it is whole; everything else goes through as it comes.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_engines(message):
            self._status = message["status"]
        elif self._status is None:
            await self._send(message)
        elif not message.get("more_body"):
            detail, headers = _DETAILS.get(self._status, _OTHERS)
            await problem(self._send, self._status, detail, headers)


def _is_engines(message: Message) -> bool:
    status: int = message["status"]
    told = {name.lower(): value for name, value in message.get("headers", ())}
    return (status == 429 or status >= 500) and not told.get(b"content-type", b"").startswith(_OF_THE_PRODUCT)
