"""With IAM enforcement on, a function can do its own work and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.desk.conftest import Desk
from tests.desk.material import post
from tests.desk.processes import as_function, workers

Call = Callable[[Any, dict[str, str]], object]

WAKE: dict[str, Callable[[Desk], object]] = {
    "ingest": lambda d: d.call(
        "POST", "/ingest/social", role="analyst", body={"items": [post("ACME", "hello")]}
    ),
    "score": lambda d: d.call("POST", "/score", role="analyst", body={}),
    "stream": lambda d: d.call("GET", "/dashboard/stream", role="viewer"),
    "health": lambda d: d.call("GET", "/health"),
}

OUTSIDE: list[tuple[str, str, str, Call]] = [
    ("ingest", "reads the ledger", "s3", lambda c, e: c.list_objects_v2(Bucket=e["LEDGER_BUCKET"])),
    (
        "ingest",
        "writes a proposal",
        "dynamodb",
        lambda c, e: c.put_item(
            TableName=e["PROPOSALS_TABLE"], Item={"proposal_id": {"S": "x"}, "created_at": {"S": "x"}}
        ),
    ),
    (
        "score",
        "sends to the ingest queue",
        "sqs",
        lambda c, e: c.send_message(QueueUrl=e["INGEST_QUEUE_URL"], MessageBody="{}"),
    ),
    ("score", "writes raw data", "s3", lambda c, e: c.put_object(Bucket=e["LAKE_BUCKET"], Key="raw-data/x")),
    ("stream", "reads claims", "dynamodb", lambda c, e: c.scan(TableName=e["CLAIMS_TABLE"])),
    ("stream", "reads a secret", "secretsmanager", lambda c, _: c.list_secrets()),
    (
        "health",
        "empties the queue",
        "sqs",
        lambda c, e: c.purge_queue(QueueUrl=e["INGEST_QUEUE_URL"]),
    ),
]


@pytest.fixture(scope="module")
def names(desk: Desk) -> dict[str, str]:
    """Table, bucket and queue names, gathered from the environments of functions that know them."""
    found: dict[str, str] = {}
    for function, wake in WAKE.items():
        wake(desk)
        for worker in workers(desk, function)[:1]:
            found.update(worker.environ())
    for function in ("signal_worker", "propose", "summarise"):
        for worker in workers(desk, function)[:1]:
            found.update(worker.environ())
    outputs = desk.json("status")["outputs"]
    named = {
        "LEDGER_BUCKET": "LedgerBucketName",
        "PROPOSALS_TABLE": "ProposalsTableName",
        "CLAIMS_TABLE": "ClaimsTableName",
    }
    return {**{key: outputs[name] for key, name in named.items() if name in outputs}, **found}


@pytest.mark.req("S3")
@pytest.mark.parametrize(
    ("function", "what", "service", "call"), OUTSIDE, ids=[f"{f} {w}" for f, w, _, _ in OUTSIDE]
)
def test_a_call_outside_its_role_is_denied(
    desk: Desk, names: dict[str, str], function: str, what: str, service: str, call: Call
) -> None:
    WAKE[function](desk)
    with pytest.raises(ClientError) as refused:
        call(as_function(desk, function, service), names)
    assert refused.value.response["Error"]["Code"] in {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
    }


@pytest.mark.req("S3")
def test_the_same_credentials_do_their_own_work(desk: Desk, names: dict[str, str]) -> None:
    """The refusals above come from the role, not from credentials that work nowhere."""
    WAKE["health"](desk)
    queue = as_function(desk, "health", "sqs")
    answer = queue.get_queue_attributes(
        QueueUrl=names["INGEST_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert "ApproximateNumberOfMessages" in answer["Attributes"]
