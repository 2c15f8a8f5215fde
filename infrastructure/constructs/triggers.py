"""What feeds functions from queues and streams."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.function import DeskFunction

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
    function.role.add_to_policy(
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[failures.queue_arn])
    )
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
        on_failure=sources.SqsDlq(failures),
        filters=[lambda_.FilterCriteria.filter(pattern) for pattern in filters],
    )
    mapping.node.add_dependency(function.role)


def keep_failed_runs(function: DeskFunction, failures: sqs.IQueue) -> None:
    """Runs started without anybody waiting end in `failures` when they fail twice."""
    function.function.configure_async_invoke(
        on_failure=destinations.SqsDestination(failures),
        retry_attempts=1,
        max_event_age=Duration.hours(1),
    )
