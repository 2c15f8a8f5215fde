"""The lake and the ledger."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.settings import Feature, StageSettings

_CLASS = s3.StorageClass
_ACCESS_TRAIL = (
    "Access is recorded by CloudTrail data events, which name the caller; server access logs are delivered "
    "at best effort and would need a bucket of their own."
)

# Prefix of the lake, and after how many days its objects move to which class. Under 128 KB an object stays
# in the frequent tier of Intelligent-Tiering at no charge for watching it.
TIERS: Sequence[tuple[str, Sequence[tuple[s3.StorageClass, int]]]] = (
    ("raw-data/", ((_CLASS.INTELLIGENT_TIERING, 0), (_CLASS.GLACIER, 180), (_CLASS.DEEP_ARCHIVE, 365))),
    ("curated-data/", ((_CLASS.INTELLIGENT_TIERING, 0),)),
    ("features/", ((_CLASS.INTELLIGENT_TIERING, 0), (_CLASS.GLACIER, 365))),
    ("backtests/", ((_CLASS.INTELLIGENT_TIERING, 0), (_CLASS.GLACIER, 180), (_CLASS.DEEP_ARCHIVE, 365))),
    ("eval/", ((_CLASS.INTELLIGENT_TIERING, 0),)),
)


class Lake(Construct):
    """The object store: raw and curated data, features, backtests, evaluation."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2 if settings.has(Feature.TLS_VERSION) else None,
            versioned=True,
            event_bridge_enabled=False,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
            lifecycle_rules=[
                *(_tier(prefix, steps) for prefix, steps in TIERS),
                s3.LifecycleRule(
                    id="old-versions-and-abandoned-uploads",
                    noncurrent_version_expiration=Duration.days(90),
                    abort_incomplete_multipart_upload_after=Duration.days(2),
                    expired_object_delete_marker=True,
                ),
            ],
        )
        _accept_findings(self.bucket)


class LedgerBucket(Construct):
    """Proposals, decisions and outcomes, once written not changed: Object Lock holds each entry."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        hold = Duration.days(settings.ledger_days)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2 if settings.has(Feature.TLS_VERSION) else None,
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=(
                s3.ObjectLockRetention.compliance(hold)
                if settings.ledger_locked_for_everyone
                else s3.ObjectLockRetention.governance(hold)
            ),
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        _accept_findings(self.bucket)


def _accept_findings(bucket: s3.Bucket) -> None:
    accept(bucket, _ACCESS_TRAIL, "AwsSolutions-S1", "NIST.800.53.R5-S3BucketLoggingEnabled", "CKV_AWS_18")
    accept(
        bucket,
        "Versions, Object Lock and the backups guard against loss inside the region; the copy in another "
        "region is the disaster-recovery plan's.",
        "NIST.800.53.R5-S3BucketReplicationEnabled",
    )


def _tier(prefix: str, steps: Sequence[tuple[s3.StorageClass, int]]) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=f"tier-{prefix.strip('/')}",
        prefix=prefix,
        transitions=[
            s3.Transition(storage_class=storage, transition_after=Duration.days(days))
            for storage, days in steps
        ],
    )
