"""The API as its callers find it."""

from collections.abc import Iterator

from aws_cdk import aws_apigateway as apigateway

from infrastructure.conditions.condition import FIVE_MINUTES, Condition, Incident, figure
from infrastructure.settings import StageSettings

ERROR_RATE = 0.05
SLOW_MILLISECONDS = 2_000
AUTHORIZER_FAULTS = 3


def answer_conditions(api: apigateway.RestApi, settings: StageSettings) -> Iterator[Condition]:
    """5xx above 5 % for five minutes, a 95th percentile above two seconds for ten, no judge of callers."""
    stage = api.deployment_stage
    yield Condition(
        runbook="server-errors",
        meaning="More than 5 % of the API's answers are faults of ours",
        # the average of 5XXError is the share of requests that failed
        metric=stage.metric_server_error(statistic="Average", period=FIVE_MINUTES),
        threshold=ERROR_RATE,
        incident=Incident.ANSWERS,
    )
    yield Condition(
        runbook="slow-answers",
        meaning="The slowest twentieth of the API's answers takes more than two seconds",
        metric=stage.metric_latency(statistic="p95", period=FIVE_MINUTES),
        threshold=SLOW_MILLISECONDS,
        periods=2,
        incident=Incident.ANSWERS,
    )
    yield Condition(
        runbook="authorizer-faults",
        meaning="The authorizer cannot say who calls, so that nobody gets in",
        metric=figure(settings, "AuthorizerFaults"),
        threshold=AUTHORIZER_FAULTS,
        incident=Incident.ANSWERS,
    )
