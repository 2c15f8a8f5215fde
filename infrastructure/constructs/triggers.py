"""What feeds functions from queues and streams."""

from collections.abc import Sequence
from typing import Any

import jsii
from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.function import DeskFunction


@jsii.implements(lambda_.IDestination)
class SetAside:
    """A queue for what failed. The library's own destination also grants what only a reader needs."""

    def __init__(self, queue: sqs.IQueue) -> None:
        self._queue = queue

    def bind(
        self,
        _scope: Construct,
        fn: lambda_.IFunction,
        *,
        type: lambda_.DestinationType,  # noqa: A002, ARG002  the interface names it
    ) -> lambda_.DestinationConfig:
        fn.add_to_role_policy(_sending(self._queue))
        return lambda_.DestinationConfig(destination=self._queue.queue_arn)


@jsii.implements(lambda_.IEventSourceDlq)
class SetAsideRecords:
    """The same for what an event source mapping gives up on."""

    def __init__(self, queue: sqs.IQueue) -> None:
        self._queue = queue

    def bind(
        self, _target: lambda_.IEventSourceMapping, target_handler: lambda_.IFunction
    ) -> lambda_.DlqDestinationConfig:
        target_handler.add_to_role_policy(_sending(self._queue))
        return lambda_.DlqDestinationConfig(destination=self._queue.queue_arn)


def _sending(queue: sqs.IQueue) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn])


_READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")


def feed_from_queue(
    function: DeskFunction, queue: sqs.IQueue, *, batch: int, concurrency: int | None = None
) -> None:
    """Feeds a function with messages; those it reports as failed come again, the others do not.

    Its row of the functions' table grants it to receive them.
    """
    mapping = lambda_.EventSourceMapping(
        function,
        "Queue",
        target=function.invoked,
        event_source_arn=queue.queue_arn,
        batch_size=batch,
        report_batch_item_failures=True,
        max_concurrency=concurrency,
    )
    accept(
        mapping,
        "A queue's failures go to its own dead-letter queue; Lambda takes no destination for this source.",
        "Serverless-LambdaEventSourceMappingDestination",
    )
    # The service checks at creation that the role may read the queue.
    mapping.node.add_dependency(function.role)


def feed_from_stream(
    function: DeskFunction,
    table: dynamodb.ITableV2,
    failures: sqs.IQueue,
    *,
    filters: Sequence[dict[str, Any]],
) -> None:
    """Feeds a function with what is written to a table; records that keep failing end in `failures`.

    A failing batch is split and tried for five minutes: what was not pushed to a screen by then is read
    from the table at its next request.
    """
    stream = str(table.table_stream_arn)
    function.role.add_to_policy(iam.PolicyStatement(actions=list(_READ_STREAM), resources=[stream]))
    function.role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:ListStreams"], resources=["*"]))
    mapping = lambda_.EventSourceMapping(
        function,
        "Stream",
        target=function.invoked,
        event_source_arn=stream,
        starting_position=lambda_.StartingPosition.LATEST,
        batch_size=100,
        bisect_batch_on_error=True,
        retry_attempts=5,
        max_record_age=Duration.minutes(5),
        report_batch_item_failures=True,
        on_failure=SetAsideRecords(failures),
        filters=[lambda_.FilterCriteria.filter(pattern) for pattern in filters],
    )
    mapping.node.add_dependency(function.role)


def keep_failed_runs(function: DeskFunction, failures: sqs.IQueue) -> None:
    """Runs started without anybody waiting end in `failures` when they fail twice."""
    function.function.configure_async_invoke(
        on_failure=SetAside(failures),
        retry_attempts=1,
        max_event_age=Duration.hours(1),
    )
