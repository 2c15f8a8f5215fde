"""The end of a stage, with what its stacks cannot delete: full buckets, backups that outlive their tables."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bellwether.cli.cdk_app import CdkApp
    from bellwether.cli.output import Output

Client = Callable[[str, str], Any]
"""A client of a service in a region."""

_AT_ONCE = 1000
_HOLDING = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}


@dataclass(frozen=True)
class Order:
    """The stacks of an assembly in the order of their end, and the region of each.

    `first` are needed by none of the rest: with them ends everything that writes. `last` are those with
    buckets or tables that others write to, and what these need, their keys.
    """

    first: list[str]
    last: list[str]
    regions: Mapping[str, str]


def dismantle(
    tool: "CdkApp", assembly: Path, environment: Mapping[str, str], client: Client, output: "Output"
) -> dict[str, int]:
    """Deletes every stack of an assembly: what writes first, then the content of the rest, then the rest.

    Interrupted, it can be repeated. Gives how many objects and backups were deleted.
    """
    order = order_of(assembly)
    end = ["--force", "--app", str(assembly)]
    output.note("emptying buckets, deleting backups")
    # What only a stack itself writes to, such as the dashboard's files, is still when it is emptied.
    early = empty(order.first, order.regions, client)
    tool.cdk(["destroy", *order.first, "--exclusively", *end], environment, heard=output)
    late = empty(order.last, order.regions, client)
    tool.cdk(["destroy", "--all", *end], environment, heard=output)
    return {kind: early[kind] + late[kind] for kind in early}


def order_of(assembly: Path) -> Order:
    """Read from the assembly's manifest and templates."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {name: one for name, one in artifacts.items() if one["type"] == "aws:cloudformation:stack"}
    last: set[str] = set()
    needed = {other for one in stacks.values() for other in one.get("dependencies", [])}
    waiting = [
        name
        for name in needed & stacks.keys()
        if _holds(assembly / stacks[name]["properties"]["templateFile"])
    ]
    while waiting:
        name = waiting.pop()
        if name in stacks and name not in last:
            last.add(name)
            waiting += stacks[name].get("dependencies", [])
    return Order(
        first=[name for name in stacks if name not in last],
        last=[name for name in stacks if name in last],
        regions={name: one["environment"].rpartition("/")[2] for name, one in stacks.items()},
    )


def empty(stacks: Sequence[str], regions: Mapping[str, str], client: Client) -> dict[str, int]:
    """Deletes all objects and backups of those stacks that hold some; gives how many of both.

    A lock in governance mode is passed over, which takes a right of its own; one in compliance mode stands,
    and the call fails. A stack that is gone already holds nothing.
    """
    deleted = {"objects": 0, "backups": 0}
    for stack in stacks:
        region = regions[stack]
        for kind, name in _resources(client("cloudformation", region), stack):
            if kind == "AWS::S3::Bucket":
                deleted["objects"] += empty_bucket(client("s3", region), name)
            elif kind in _HOLDING:
                deleted["backups"] += delete_backups(client("dynamodb", region), name)
    return deleted


def empty_bucket(s3: Any, bucket: str) -> int:
    """Deletes every version of every object; gives how many. Raises `RuntimeError` for what stays."""
    deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": _AT_ONCE}
    ):
        versions = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        ]
        if not versions:
            continue
        answer = s3.delete_objects(
            Bucket=bucket, Delete={"Objects": versions, "Quiet": True}, BypassGovernanceRetention=True
        )
        if faults := answer.get("Errors"):
            raise RuntimeError(f"{len(faults)} objects of {bucket} stay: {faults[0].get('Code')}")
        deleted += len(versions)
    return deleted


def delete_backups(dynamodb: Any, table: str) -> int:
    """Deletes every on-demand backup of a table; gives how many."""
    backups = [
        one["BackupArn"]
        for page in dynamodb.get_paginator("list_backups").paginate(TableName=table, BackupType="USER")
        for one in page["BackupSummaries"]
    ]
    for arn in backups:
        dynamodb.delete_backup(BackupArn=arn)
    return len(backups)


def _holds(template: Path) -> bool:
    resources = json.loads(template.read_text()).get("Resources", {}).values()
    return any(one["Type"] in _HOLDING for one in resources)


def _resources(cloudformation: Any, stack: str) -> Iterator[tuple[str, str]]:
    from botocore.exceptions import ClientError

    try:
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
            for one in page["StackResourceSummaries"]:
                # What is deleted already is listed too.
                if one["ResourceStatus"] != "DELETE_COMPLETE":
                    yield one["ResourceType"], one["PhysicalResourceId"]
    except ClientError as fault:
        if "does not exist" not in str(fault):
            raise
