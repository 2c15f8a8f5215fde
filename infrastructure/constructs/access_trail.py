"""Who read or wrote which object: CloudTrail's data events of the lake and the ledger."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.private_bucket import PrivateBucket, tidied
from infrastructure.settings import StageSettings

_CLOUDTRAIL = "cloudtrail.amazonaws.com"
_GLACIER_AFTER = 90


class AccessTrail(Construct):
    """A trail of data events alone, into a bucket and under a key of its own, in files that are validated.

    What happens to resources (management events) is the account's own trail. One trail sees the buckets of
    all regions.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        buckets: Sequence[s3.IBucket],
        all_regions: bool,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        name = f"{settings.prefix}-data-events"
        self._arn = stack.format_arn(service="cloudtrail", resource="trail", resource_name=name)
        self.key = CustomerKey(self, "Accesses", purpose="who accessed what", settings=settings)
        self._let_encrypt(self.key, stack.account)
        kept = settings.log_days["audit"]
        self.bucket = PrivateBucket(
            self,
            "Log",
            key=self.key,
            settings=settings,
            uncopied="A fail-over does not need to know who read what; inquiries wait for the region.",
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="kept-as-long-as-audit-logs",
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.GLACIER,
                            transition_after=Duration.days(_GLACIER_AFTER),
                        )
                    ],
                    expiration=Duration.days(kept),
                ),
                tidied(days=30),
            ],
        )
        self._let_deliver(stack.account)
        self.trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=name,
            s3_bucket_name=self.bucket.bucket_name,
            kms_key_id=self.key.key_arn,
            is_logging=True,
            enable_log_file_validation=True,
            is_multi_region_trail=all_regions,
            include_global_service_events=all_regions,
            advanced_event_selectors=[_accesses(buckets)],
        )
        accept(
            self.trail,
            "Each read of an object would be billed twice over. Inquiries read the files; alarms read the "
            "account's own trail, which is in CloudWatch Logs.",
            "NIST.800.53.R5-CloudTrailCloudWatchLogsEnabled",
        )
        if not all_regions:
            accept(self.trail, "The stage's buckets are in one region.", "CKV_AWS_67")
        # The service checks that it may write before it makes the trail.
        self.trail.node.add_dependency(self.bucket)

    def _let_encrypt(self, key: kms.Key, account: str) -> None:
        condition = {"StringEquals": {"aws:SourceArn": self._arn, "aws:SourceAccount": account}}
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UseCloudtrail",
                principals=[iam.ServicePrincipal(_CLOUDTRAIL)],
                actions=["kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions=condition,
            )
        )

    def _let_deliver(self, account: str) -> None:
        from_this_trail = {"aws:SourceArn": self._arn}
        deliveries: tuple[tuple[str, str, dict[str, str]], ...] = (
            ("s3:GetBucketAcl", self.bucket.bucket_arn, {}),
            (
                "s3:PutObject",
                self.bucket.arn_for_objects(f"AWSLogs/{account}/*"),
                {"s3:x-amz-acl": "bucket-owner-full-control"},
            ),
        )
        for action, resource, more in deliveries:
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(_CLOUDTRAIL)],
                    actions=[action],
                    resources=[resource],
                    conditions={"StringEquals": {**from_this_trail, **more}},
                )
            )


def _accesses(buckets: Sequence[s3.IBucket]) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
    return cloudtrail.CfnTrail.AdvancedEventSelectorProperty(
        name="objects of the lake and the ledger",
        field_selectors=[
            field(field="eventCategory", equal_to=["Data"]),
            field(field="resources.type", equal_to=["AWS::S3::Object"]),
            field(field="resources.ARN", starts_with=[f"{bucket.bucket_arn}/" for bucket in buckets]),
        ],
    )
