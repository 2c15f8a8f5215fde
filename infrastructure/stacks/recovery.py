"""The second region: what the first one's data is copied to. Deployed first, it needs no other stack."""

from typing import cast

from aws_cdk import Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.buckets import Lake, LedgerBucket
from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.replication import Copies
from infrastructure.constructs.time_series import TimeSeries
from infrastructure.settings import RECOVERY_REGION, StageSettings


class RecoveryStack(Stack):
    """Keys of the second region and the buckets S3 copies the lake and the ledger to.

    The keys are its own, not replicas of the first region's: S3, DynamoDB and Secrets Manager encrypt a copy
    anew in any case, and a copy that opens with the lost region's key would share its fate.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(scope, construct_id, env=Environment(region=RECOVERY_REGION))
        self.table_key = CustomerKey(self, "Tables", purpose="rows of the replicas", settings=settings)
        self.lake_key = CustomerKey(
            self, "Lake", purpose="copies of the lake and the ledger", settings=settings
        )
        self.secret_key = CustomerKey(self, "Secrets", purpose="replicated secrets", settings=settings)
        self.lake = Lake(self, "LakeCopy", key=self.lake_key, settings=settings, is_copy=True)
        self.ledger = LedgerBucket(self, "LedgerCopy", key=self.lake_key, settings=settings)
        publish(self, "recovery_lake_bucket", self.lake.bucket.bucket_name, "Copy of the lake")
        publish(self, "recovery_ledger_bucket", self.ledger.bucket.bucket_name, "Copy of the decision ledger")

        if settings.time_series:
            TimeSeries(self, "TimeSeries", key=self.lake_key, rejected=self.lake.bucket, settings=settings)

    def lake_for(self, scope: Construct) -> s3.IBucket:
        """The copy of the lake, as `scope` (a stack of the first region) refers to it."""
        return _elsewhere(scope, "LakeCopy", self.lake.bucket)

    def copies(self, scope: Construct) -> Copies:
        """Where the first region's buckets are copied to, as `scope` (a stack there) refers to them."""
        return Copies(
            buckets={
                "lake": self.lake_for(scope),
                "ledger": _elsewhere(scope, "LedgerCopy", self.ledger.bucket),
            },
            key=key_elsewhere(scope, "LakeCopyKey", self.lake_key),
            region=RECOVERY_REGION,
        )


def _elsewhere(scope: Construct, construct_id: str, bucket: s3.Bucket) -> s3.IBucket:
    """A bucket of another region by its ARN as read when the stack is deployed: it has no name of ours."""
    arn = cast("s3.CfnBucket", bucket.node.default_child).attr_arn
    return s3.Bucket.from_bucket_arn(scope, construct_id, arn)


def key_elsewhere(scope: Construct, construct_id: str, key: kms.Key) -> kms.IKey:
    """The same for a key."""
    return kms.Key.from_key_arn(scope, construct_id, cast("kms.CfnKey", key.node.default_child).attr_arn)
