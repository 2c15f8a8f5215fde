"""AWS Config: what is configured how, since when, and what of it breaks a rule."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_config as config
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.audit_trail import audit_bucket
from infrastructure.constructs.keys import CustomerKey
from infrastructure.settings import StageSettings

RULES: Mapping[str, str] = {
    "CLOUD_TRAIL_ENCRYPTION_ENABLED": "trails are encrypted",
    "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED": "trails can be verified",
    "CMK_BACKING_KEY_ROTATION_ENABLED": "customer keys rotate",
    "DYNAMODB_PITR_ENABLED": "tables can be restored to a point in time",
    "ENCRYPTED_VOLUMES": "volumes are encrypted",
    "IAM_PASSWORD_POLICY": "passwords of the account's users are strong",
    "IAM_ROOT_ACCESS_KEY_CHECK": "the root user has no access keys",
    "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED": "functions are not public",
    "MULTI_REGION_CLOUD_TRAIL_ENABLED": "a trail covers all regions",
    "ROOT_ACCOUNT_MFA_ENABLED": "the root user has a second factor",
    "S3_BUCKET_PUBLIC_READ_PROHIBITED": "nobody reads a bucket without a name",
    "S3_BUCKET_PUBLIC_WRITE_PROHIBITED": "nobody writes a bucket without a name",
    "S3_BUCKET_SSL_REQUESTS_ONLY": "buckets are TLS only",
    "VPC_DEFAULT_SECURITY_GROUP_CLOSED": "default security groups are closed",
}
"""Managed rules, each with what holds when it is kept.

Those about IAM are the periodic ones: users and roles cannot be recorded in a region that AWS Config came to
after February 2022, as Zürich is, so rules that wait for their changes do not exist there.
"""


class ConfigurationRecord(Construct):
    """The recorder of the region, its delivery to a bucket of its own, and the rules."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: CustomerKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        # AWS Config refuses a bucket whose objects are locked by default.
        bucket = audit_bucket(self, "Files", key=key, settings=settings, locked=False)
        role = self._role(settings)
        stack = Stack.of(self)
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetBucketAcl"], resources=[bucket.bucket_arn]))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects(f"AWSLogs/{stack.account}/Config/*")],
                conditions={"StringLike": {"s3:x-amz-acl": "bucket-owner-full-control"}},
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
            )
        )
        recorder = config.CfnConfigurationRecorder(
            self,
            "Recorder",
            role_arn=role.role_arn,
            recording_group=config.CfnConfigurationRecorder.RecordingGroupProperty(
                all_supported=True, include_global_resource_types=False
            ),
        )
        recorder.node.add_dependency(role)
        channel = config.CfnDeliveryChannel(
            self, "Channel", s3_bucket_name=bucket.bucket_name, s3_kms_key_arn=key.key_arn
        )
        for rule, promise in RULES.items():
            made = config.CfnConfigRule(
                self,
                "".join(part.capitalize() for part in rule.split("_")),
                description=f"{settings.prefix}: {promise}",
                source=config.CfnConfigRule.SourceProperty(owner="AWS", source_identifier=rule),
            )
            made.node.add_dependency(recorder, channel)
        self.recorder = recorder

    def _role(self, settings: StageSettings) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"{settings.prefix}: records configurations",
            assumed_by=iam.ServicePrincipal(
                "config.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWS_ConfigRole")],
        )
        accept(
            role,
            "AWS maintains the policy to describe every type of resource there is; it reads no contents.",
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWS_ConfigRole]",
        )
        return role
