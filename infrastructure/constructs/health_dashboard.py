"""The dashboard an operator opens first."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.constructs.function import DeskFunction

_WIDTH = 12
_MINUTE = Duration.minutes(1)


class HealthDashboard(Construct):
    """Alarms, the API's traffic and latency, functions' errors and durations, queues of failures."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.RestApi,
        functions: Sequence[DeskFunction],
        failures: Mapping[str, sqs.IQueue],
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        stage = api.deployment_stage
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=Duration.hours(12))
        self.dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(alarms=list(alarms), title="Alarms", width=24, height=4)
        )
        self.dashboard.add_widgets(
            _graph(
                "Answers a minute",
                stage.metric_count(period=_MINUTE),
                stage.metric_client_error(statistic="Sum", period=_MINUTE),
                stage.metric_server_error(statistic="Sum", period=_MINUTE),
            ),
            _graph(
                "Time to answer (ms)",
                *(stage.metric_latency(statistic=which, period=_MINUTE) for which in ("p50", "p95", "p99")),
            ),
        )
        self.dashboard.add_widgets(
            _graph("Errors of functions", *(f.function.metric_errors(label=f.name) for f in functions)),
            _graph(
                "Duration of functions, p95 (ms)",
                *(f.function.metric_duration(statistic="p95", label=f.name) for f in functions),
            ),
        )
        self.dashboard.add_widgets(
            _graph(
                "Failures waiting",
                *(
                    queue.metric_approximate_number_of_messages_visible(label=name, period=_MINUTE)
                    for name, queue in failures.items()
                ),
            ),
            _graph("Calls turned away", *(f.function.metric_throttles(label=f.name) for f in functions)),
        )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=_WIDTH)
