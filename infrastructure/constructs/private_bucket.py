"""The one kind of bucket there is: private, versioned, under a customer key, reached over TLS alone."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.settings import Feature, StageSettings

_ACCESS_TRAIL = (
    "Access is recorded by CloudTrail data events, which name the caller; server access logs are delivered "
    "at best effort and would need a bucket of their own."
)
_CHOSEN = "s3:x-amz-server-side-encryption"


class PrivateBucket(s3.Bucket):
    """A bucket whose objects are encrypted with `key` and no other, whatever an upload asks for.

    `uncopied` says why it has no copy in another region, if it has none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        settings: StageSettings,
        lifecycle_rules: Sequence[s3.LifecycleRule] = (),
        uncopied: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2 if settings.has(Feature.TLS_VERSION) else None,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
            lifecycle_rules=list(lifecycle_rules) or None,
            **more,
        )
        accept(self, _ACCESS_TRAIL, "AwsSolutions-S1", "NIST.800.53.R5-S3BucketLoggingEnabled", "CKV_AWS_18")
        if uncopied:
            accept(self, uncopied, "NIST.800.53.R5-S3BucketReplicationEnabled")
        refuse_other_keys(self, key)


def refuse_other_keys(bucket: s3.Bucket, key: kms.IKey) -> None:
    """An upload that chooses nothing gets the bucket's key; one that chooses may choose only that."""
    customer = f"{_CHOSEN}-customer-algorithm"
    named = f"{_CHOSEN}-aws-kms-key-id"
    refusals: dict[str, dict[str, Any]] = {
        "RefuseOtherEncryption": {"Null": {_CHOSEN: "false"}, "StringNotEquals": {_CHOSEN: "aws:kms"}},
        "RefuseOtherKeys": {"Null": {named: "false"}, "StringNotEquals": {named: key.key_arn}},
        "RefuseCustomersKeys": {"Null": {customer: "false"}},
    }
    for sid, conditions in refusals.items():
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("*")],
                conditions=conditions,
            )
        )


def tidied(*, days: int) -> s3.LifecycleRule:
    """Drops versions that were replaced or deleted so long ago, and uploads nobody finished."""
    return s3.LifecycleRule(
        id="old-versions-and-abandoned-uploads",
        noncurrent_version_expiration=Duration.days(days),
        abort_incomplete_multipart_upload_after=Duration.days(2),
        expired_object_delete_marker=True,
    )
