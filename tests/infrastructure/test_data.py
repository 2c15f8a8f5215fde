"""Tables, lake and ledger."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether.domain.forgetting import HELD_FOR
from infrastructure.constructs.tables import TABLES
from tests.infrastructure.synthesis import Resource, Synthesis

KEYS = {
    "Proposals": ("proposal_id", "created_at"),
    "Outcomes": ("outcome_id", "evaluated_at"),
    "AgentsConfig": ("agent_id", "version"),
    "TrackedEntities": ("entity_type", "entity_id"),
    "AssetState": ("asset", "day"),
    "Claims": ("pk",),
    "Events": ("day", "id"),
    "Connections": ("connection_id",),
}


def tables(synthesis: Synthesis) -> dict[str, Resource]:
    found = {}
    for resource in synthesis.of("AWS::DynamoDB::GlobalTable"):
        name = next(name for name in KEYS if resource.logical_id.startswith(f"Tables{name}"))
        found[name] = resource
    return found


@pytest.mark.req("D2")
@pytest.mark.parametrize("name", KEYS)
def test_each_table_has_the_keys_the_specification_names(production: Synthesis, name: str) -> None:
    schema = tables(production)[name].properties["KeySchema"]
    assert tuple(key["AttributeName"] for key in schema) == KEYS[name]
    assert [key["KeyType"] for key in schema] == ["HASH", "RANGE"][: len(schema)]


def test_there_are_no_other_tables(production: Synthesis) -> None:
    assert len(tables(production)) == len(TABLES) == len(production.of("AWS::DynamoDB::GlobalTable"))


@pytest.mark.req("D3")
def test_proposals_and_outcomes_are_found_by_status_and_day_without_a_scan(production: Synthesis) -> None:
    def indexes(table: str) -> dict[str, list[str]]:
        told = tables(production)[table].properties["GlobalSecondaryIndexes"]
        return {index["IndexName"]: [k["AttributeName"] for k in index["KeySchema"]] for index in told}

    assert indexes("Proposals") == {
        "by_status": ["status", "created_at"],
        "by_day": ["created_day", "created_at"],
    }
    assert indexes("Outcomes") == {"by_day": ["evaluated_day", "evaluated_at"]}


@pytest.mark.req("D4")
@pytest.mark.parametrize("name", KEYS)
def test_each_table_is_encrypted_restorable_protected_and_bounded(production: Synthesis, name: str) -> None:
    resource = tables(production)[name]
    properties = resource.properties
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    (replica,) = [r for r in properties["Replicas"] if r["Region"] == "eu-central-2"]
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert replica["DeletionProtectionEnabled"] is True
    assert replica["ReadOnDemandThroughputSettings"]["MaxReadRequestUnits"] == 4_000
    assert properties["WriteOnDemandThroughputSettings"]["MaxWriteRequestUnits"] == 2_000
    key = production.target("data", replica["SSESpecification"]["KMSMasterKeyId"])
    assert key.startswith("Tables")
    assert resource.rest["DeletionPolicy"] == "Retain"


def test_what_is_short_lived_expires_and_changes_are_streamed(production: Synthesis) -> None:
    found = tables(production)
    expiring = {
        name
        for name, table in found.items()
        if table.properties.get("TimeToLiveSpecification") == {"AttributeName": "expires", "Enabled": True}
    }
    assert expiring == {"Claims", "Events", "Connections"}
    streaming = {
        n: t.properties["StreamSpecification"]["StreamViewType"]
        for n, t in found.items()
        if "StreamSpecification" in t.properties
    }
    assert streaming.pop("Events") == "NEW_IMAGE"
    assert set(streaming) == {"Proposals", "Outcomes", "AgentsConfig", "TrackedEntities"}, "replicas need one"


def buckets(synthesis: Synthesis) -> dict[str, Resource]:
    return {b.logical_id[:4].lower(): b for b in synthesis.of("AWS::S3::Bucket", "data")}


@pytest.mark.req("D6")
@pytest.mark.parametrize("name", ["lake", "ledg", "acce", "cata"])
def test_buckets_are_private_encrypted_versioned_and_tls_only(production: Synthesis, name: str) -> None:
    bucket = buckets(production)[name]
    properties = bucket.properties
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket.rest["DeletionPolicy"] == "Retain"
    conditions = denied_without(production, bucket)
    assert buckets(production).keys() == {"lake", "ledg", "acce", "cata"}, "one of each, none untested"
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


def denied_without(synthesis: Synthesis, bucket: Resource) -> list[Any]:
    (policy,) = [
        p
        for p in synthesis.of("AWS::S3::BucketPolicy")
        if p.properties["Bucket"] == {"Ref": bucket.logical_id}
    ]
    statements = policy.properties["PolicyDocument"]["Statement"]
    return [s["Condition"] for s in statements if s["Effect"] == "Deny" and s["Action"] == "s3:*"]


@pytest.mark.req("D6")
@pytest.mark.parametrize("stage", ["production", "staging", "local"])
def test_an_upload_with_another_key_or_none_is_refused(stage: str, request: pytest.FixtureRequest) -> None:
    """Who says nothing gets the bucket's own key by default; who chooses may choose only that."""
    synthesis: Synthesis = request.getfixturevalue(stage)
    sse = "s3:x-amz-server-side-encryption"
    for bucket in synthesis.of("AWS::S3::Bucket"):
        (policy,) = [
            p
            for p in synthesis.of("AWS::S3::BucketPolicy", bucket.stack)
            if p.properties["Bucket"] == {"Ref": bucket.logical_id}
        ]
        refused = {
            s["Sid"]: s
            for s in policy.properties["PolicyDocument"]["Statement"]
            if s["Effect"] == "Deny" and s["Action"] == "s3:PutObject"
        }
        assert set(refused) == {"RefuseOtherEncryption", "RefuseOtherKeys", "RefuseCustomersKeys"}
        assert all(s["Principal"] == {"AWS": "*"} for s in refused.values())
        other = refused["RefuseOtherEncryption"]["Condition"]
        assert other == {"Null": {sse: "false"}, "StringNotEquals": {sse: "aws:kms"}}
        named = refused["RefuseOtherKeys"]["Condition"]
        assert named["Null"] == {f"{sse}-aws-kms-key-id": "false"}
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        own = rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]
        assert named["StringNotEquals"] == {f"{sse}-aws-kms-key-id": own}


