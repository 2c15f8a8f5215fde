"""Execution environments kept warm, as many as the traffic asks for."""

from aws_cdk import TimeZone
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infrastructure.settings import StageSettings

TARGET = 0.7
MOST = 5


class WarmAlias(Construct):
    """The alias `live` of a function's current version, with provisioned concurrency that follows its use.

    Outside trading hours fewer environments need to be warm; how many more are, still follows the use.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, function: lambda_.Function, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        environments = settings.provisioned
        self.alias = lambda_.Alias(
            self,
            "Live",
            alias_name="live",
            version=function.current_version,
            provisioned_concurrent_executions=environments,
        )
        target = self.alias.add_auto_scaling(min_capacity=environments, max_capacity=environments * MOST)
        target.scale_on_utilization(utilization_target=TARGET)
        if settings.provisioned_at_rest < environments:
            opens, closes = settings.trading_hours
            for name, hour, least in (
                ("Opening", opens, environments),
                ("Closing", closes, settings.provisioned_at_rest),
            ):
                target.scale_on_schedule(
                    name,
                    schedule=scaling.Schedule.cron(minute="0", hour=str(hour), week_day="MON-FRI"),
                    time_zone=TimeZone.of(settings.time_zone),
                    min_capacity=least,
                    max_capacity=environments * MOST,
                )
