"""An optional store of scores as a time series, for those whose account still has Timestream."""

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_timestream as timestream
from constructs import Construct

from infrastructure.constructs.outputs import publish
from infrastructure.settings import StageSettings

REGIONS = frozenset(
    {
        "us-east-1",
        "us-east-2",
        "us-west-2",
        "eu-west-1",
        "eu-central-1",
        "ap-south-1",
        "ap-southeast-2",
        "ap-northeast-1",
    }
)
"""Where Timestream for LiveAnalytics exists (and, since June 2025, is open only to accounts that had it)."""
MEMORY_HOURS = 24 * 90
MAGNETIC_DAYS = 3_653


class TimeSeries(Construct):
    """A database and the table `scores`: one multi-measure record for each asset, horizon and day.

    `MEMORY_HOURS` is also how far back a score may lie when it is written; older ones are taken late, through
    the magnetic store, and what cannot be taken is reported to `rejected`. Raises `ValueError` where the
    service does not exist.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        rejected: s3.IBucket,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        if stack.region not in REGIONS:
            raise ValueError(
                f"Timestream does not exist in {stack.region}; place it in one of {sorted(REGIONS)}"
            )
        self.database = timestream.CfnDatabase(
            self, "Database", kms_key_id=key.key_arn, database_name=settings.prefix
        )
        # The library types these as plain JSON and passes them on as they are: named as CloudFormation does.
        rejects = {
            "BucketName": rejected.bucket_name,
            "ObjectKeyPrefix": "eval/rejected-series/",
            "EncryptionOption": "SSE_KMS",
            "KmsKeyId": key.key_arn,
        }
        self.table = timestream.CfnTable(
            self,
            "Scores",
            database_name=self.database.ref,
            table_name="scores",
            retention_properties={
                "MemoryStoreRetentionPeriodInHours": str(MEMORY_HOURS),
                "MagneticStoreRetentionPeriodInDays": str(MAGNETIC_DAYS),
            },
            magnetic_store_write_properties={
                "EnableMagneticStoreWrites": True,
                "MagneticStoreRejectedDataLocation": {"S3Configuration": rejects},
            },
        )
        self.table.node.add_dependency(self.database)
        publish(stack, "time_series_database", self.database.ref, "Timestream database of the scores")
        publish(stack, "time_series_region", stack.region, "Region of that database")
