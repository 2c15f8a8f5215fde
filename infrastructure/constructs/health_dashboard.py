"""The dashboard an operator opens first."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.conditions.condition import figure
from infrastructure.constructs.dashboard import MINUTE, DeskDashboard, graph
from infrastructure.constructs.function import DeskFunction
from infrastructure.settings import StageSettings


class HealthDashboard(DeskDashboard):
    """Alarms, the API's traffic and latency, functions' errors and durations, queues and their failures."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.RestApi,
        functions: Sequence[DeskFunction],
        queues: Mapping[str, sqs.IQueue],
        failures: Mapping[str, sqs.IQueue],
        alarms: Sequence[cloudwatch.IAlarm],
        settings: StageSettings,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            kind="health",
            title="System health",
            answers=(
                "Does the desk answer, how fast, and how often does it fail?",
                "Is anything waiting, lost or turned away?",
                "Do the schedules run?",
            ),
            runbooks=("incident-answers", "incident-work-lost", "incident-silence", "function-errors"),
            settings=settings,
        )
        self.show_alarms(alarms)
        self._answers(api)
        self.row(
            graph("Errors of functions", *(f.function.metric_errors(label=f.name) for f in functions)),
            graph(
                "Duration of functions, p95 (ms)",
                *(f.function.metric_duration(statistic="p95", label=f.name) for f in functions),
            ),
        )
        self._queues(queues, failures)
        self.row(
            graph("Calls turned away", *(f.function.metric_throttles(label=f.name) for f in functions)),
            graph(
                "Scheduled runs and failures",
                figure(settings, "Runs"),
                figure(settings, "RunFailures"),
                figure(settings, "MessageFailures"),
            ),
        )

    def _answers(self, api: apigateway.RestApi) -> None:
        stage = api.deployment_stage
        self.row(
            graph(
                "Answers a minute",
                stage.metric_count(period=MINUTE),
                stage.metric_client_error(statistic="Sum", period=MINUTE),
                stage.metric_server_error(statistic="Sum", period=MINUTE),
            ),
            graph(
                "Time to answer (ms)",
                *(stage.metric_latency(statistic=which, period=MINUTE) for which in ("p50", "p95", "p99")),
            ),
        )

    def _queues(self, queues: Mapping[str, sqs.IQueue], failures: Mapping[str, sqs.IQueue]) -> None:
        self.row(
            graph(
                "Failures waiting",
                *(
                    queue.metric_approximate_number_of_messages_visible(label=name, period=MINUTE)
                    for name, queue in failures.items()
                ),
            ),
            graph(
                "Age of the oldest message (s)",
                *(
                    queue.metric_approximate_age_of_oldest_message(label=name, period=MINUTE)
                    for name, queue in queues.items()
                ),
            ),
        )
