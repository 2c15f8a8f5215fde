"""What must hold for every resource of a type in production, whoever adds it.

The embedded engine drops most of these properties and deploys all the same, so nothing but the template shows
them.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infrastructure.constructs.tables import TABLES, TTL_ATTRIBUTE
from tests.infrastructure.synthesis import Resource, Synthesis

Check = Callable[[Synthesis, Resource], bool]


def at(value: Any, path: str) -> Any:
    """The value below a dotted path; `None` where it ends early."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def has(path: str, *wanted: Any) -> Check:
    """The property is set; to one of the values, where some are given."""

    def check(_: Synthesis, resource: Resource) -> bool:
        told = at(resource.properties, path)
        return told in wanted if wanted else told not in (None, "", [], {})

    return check


def in_each_replica(path: str, *wanted: Any) -> Check:
    """The same of each replica of a table."""

    def check(_: Synthesis, resource: Resource) -> bool:
        told = [at(replica, path) for replica in resource.properties["Replicas"]]
        return all(one in wanted if wanted else one for one in told)

    return check


def protected(_: Synthesis, resource: Resource) -> bool:
    """Stays when its stack is deleted or it is replaced."""
    return {resource.rest.get("DeletionPolicy"), resource.rest.get("UpdateReplacePolicy")} == {"Retain"}


def expires_where_it_should(_: Synthesis, resource: Resource) -> bool:
    by_id = {"".join(part.capitalize() for part in name.split("_")): row for name, row in TABLES.items()}
    rows = [row for name, row in by_id.items() if resource.logical_id.startswith(f"Tables{name}")]
    told = resource.properties.get("TimeToLiveSpecification")
    return not rows or told == (
        {"AttributeName": TTL_ATTRIBUTE, "Enabled": True} if rows[0].expires else None
    )


MADE_AGAIN = "EdgeSecret"
"""A generated value that nothing outside the templates knows."""


def private(_: Synthesis, resource: Resource) -> bool:
    return resource.properties.get("PublicAccessBlockConfiguration") == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )


def encrypted_bucket(synthesis: Synthesis, resource: Resource) -> bool:
    """With a customer key; S3 delivers its own access logs only to buckets with the service's key."""
    (rule,) = at(resource.properties, "BucketEncryption.ServerSideEncryptionConfiguration")
    told = rule["ServerSideEncryptionByDefault"]
    if told["SSEAlgorithm"] == "aws:kms":
        return bool(told["KMSMasterKeyID"]) and rule["BucketKeyEnabled"] is True
    targets = [
        synthesis.target(bucket.stack, told["DestinationBucketName"])
        for bucket in synthesis.of("AWS::S3::Bucket")
        if (told := bucket.properties.get("LoggingConfiguration", {})).get("DestinationBucketName")
    ]
    return told["SSEAlgorithm"] == "AES256" and resource.logical_id in targets


def tls_only(synthesis: Synthesis, resource: Resource) -> bool:
    """A policy of the resource refuses whatever comes without TLS."""
    kinds = {
        "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket"),
        "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues"),
        "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics"),
    }
    kind, member = kinds[resource.kind]
    for policy in synthesis.of(kind, resource.stack):
        told = policy.properties[member]
        named = [synthesis.target(policy.stack, one) for one in (told if isinstance(told, list) else [told])]
        if resource.logical_id in named:
            return any(
                s["Effect"] == "Deny" and at(s, "Condition.Bool") == {"aws:SecureTransport": "false"}
                for s in policy.properties["PolicyDocument"]["Statement"]
            )
    return False


def encrypted_queue(_: Synthesis, resource: Resource) -> bool:
    told = resource.properties
    return told.get("SqsManagedSseEnabled") is True or bool(told.get("KmsMasterKeyId"))


def failures_are_kept(synthesis: Synthesis, resource: Resource) -> bool:
    """Where a function is started without anybody waiting, something keeps the run that failed."""
    reference = {"Fn::GetAtt": [resource.logical_id, "Arn"]}
    started = [
        schedule
        for schedule in synthesis.of("AWS::Scheduler::Schedule", resource.stack)
        if at(schedule.properties, "Target.Arn") == reference
    ]
    if not started:
        return True
    kept = [
        config
        for config in synthesis.of("AWS::Lambda::EventInvokeConfig", resource.stack)
        if config.properties["FunctionName"] == {"Ref": resource.logical_id}
        and at(config.properties, "DestinationConfig.OnFailure.Destination")
    ]
    return bool(kept) and all(at(one.properties, "Target.DeadLetterConfig.Arn") for one in started)


