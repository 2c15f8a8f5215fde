"""The policies of a synthesis, with their references resolved to the ARNs AWS would put there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.infrastructure.synthesis import Resource, Synthesis, listed

ACCOUNT = "111122223333"

ARNS: Mapping[str, str] = {
    "AWS::ApiGateway::RestApi": "arn:aws:apigateway:{region}::/restapis/{id}",
    "AWS::Backup::BackupVault": "arn:aws:backup:{region}:{account}:backup-vault:{id}",
    "AWS::CloudWatch::Alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{id}",
    "AWS::Cognito::UserPool": "arn:aws:cognito-idp:{region}:{account}:userpool/{region}_{id}",
    "AWS::DynamoDB::GlobalTable": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{id}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/mrk-{id}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{id}",
    "AWS::Lambda::Alias": "arn:aws:lambda:{region}:{account}:function:{id}:live",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{id}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{id}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{id}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{id}",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:{region}:{account}:secret:{id}-a1b2c3",
}
_PSEUDO = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::URLSuffix": "amazonaws.com"}


class Granted(NamedTuple):
    """A statement of a policy of the resource `where` (`stack/logical id`)."""

    where: str
    kind: str
    stack: str
    statement: dict[str, Any]

    @property
    def actions(self) -> list[str]:
        return listed(self.statement.get("Action", []))

    @property
    def conditions(self) -> set[str]:
        """The condition keys."""
        return {key for block in self.statement.get("Condition", {}).values() for key in block}


class Resolver:
    """Writes a template's values out as text."""

    def __init__(self, synthesis: Synthesis) -> None:
        self._synthesis = synthesis
        self._resources = {(r.stack, r.logical_id): r for r in synthesis.all()}

    def text(self, stack: str, value: Any) -> str:
        """The value as AWS would see it, with made-up ids."""
        if isinstance(value, str):
            return re.sub(r"\$\{([^}]+)\}", lambda found: self._reference(stack, found[1], ""), value)
        ((name, told),) = value.items()
        if name == "Ref":
            return self._reference(stack, told, "Ref")
        if name == "Fn::GetAtt":
            return self._reference(stack, told[0], told[1])
        if name == "Fn::Join":
            return str(told[0]).join(self.text(stack, part) for part in told[1])
        if name == "Fn::Sub":
            return self.text(stack, told if isinstance(told, str) else told[0])
        if name == "Fn::GetStackOutput":
            other = told["StackName"].removeprefix(f"{self._synthesis.settings.prefix}-")
            return self.text(other, self._synthesis.templates[other]["Outputs"][told["OutputName"]]["Value"])
        if name == "Fn::Select":
            return self._selected(stack, told)
        raise AssertionError(f"nobody said how to read {name}")

    def _selected(self, stack: str, told: list[Any]) -> str:
        separator, whole = told[1]["Fn::Split"]
        return self.text(stack, whole).split(separator)[int(told[0])]

    def _reference(self, stack: str, name: str, attribute: str) -> str:
        if name == "AWS::Region":
            return self._synthesis.region(stack)
        if name in _PSEUDO:
            return _PSEUDO[name]
        resource = self._resources.get((stack, name))
        if resource is None:
            return name
        if attribute == "StreamArn":
            return self._arn(resource) + "/stream/2026-01-01T00:00:00.000"
        by_arn = resource.kind in ("AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::Lambda::Alias")
        if attribute.endswith("Arn") or (by_arn and attribute in ("Ref", "Id")):
            return self._arn(resource)
        return resource.logical_id

    def _arn(self, resource: Resource) -> str:
        pattern = ARNS.get(resource.kind, "arn:aws:unknown:{region}:{account}:{id}")
        region = self._synthesis.region(resource.stack)
        return pattern.format(region=region, account=ACCOUNT, id=resource.logical_id)

    def resources(self, granted: Granted) -> list[str]:
        """The statement's resources."""
        return [self.text(granted.stack, one) for one in listed(granted.statement.get("Resource", []))]


def identity_statements(synthesis: Synthesis) -> Iterator[Granted]:
    """What roles may do: statements of policies of roles, and of managed ones."""
    for resource in synthesis.all():
        where = f"{resource.stack}/{resource.logical_id}"
        documents = []
        if resource.kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
            documents = [resource.properties["PolicyDocument"]]
        elif resource.kind == "AWS::IAM::Role":
            documents = [one["PolicyDocument"] for one in resource.properties.get("Policies", [])]
        for document in documents:
            for statement in listed(document["Statement"]):
                yield Granted(where, resource.kind, resource.stack, statement)


_DOCUMENTS = {
    "AWS::IAM::Role": "AssumeRolePolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
    "AWS::Backup::BackupVault": "AccessPolicy",
}


def resource_statements(synthesis: Synthesis) -> Iterator[Granted]:
    """Who may reach a resource: statements of keys, buckets, topics, queues, secrets and of roles' trust."""
    for resource in synthesis.all():
        document = resource.properties.get(_DOCUMENTS.get(resource.kind, ""), {})
        for statement in listed(document.get("Statement", [])):
            where = f"{resource.stack}/{resource.logical_id}"
            yield Granted(where, resource.kind, resource.stack, statement)
