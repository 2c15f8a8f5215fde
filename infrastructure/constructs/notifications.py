"""How an alarm reaches somebody: two topics, who hears them, and a queue that keeps what was sent."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.queues import failure_queue
from infrastructure.settings import StageSettings


class Notifications(Construct):
    """`pages` wakes somebody, `tickets` waits for the morning. Both go to the stage's e-mail addresses.

    `sent` keeps each message for two weeks: what was said, when, and the proof that the way is open.
    `undelivered` gets what a subscriber did not take.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        self.undelivered = failure_queue(self, "Undelivered")
        self.sent = sqs.Queue(
            self,
            "Sent",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            redrive_allow_policy=sqs.RedriveAllowPolicy(redrive_permission=sqs.RedrivePermission.DENY_ALL),
        )
        accept(
            self.sent,
            "A record nobody works off: there are no failed attempts to keep.",
            "AwsSolutions-SQS3",
            "Serverless-SQSRedrivePolicy",
        )
        accept(
            self.sent,
            "What alarms say names figures and thresholds, no content; the service encrypts it with its own "
            "key.",
            "CKV_AWS_27",
        )
        self.pages = self._topic("Pages", topic_name(settings, "pages"), key, settings.alarm_emails)
        self.tickets = self._topic("Tickets", topic_name(settings, "tickets"), key, settings.alarm_emails)

    def _topic(self, construct_id: str, name: str, key: kms.IKey, emails: Sequence[str]) -> sns.Topic:
        topic = sns.Topic(
            self, construct_id, topic_name=name, display_name=name, master_key=key, enforce_ssl=True
        )
        let_publish(topic, "cloudwatch.amazonaws.com", "alarms", source="cloudwatch")
        topic.add_subscription(
            subscriptions.SqsSubscription(
                self.sent, raw_message_delivery=True, dead_letter_queue=self.undelivered
            )
        )
        for address in emails:
            topic.add_subscription(
                subscriptions.EmailSubscription(address, dead_letter_queue=self.undelivered)
            )
        return topic


def topic_name(settings: StageSettings, kind: str) -> str:
    """The name, which stacks in other regions know a topic by."""
    return f"{settings.prefix}-{kind}"


def let_publish(topic: sns.Topic, service: str, what: str, *, source: str | None = None) -> None:
    """Lets an AWS service of this account publish.

    A policy on a topic replaces the one that lets the account's own services in: without this statement an
    alarm changes its state and nobody hears it. `source` narrows it to resources of that service.
    """
    stack = Stack.of(topic)
    conditions: dict[str, dict[str, str]] = {"StringEquals": {"aws:SourceAccount": stack.account}}
    if source:
        conditions["ArnLike"] = {"aws:SourceArn": stack.format_arn(service=source, resource="*")}
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid=f"Publish{what.capitalize()}",
            principals=[iam.ServicePrincipal(service)],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=conditions,
        )
    )
