"""Copies of a bucket's objects in another region, made by S3 itself as they are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

_QUARTER = s3.ReplicationTimeValue.FIFTEEN_MINUTES


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Where copies go: buckets of another region by name, and the key they are encrypted with there.

    With time control: S3 promises 99.9 % of the copies within fifteen minutes and tells when it is late.
    """

    buckets: Mapping[str, s3.IBucket]
    key: kms.IKey
    region: str
    _roles: dict[str, iam.Role] = field(default_factory=dict)

    def of(self, scope: Construct, name: str, *, deletions: bool) -> dict[str, Any]:
        """The arguments a bucket is made with so that it is copied; `deletions` copies delete markers too.

        The deletion of a version is never copied, whatever is said here.
        """
        role = iam.Role(
            scope,
            "Copying",
            description=f"S3 copies the {name} to {self.region}",
            assumed_by=iam.ServicePrincipal(
                "s3.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
            ),
        )
        self._roles[scope.node.path] = role
        target = self.buckets[name]
        _allow(
            role,
            target.arn_for_objects("*"),
            "s3:ReplicateObject",
            "s3:ReplicateTags",
            *(["s3:ReplicateDelete"] if deletions else []),
        )
        _use_key(role, self.key, self.region, "kms:Encrypt", "kms:GenerateDataKey")
        rule = s3.ReplicationRule(
            id=f"copy-to-{self.region}",
            destination=target,
            priority=1,
            kms_key=self.key,
            sse_kms_encrypted_objects=True,
            delete_marker_replication=deletions,
            replication_time_control=_QUARTER,
            metrics=_QUARTER,
        )
        return {"replication_role": role, "replication_rules": [rule]}

    def grant(self, bucket: s3.Bucket, key: kms.IKey) -> None:
        """Lets S3 read what it copies."""
        scope = bucket.node.scope
        if scope is None:
            raise ValueError("a bucket belongs to a construct")
        role = self._roles[scope.node.path]
        _allow(role, bucket.bucket_arn, "s3:GetReplicationConfiguration", "s3:ListBucket")
        _allow(
            role,
            bucket.arn_for_objects("*"),
            "s3:GetObjectVersionForReplication",
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionTagging",
            "s3:GetObjectRetention",
            "s3:GetObjectLegalHold",
        )
        _use_key(role, key, Stack.of(bucket).region, "kms:Decrypt")


def _allow(role: iam.Role, resource: str, *actions: str) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[resource]))


def _use_key(role: iam.Role, key: kms.IKey, region: str, *actions: str) -> None:
    role.add_to_policy(
        iam.PolicyStatement(
            actions=list(actions),
            resources=[key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
        )
    )
