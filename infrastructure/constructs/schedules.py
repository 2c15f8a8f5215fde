"""What runs by the clock, in Zürich's time."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.settings import StageSettings


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When a function runs; a missed run is retried `attempts` times within `within` seconds."""

    expression: str
    attempts: int
    within: int


TIMETABLE: Mapping[str, Timing] = {
    "fetch_social": Timing(expression="rate(1 minute)", attempts=0, within=60),
    "fetch_news": Timing(expression="rate(5 minutes)", attempts=1, within=240),
    "fetch_prices": Timing(expression="cron(30 0,1,6 * * ? *)", attempts=2, within=1_800),
    "recover": Timing(expression="rate(1 hour)", attempts=2, within=1_800),
    "comply": Timing(expression="rate(1 hour)", attempts=1, within=1_800),
    "evaluate": Timing(expression="cron(0 2 * * ? *)", attempts=5, within=14_400),
    "back_up": Timing(expression="cron(0 3 * * ? *)", attempts=5, within=14_400),
    "roll_signal_tables": Timing(expression="cron(30 3 * * ? *)", attempts=10, within=43_200),
    "clean_up": Timing(expression="cron(0 4 ? * SUN *)", attempts=5, within=43_200),
}
"""A fetch that failed is made good by the next one; a daily run is not, so it is tried for hours.

Prices are read when New York has been closed for an hour and a half at least (22 o'clock here, 21 for some
weeks of the year), again half an hour before the evaluation, which needs them, and in the morning for what
quotas or providers let through later.
"""


ALSO_IN_STANDBY = frozenset({"roll_signal_tables"})
"""The tables of the month have to be there when the second region takes over."""


class Schedule(Construct):
    """One function's schedule, with its own role and a queue for runs that could not be started."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        timing: Timing,
        function: lambda_.IFunction,
        failures: sqs.IQueue,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(
            self,
            "Role",
            description=f"{settings.prefix}: starts {name} by the clock",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
        )
        role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[failures.queue_arn]))
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"{name}, {settings.prefix}",
            schedule_expression=timing.expression,
            state="DISABLED" if settings.standby and name not in ALSO_IN_STANDBY else "ENABLED",
            schedule_expression_timezone=settings.time_zone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function_arn,
                role_arn=role.role_arn,
                input=f'{{"source":"bellwether.schedule","schedule":"{name}"}}',
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=timing.attempts, maximum_event_age_in_seconds=timing.within
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=failures.queue_arn),
            ),
        )
        # Without the policy the first run could come before the right to start it.
        schedule.node.add_dependency(role)
