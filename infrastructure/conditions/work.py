"""Functions, queues and tables: what goes wrong behind the API."""

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from infrastructure.conditions.condition import FIVE_MINUTES, MINUTE, Condition, Incident, figure
from infrastructure.constructs.function import DeskFunction
from infrastructure.settings import StageSettings

FUNCTION_ERRORS = 3
THROTTLES = 10
SPILL_OVER = 50
AGENT_FAILURES = 25
INGEST_LAG_SECONDS = 300
PROJECTION_LAG_SECONDS = 120
STREAM_LAG_MILLISECONDS = 60_000
TABLE_THROTTLES = 10


def failure_conditions(failures: Mapping[str, sqs.IQueue]) -> Iterator[Condition]:
    """Any message in a queue of failures."""
    for name, queue in failures.items():
        yield Condition(
            runbook="dead-letters",
            name=name,
            meaning=f"Something could not be done and waits in the queue of failures `{name}`",
            metric=queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=MINUTE),
            threshold=0,
            incident=Incident.WORK_LOST,
        )


def lag_conditions(ingest: sqs.IQueue, decisions: sqs.IQueue, broadcast: DeskFunction) -> Iterator[Condition]:
    """Queues and the stream are read too slowly, or not at all."""
    for runbook, queue, seconds, meaning in (
        ("ingest-lag", ingest, INGEST_LAG_SECONDS, "Accepted items wait too long to become signals"),
        ("projection-lag", decisions, PROJECTION_LAG_SECONDS, "The tables lag behind the ledger"),
    ):
        yield Condition(
            runbook=runbook,
            meaning=meaning,
            metric=queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=MINUTE),
            threshold=seconds,
            periods=5,
            incident=Incident.SILENCE,
        )
    yield Condition(
        runbook="stream-lag",
        meaning="Changes reach open dashboards more than a minute late",
        metric=broadcast.function.metric("IteratorAge", statistic="Maximum", period=FIVE_MINUTES),
        threshold=STREAM_LAG_MILLISECONDS,
    )


def function_conditions(functions: Sequence[DeskFunction], settings: StageSettings) -> Iterator[Condition]:
    """Functions that fail again and again: a single failure is retried, and shows in a queue if it stays.

    The authorizer refuses by failing, so its own faults are counted in `answers`.
    """
    for function in functions:
        if function.name != "authorizer":
            yield Condition(
                runbook="function-errors",
                name=function.name,
                meaning=f"{function.name} fails repeatedly",
                metric=function.function.metric_errors(statistic="Sum", period=FIVE_MINUTES),
                threshold=FUNCTION_ERRORS,
            )
        if isinstance(function.invoked, lambda_.Alias):
            yield Condition(
                runbook="spill-over",
                name=function.name,
                meaning=f"Callers of {function.name} wait for cold starts: too few environments are warm",
                metric=function.invoked.metric(
                    "ProvisionedConcurrencySpilloverInvocations", statistic="Sum", period=FIVE_MINUTES
                ),
                threshold=SPILL_OVER,
                periods=3,
            )
    yield Condition(
        runbook="throttles",
        meaning="Calls of functions are turned away for lack of concurrency",
        metric=lambda_.Function.metric_all_throttles(statistic="Sum", period=FIVE_MINUTES),
        threshold=THROTTLES,
    )
    yield Condition(
        runbook="agent-failures",
        meaning="An agent fails on many items, which counts as having no opinion",
        metric=figure(settings, "AgentFailures"),
        threshold=AGENT_FAILURES,
    )
    yield Condition(
        runbook="broken-ledger",
        meaning="An entry of the ledger does not follow from the one before it",
        metric=figure(settings, "BrokenLedgerLinks"),
        threshold=0,
        incident=Incident.WORK_LOST,
    )


def table_conditions(tables: Mapping[str, dynamodb.ITableV2]) -> Iterator[Condition]:
    """Requests a table turned away.

    CloudWatch ignores missing data of DynamoDB whatever an alarm says, and tables tell throttling only when
    there is some: without the filled zeros an alarm would stay on for ever.
    """
    for name, table in tables.items():
        throttled = {
            "reads": table.metric("ReadThrottleEvents", statistic="Sum", period=FIVE_MINUTES),
            "writes": table.metric("WriteThrottleEvents", statistic="Sum", period=FIVE_MINUTES),
        }
        yield Condition(
            runbook="table-throttles",
            name=name,
            meaning=f"Table {name} turns requests away",
            metric=cloudwatch.MathExpression(
                expression="FILL(reads, 0) + FILL(writes, 0)",
                using_metrics=throttled,
                period=FIVE_MINUTES,
                label="throttled requests",
            ),
            threshold=TABLE_THROTTLES,
        )
