"""The frame around every HTTP route: reads the call, checks the right, answers, maps every failure."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, Generic, TypeVar

from bellwether.domain.problems import Problem
from bellwether.domain.rights import Action
from bellwether.handlers.answers import Answer, proxy_response
from bellwether.handlers.figures import record
from bellwether.handlers.logs import begin, describe_fault, logger
from bellwether.handlers.problem_details import CONTENT_TYPE, internal, problem_body, retry_after
from bellwether.handlers.request import Call, read_call
from bellwether.handlers.settings import FunctionSettings, read_settings

S = TypeVar("S", bound=FunctionSettings)
P = TypeVar("P")


class Composed(Generic[S, P]):
    """The parts a function works with: settings read and adapters built once, at the cold start.

    Inside the runtime that is while the module loads, so that provisioned concurrency pays for it and a
    missing variable stops the first start of a deployment. A service that does not answer then is asked
    again by the first call.
    """

    def __init__(self, settings: type[S], compose: Callable[[S], P]) -> None:
        self._settings = settings
        self._compose = compose
        if "AWS_LAMBDA_RUNTIME_API" in os.environ:
            read_settings(settings)
            with suppress(Problem):
                self.parts  # noqa: B018

    @cached_property
    def parts(self) -> P:
        return self._compose(read_settings(self._settings))


class ApiFunction(Composed[S, P]):
    """A Lambda handler of one or more routes. `action` is the right a caller needs, `None` for the public."""

    def __init__(
        self,
        settings: type[S],
        compose: Callable[[S], P],
        respond: Callable[[Call, P], Answer],
        *,
        action: Action | None,
    ) -> None:
        super().__init__(settings, compose)
        self._respond = respond
        self._action = action

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return self.serve(event, context, lambda: self.parts)

    def serve(self, event: Mapping[str, Any], context: Any, parts: Callable[[], P]) -> dict[str, Any]:
        """Answers one event with the parts given."""
        began = time.perf_counter()
        call = read_call(event, str(getattr(context, "aws_request_id", "")))
        begin(module_name(self._respond), call.correlation_id)
        answer = self._answer(call, parts)
        milliseconds = round((time.perf_counter() - began) * 1000, 1)
        logger.info(
            "answered",
            method=call.method,
            route=call.route,
            status=answer.status,
            caller=call.caller,
            milliseconds=milliseconds,
        )
        tell(call.route, answer.status, milliseconds)
        return proxy_response(answer, correlation_id=call.correlation_id, event=event)

    def _answer(self, call: Call, parts: Callable[[], P]) -> Answer:
        try:
            if self._action is not None:
                call.user.require(self._action)
            return self._respond(call, parts())
        except Problem as problem:
            if problem.status >= 500:
                logger.error(
                    "unavailable", code=problem.code, detail=problem.detail, **describe_fault(problem)
                )
            else:
                logger.info("refused", code=problem.code, fault_path=problem.path)
            return problem_answer(problem, call)
        except Exception as fault:  # noqa: BLE001  whatever it is, its text must not reach the caller
            logger.error("failed", **describe_fault(fault))
            return problem_answer(internal(), call)


def module_name(work: Callable[..., Any]) -> str:
    """The handler's name: that of the module its work is written in."""
    return work.__module__.rpartition(".")[2]


def tell(route: str, status: int, milliseconds: float) -> None:
    """The figures of one answer."""
    record(
        {"route": route},
        Answers=1,
        Refusals=int(400 <= status < 500),
        Faults=int(status >= 500),
        AnswerMilliseconds=milliseconds,
        **({"Forbidden": 1} if status == 403 else {}),
    )


def problem_answer(problem: Problem, call: Call) -> Answer:
    """A problem as an answer, with `Retry-After` where there is one."""
    wait = retry_after(problem)
    return Answer(
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers={"Retry-After": str(wait)} if wait is not None else {},
        body=problem_body(problem, correlation_id=call.correlation_id, instance=call.path).decode(),
    )
