"""The alarms: each names what it watches, and all notify one topic."""

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.constructs.function import DeskFunction
from infrastructure.constructs.publishing import let_publish
from infrastructure.settings import StageSettings

ERROR_RATE = 0.05
SLOW_MILLISECONDS = 2_000
FUNCTION_ERRORS = 3


class Alarms(Construct):
    """The topic, and an alarm for each condition the operator must hear of. `watched` lists them for the
    dashboard.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = settings.name
        self.topic = sns.Topic(
            self, "Topic", display_name=f"{settings.prefix} alarms", master_key=key, enforce_ssl=True
        )
        let_publish(self.topic, "cloudwatch.amazonaws.com")
        self.watched: list[cloudwatch.Alarm] = []

    def watch_api(self, api: apigateway.RestApi) -> None:
        """5xx above 5 % for five minutes, and a 95th percentile above two seconds for ten."""
        stage = api.deployment_stage
        # The average of 5XXError is the share of requests that failed.
        self._watch(
            "ServerErrors",
            "More than 5 % of the API's answers are faults of ours",
            stage.metric_server_error(statistic="Average", period=Duration.minutes(5)),
            threshold=ERROR_RATE,
        )
        self._watch(
            "SlowAnswers",
            "The slowest twentieth of the API's answers takes more than two seconds",
            stage.metric_latency(statistic="p95", period=Duration.minutes(5)),
            threshold=SLOW_MILLISECONDS,
            periods=2,
        )

    def watch_failures(self, name: str, queue: sqs.IQueue) -> None:
        """Any message in a queue of failures."""
        self._watch(
            f"Failures{_id(name)}",
            f"Something could not be done and waits in the queue of failures `{name}`",
            queue.metric_approximate_number_of_messages_visible(
                statistic="Maximum", period=Duration.minutes(1)
            ),
            threshold=0,
        )

    def watch_function(self, function: DeskFunction) -> None:
        """A function that fails again and again; a single failure is retried and shows in a queue if it
        stays.
        """
        self._watch(
            f"Errors{_id(function.name)}",
            f"{function.name} fails repeatedly",
            function.function.metric_errors(statistic="Sum", period=Duration.minutes(5)),
            threshold=FUNCTION_ERRORS,
        )

    def _watch(
        self, name: str, meaning: str, metric: cloudwatch.Metric, *, threshold: float, periods: int = 1
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=f"{meaning} ({self._stage}).",
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        action = actions.SnsAction(self.topic)
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
        self.watched.append(alarm)


def _id(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
