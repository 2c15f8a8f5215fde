"""What an account's owner must hear of, read from the trail (CIS AWS Foundations, monitoring)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.settings import StageSettings

NAMESPACE = "Bellwether/Account"


class Watched(NamedTuple):
    """Events of the trail, and from how many in five minutes on they alarm."""

    meaning: str
    pattern: str
    threshold: int = 1


def _any_of(source: str, *events: str) -> str:
    named = " || ".join(f'($.eventName = "{event}")' for event in events)
    return f'{{ ($.eventSource = "{source}") && ({named}) }}'


WATCHED: Mapping[str, Watched] = {
    "RootUse": Watched(
        "The root user was used",
        '{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) '
        '&& ($.eventType != "AwsServiceEvent") }',
    ),
    "SignInWithoutMfa": Watched(
        "Somebody signed in to the console without a second factor",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") '
        '&& ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
    ),
    "FailedSignIns": Watched(
        "Sign-ins to the console fail",
        '{ ($.eventName = "ConsoleLogin") && ($.errorMessage = "Failed authentication") }',
        3,
    ),
    "RefusedCalls": Watched(
        "Calls are refused for want of rights",
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
        10,
    ),
    "PolicyChanges": Watched(
        "Rights were changed",
        _any_of(
            "iam.amazonaws.com",
            "AttachGroupPolicy",
            "AttachRolePolicy",
            "AttachUserPolicy",
            "CreatePolicy",
            "CreatePolicyVersion",
            "DeleteGroupPolicy",
            "DeletePolicy",
            "DeletePolicyVersion",
            "DeleteRolePolicy",
            "DeleteUserPolicy",
            "DetachGroupPolicy",
            "DetachRolePolicy",
            "DetachUserPolicy",
            "PutGroupPolicy",
            "PutRolePolicy",
            "PutUserPolicy",
        ),
    ),
    "TrailChanges": Watched(
        "The trail was changed or stopped",
        _any_of(
            "cloudtrail.amazonaws.com",
            "CreateTrail",
            "DeleteTrail",
            "PutEventSelectors",
            "StartLogging",
            "StopLogging",
            "UpdateTrail",
        ),
    ),
    "KeyDeletions": Watched(
        "A key was disabled or is to be deleted",
        _any_of("kms.amazonaws.com", "DisableKey", "ScheduleKeyDeletion"),
    ),
    "BucketPolicyChanges": Watched(
        "Who may reach a bucket was changed",
        _any_of(
            "s3.amazonaws.com",
            "DeleteBucketCors",
            "DeleteBucketLifecycle",
            "DeleteBucketPolicy",
            "DeleteBucketReplication",
            "PutBucketAcl",
            "PutBucketCors",
            "PutBucketLifecycle",
            "PutBucketPolicy",
            "PutBucketReplication",
        ),
    ),
    "ConfigChanges": Watched(
        "The recording of configurations was changed or stopped",
        _any_of(
            "config.amazonaws.com",
            "DeleteDeliveryChannel",
            "PutConfigurationRecorder",
            "PutDeliveryChannel",
            "StopConfigurationRecorder",
        ),
    ),
    "NetworkChanges": Watched(
        "Networks, their gateways, routes, lists or groups were changed",
        _any_of(
            "ec2.amazonaws.com",
            "AttachInternetGateway",
            "AuthorizeSecurityGroupEgress",
            "AuthorizeSecurityGroupIngress",
            "CreateInternetGateway",
            "CreateNetworkAcl",
            "CreateNetworkAclEntry",
            "CreateRoute",
            "CreateSecurityGroup",
            "CreateVpcPeeringConnection",
            "DeleteNetworkAcl",
            "DeleteNetworkAclEntry",
            "DeleteRoute",
            "DeleteSecurityGroup",
            "DeleteVpc",
            "DetachInternetGateway",
            "ReplaceNetworkAclAssociation",
            "ReplaceRoute",
            "RevokeSecurityGroupEgress",
            "RevokeSecurityGroupIngress",
        ),
    ),
}


def dashed(name: str) -> str:
    """`RootUse` as `root-use`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


class AccountAlarms(Construct):
    """A metric filter and an alarm for each of `WATCHED`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        events: logs.ILogGroup,
        topic: sns.ITopic,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._topic = settings, topic
        for name, watched in WATCHED.items():
            logs.MetricFilter(
                self,
                f"{name}Filter",
                log_group=events,
                filter_pattern=logs.FilterPattern.literal(watched.pattern),
                metric_namespace=NAMESPACE,
                metric_name=name,
                metric_value="1",
            )
            counted = cloudwatch.Metric(
                namespace=NAMESPACE, metric_name=name, statistic="Sum", period=Duration.minutes(5)
            )
            self._alarm(name, f"account-events-{dashed(name)}", watched.meaning, counted, watched.threshold)

    def watch_lost(self, queue: sqs.IQueue) -> None:
        """Alarms for any notice that could not be told."""
        waiting = queue.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=Duration.minutes(1)
        )
        meaning = "A security notice could not be told and waits in its queue"
        self._alarm("LostNotices", "dead-letters-security-notices", meaning, waiting, 1)

    def _alarm(
        self, construct_id: str, name: str, meaning: str, metric: cloudwatch.Metric, threshold: int
    ) -> None:
        settings = self._settings
        runbook = "dead-letters" if name.startswith("dead-letters") else "account-events"
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{settings.prefix}-{name}",
            alarm_description=f"{meaning} ({settings.name}). Runbook: {settings.runbooks}/{runbook}.md",
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        action = actions.SnsAction(self._topic)
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
