"""Queues, each with the queue its failures end in."""

from typing import Any, cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.constructs.acknowledged import accept

WAIT_FACTOR = 6
"""A message stays invisible for this many timeouts of its function, so that a retry never overlaps a slow
run.
"""
KEEP_FAILURES = Duration.days(14)
_CLAIM_CHECKS = (
    "Messages are addresses and sequence numbers, no content; the service encrypts them with its own key."
)


class WorkQueue(Construct):
    """A queue and its dead-letter queue. `timeout` is that of the function that reads it, in seconds.

    The queue has a name of its own, because its dead-letter queue names it as the only one that may end
    there, and of two resources only one can refer to the other.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        timeout: int,
        attempts: int = 5,
        fifo: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"{prefix}-{construct_id.lower()}{'.fifo' if fifo else ''}"
        self.failures = failure_queue(self, "Failures", fifo=fifo, of=name)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            fifo=fifo or None,
            content_based_deduplication=True if fifo else None,
            visibility_timeout=Duration.seconds(WAIT_FACTOR * timeout),
            retention_period=Duration.days(4),
            receive_message_wait_time=Duration.seconds(20),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.failures, max_receive_count=attempts),
        )
        accept(self.queue, _CLAIM_CHECKS, "CKV_AWS_27")


def failure_queue(
    scope: Construct, construct_id: str, *, fifo: bool = False, of: str | None = None
) -> sqs.Queue:
    """A queue for what could not be done; an alarm watches it and `queue redrive` empties it.

    It is the dead-letter queue of the queue named `of` alone, or of none: then schedules, streams and
    asynchronous calls send their failures there.
    """
    queue = sqs.Queue(
        scope,
        construct_id,
        fifo=fifo or None,
        retention_period=KEEP_FAILURES,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
    )
    # As a text, not as a queue: the queue itself already refers to this one.
    resource = cast("sqs.CfnQueue", queue.node.default_child)
    resource.redrive_allow_policy = _allowing(Stack.of(queue), of)
    accept(
        queue,
        "This is the queue where other queues' failures end.",
        "AwsSolutions-SQS3",
        "Serverless-SQSRedrivePolicy",
    )
    accept(queue, _CLAIM_CHECKS, "CKV_AWS_27")
    return queue


def _allowing(stack: Stack, name: str | None) -> dict[str, Any]:
    if name is None:
        return {"redrivePermission": "denyAll"}
    return {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [stack.format_arn(service="sqs", resource=name)],
    }
