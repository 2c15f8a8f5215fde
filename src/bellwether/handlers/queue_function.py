"""The frame around functions of an SQS queue: each message on its own, failures reported one by one."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from bellwether.adapters.correlation import ATTRIBUTE, fit
from bellwether.domain.problems import Held, Problem
from bellwether.handlers.api_function import Composed, module_name
from bellwether.handlers.figures import record as figure
from bellwether.handlers.logs import begin, describe_fault, logger
from bellwether.handlers.settings import FunctionSettings
from bellwether.handlers.time_left import begin_within
from bellwether.usecases.ports import QueueRetries

S = TypeVar("S", bound=FunctionSettings)
P = TypeVar("P")

LEAST_MILLISECONDS = 5_000
"""With less time than this left no further message is begun: it would be killed in the middle."""


LONGEST_WAIT_SECONDS = 300


def wait_seconds(received: int) -> int:
    """Seconds until a message that was received so often comes again: 2, 4, 8, … at most five minutes.

    The queue's own time must be long enough for a killed function (six timeouts); one that failed cleanly
    need not wait for that.
    """
    return min(LONGEST_WAIT_SECONDS, int(2 ** min(received, 30)))


class QueueFunction(Composed[S, P]):
    """A Lambda handler of a queue. `work` takes the body of one message and gives what to log of it.

    With `ordered` (FIFO queues) nothing after a failed message is done: it comes again in the same order.
    """

    def __init__(
        self,
        settings: type[S],
        compose: Callable[[S], P],
        work: Callable[[bytes, P], Mapping[str, Any]],
        *,
        ordered: bool = False,
        retries: Callable[[P], QueueRetries] | None = None,
    ) -> None:
        super().__init__(settings, compose)
        self._work = work
        self._ordered = ordered
        self._retries = retries
        self._name = module_name(work)

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return self.serve(event, context, self.parts)

    def serve(self, event: Mapping[str, Any], context: Any, parts: P) -> dict[str, Any]:
        """Works through the messages of one event; gives the partial batch response."""
        records = event.get("Records", [])
        request_id = getattr(context, "aws_request_id", None)
        begin(self._name, request_id)
        begin_within(context)
        failed: list[tuple[Mapping[str, Any], int]] = []
        for position, record in enumerate(records):
            if _time_is_up(context) or (failed and self._ordered):
                failed += [(later, wait_seconds(received(later))) for later in records[position:]]
                break
            wait = self._timed(record, request_id, parts)
            if wait is not None:
                failed.append((record, wait))
        self._hide(failed, parts)
        begin(self._name, request_id)
        logger.info("worked", messages=len(records), failed=len(failed))
        return {"batchItemFailures": [{"itemIdentifier": str(record["messageId"])} for record, _ in failed]}

    def _hide(self, failed: Iterable[tuple[Mapping[str, Any], int]], parts: P) -> None:
        """Brings failed messages back soon; where that does not work they come in the queue's own time."""
        if self._retries is None:
            return
        for record, seconds in failed:
            with suppress(Problem):
                self._retries(parts).hide(str(record["receiptHandle"]), seconds)

    def _timed(self, record: Mapping[str, Any], request_id: object, parts: P) -> int | None:
        """Works on one message under the id of whatever sent it, and tells its figures."""
        begin(self._name, correlation_of(record) or request_id)
        began = time.perf_counter()
        wait = self._one(record, parts)
        sent = (record.get("attributes") or {}).get("SentTimestamp")
        figure(
            {"function": self._name},
            Messages=1,
            MessageFailures=int(wait is not None),
            MessageMilliseconds=round((time.perf_counter() - began) * 1000, 1),
            **({"MessageWaitSeconds": waited(int(sent))} if sent else {}),
        )
        return wait

    def _one(self, record: Mapping[str, Any], parts: P) -> int | None:
        """`None` when it is done, else in how many seconds to try again."""
        message_id, times = str(record["messageId"]), received(record)
        try:
            told = self._work(str(record["body"]).encode(), parts)
        except Held as held:
            # Not a moment earlier: each delivery counts on the way to the queue of failures.
            logger.info("held", message_id=message_id, received=str(times), seconds=held.seconds)
            return held.seconds
        except Exception as fault:  # noqa: BLE001  one message must not sink the others; the queue repeats it
            logger.error("failed", message_id=message_id, received=str(times), **describe_fault(fault))
            return wait_seconds(times)
        logger.info("done", message_id=message_id, result=dict(told))
        return None


def received(record: Mapping[str, Any]) -> int:
    """How often a message was delivered so far, this time included."""
    return int((record.get("attributes") or {}).get("ApproximateReceiveCount", 1))


def correlation_of(record: Mapping[str, Any]) -> str | None:
    """The id a message carries; `None` when it carries none that can stand in a log."""
    attribute = (record.get("messageAttributes") or {}).get(ATTRIBUTE) or {}
    return fit(attribute.get("stringValue"))


def waited(sent: int) -> float:
    """Seconds since a message was first sent (milliseconds of Unix time); clocks that disagree give 0."""
    return round(max(time.time() - sent / 1000, 0.0), 3)


def _time_is_up(context: Any) -> bool:
    left = getattr(context, "get_remaining_time_in_millis", None)
    return left is not None and int(left()) < LEAST_MILLISECONDS
