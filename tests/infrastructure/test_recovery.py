"""The second region: what is copied there, with which keys, and that nothing there needs the first one."""

import json
from typing import Any

import pytest

from infrastructure.constructs.tables import TABLES
from infrastructure.settings import RECOVERY_REGION, Feature
from tests.infrastructure.synthesis import Resource, Synthesis, listed

REPLICATED = {"proposals", "outcomes", "agents_config", "tracked_entities"}


def elsewhere(reference: Any) -> dict[str, str]:
    """What a template reads of the recovery stack, in its region."""
    told: dict[str, str] = reference["Fn::GetStackOutput"]
    assert told["Region"] == RECOVERY_REGION
    assert told["StackName"] == "bellwether-production-recovery"
    return told


def bucket(synthesis: Synthesis, stack: str, start: str) -> Resource:
    (found,) = [r for r in synthesis.of("AWS::S3::Bucket", stack) if r.logical_id.startswith(start)]
    return found


@pytest.mark.req("X3", "O1")
def test_the_recovery_stack_needs_no_other(production: Synthesis) -> None:
    told = json.dumps(production.templates["recovery"])
    assert "Fn::GetStackOutput" not in told
    assert "Fn::ImportValue" not in told


@pytest.mark.req("X3", "D6")
@pytest.mark.parametrize(
    ("start", "copy", "markers"), [("Lake", "LakeCopy", "Enabled"), ("Ledger", "LedgerCopy", "Disabled")]
)
def test_every_object_is_copied_within_a_quarter_of_an_hour(
    production: Synthesis, start: str, copy: str, markers: str
) -> None:
    source = bucket(production, "data", start)
    (rule,) = source.properties["ReplicationConfiguration"]["Rules"]
    assert (rule["Status"], rule["Filter"]) == ("Enabled", {"Prefix": ""})
    assert rule["SourceSelectionCriteria"]["SseKmsEncryptedObjects"] == {"Status": "Enabled"}
    assert rule["DeleteMarkerReplication"] == {"Status": markers}
    target = rule["Destination"]
    assert target["ReplicationTime"] == {"Status": "Enabled", "Time": {"Minutes": 15}}
    assert target["Metrics"] == {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}
    elsewhere(target["Bucket"])
    assert production.target("recovery", target["Bucket"]).startswith(copy)
    key = target["EncryptionConfiguration"]["ReplicaKmsKeyID"]
    elsewhere(key)
    assert production.target("recovery", key).startswith("Lake")


@pytest.mark.req("X3", "S3")
@pytest.mark.parametrize(("start", "deletes"), [("Lake", True), ("Ledger", False)])
def test_what_copies_may_read_here_and_write_there_and_no_more(
    production: Synthesis, start: str, deletes: bool
) -> None:
    (policy,) = [
        p for p in production.of("AWS::IAM::Policy", "data") if p.logical_id.startswith(f"{start}Copying")
    ]
    statements = policy.properties["PolicyDocument"]["Statement"]
    there = [s for s in statements if "s3:ReplicateObject" in listed(s["Action"])]
    assert [("s3:ReplicateDelete" in listed(s["Action"])) for s in there] == [deletes]
    here = {a for s in statements if s not in there for a in listed(s["Action"]) if a.startswith("s3:")}
    assert all(action.startswith(("s3:Get", "s3:List")) for action in here)
    keys = {
        tuple(listed(s["Action"])): s["Condition"]["StringEquals"]["kms:ViaService"]
        for s in statements
        if "Condition" in s
    }
    assert keys == {
        ("kms:Encrypt", "kms:GenerateDataKey"): "s3.eu-central-1.amazonaws.com",
        ("kms:Decrypt",): "s3.eu-central-2.amazonaws.com",
    }


@pytest.mark.req("X3", "D6")
def test_the_copy_of_the_ledger_is_locked_as_the_ledger_is(production: Synthesis) -> None:
    copy, original = bucket(production, "recovery", "LedgerCopy"), bucket(production, "data", "Ledger")
    locked = copy.properties["ObjectLockConfiguration"]
    assert locked == original.properties["ObjectLockConfiguration"]
    assert locked["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE"
    lake = bucket(production, "recovery", "LakeCopy").properties["LifecycleConfiguration"]["Rules"]
    here = bucket(production, "data", "Lake").properties["LifecycleConfiguration"]["Rules"]
    assert [rule for rule in lake if rule["Id"] != "forgotten-words"] == here


@pytest.mark.req("X3", "A3")
def test_words_that_were_forgotten_here_leave_the_copy_a_day_later(production: Synthesis) -> None:
    """S3 copies the object without them, and not that its older version was deleted."""
    lake = bucket(production, "recovery", "LakeCopy").properties["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in lake if rule["Id"] == "forgotten-words"]
    assert (rule["Prefix"], rule["Status"]) == ("raw-data/", "Enabled")
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


@pytest.mark.req("X3", "D4")
def test_what_cannot_be_made_again_has_a_replica_with_settings_of_its_own(production: Synthesis) -> None:
    assert {name for name, row in TABLES.items() if row.replicated} == REPLICATED
    found = set()
    for table in production.of("AWS::DynamoDB::GlobalTable"):
        replicas = {replica["Region"]: replica for replica in table.properties["Replicas"]}
        assert "eu-central-2" in replicas
        if RECOVERY_REGION not in replicas:
            continue
        name = table.logical_id.removeprefix("Tables")[:-8]
        found.add("".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_"))
        replica = replicas[RECOVERY_REGION]
        assert replica["DeletionProtectionEnabled"] is True
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert replica["ReadOnDemandThroughputSettings"] == {"MaxReadRequestUnits": 4_000}
        assert {"Key": "stage", "Value": "production"} in replica["Tags"]
        elsewhere(replica["SSESpecification"]["KMSMasterKeyId"])
        assert table.properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert found == REPLICATED


@pytest.mark.req("S2", "X3")
def test_every_secret_is_kept_in_the_second_region_under_a_key_of_that_region(production: Synthesis) -> None:
    secrets = production.of("AWS::SecretsManager::Secret", "security")
    assert secrets
    for secret in secrets:
        (replica,) = secret.properties["ReplicaRegions"]
        assert replica["Region"] == RECOVERY_REGION
        elsewhere(replica["KmsKeyId"])
        assert production.target("recovery", replica["KmsKeyId"]).startswith("Secrets")


@pytest.mark.req("X3")
def test_the_other_stages_have_one_region_and_say_why(staging: Synthesis, local: Synthesis) -> None:
    for synthesis in (staging, local):
        named = RECOVERY_REGION in json.dumps(synthesis.templates)
        assert not named, "a stage with one region speaks of the second"
        assert "recovery" not in synthesis.templates
        assert len(synthesis.settings.lacks[Feature.RECOVERY_REGION]) > 40
