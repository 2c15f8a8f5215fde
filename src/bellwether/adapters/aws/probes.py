"""Whether a dependency answers: the cheapest call that needs it to."""

from typing import TYPE_CHECKING

from bellwether.adapters.aws.faults import calling

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


def probe_table(client: "DynamoDBClient", table: str) -> str:
    """The table's status (`ACTIVE`). Raises `Unavailable`."""
    with calling(table):
        return client.describe_table(TableName=table)["Table"].get("TableStatus", "UNKNOWN")


def probe_bucket(client: "S3Client", bucket: str) -> None:
    """Raises `Unavailable` or `NotFound`."""
    with calling(bucket):
        client.head_bucket(Bucket=bucket)


def probe_queue(client: "SQSClient", queue_url: str) -> None:
    """Raises `Unavailable`."""
    with calling("a queue"):
        client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
