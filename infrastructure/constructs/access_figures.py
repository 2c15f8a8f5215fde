"""Figures the gateway's access log tells: requests that never reached a function."""

from aws_cdk import aws_logs as logs
from constructs import Construct

from bellwether.handlers.figure_names import namespace
from infrastructure.settings import StageSettings


class AccessFigures(Construct):
    """Counts what the gateway turned away because the authorizer's policy said so."""

    def __init__(
        self, scope: Construct, construct_id: str, *, log: logs.ILogGroup, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        logs.MetricFilter(
            self,
            "Denied",
            log_group=log,
            filter_pattern=logs.FilterPattern.string_value("$.refused_because", "=", "ACCESS_DENIED"),
            metric_namespace=namespace(settings.name),
            metric_name="DeniedAtGateway",
            metric_value="1",
            default_value=0,
        )
