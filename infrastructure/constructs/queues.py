"""Queues, each with the queue its failures end in."""

from aws_cdk import Duration
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
    """A queue and its dead-letter queue. `timeout` is that of the function that reads it, in seconds."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        timeout: int,
        attempts: int = 5,
        fifo: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.failures = failure_queue(self, "Failures", fifo=fifo)
        self.queue = sqs.Queue(
            self,
            "Queue",
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


def failure_queue(scope: Construct, construct_id: str, *, fifo: bool = False) -> sqs.Queue:
    """A queue for what could not be done; an alarm watches it and `queue redrive` empties it."""
    queue = sqs.Queue(
        scope,
        construct_id,
        fifo=fifo or None,
        retention_period=KEEP_FAILURES,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
    )
    accept(
        queue,
        "This is the queue where other queues' failures end.",
        "AwsSolutions-SQS3",
        "Serverless-SQSRedrivePolicy",
    )
    accept(queue, _CLAIM_CHECKS, "CKV_AWS_27")
    return queue
