"""What a deployment would replace: resources that hold something nobody can make again.

Compares two snapshots of a stage (see `snapshot_text`): another logical id is another resource, and a change
of some properties makes CloudFormation build a new one and delete or abandon the old one.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
SNAPSHOTS = "tests/infrastructure/snapshots"

Templates = Mapping[str, Mapping[str, Any]]
"""Templates by stack"""

FIXED: Mapping[str, frozenset[str]] = {
    "AWS::ApiGateway::ApiKey": frozenset({"GenerateDistinctId", "Name", "Value"}),
    "AWS::ApiGateway::RestApi": frozenset(),
    "AWS::ApiGatewayV2::Api": frozenset({"ProtocolType"}),
    "AWS::Backup::BackupVault": frozenset({"BackupVaultName", "EncryptionKeyArn"}),
    "AWS::Cognito::UserPool": frozenset({"AliasAttributes", "UsernameAttributes", "UsernameConfiguration"}),
    "AWS::Cognito::UserPoolClient": frozenset({"GenerateSecret", "UserPoolId"}),
    "AWS::DynamoDB::GlobalTable": frozenset({"KeySchema", "LocalSecondaryIndexes", "TableName"}),
    "AWS::DynamoDB::Table": frozenset({"ImportSourceSpecification", "KeySchema", "TableName"}),
    "AWS::KMS::Key": frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"}),
    "AWS::KMS::ReplicaKey": frozenset({"PrimaryKeyArn"}),
    "AWS::Logs::LogGroup": frozenset({"LogGroupName"}),
    "AWS::S3::Bucket": frozenset({"BucketName", "BucketNamePrefix", "BucketNamespace", "ObjectLockEnabled"}),
    "AWS::SQS::Queue": frozenset({"FifoQueue", "QueueName"}),
    "AWS::SecretsManager::Secret": frozenset({"Name"}),
    "Custom::SignalTables": frozenset({"Prefix", "ServiceToken"}),
}
"""Types whose resources hold data, or an address or key that others keep, and the properties that cannot
change.

From the specification the pinned cdk command line compares with (`test_upgrade.py` under tests/desk holds the
two equal), and beyond it `REFUSED`.
"""

REFUSED: Mapping[str, frozenset[str]] = {
    "AWS::Cognito::UserPool": frozenset({"AliasAttributes", "UsernameAttributes", "UsernameConfiguration"}),
    "AWS::KMS::Key": frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"}),
    "Custom::SignalTables": frozenset({"Prefix", "ServiceToken"}),
}
"""Changes CloudFormation does not answer with a new resource but with a failed update, or with another call
of our own function."""


class Replaced(NamedTuple):
    """One resource that would not be the same afterwards, and why."""

    stack: str
    logical_id: str
    why: str


def replaced(before: Templates, after: Templates) -> Iterator[Replaced]:
    """Resources of `before` that hold something and would be gone or made anew with `after`."""
    for stack, template in before.items():
        now = after.get(stack, {}).get("Resources", {})
        for logical_id, body in template["Resources"].items():
            if body["Type"] not in FIXED:
                continue
            other = now.get(logical_id)
            if other is None or other["Type"] != body["Type"]:
                yield Replaced(stack, logical_id, f"{body['Type']} is not there any more")
                continue
            old, new = body.get("Properties", {}), other.get("Properties", {})
            for name in sorted(FIXED[body["Type"]]):
                if old.get(name) != new.get(name):
                    yield Replaced(stack, logical_id, f"{name} of {body['Type']} changes")


def snapshot_at(commit: str, stage: str) -> Templates | None:
    """The reviewed templates of a stage at a commit; `None` without that commit or without snapshots
    there."""
    listed = _git("ls-tree", "--name-only", commit, f"{SNAPSHOTS}/{stage}/")
    if not listed:
        return None
    return {Path(path).stem: json.loads(_git("show", f"{commit}:{path}") or "") for path in listed.split()}


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None
