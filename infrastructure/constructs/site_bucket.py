"""Where the dashboard's files lie, for the edge alone to read."""

from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.private_bucket import refuse_other_keys
from infrastructure.settings import Feature, StageSettings

SITE = Path(__file__).parents[2] / "web"


class SiteBucket(Construct):
    """A private bucket. What is in it is in the repository too: it goes with the stack."""

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
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        refuse_other_keys(self.bucket, key)
        accept(
            self.bucket,
            "The distribution's log has every request a visitor makes.",
            "AwsSolutions-S1",
            "NIST.800.53.R5-S3BucketLoggingEnabled",
            "CKV_AWS_18",
        )
        accept(
            self.bucket,
            "What is in it is in the repository too, and every deployment puts it there again.",
            "NIST.800.53.R5-S3BucketReplicationEnabled",
        )
