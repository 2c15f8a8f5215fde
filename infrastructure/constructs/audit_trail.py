"""The account's trail: who called what, kept where nobody can change it."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.function import RETENTION
from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.private_bucket import refuse_other_keys
from infrastructure.settings import StageSettings

_SELECTOR = cloudtrail.CfnTrail.AdvancedEventSelectorProperty
_FIELD = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty


class AuditTrail(Construct):
    """A trail of all regions: whatever changes or reads the account.

    Who touches an object of the desk is told by the trail beside the data (`access_trail.py`): twice would be
    billed twice. The files go to a bucket of their own under Object Lock, the events to a log group that
    alarms read.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: CustomerKey,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"{settings.prefix}-account"
        arn = Stack.of(self).format_arn(service="cloudtrail", resource="trail", resource_name=name)
        key.let_service("cloudtrail.amazonaws.com", sources=[arn])
        self.bucket = audit_bucket(self, "Files", key=key, settings=settings, locked=True)
        _let_deliver(self.bucket, "cloudtrail.amazonaws.com", arn)
        self.log_group = logs.LogGroup(
            self,
            "Events",
            retention=RETENTION[settings.log_days["audit"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            self,
            "Role",
            description=f"{settings.prefix}: writes the trail's events to their log group",
            assumed_by=iam.ServicePrincipal(
                "cloudtrail.amazonaws.com", conditions={"StringEquals": {"aws:SourceArn": arn}}
            ),
        )
        self.log_group.grant_write(role)
        self.trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=name,
            is_logging=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            s3_bucket_name=self.bucket.bucket_name,
            kms_key_id=key.key_arn,
            cloud_watch_logs_log_group_arn=self.log_group.log_group_arn,
            cloud_watch_logs_role_arn=role.role_arn,
            advanced_event_selectors=[_management()],
        )
        self.trail.node.add_dependency(role, self.bucket)


def audit_bucket(
    scope: Construct, construct_id: str, *, key: CustomerKey, settings: StageSettings, locked: bool
) -> s3.Bucket:
    """A bucket for what auditors read. `locked` holds each object for a year."""
    hold = Duration.days(settings.log_days["audit"])
    for_everyone = settings.ledger_locked_for_everyone
    lock = (
        s3.ObjectLockRetention.compliance(hold) if for_everyone else s3.ObjectLockRetention.governance(hold)
    )
    bucket = s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        object_lock_enabled=True if locked else None,
        object_lock_default_retention=lock if locked else None,
        removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        lifecycle_rules=[
            s3.LifecycleRule(
                id="colder-with-age",
                transitions=[
                    s3.Transition(storage_class=s3.StorageClass.GLACIER, transition_after=Duration.days(90))
                ],
                abort_incomplete_multipart_upload_after=Duration.days(2),
            )
        ],
    )
    refuse_other_keys(bucket, key)
    accept(
        bucket,
        "Reading what auditors read is in the trail itself; access logs would be logs about logs.",
        "AwsSolutions-S1",
        "NIST.800.53.R5-S3BucketLoggingEnabled",
        "CKV_AWS_18",
    )
    accept(
        bucket,
        "The trail's event history is in each region for ninety days beside it; a lost region takes no more.",
        "NIST.800.53.R5-S3BucketReplicationEnabled",
    )
    return bucket


def _let_deliver(bucket: s3.Bucket, service: str, source: str) -> None:
    stack = Stack.of(bucket)
    principal = iam.ServicePrincipal(service)
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LookBeforeDelivery",
            principals=[principal],
            actions=["s3:GetBucketAcl"],
            resources=[bucket.bucket_arn],
            conditions={"StringEquals": {"aws:SourceArn": source}},
        )
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Deliver",
            principals=[principal],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects(f"AWSLogs/{stack.account}/*")],
            conditions={
                "StringEquals": {"aws:SourceArn": source, "s3:x-amz-acl": "bucket-owner-full-control"}
            },
        )
    )


def _management() -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    fields = [_FIELD(field="eventCategory", equal_to=["Management"])]
    return _SELECTOR(name="whatever changes or reads the account", field_selectors=fields)
