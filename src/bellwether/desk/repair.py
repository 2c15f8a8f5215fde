"""Applies through the APIs what the engine drops from a template while calling the stack complete.

Driven by the synthesized templates alone: any table's time to live, point-in-time recovery and encryption,
any bucket's lifecycle, encryption and Object Lock, any function's reserved concurrency and dead letters.
Values the engine does not accept are reported, not raised: the templates' own tests prove the templates, and
a desk must come up.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .aws import client
from .engine import Running
from .resolve import Unresolved, resolve
from .stacks import Deployed, Resource

Clients = Callable[[str], Any]
Step = Callable[[], Any]


@dataclass(frozen=True)
class Repair:
    """One property that was applied, or not and why."""

    resource: str
    what: str
    fault: str | None = None


def repair(clients: Clients, deployed: Deployed) -> list[Repair]:
    """Apply everything; returns what was done, in the templates' order."""
    done: list[Repair] = []
    for resource in deployed.resources:
        planner = _PLANNERS.get(resource.kind)
        if planner is None:
            continue
        try:
            properties = _resolved(resource, deployed)
            for what, step in planner(clients, resource.physical, properties):
                done.append(_apply(resource, what, step))
        except Unresolved as unknown:
            done.append(
                Repair(resource.path or resource.logical, "properties", f"{unknown} is not known here")
            )
    return done


def _apply(resource: Resource, what: str, step: Step) -> Repair:
    name = resource.path or resource.logical
    try:
        step()
    except (ClientError, BotoCoreError) as error:
        return Repair(name, what, str(error))
    return Repair(name, what)


_USED = {
    "AWS::DynamoDB::Table": (
        "TimeToLiveSpecification",
        "PointInTimeRecoverySpecification",
        "SSESpecification",
    ),
    "AWS::DynamoDB::GlobalTable": ("TimeToLiveSpecification", "Replicas"),
    "AWS::S3::Bucket": ("LifecycleConfiguration", "BucketEncryption", "ObjectLockConfiguration"),
    "AWS::Lambda::Function": ("ReservedConcurrentExecutions", "DeadLetterConfig"),
}


def _resolved(resource: Resource, deployed: Deployed) -> dict[str, Any]:
    used = {key: resource.properties[key] for key in _USED[resource.kind] if key in resource.properties}
    values: dict[str, Any] = resolve(used, resource.stack, deployed)
    return values


def _table(clients: Clients, name: str, properties: dict[str, Any]) -> Iterator[tuple[str, Step]]:
    tables = clients("dynamodb")
    if ttl := properties.get("TimeToLiveSpecification"):
        yield "time to live", lambda: _set_ttl(tables, name, ttl)
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        yield "point-in-time recovery", lambda: _set_recovery(tables, name, recovery)
    if encryption := properties.get("SSESpecification"):
        yield "encryption", lambda: _set_table_encryption(tables, name, encryption)


def _global_table(clients: Clients, name: str, properties: dict[str, Any]) -> Iterator[tuple[str, Step]]:
    # Per-replica settings live in the replica's entry; a desk has one region, so the first entry holds.
    replicas = properties.get("Replicas") or [{}]
    recovery = replicas[0].get("PointInTimeRecoverySpecification")
    merged = {**properties, "PointInTimeRecoverySpecification": recovery}
    return _table(clients, name, merged)


def _set_ttl(tables: Any, name: str, wanted: dict[str, Any]) -> None:
    enabled = bool(wanted.get("Enabled", True))
    current = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if (current.get("TimeToLiveStatus") == "ENABLED") != enabled:
        attribute = wanted.get("AttributeName") or current.get("AttributeName")
        tables.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute}
        )


def _set_recovery(tables: Any, name: str, wanted: dict[str, Any]) -> None:
    tables.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=wanted)


def _set_table_encryption(tables: Any, name: str, wanted: dict[str, Any]) -> None:
    names = {"SSEEnabled": "Enabled", "SSEType": "SSEType", "KMSMasterKeyId": "KMSMasterKeyId"}
    specification = {names[key]: value for key, value in wanted.items() if key in names}
    tables.update_table(TableName=name, SSESpecification=specification)


def _bucket(clients: Clients, name: str, properties: dict[str, Any]) -> Iterator[tuple[str, Step]]:
    buckets = clients("s3")
    if encryption := properties.get("BucketEncryption"):
        yield "encryption", lambda: _set_bucket_encryption(buckets, name, encryption)
    if lock := properties.get("ObjectLockConfiguration"):
        yield (
            "object lock",
            lambda: buckets.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock),
        )
    if rules := (properties.get("LifecycleConfiguration") or {}).get("Rules"):
        configuration = {"Rules": [lifecycle_rule(rule) for rule in rules]}
        yield (
            "lifecycle",
            lambda: buckets.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration=configuration
            ),
        )


def _set_bucket_encryption(buckets: Any, name: str, wanted: dict[str, Any]) -> None:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in wanted["ServerSideEncryptionConfiguration"]
    ]
    buckets.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})


def lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A lifecycle rule of CloudFormation in the shape of the S3 API."""
    made: dict[str, Any] = {"Status": rule["Status"], "Filter": _filter(rule)}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    if kept := {key: value for key, value in expiration.items() if value is not None}:
        made["Expiration"] = kept
    if "Transitions" in rule:
        made["Transitions"] = [
            {"Days": entry["TransitionInDays"], "StorageClass": entry["StorageClass"]}
            for entry in rule["Transitions"]
        ]
    _noncurrent(rule, made)
    if unfinished := rule.get("AbortIncompleteMultipartUpload"):
        made["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": unfinished["DaysAfterInitiation"]}
    return made


def _noncurrent(rule: dict[str, Any], made: dict[str, Any]) -> None:
    if expiry := rule.get("NoncurrentVersionExpiration"):
        made["NoncurrentVersionExpiration"] = expiry
    if "NoncurrentVersionTransitions" in rule:
        made["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": entry["TransitionInDays"], "StorageClass": entry["StorageClass"]}
            for entry in rule["NoncurrentVersionTransitions"]
        ]


def _filter(rule: dict[str, Any]) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    if prefix := rule.get("Prefix"):
        conditions["Prefix"] = prefix
    for source, target in (("ObjectSizeGreaterThan", int), ("ObjectSizeLessThan", int)):
        if source in rule:
            conditions[source] = target(rule[source])
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters", [])]
    if len(conditions) + len(tags) > 1:
        return {"And": {**conditions, **({"Tags": tags} if tags else {})}}
    return {"Tag": tags[0]} if tags else conditions or {"Prefix": ""}


def _function(clients: Clients, name: str, properties: dict[str, Any]) -> Iterator[tuple[str, Step]]:
    functions = clients("lambda")
    reserved = properties.get("ReservedConcurrentExecutions")
    if reserved is not None:
        yield (
            "reserved concurrency",
            lambda: functions.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=int(reserved)
            ),
        )
    if target := properties.get("DeadLetterConfig"):
        yield (
            "dead-letter target",
            lambda: functions.update_function_configuration(FunctionName=name, DeadLetterConfig=target),
        )


_PLANNERS: dict[str, Callable[[Clients, str, dict[str, Any]], Iterator[tuple[str, Step]]]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::DynamoDB::GlobalTable": _global_table,
    "AWS::S3::Bucket": _bucket,
    "AWS::Lambda::Function": _function,
}


def repair_running(running: Running, deployed: Deployed) -> list[Repair]:
    """`repair` on a running engine."""
    return repair(functools.cache(lambda service: client(running, service)), deployed)
