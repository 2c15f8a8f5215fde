"""The frame around functions of an SQS queue: each message on its own, failures reported one by one."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from bellwether.adapters.correlation import ATTRIBUTE, fit
from bellwether.domain.problems import Problem
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
        failed: list[str] = []
        for position, record in enumerate(records):
            if _time_is_up(context) or (failed and self._ordered):
                failed += [str(later["messageId"]) for later in records[position:]]
                break
            if not self._timed(record, request_id, parts):
                failed.append(str(record["messageId"]))
        self._hide([record for record in records if str(record["messageId"]) in failed], parts)
        begin(self._name, request_id)
        logger.info("worked", messages=len(records), failed=len(failed))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _hide(self, records: Iterable[Mapping[str, Any]], parts: P) -> None:
        """Brings failed messages back soon; where that does not work they come in the queue's own time."""
        if self._retries is None:
            return
        for record in records:
            received = int((record.get("attributes") or {}).get("ApproximateReceiveCount", 1))
            with suppress(Problem):
                self._retries(parts).hide(str(record["receiptHandle"]), wait_seconds(received))

    def _timed(self, record: Mapping[str, Any], request_id: object, parts: P) -> bool:
        """Works on one message under the id of whatever sent it, and tells its figures."""
        begin(self._name, correlation_of(record) or request_id)
        began = time.perf_counter()
        done = self._one(record, parts)
        sent = (record.get("attributes") or {}).get("SentTimestamp")
        figure(
            {"function": self._name},
            Messages=1,
            MessageFailures=int(not done),
            MessageMilliseconds=round((time.perf_counter() - began) * 1000, 1),
            **({"MessageWaitSeconds": waited(int(sent))} if sent else {}),
        )
        return done

    def _one(self, record: Mapping[str, Any], parts: P) -> bool:
        message_id = str(record["messageId"])
        try:
            told = self._work(str(record["body"]).encode(), parts)
        except Exception as fault:  # noqa: BLE001  one message must not sink the others; the queue repeats it
            received = (record.get("attributes") or {}).get("ApproximateReceiveCount")
            logger.error("failed", message_id=message_id, received=received, **describe_fault(fault))
            return False
        logger.info("done", message_id=message_id, result=dict(told))
        return True


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
