"""The frame around functions of a schedule: a line of log, and a failure that says nothing private."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bellwether.handlers.api_function import Composed, module_name
from bellwether.handlers.figures import record
from bellwether.handlers.logs import begin, describe_fault, logger
from bellwether.handlers.settings import FunctionSettings

S = TypeVar("S", bound=FunctionSettings)
P = TypeVar("P")
SPARE_SECONDS = 20.0


class Failed(RuntimeError):
    """The run failed and may be repeated; what happened is in the log of the same request id."""


class ScheduledFunction(Composed[S, P]):
    """A Lambda handler of a schedule. `work` gets the seconds it has and gives what to log and to return."""

    def __init__(
        self,
        settings: type[S],
        compose: Callable[[S], P],
        work: Callable[[Mapping[str, Any], P, float], dict[str, Any]],
    ) -> None:
        super().__init__(settings, compose)
        self._work = work
        self._name = module_name(work)

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return self.serve(event, context, lambda: self.parts)

    def serve(self, event: Mapping[str, Any], context: Any, parts: Callable[[], P]) -> dict[str, Any]:
        """Runs once with the parts given. Raises `Failed`, so that the schedule repeats and then gives up."""
        begin(self._name, getattr(context, "aws_request_id", None))
        began = time.perf_counter()
        try:
            told = self._work(event, parts(), seconds_left(context))
        except Exception as fault:  # noqa: BLE001  its text must not leave the function
            logger.error("failed", **describe_fault(fault))
            self._tell(began, failed=True)
            raise Failed(f"the run failed ({type(fault).__name__})") from None
        logger.info("done", result=told)
        self._tell(began, failed=False)
        return told

    def _tell(self, began: float, *, failed: bool) -> None:
        record(
            {"function": self._name},
            Runs=1,
            RunFailures=int(failed),
            RunMilliseconds=round((time.perf_counter() - began) * 1000, 1),
        )


def seconds_left(context: Any) -> float:
    """Time for the work, with some kept back to finish in; a minute when nobody says."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    return max(int(left()) / 1000 - SPARE_SECONDS, 1.0) if left is not None else 60.0
