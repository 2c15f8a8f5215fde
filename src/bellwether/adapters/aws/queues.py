"""The ingest queue, the decisions queue and how full a queue is."""

from typing import TYPE_CHECKING

import msgspec

from bellwether.adapters.aws.faults import calling
from bellwether.adapters.correlation import ATTRIBUTE, carried
from bellwether.domain.ledger import Entry
from bellwether.usecases.ports import BatchMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

LEDGER_GROUP = "ledger"


def attributes() -> dict[str, "MessageAttributeValueTypeDef"]:
    """What travels beside a message: the id of whatever set it off."""
    return {ATTRIBUTE: {"DataType": "String", "StringValue": carried()}} if carried() else {}


class SqsBatchQueue:
    """`BatchQueue`: one JSON message a batch."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def send(self, message: BatchMessage) -> None:
        with calling("the ingest queue"):
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=msgspec.json.encode(message).decode(),
                MessageAttributes=attributes(),
            )


class SqsAnnouncements:
    """`Announcements`: `{"sequence": n}` in one ordered group; the entry's hash is the deduplication id."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def announce(self, entry: Entry) -> None:
        with calling("the decisions queue"):
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=msgspec.json.encode({"sequence": entry.sequence}).decode(),
                MessageGroupId=LEDGER_GROUP,
                MessageDeduplicationId=entry.hash,
                MessageAttributes=attributes(),
            )


class SqsRetries:
    """`QueueRetries` of one queue."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def hide(self, receipt: str, seconds: int) -> None:
        with calling("a queue"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )


class SqsQueueDepths:
    """`QueueDepths`."""

    def __init__(self, client: "SQSClient") -> None:
        self._client = client

    def depth(self, queue_url: str) -> int:
        with calling("a queue"):
            answer = self._client.get_queue_attributes(
                QueueUrl=queue_url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        return sum(int(value) for value in answer.get("Attributes", {}).values())
