"""How a command fails: what went wrong, what to do next, and the exit code scripts can rely on."""

from typing import Any

from bellwether.domain.problems import Problem

DONE, FAILED, WRONG_USE, NOT_RUNNING, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130

_EXIT_BY_STATUS = {
    400: WRONG_USE,
    401: REFUSED,
    403: REFUSED,
    409: REFUSED,
    413: WRONG_USE,
    422: WRONG_USE,
    503: NOT_RUNNING,
}


def exit_code_of(status: int) -> int:
    """The exit code for an HTTP status: 2 wrong use, 3 not reachable, 4 refused (rights, state), else 1."""
    return _EXIT_BY_STATUS.get(status, FAILED)


class Failure(Exception):
    """Ends a command. `hint` is the next thing to do, as a sentence or a command line."""

    exit_code = FAILED
    title = "That did not work"

    def __init__(
        self, detail: str, *, title: str | None = None, hint: str | None = None, exit_code: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.title = title or type(self).title
        self.hint = hint
        self.exit_code = type(self).exit_code if exit_code is None else exit_code
        self.members: dict[str, Any] = {}

    def document(self) -> dict[str, Any]:
        """The one JSON document of a failed command with `--json` (members as in RFC 9457, plus ours)."""
        told = {"title": self.title, "detail": self.detail, **self.members}
        if self.hint:
            told["hint"] = self.hint
        return {"error": {**told, "exit_code": self.exit_code}}


class WrongUse(Failure):
    """The command line, or a file it names, does not make sense."""

    exit_code = WRONG_USE
    title = "That is not how this command is used"


class NotRunning(Failure):
    """Nothing answers where the desk should be."""

    exit_code = NOT_RUNNING
    title = "The desk is not running"


class Refused(Failure):
    """Rights or state do not allow it."""

    exit_code = REFUSED
    title = "That was refused"


class ApiProblem(Failure):
    """A problem document (RFC 9457) the API answered with."""

    def __init__(self, status: int, problem: dict[str, Any], *, hint: str | None = None) -> None:
        super().__init__(
            str(problem.get("detail") or problem.get("message") or f"the API answered {status}"),
            title=str(problem.get("title") or f"The API answered {status}"),
            hint=hint,
            exit_code=exit_code_of(status),
        )
        self.status = status
        self.path = problem.get("path")
        known = {"title", "detail", "message"}
        self.members = {"status": status, **{k: v for k, v in problem.items() if k not in known}}


def failure_of(problem: Problem, *, hint: str | None = None) -> Failure:
    """The same for a problem raised on this side of the network (adapters, use cases)."""
    body = {"title": problem.title, "detail": problem.detail, "code": problem.code, **problem.members}
    if problem.path:
        body["path"] = problem.path
    return ApiProblem(problem.status, body, hint=hint)
