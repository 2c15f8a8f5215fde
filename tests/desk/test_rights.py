"""With IAM enforcement on, a function can do its own work and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.desk.conftest import Desk
from tests.desk.processes import as_function

Call = Callable[[Any, dict[str, str]], object]

OUTSIDE: list[tuple[str, str, str, Call]] = [
    ("Ingest", "reads the ledger", "s3", lambda c, e: c.list_objects_v2(Bucket=e["LEDGER_BUCKET"])),
    (
        "Ingest",
        "writes a proposal",
        "dynamodb",
        lambda c, e: c.put_item(
            TableName=e["PROPOSALS_TABLE"], Item={"proposal_id": {"S": "x"}, "created_at": {"S": "x"}}
        ),
    ),
    (
        "Score",
        "sends to the ingest queue",
        "sqs",
        lambda c, e: c.send_message(QueueUrl=e["INGEST_QUEUE_URL"], MessageBody="{}"),
    ),
    ("Score", "writes raw data", "s3", lambda c, e: c.put_object(Bucket=e["LAKE_BUCKET"], Key="raw-data/x")),
    ("Stream", "reads claims", "dynamodb", lambda c, e: c.scan(TableName=e["CLAIMS_TABLE"])),
    ("Stream", "reads a secret", "secretsmanager", lambda c, _: c.list_secrets()),
    (
        "Health",
        "empties the queue",
        "sqs",
        lambda c, e: c.purge_queue(QueueUrl=e["INGEST_QUEUE_URL"]),
    ),
]


@pytest.fixture(scope="module")
def names(desk: Desk) -> dict[str, str]:
    """Names of what the functions are kept from."""
    outputs = desk.outputs
    return {
        "LEDGER_BUCKET": outputs["buckets"]["Ledger/Bucket"],
        "LAKE_BUCKET": outputs["buckets"]["Lake/Bucket"],
        "PROPOSALS_TABLE": outputs["tables"]["Tables/Proposals"],
        "CLAIMS_TABLE": outputs["tables"]["Tables/Claims"],
        "INGEST_QUEUE_URL": outputs["queues"]["Ingest/Queue"],
    }


@pytest.mark.req("S3")
@pytest.mark.parametrize(
    ("function", "what", "service", "call"), OUTSIDE, ids=[f"{f} {w}" for f, w, _, _ in OUTSIDE]
)
def test_a_call_outside_its_role_is_denied(
    desk: Desk, names: dict[str, str], function: str, what: str, service: str, call: Call
) -> None:
    with pytest.raises(ClientError) as refused:
        call(as_function(desk, function, service), names)
    assert refused.value.response["Error"]["Code"] in {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
    }


@pytest.mark.req("S3", "C1")
def test_the_same_credentials_do_their_own_work(desk: Desk, names: dict[str, str]) -> None:
    """The refusals above come from the role, not from credentials that work nowhere."""
    queue = as_function(desk, "Health", "sqs")
    answer = queue.get_queue_attributes(
        QueueUrl=names["INGEST_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert "ApproximateNumberOfMessages" in answer["Attributes"]
