"""The account's baseline: what an organisation would have, for an account that has no organisation."""

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infrastructure.constructs.account_alarms import AccountAlarms
from infrastructure.constructs.audit_trail import AuditTrail
from infrastructure.constructs.configuration_record import ConfigurationRecord
from infrastructure.constructs.detection import Detection
from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.notifications import let_publish
from infrastructure.constructs.outputs import publish
from infrastructure.settings import StageSettings
from infrastructure.stacks.environment import environment


class AccountStack(Stack):
    """The trail with its alarms, the configuration record and detection; all tell one topic.

    An account has one recorder, one hub and one detector in a region: only one stage of an account builds
    this, and none where an organisation has done so (see `Feature.ACCOUNT_BASELINE`).
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        key = CustomerKey(
            self,
            "Account",
            purpose="the account's trail, configuration record and security notices",
            settings=settings,
            through=("s3", "sns"),
        )
        key.let_service("cloudwatch.amazonaws.com")
        self.topic = sns.Topic(
            self, "Topic", display_name=f"{settings.prefix} account", master_key=key, enforce_ssl=True
        )
        let_publish(self.topic, "cloudwatch.amazonaws.com", "alarms", source="cloudwatch")
        self.trail = AuditTrail(self, "Audit", key=key, settings=settings)
        alarms = AccountAlarms(
            self, "Alarms", events=self.trail.log_group, topic=self.topic, settings=settings
        )
        record = ConfigurationRecord(self, "Record", key=key, settings=settings)
        found = Detection(
            self, "Detection", topic=self.topic, key=key, recorded=record.recorder, settings=settings
        )
        alarms.watch_lost(found.lost)
        for address in settings.alarm_emails:
            self.topic.add_subscription(
                subscriptions.EmailSubscription(address, dead_letter_queue=found.lost)
            )
        publish(
            self, "account_topic_arn", self.topic.topic_arn, "Topic of security notices about the account"
        )
        publish(self, "audit_bucket", self.trail.bucket.bucket_name, "Files of the account's trail")
        publish(self, "audit_log_group", self.trail.log_group.log_group_name, "Events of the account's trail")
