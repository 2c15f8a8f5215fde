"""What looks for trouble in the account by itself, and tells it."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_accessanalyzer as accessanalyzer
from aws_cdk import aws_events as events
from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_securityhub as securityhub
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

from infrastructure.constructs.queues import failure_queue
from infrastructure.settings import StageSettings

STANDARDS = ("aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/3.0.0")
PROTECTED = ("S3_DATA_EVENTS", "LAMBDA_NETWORK_LOGS")
HIGH_SEVERITY = 7
"""Of GuardDuty, whose scale ends at 10."""


class Detection(Construct):
    """Security Hub with its standards, GuardDuty and the access analyzer; high findings go to the topic.

    `lost` is the queue of findings that could not be told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        key: kms.IKey,
        recorded: IDependable,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = topic
        self.lost = failure_queue(self, "LostNotices")
        self._teller = self._role(key, settings)
        self._hub(recorded)
        guardduty.CfnDetector(
            self,
            "Detector",
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            features=[
                guardduty.CfnDetector.CFNFeatureConfigurationProperty(name=name, status="ENABLED")
                for name in PROTECTED
            ],
        )
        accessanalyzer.CfnAnalyzer(self, "Analyzer", type="ACCOUNT", analyzer_name=settings.prefix)
        self._tell(
            "HighFindings",
            "Security Hub found something grave",
            {
                "source": ["aws.securityhub"],
                "detail-type": ["Security Hub Findings - Imported"],
                "detail": {
                    "findings": {
                        "Severity": {"Label": ["HIGH", "CRITICAL"]},
                        "Workflow": {"Status": ["NEW"]},
                        "RecordState": ["ACTIVE"],
                    }
                },
            },
        )
        self._tell(
            "Threats",
            "GuardDuty saw a threat; Security Hub would tell it minutes later",
            {
                "source": ["aws.guardduty"],
                "detail-type": ["GuardDuty Finding"],
                "detail": {"severity": [{"numeric": [">=", HIGH_SEVERITY]}]},
            },
        )

    def _role(self, key: kms.IKey, settings: StageSettings) -> iam.Role:
        """The role rules publish with; its trust names the account, as a topic's policy may not."""
        stack = Stack.of(self)
        role = iam.Role(
            self,
            "Teller",
            description=f"{settings.prefix}: tells findings about the account",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[self._topic.topic_arn]))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"sns.{stack.region}.amazonaws.com"}},
            )
        )
        return role

    def _hub(self, recorded: IDependable) -> None:
        hub = securityhub.CfnHub(
            self,
            "Hub",
            enable_default_standards=False,
            auto_enable_controls=True,
            control_finding_generator="SECURITY_CONTROL",
        )
        for standard in STANDARDS:
            stack = Stack.of(self)
            arn = f"arn:{stack.partition}:securityhub:{stack.region}::standards/{standard}"
            name = standard.partition("/")[0].replace("-", " ").title().replace(" ", "")
            enabled = securityhub.CfnStandard(self, name, standards_arn=arn)
            # Its controls read what AWS Config records.
            enabled.node.add_dependency(hub, recorded)

    def _tell(self, name: str, description: str, pattern: dict[str, Any]) -> None:
        lost = events.CfnRule.DeadLetterConfigProperty(arn=self.lost.queue_arn)
        target = events.CfnRule.TargetProperty(
            arn=self._topic.topic_arn, id="topic", role_arn=self._teller.role_arn, dead_letter_config=lost
        )
        rule = events.CfnRule(self, name, description=description, event_pattern=pattern, targets=[target])
        self.lost.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"Lost{name}",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.lost.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
