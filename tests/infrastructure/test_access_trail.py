"""Who accessed which object: the trail of data events, its bucket and its key."""

import json

import pytest

from tests.infrastructure.synthesis import Resource, Synthesis


def trail(synthesis: Synthesis) -> Resource:
    (found,) = synthesis.of("AWS::CloudTrail::Trail", "data")
    return found


@pytest.mark.req("D6", "S4")
def test_every_access_to_lake_and_ledger_and_their_copies_is_recorded(production: Synthesis) -> None:
    properties = trail(production).properties
    assert properties["IsLogging"] is True
    assert properties["EnableLogFileValidation"] is True
    assert properties["IsMultiRegionTrail"] is True, "the copies are in another region"
    (selector,) = properties["AdvancedEventSelectors"]
    fields = {field["Field"]: field for field in selector["FieldSelectors"]}
    assert set(fields) == {"eventCategory", "resources.type", "resources.ARN"}, "reads as well as writes"
    assert fields["eventCategory"]["Equals"] == ["Data"]
    watched = [json.dumps(arn) for arn in fields["resources.ARN"]["StartsWith"]]
    assert len(watched) == 4
    for name in ("LakeBucket", "LedgerBucket", "LakeCopyBucket", "LedgerCopyBucket"):
        assert sum(name in arn and '"/"' in arn for arn in watched) == 1, name


@pytest.mark.req("D6")
def test_a_stage_of_one_region_watches_its_two_buckets(staging: Synthesis) -> None:
    properties = trail(staging).properties
    assert properties["IsMultiRegionTrail"] is False
    (selector,) = properties["AdvancedEventSelectors"]
    (arns,) = [f["StartsWith"] for f in selector["FieldSelectors"] if f["Field"] == "resources.ARN"]
    assert len(arns) == 2


@pytest.mark.req("D6", "S3")
def test_only_this_trail_writes_to_its_bucket_and_uses_its_key(production: Synthesis) -> None:
    properties = trail(production).properties
    bucket = properties["S3BucketName"]["Ref"]
    (policy,) = [
        p for p in production.of("AWS::S3::BucketPolicy", "data") if p.properties["Bucket"] == {"Ref": bucket}
    ]
    allowed = [s for s in policy.properties["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert {s["Action"] for s in allowed} == {"s3:GetBucketAcl", "s3:PutObject"}
    key = production.target("data", properties["KMSKeyId"])
    (made,) = [k for k in production.of("AWS::KMS::Key", "data") if k.logical_id == key]
    uses = [s for s in made.properties["KeyPolicy"]["Statement"] if "Service" in s["Principal"]]
    for statement in [*allowed, *uses]:
        assert statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        source = json.dumps(statement["Condition"]["StringEquals"]["aws:SourceArn"])
        assert ":trail/bellwether-production-data-events" in source


@pytest.mark.req("D6")
def test_the_log_is_kept_as_long_as_audit_logs(production: Synthesis) -> None:
    wanted = trail(production).properties["S3BucketName"]["Ref"]
    (bucket,) = [b for b in production.of("AWS::S3::Bucket", "data") if b.logical_id == wanted]
    rules = bucket.properties["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule] == [365]
    assert bucket.rest["DeletionPolicy"] == "Retain"
