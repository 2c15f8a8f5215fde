"""What the desk costs, watched from the region where AWS tells it."""

from aws_cdk import Duration, Environment, Stack
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infrastructure.constructs.budgets import CostAnomalies, MonthlyBudget
from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.notifications import let_publish, topic_name
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.queues import failure_queue
from infrastructure.settings import BILLING_REGION, Chat, StageSettings

SHARE = 0.8


class BillingStack(Stack):
    """Budget, cost anomalies and the alarm on estimated charges, with a topic and a key of this region.

    Chat lives here too: AWS lists this region for it, and a channel may hear topics of several.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(scope, construct_id, env=Environment(region=BILLING_REGION))
        key = CustomerKey(self, "Costs", purpose="messages about costs", settings=settings)
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=topic_name(settings, "costs"),
            display_name=f"{settings.prefix} costs",
            master_key=key,
            enforce_ssl=True,
        )
        for service, what in (
            ("budgets.amazonaws.com", "budgets"),
            ("costalerts.amazonaws.com", "anomalies"),
            ("cloudwatch.amazonaws.com", "alarms"),
        ):
            key.let_service(service)
            let_publish(self.topic, service, what)
        self.undelivered = failure_queue(self, "Undelivered")
        for address in settings.alarm_emails:
            self.topic.add_subscription(
                subscriptions.EmailSubscription(address, dead_letter_queue=self.undelivered)
            )
        MonthlyBudget(self, "Monthly", topic=self.topic, settings=settings)
        CostAnomalies(self, "Anomalies", topic=self.topic, settings=settings)
        self._charges(settings)
        if settings.chat:
            self._chat(settings.chat, settings)
        publish(self, "cost_topic_arn", self.topic.topic_arn, "Topic of budgets and cost anomalies")

    def _charges(self, settings: StageSettings) -> None:
        """The month's bill of the whole account, all stages and whatever else runs there."""
        alarm = cloudwatch.Alarm(
            self,
            "EstimatedCharges",
            alarm_name=f"{settings.prefix}-estimated-charges",
            alarm_description=(
                f"The account's month has cost more than {SHARE:.0%} of {settings.monthly_budget} dollars "
                f"({settings.name}). Runbook: {settings.runbooks}/estimated-charges.md"
            ),
            metric=cloudwatch.Metric(
                namespace="AWS/Billing",
                metric_name="EstimatedCharges",
                dimensions_map={"Currency": "USD"},
                statistic="Maximum",
                period=Duration.hours(6),
            ),
            threshold=SHARE * settings.monthly_budget,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        action = actions.SnsAction(self.topic)
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)

    def _chat(self, chat: Chat, settings: StageSettings) -> None:
        """The channel hears pages, tickets and costs. Nothing can be done from it: its role has no rights."""
        role = iam.Role(
            self,
            "ChatRole",
            description=f"{settings.prefix}: the chat channel hears and may do nothing",
            assumed_by=iam.ServicePrincipal("chatbot.amazonaws.com"),
        )
        topics = [
            self.topic,
            *(
                sns.Topic.from_topic_arn(
                    self,
                    f"{kind.capitalize()}OfTheStage",
                    self.format_arn(
                        service="sns", region=settings.region, resource=topic_name(settings, kind)
                    ),
                )
                for kind in ("pages", "tickets")
            ),
        ]
        chatbot.SlackChannelConfiguration(
            self,
            "Chat",
            slack_channel_configuration_name=f"{settings.prefix}-alarms",
            slack_workspace_id=chat.workspace,
            slack_channel_id=chat.channel,
            notification_topics=topics,
            role=role,
            guardrail_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("CloudWatchReadOnlyAccess"),
            ],
            logging_level=chatbot.LoggingLevel.ERROR,
        )