@pytest.mark.req("D6")
def test_old_objects_of_the_lake_move_to_cheaper_storage(production: Synthesis) -> None:
    rules = buckets(production)["lake"].properties["LifecycleConfiguration"]["Rules"]
    moves = {
        rule["Prefix"]: [(t["StorageClass"], t["TransitionInDays"]) for t in rule["Transitions"]]
        for rule in rules
        if "Transitions" in rule
    }
    assert set(moves) == {"raw-data/", "curated-data/", "features/", "backtests/", "eval/"}
    assert moves["raw-data/"] == [("INTELLIGENT_TIERING", 0), ("GLACIER", 180), ("DEEP_ARCHIVE", 365)]
    first_frozen = min(days for storage, days in moves["raw-data/"] if storage != "INTELLIGENT_TIERING")
    assert timedelta(days=first_frozen) > HELD_FOR, "what is frozen cannot be forgotten"
    (tidy,) = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert tidy["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}


@pytest.mark.req("A3", "D6")
def test_the_lake_can_forget(production: Synthesis) -> None:
    properties = buckets(production)["lake"].properties
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert not properties.get("ObjectLockEnabled")


@pytest.mark.req("D6")
def test_a_ledger_entry_cannot_be_deleted_for_ten_years_by_anybody(production: Synthesis) -> None:
    properties = buckets(production)["ledg"].properties
    assert properties["ObjectLockEnabled"] is True
    rule = properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Mode": "COMPLIANCE", "Days": 3_653}
    assert "LifecycleConfiguration" not in properties


def test_no_stateful_resource_has_a_name_of_its_own(production: Synthesis) -> None:
    naming = {
        "AWS::DynamoDB::GlobalTable": "TableName",
        "AWS::S3::Bucket": "BucketName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::SecretsManager::Secret": "Name",
        "AWS::Cognito::UserPool": "UserPoolName",
        "AWS::Logs::LogGroup": "LogGroupName",
    }
    named = [r for r in production.all() if r.kind in naming and naming[r.kind] in r.properties]
    # A work queue's dead-letter queue names it, and of two resources only one can refer to the other.
    work_queues = {q.logical_id for q in production.of("AWS::SQS::Queue") if "RedrivePolicy" in q.properties}
    assert {r.logical_id for r in named if r.kind == "AWS::SQS::Queue"} == work_queues
    # found by their names alone: from another region, by a service that takes no other name, or no `:*`
    assert {r.properties[naming[r.kind]] for r in named if r.kind != "AWS::SQS::Queue"} == {
        "bellwether-production-edge",
        "bellwether-production-edge-files",
        "bellwether-production-edge-requests",
        "bellwether-production-sign-ins",
        "aws-waf-logs-bellwether-production",
        "aws-waf-logs-bellwether-production-edge",
        "aws-waf-logs-bellwether-production-sign-in",
    }
