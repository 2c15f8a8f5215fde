"""What can go wrong, in the terms a caller can act on (RFC 9457 problem details are made from these)."""

from collections.abc import Mapping
from typing import Any


class Problem(Exception):
    """A refusal with a stable `code`, a sentence for people and, where there is one, the `path` of the fault.

    `status` is the HTTP status the API answers with; the command line maps it to an exit code.
    """

    status = 500
    code = "internal"
    title = "Something went wrong on our side"

    def __init__(self, detail: str, *, path: str | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path
        self.members: Mapping[str, Any] = members


class InvalidInput(Problem):
    status, code, title = 400, "invalid_input", "The request is not valid"


class Unauthenticated(Problem):
    status, code, title = 401, "unauthenticated", "A valid token is needed"


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "You do not have the right to do this"


class NotFound(Problem):
    status, code, title = 404, "not_found", "There is no such thing"


class Conflict(Problem):
    status, code, title = 409, "conflict", "The state has changed since you looked"


class TooLarge(Problem):
    status, code, title = 413, "too_large", "The request is too large"


class IdempotencyMismatch(Problem):
    status, code, title = 422, "idempotency_mismatch", "This Idempotency-Key was used for a different request"


class TooManyRequests(Problem):
    status, code, title = 429, "too_many_requests", "Slow down"


class Unavailable(Problem):
    status, code, title = 503, "unavailable", "A part we depend on does not answer"


class Held(Unavailable):
    """Somebody else is at it; in `seconds` nobody is any more, done or not."""

    def __init__(self, detail: str, *, seconds: int) -> None:
        super().__init__(detail)
        self.seconds = seconds
