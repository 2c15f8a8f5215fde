"""The auditor's role: there only when somebody is named, for them alone, to look and nothing else."""

import json

import pytest

from infrastructure.constructs.auditor_role import NEVER
from infrastructure.settings import Auditor
from tests.infrastructure.synthesis import Synthesis, listed


@pytest.mark.req("S3")
def test_nobody_from_elsewhere_gets_in_unless_named(production: Synthesis, audited: Synthesis) -> None:
    assert "auditors" not in production.templates
    assert len(audited.of("AWS::IAM::Role", "auditors")) == 1


@pytest.mark.req("S3")
def test_the_role_asks_for_the_agreed_id_and_a_second_factor(audited: Synthesis) -> None:
    (role,) = audited.of("AWS::IAM::Role", "auditors")
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert "444455556666:root" in json.dumps(trust["Principal"])
    assert trust["Condition"] == {
        "StringEquals": {"sts:ExternalId": "agreed-upon-in-person"},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
    }
    assert role.properties["MaxSessionDuration"] == 3600
    assert "policy/SecurityAudit" in json.dumps(role.properties["ManagedPolicyArns"])


@pytest.mark.req("S3")
def test_it_reads_the_ledger_and_is_denied_secrets_rows_and_writes(audited: Synthesis) -> None:
    (policy,) = audited.of("AWS::IAM::Policy", "auditors")
    statements = policy.properties["PolicyDocument"]["Statement"]
    allowed = {a for s in statements if s["Effect"] == "Allow" for a in listed(s["Action"])}
    assert allowed == {
        "s3:GetObject",
        "s3:GetObjectRetention",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "kms:Decrypt",
    }
    (denied,) = [s for s in statements if s["Effect"] == "Deny"]
    assert denied["Resource"] == "*"
    assert set(denied["Action"]) == set(NEVER)
    assert {"secretsmanager:GetSecretValue", "dynamodb:Query", "s3:PutObject", "iam:PassRole"} <= set(NEVER)


@pytest.mark.parametrize(
    "text", ["", "123", "123456789012", "123456789012:short", "12345678901x:0123456789abcdef"]
)
def test_an_auditor_is_named_in_full(text: str) -> None:
    with pytest.raises(ValueError, match="ACCOUNT:EXTERNAL-ID"):
        Auditor.told(text)


def test_an_auditor_is_read() -> None:
    assert Auditor.told("123456789012:0123456789abcdef") == Auditor("123456789012", "0123456789abcdef")
