"""What each function may do, over all of them."""

import json

import pytest

from infrastructure.functions import FUNCTIONS
from infrastructure.grants import (
    Listing,
    Objects,
    Receive,
    Rotation,
    Rows,
    Secret,
    Send,
    Signals,
    Versions,
)
from tests.infrastructure.synthesis import Synthesis, listed


def actions(synthesis: Synthesis, name: str) -> set[str]:
    return {a for s in synthesis.statements(name) for a in listed(s["Action"])}


def able(synthesis: Synthesis, action: str, resource: str = "") -> set[str]:
    """Functions with a statement of that action on a resource whose name holds a word."""
    return {
        name
        for name in FUNCTIONS
        for s in synthesis.statements(name)
        if action in listed(s["Action"]) and resource in json.dumps(s["Resource"])
    }


@pytest.mark.req("S3")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_rights_on_exactly_what_its_environment_names(name: str) -> None:
    row = FUNCTIONS[name]
    granted: set[str] = set()
    for grant in row.grants:
        if isinstance(grant, Rows):
            granted.add(f"{grant.table.upper()}_TABLE")
        elif isinstance(grant, Objects | Listing | Versions):
            granted.add(f"{grant.bucket.upper()}_BUCKET")
        elif isinstance(grant, Secret | Rotation):
            secret = grant.secret if isinstance(grant, Secret) else "api_clients"
            granted.add(f"{secret.upper()}_SECRET_ARN")
        elif isinstance(grant, Signals):
            granted.add("SIGNALS_TABLE_PREFIX")
        elif isinstance(grant, Receive):
            granted.add(f"{grant.queue.upper()}_QUEUE_URL")
        elif isinstance(grant, Send):
            queue, _, dead = grant.queue.partition("_dlq")
            granted.add(
                f"{grant.queue.upper()}_URL" if "dlq" in grant.queue else f"{queue.upper()}_QUEUE_URL{dead}"
            )
    endings = ("_TABLE", "_BUCKET", "_SECRET_ARN", "_QUEUE_URL", "_DLQ_URL", "SIGNALS_TABLE_PREFIX")
    named = {variable for variable in row.environment if variable.endswith(endings)}
    assert granted == named


@pytest.mark.req("S3")
def test_only_those_who_decide_append_to_the_ledger(production: Synthesis) -> None:
    assert able(production, "s3:PutObject", "/ledger/*") == {"propose", "decide", "evaluate"}


@pytest.mark.req("S3", "D6")
def test_nobody_deletes_objects_or_loosens_their_lock(production: Synthesis) -> None:
    risky = ("s3:Delete", "s3:BypassGovernance", "s3:PutObjectRetention", "s3:PutBucket", "s3:PutLifecycle")
    loose = {(name, a) for name in FUNCTIONS for a in actions(production, name) if a.startswith(risky)}
    assert loose == {("comply", "s3:DeleteObjectVersion")}


@pytest.mark.req("S3", "D6")
def test_versions_go_only_where_posts_lie_and_only_by_who_forgets_them(production: Synthesis) -> None:
    here, copy = [
        s for s in production.statements("comply") if "s3:DeleteObjectVersion" in listed(s["Action"])
    ]
    for deleting in (here, copy):
        assert json.dumps(deleting["Resource"]).count("/raw-data/*") == len(listed(deleting["Resource"])) == 1
    assert listed(copy["Action"]) == ["s3:DeleteObjectVersion"]
    (seeing,) = [s for s in production.statements("comply") if "s3:ListBucketVersions" in listed(s["Action"])]
    assert seeing["Condition"] == {"StringLike": {"s3:prefix": ["raw-data/*"]}}
    assert able(production, "s3:ListBucketVersions") == {"comply"}


@pytest.mark.req("S3")
def test_only_the_retiring_function_deletes_tables_and_only_of_the_family(production: Synthesis) -> None:
    assert able(production, "dynamodb:DeleteTable") == {"clean_up"}
    (statement,) = [
        s for s in production.statements("clean_up") if "dynamodb:DeleteTable" in listed(s["Action"])
    ]
    assert "table/bellwether-production-signals_*" in json.dumps(statement["Resource"])


@pytest.mark.req("S3", "C2")
def test_a_secret_is_read_only_by_those_who_use_it(production: Synthesis) -> None:
    readers = {name for name in FUNCTIONS if "secretsmanager:GetSecretValue" in actions(production, name)}
    assert readers == {
        "authorizer",
        "ingest",
        "signal_worker",
        "fetch_social",
        "fetch_news",
        "fetch_prices",
        "comply",
        "rotate_client_key",
    }
    assert able(production, "secretsmanager:GetSecretValue", "Openai") == {"signal_worker"}
    assert able(production, "secretsmanager:GetSecretValue", "Prices") == {"fetch_prices"}
    assert able(production, "secretsmanager:GetSecretValue", "ApiClients") == {
        "authorizer",
        "rotate_client_key",
    }
    assert able(production, "secretsmanager:PutSecretValue") == {"rotate_client_key"}
    assert able(production, "secretsmanager:GetSecretValue", "Providers") == {
        "fetch_social",
        "fetch_news",
        "comply",
    }


@pytest.mark.req("S3", "D3")
def test_no_route_scans_a_table(production: Synthesis) -> None:
    assert able(production, "dynamodb:Scan") == {"broadcast", "clean_up"}


@pytest.mark.req("S3")
def test_readers_write_nothing(production: Synthesis) -> None:
    writes = (
        "dynamodb:Put",
        "dynamodb:Update",
        "dynamodb:Delete",
        "dynamodb:BatchWrite",
        "s3:Put",
        "sqs:Send",
    )
    for name in ("summarise", "stream", "health", "metrics", "authorizer"):
        assert [a for a in actions(production, name) if a.startswith(writes)] == []
