"""Errors as RFC 9457 problem details: what a caller can act on, and never the text of an exception."""

import msgspec
from msgspec import UNSET, Struct, UnsetType

from bellwether.domain.problems import Problem, TooManyRequests, Unavailable

CONTENT_TYPE = "application/problem+json"
LONGEST_DETAIL = 500
RETRY_AFTER = {TooManyRequests.status: 10, Unavailable.status: 2}


class ProblemDetails(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. A problem may have members of its own beside these, such as the `limit` that was exceeded.

    `code` is the stable name of what went wrong, `path` the JSON path of the fault in the request,
    `correlation_id` what to ask about it with.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str | UnsetType = UNSET
    instance: str | UnsetType = UNSET
    correlation_id: str | UnsetType = UNSET
    path: str | UnsetType = UNSET


class MethodNotAllowed(Problem):
    status, code, title = 405, "method_not_allowed", "This route does not take that method"


class UnsupportedMediaType(Problem):
    status, code, title = 415, "unsupported_media_type", "The body is not of a type this route reads"


def internal() -> Problem:
    """What a caller is told of a fault of ours: nothing but the id to ask about it with."""
    return Problem("The fault is logged under the correlation id of this answer.")


def problem_body(problem: Problem, *, correlation_id: str, instance: str) -> bytes:
    """The problem as JSON; `path` is the JSON path of the fault in the request, where there is one."""
    # what a service said of itself names tables and buckets: that is for the log
    detail = "Try again shortly." if isinstance(problem, Unavailable) else problem.detail
    told = ProblemDetails(
        type=f"urn:bellwether:problem:{problem.code}",
        title=problem.title,
        status=problem.status,
        detail=detail[:LONGEST_DETAIL],
        code=problem.code,
        instance=instance,
        correlation_id=correlation_id,
        path=UNSET if problem.path is None else problem.path,
    )
    return msgspec.json.encode({**problem.members, **msgspec.to_builtins(told)})


def retry_after(problem: Problem) -> int | None:
    """Whole seconds after which the same request may succeed, for the statuses that say so."""
    told = problem.members.get("retry_after")
    return int(told) if told is not None else RETRY_AFTER.get(problem.status)