EVERY: dict[str, dict[str, Check]] = {
    "AWS::DynamoDB::GlobalTable": {
        "is encrypted with a customer key": has("SSESpecification.SSEType", "KMS"),
        "is so in each region": in_each_replica("SSESpecification.KMSMasterKeyId"),
        "can be restored to a point": in_each_replica(
            "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", True
        ),
        "cannot be deleted": in_each_replica("DeletionProtectionEnabled", True),
        "is paid by request": has("BillingMode", "PAY_PER_REQUEST"),
        "has a ceiling of writes": has("WriteOnDemandThroughputSettings.MaxWriteRequestUnits"),
        "has a ceiling of reads": in_each_replica("ReadOnDemandThroughputSettings.MaxReadRequestUnits"),
        "expires where it should": expires_where_it_should,
        "outlives its stack": protected,
    },
    "AWS::S3::Bucket": {
        "is encrypted with a customer key": encrypted_bucket,
        "is private": private,
        "has one owner and no access lists": lambda _, r: (
            at(r.properties, "OwnershipControls.Rules") == [{"ObjectOwnership": "BucketOwnerEnforced"}]
            and "AccessControl" not in r.properties
        ),
        "keeps versions": has("VersioningConfiguration.Status", "Enabled"),
        "is TLS only": tls_only,
        "outlives its stack": protected,
    },
    "AWS::Lambda::Function": {
        "is bounded": has("ReservedConcurrentExecutions"),
        "logs to a group of its own": has("LoggingConfig.LogGroup"),
        "has a role": has("Role"),
        "loses no failed run": failures_are_kept,
    },
    "AWS::Logs::LogGroup": {
        "is encrypted with a customer key": has("KmsKeyId"),
        "is kept for a time": has("RetentionInDays", 30, 90, 365, 731, 3653),
    },
    "AWS::SecretsManager::Secret": {
        "is encrypted with a customer key": has("KmsKeyId"),
        "outlives its stack": lambda s, r: protected(s, r) or r.logical_id.startswith(MADE_AGAIN),
    },
    "AWS::KMS::Key": {
        "rotates": has("EnableKeyRotation", True),
        "outlives its stack": protected,
    },
    "AWS::SNS::Topic": {"is encrypted with a customer key": has("KmsMasterKeyId"), "is TLS only": tls_only},
    "AWS::SQS::Queue": {"is encrypted": encrypted_queue, "is TLS only": tls_only},
    "AWS::ApiGateway::Stage": {"logs who calls": has("AccessLogSetting.DestinationArn")},
    "AWS::ApiGatewayV2::Stage": {"logs who calls": has("AccessLogSettings.DestinationArn")},
    "AWS::Cognito::UserPool": {
        "cannot be deleted": has("DeletionProtection", "ACTIVE"),
        "asks for a second factor": has("MfaConfiguration", "ON"),
        "outlives its stack": protected,
    },
    "AWS::Backup::BackupVault": {
        "is encrypted with a customer key": has("EncryptionKeyArn"),
        "outlives its stack": protected,
    },
    "AWS::Athena::WorkGroup": {
        "decides for its callers": has("WorkGroupConfiguration.EnforceWorkGroupConfiguration", True),
        "encrypts results": has(
            "WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.EncryptionOption", "SSE_KMS"
        ),
    },
    "AWS::CloudTrail::Trail": {
        "is encrypted with a customer key": has("KMSKeyId"),
        "can be verified": has("EnableLogFileValidation", True),
    },
}

STATEFUL = (
    "DynamoDB::Table",
    "RDS::",
    "ElastiCache::",
    "Timestream::",
    "Kinesis",
    "EFS::FileSystem",
    "OpenSearch",
)
"""Types that hold data too and have no checks above: whoever adds one writes them."""


@pytest.mark.req("D4", "D6", "S4")
@pytest.mark.parametrize("kind", EVERY)
def test_every_resource_of_the_type_keeps_to_it(production: Synthesis, kind: str) -> None:
    broken = [
        f"{resource.stack}/{resource.logical_id}: {promise}"
        for resource in production.of(kind)
        for promise, check in EVERY[kind].items()
        if not check(production, resource)
    ]
    assert broken == []


@pytest.mark.req("D4")
def test_whatever_holds_data_has_checks(production: Synthesis) -> None:
    unchecked = {r.kind for r in production.all() if any(f"AWS::{name}" in r.kind for name in STATEFUL)}
    assert unchecked - set(EVERY) == set()


@pytest.mark.parametrize("kind", EVERY)
def test_a_resource_without_properties_would_be_seen(production: Synthesis, kind: str) -> None:
    """The checks themselves: nothing of the type passes bare."""
    for resource in production.of(kind)[:1]:
        bare = resource._replace(properties={"Replicas": [{}]}, rest={})
        passed = []
        for promise, check in EVERY[kind].items():
            try:
                passed.append((promise, check(production, bare)))
            except (TypeError, KeyError):
                passed.append((promise, False))
        assert not all(told for _, told in passed)


def exposures(synthesis: Synthesis) -> list[str]:
    """What anybody on the internet could reach without a name."""
    found = []
    for resource in synthesis.all():
        told = json.dumps(resource.properties)
        where = f"{resource.stack}/{resource.logical_id}"
        if resource.kind == "AWS::Lambda::Url" and resource.properties.get("AuthType") != "AWS_IAM":
            found.append(f"{where}: a function's address without a signature")
        if resource.kind == "AWS::EC2::SecurityGroup":
            ingress = json.dumps(resource.properties.get("SecurityGroupIngress", []))
            if "0.0.0.0/0" in ingress or "::/0" in ingress:
                found.append(f"{where}: open to every address")
        if resource.kind == "AWS::EC2::SecurityGroupIngress" and ("0.0.0.0/0" in told or '"::/0"' in told):
            found.append(f"{where}: open to every address")
        if resource.kind == "AWS::EC2::Subnet" and resource.properties.get("MapPublicIpOnLaunch") is True:
            found.append(f"{where}: gives public addresses")
        if "PublicRead" in told or '"AllUsers"' in told:
            found.append(f"{where}: a public access list")
    return found


@pytest.mark.req("D6", "S3")
def test_nothing_is_open_to_the_world(production: Synthesis, staging: Synthesis) -> None:
    assert exposures(production) == []
    assert exposures(staging) == []


@pytest.mark.req("D6", "S3")
def test_an_open_door_would_be_seen(production: Synthesis) -> None:
    open_doors = {
        "Url": {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE"}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0"}]},
        },
        "Rule": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"CidrIpv6": "::/0"}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"MapPublicIpOnLaunch": True}},
    }
    flawed = Synthesis(production.settings, {"data": {"Resources": open_doors}}, production.folder, [])
    assert len(exposures(flawed)) == len(open_doors)
