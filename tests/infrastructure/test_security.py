"""Keys, secrets, and what every template has to keep to."""

import json
from typing import Any

import pytest

from tests.infrastructure.synthesis import Synthesis, listed

UNNARROWABLE = {"dynamodb:ListTables", "dynamodb:ListBackups", "dynamodb:ListStreams"}
UNNARROWABLE |= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
UNNARROWABLE |= {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroupRules"}
"""Calls that IAM knows no resource for."""


@pytest.mark.req("S1")
def test_every_key_rotates_yearly_and_exists_for_other_regions(production: Synthesis) -> None:
    keys = production.of("AWS::KMS::Key")
    assert len(keys) == 5
    for key in keys:
        assert key.properties["EnableKeyRotation"] is True
        assert key.properties["RotationPeriodInDays"] == 365
        assert key.properties["MultiRegion"] is True
        assert key.rest["DeletionPolicy"] == "Retain"


@pytest.mark.req("S1")
def test_key_policies_name_the_account_and_one_service_at_most(production: Synthesis) -> None:
    for key in production.of("AWS::KMS::Key"):
        for statement in key.properties["KeyPolicy"]["Statement"]:
            principal = statement["Principal"]
            if "Service" in principal and principal["Service"].startswith("logs."):
                groups = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
                assert '":log-group:*"' in json.dumps(groups)
                assert {"Ref": "AWS::AccountId"} in groups["Fn::Join"][1]
            elif "Service" in principal:
                assert principal["Service"] == "cloudwatch.amazonaws.com"
                assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == {
                    "Ref": "AWS::AccountId"
                }
            else:
                assert "root" in json.dumps(principal)


@pytest.mark.req("S2", "C2")
def test_secrets_are_generated_encrypted_and_in_no_environment(production: Synthesis) -> None:
    secrets = production.of("AWS::SecretsManager::Secret")
    assert len(secrets) == 3
    for secret in secrets:
        assert production.target("security", secret.properties["KmsKeyId"]).startswith("Secrets")
        assert "GenerateSecretString" in secret.properties
        assert "SecretString" not in secret.properties
    for function in production.of("AWS::Lambda::Function"):
        told = json.dumps(function.properties.get("Environment", {}))
        assert "resolve:secretsmanager" not in told


def allowed(synthesis: Synthesis) -> list[tuple[str, dict[str, Any]]]:
    return [
        (policy.logical_id, statement)
        for policy in synthesis.of("AWS::IAM::Policy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]


@pytest.mark.req("S3")
def test_no_policy_allows_an_action_pattern(production: Synthesis) -> None:
    patterns = [(who, a) for who, s in allowed(production) for a in listed(s["Action"]) if "*" in a]
    assert patterns == []


@pytest.mark.req("S3")
def test_only_calls_without_a_resource_are_allowed_on_all_resources(production: Synthesis) -> None:
    loose = {
        action
        for _, statement in allowed(production)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    assert loose <= UNNARROWABLE


@pytest.mark.req("S3")
def test_keys_are_used_through_one_service_only(production: Synthesis) -> None:
    uses = [s for _, s in allowed(production) if any(a.startswith("kms:") for a in listed(s["Action"]))]
    assert uses
    for statement in uses:
        service = statement["Condition"]["StringEquals"]["kms:ViaService"]
        assert service.endswith(".eu-central-2.amazonaws.com")


@pytest.mark.req("S3")
def test_a_role_can_be_taken_by_a_service_only(production: Synthesis) -> None:
    for role in production.of("AWS::IAM::Role"):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            assert set(statement["Principal"]) == {"Service"}


@pytest.mark.req("O1")
def test_stacks_need_each_other_in_one_direction(production: Synthesis) -> None:
    order = ["security", "network", "data", "auth", "compute", "api", "observability", "batch"]
    assert set(order) == set(production.templates)
    for position, stack in enumerate(order):
        told = json.dumps(production.templates[stack])
        assert "Fn::ImportValue" not in told
        later = [name for name in order[position:] if f'"StackName": "bellwether-production-{name}"' in told]
        assert later == []


@pytest.mark.req("X2")
def test_whatever_can_be_tagged_says_what_it_belongs_to(production: Synthesis) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::KMS::Key"):
        for resource in production.of(kind):
            tags = {tag["Key"]: tag["Value"] for tag in resource.properties["Tags"]}
            assert tags.items() >= {"product": "bellwether", "stage": "production"}.items()
