"""Attempts at what is not allowed. What the account shows (root, keys, roles) belongs to its baseline."""

from collections.abc import Iterator

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import IConstruct

from infrastructure.conditions.condition import FIVE_MINUTES, Condition, Incident, figure
from infrastructure.constructs.firewall import Firewall
from infrastructure.settings import Feature, StageSettings

FAILED_SIGN_INS = 20
UNAUTHORIZED = 100
FORBIDDEN = 20
DENIED = 20
BLOCKED = 1_000


def caller_conditions(settings: StageSettings) -> Iterator[Condition]:
    """Calls without a valid token, by people without the right, and what the gateway's policy stopped."""
    yield Condition(
        runbook="unauthorized-calls",
        meaning="Many calls carry no valid token or key",
        metric=figure(settings, "Unauthorized"),
        threshold=UNAUTHORIZED,
        incident=Incident.ATTACK,
    )
    yield Condition(
        runbook="forbidden-calls",
        name="functions",
        meaning="Somebody who is known keeps calling what their roles do not allow",
        metric=figure(settings, "Forbidden"),
        threshold=FORBIDDEN,
        incident=Incident.ATTACK,
    )
    if settings.has(Feature.ACCESS_LOG_ROLE):
        yield Condition(
            runbook="forbidden-calls",
            name="gateway",
            meaning="The gateway keeps turning somebody away by policy",
            metric=figure(settings, "DeniedAtGateway"),
            threshold=DENIED,
            incident=Incident.ATTACK,
        )


def sign_in_conditions(pool_id: str, client_id: str) -> Iterator[Condition]:
    """Sign-ins that failed: Cognito tells each attempt as 1 or 0."""

    def attempts(statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Cognito",
            metric_name="SignInSuccesses",
            dimensions_map={"UserPool": pool_id, "UserPoolClient": client_id},
            statistic=statistic,
            period=FIVE_MINUTES,
        )

    yield Condition(
        runbook="failed-sign-ins",
        meaning="Many sign-ins fail",
        metric=cloudwatch.MathExpression(
            expression="attempts - successes",
            using_metrics={"attempts": attempts("SampleCount"), "successes": attempts("Sum")},
            period=FIVE_MINUTES,
            label="failed sign-ins",
        ),
        threshold=FAILED_SIGN_INS,
        incident=Incident.ATTACK,
    )


def firewall_conditions(scope: IConstruct, settings: StageSettings) -> Iterator[Condition]:
    """Requests the web application firewall blocked."""
    yield Condition(
        runbook="firewall-blocks",
        meaning="The firewall blocks unusually many requests",
        metric=cloudwatch.Metric(
            namespace="AWS/WAFV2",
            metric_name="BlockedRequests",
            dimensions_map={
                "WebACL": Firewall.metric_name(settings),
                "Rule": "ALL",
                "Region": Stack.of(scope).region,
            },
            statistic="Sum",
            period=FIVE_MINUTES,
        ),
        threshold=BLOCKED,
        incident=Incident.ATTACK,
    )
