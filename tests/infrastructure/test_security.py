"""Keys, secrets, and what every template has to keep to."""

import json
import re
from graphlib import TopologicalSorter
from typing import Any

import pytest

from infrastructure.constructs.secrets import DOCUMENTS
from tests.infrastructure.synthesis import Resource, Synthesis, listed

UNNARROWABLE = {"dynamodb:ListTables", "dynamodb:ListBackups", "dynamodb:ListStreams"}
UNNARROWABLE |= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
UNNARROWABLE |= {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroupRules"}
"""Calls that IAM knows no resource for."""


@pytest.mark.req("S1")
def test_every_key_rotates_yearly_and_exists_for_other_regions(production: Synthesis) -> None:
    keys = production.of("AWS::KMS::Key")
    assert len(keys) >= 5
    for key in keys:
        assert key.properties["EnableKeyRotation"] is True
        assert key.properties["RotationPeriodInDays"] == 365
        assert key.properties["MultiRegion"] is True
        assert key.rest["DeletionPolicy"] == "Retain"


def key_statements(synthesis: Synthesis) -> list[tuple[Resource, dict[str, Any]]]:
    return [
        (key, statement)
        for key in synthesis.of("AWS::KMS::Key")
        for statement in key.properties["KeyPolicy"]["Statement"]
    ]


def of_account(statement: dict[str, Any]) -> bool:
    return ":root" in json.dumps(statement["Principal"])


@pytest.mark.req("S1")
def test_the_account_can_always_manage_its_keys(production: Synthesis) -> None:
    for key in production.of("AWS::KMS::Key"):
        managing = [
            s
            for s in key.properties["KeyPolicy"]["Statement"]
            if of_account(s) and "Condition" not in s and "kms:PutKeyPolicy" in s["Action"]
        ]
        assert len(managing) == 1
        assert {"kms:ScheduleKeyDeletion", "kms:EnableKeyRotation"} <= set(managing[0]["Action"])


@pytest.mark.req("S1")
def test_managing_a_key_is_no_right_to_use_it(production: Synthesis) -> None:
    uses = ("Decrypt", "Encrypt", "ReEncrypt", "GenerateDataKey", "CreateGrant", "Sign", "*")
    for key, statement in key_statements(production):
        using = [a for a in listed(statement["Action"]) if a.removeprefix("kms:").startswith(uses)]
        if using and of_account(statement):
            services = listed(statement["Condition"]["StringEquals"]["kms:ViaService"])
            assert services
            assert all(s.endswith(f".{production.region(key.stack)}.amazonaws.com") for s in services)
        if "kms:CreateGrant" in using:
            assert statement["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


@pytest.mark.req("S1")
def test_a_service_uses_a_key_only_for_this_account(production: Synthesis) -> None:
    narrowing = {"aws:sourceaccount", "aws:sourcearn", "kms:encryptioncontext:aws:logs:arn"}
    for key, statement in key_statements(production):
        if of_account(statement):
            continue
        assert set(statement["Principal"]) == {"Service"}, key.logical_id
        names = {name.lower() for block in statement["Condition"].values() for name in block}
        assert names & narrowing, key.logical_id
        assert '{"Ref": "AWS::AccountId"}' in json.dumps(statement["Condition"]), key.logical_id


@pytest.mark.req("S1")
def test_every_key_has_an_alias_and_time_to_change_ones_mind(production: Synthesis) -> None:
    aliased = {
        production.target(a.stack, a.properties["TargetKeyId"]) for a in production.of("AWS::KMS::Alias")
    }
    for key in production.of("AWS::KMS::Key"):
        assert key.logical_id in aliased
        assert key.properties["PendingWindowInDays"] == 30


@pytest.mark.req("S1", "B1")
def test_every_log_group_of_the_region_has_the_key_for_logs(production: Synthesis) -> None:
    groups = production.of("AWS::Logs::LogGroup")
    assert len(groups) > 20
    for group in groups:
        assert group.properties["KmsKeyId"], group.logical_id
        if production.region(group.stack) == production.settings.region:
            assert production.target(group.stack, group.properties["KmsKeyId"]).startswith("Logs")


@pytest.mark.req("S2", "C2")
def test_secrets_are_generated_encrypted_and_in_no_environment(production: Synthesis) -> None:
    secrets = production.of("AWS::SecretsManager::Secret", "security")
    assert len(secrets) == 9
    for secret in secrets:
        assert production.target("security", secret.properties["KmsKeyId"]).startswith("Secrets")
        assert "GenerateSecretString" in secret.properties
        assert "SecretString" not in secret.properties
    for function in production.of("AWS::Lambda::Function"):
        told = json.dumps(function.properties.get("Environment", {}))
        assert "resolve:secretsmanager" not in told


@pytest.mark.req("S2")
def test_each_provider_has_a_secret_of_its_own(production: Synthesis) -> None:
    told = {f"{name.title().replace('_', '')}SecretArn" for name in ("author_salt", *DOCUMENTS)}
    assert told <= set(production.outputs())
    assert {"openai", "x", "reddit", "news", "prices"} <= set(DOCUMENTS)


@pytest.mark.req("S2")
def test_the_keys_of_machines_rotate_by_the_clock(production: Synthesis) -> None:
    (schedule,) = production.of("AWS::SecretsManager::RotationSchedule")
    rotating = production.function("rotate_client_key")
    assert production.target("compute", schedule.properties["RotationLambdaARN"]) == rotating.logical_id
    assert production.target("compute", schedule.properties["SecretId"]).startswith(
        "DeskSecretsClientCollector"
    )
    assert schedule.properties["RotationRules"]["ScheduleExpression"] == "rate(90 days)"
    (permission,) = [
        p.properties
        for p in production.of("AWS::Lambda::Permission")
        if p.properties["Principal"] == "secretsmanager.amazonaws.com"
    ]
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert rotating.properties["ReservedConcurrentExecutions"] == 1


@pytest.mark.req("S2", "X3")
def test_secrets_survive_the_region(production: Synthesis, staging: Synthesis) -> None:
    for secret in production.of("AWS::SecretsManager::Secret", "security"):
        assert [replica["Region"] for replica in secret.properties["ReplicaRegions"]] == ["eu-central-1"]
    assert not any(
        "ReplicaRegions" in s.properties for s in staging.of("AWS::SecretsManager::Secret", "security")
    )


@pytest.mark.req("S2", "S3")
def test_nobody_but_the_desk_and_its_operators_reads_a_secret(production: Synthesis) -> None:
    # What the edge proves itself with is read by whoever deploys, and opens nothing.
    secrets = {secret.logical_id for secret in production.of("AWS::SecretsManager::Secret", "security")}
    policies = production.of("AWS::SecretsManager::ResourcePolicy")
    assert {policy.properties["SecretId"]["Ref"] for policy in policies} == secrets
    for policy in policies:
        reading, outside = policy.properties["ResourcePolicy"]["Statement"]
        assert (reading["Effect"], outside["Effect"]) == ("Deny", "Deny")
        assert "secretsmanager:GetSecretValue" in reading["Action"]
        assert "secretsmanager:DeleteResourcePolicy" not in reading["Action"]
        names = [
            arn["Fn::Join"][1][-1].removeprefix(":role/")
            for arn in reading["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
        ]
        assert names == ["bellwether-production-*", "aws-reserved/sso.amazonaws.com/*"]
        assert outside["Condition"] == {
            "StringNotEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}
        }


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
        regions = ("eu-central-2", "us-east-1")
        assert service.endswith(tuple(f".{region}.amazonaws.com" for region in regions)) or (
            service == "s3.eu-central-1.amazonaws.com"
        )


@pytest.mark.req("S3")
def test_a_role_can_be_taken_by_a_service_only(production: Synthesis) -> None:
    for role in production.of("AWS::IAM::Role"):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            assert set(statement["Principal"]) == {"Service"}


@pytest.mark.req("O1")
def test_stacks_need_each_other_in_one_direction(production: Synthesis) -> None:
    needs = {
        stack: set(re.findall(r'"StackName": "bellwether-production-([a-z-]+)"', json.dumps(template)))
        for stack, template in production.templates.items()
    }
    assert "Fn::ImportValue" not in json.dumps(dict(production.templates))
    order = [*TopologicalSorter(needs).static_order()]
    desk = ["security", "data", "compute", "api", "observability"]
    assert [stack for stack in order if stack in desk] == desk
    assert {"auth", "account"} <= set(order)


UNTAGGABLE = (
    "AWS::ApiGateway::(Account|Authorizer|Deployment|GatewayResponse|Method|Model|RequestValidator|Resource)",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::ApiGatewayV2::(Authorizer|Deployment|Integration|Route)",
    "AWS::ApplicationAutoScaling::.*",
    "AWS::Athena::NamedQuery",
    "AWS::CloudFront::(CachePolicy|OriginAccessControl|ResponseHeadersPolicy)",
    "AWS::Cognito::(LogDeliveryConfiguration|UserPoolRiskConfigurationAttachment)",
    "AWS::EC2::(NetworkAclEntry|Route|SecurityGroupIngress|VPCGatewayAttachment)",
    "AWS::EC2::(SubnetNetworkAclAssociation|SubnetRouteTableAssociation)",
    "AWS::Glue::(Database|Table)",
    "AWS::Config::(ConfigurationRecorder|ConfigRule|DeliveryChannel)",
    "AWS::Events::Rule",
    "AWS::SecurityHub::Standard",
    "AWS::CloudWatch::Dashboard",
    "AWS::Cognito::(UserPoolClient|UserPoolGroup|UserPoolDomain)",
    "AWS::IAM::(Policy|ManagedPolicy)",
    "AWS::KMS::Alias",
    "AWS::Lambda::(Alias|EventInvokeConfig|LayerVersion|Permission|Version)",
    "AWS::Logs::(MetricFilter|QueryDefinition|ResourcePolicy)",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::(TopicPolicy|Subscription)",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::(ResourcePolicy|RotationSchedule)",
    "AWS::WAFv2::(LoggingConfiguration|WebACLAssociation)",
    "Custom::.*",
)
"""Types CloudFormation takes no tags for."""


def tags_of(resource: Resource) -> dict[str, str]:
    told = resource.properties
    tags = next((told[name] for name in ("Tags", "UserPoolTags", "ResourceTags") if name in told), None)
    if tags is None and "Replicas" in told:
        tags = told["Replicas"][0].get("Tags")
    if isinstance(tags, list):
        return {tag["Key"]: tag["Value"] for tag in tags}
    return dict(tags or {})


@pytest.mark.req("X2")
def test_whatever_can_be_tagged_says_what_it_belongs_to(production: Synthesis) -> None:
    wanted = {"product", "stage", "owner", "cost-center", "data-classification"}
    untagged = sorted(
        {
            f"{r.kind} {r.stack}/{r.logical_id}"
            for r in production.all()
            if not re.fullmatch("|".join(UNTAGGABLE), r.kind) and not wanted <= set(tags_of(r))
        }
    )
    assert untagged == []


@pytest.mark.req("D4")
def test_no_stack_of_production_can_be_deleted_by_mistake(production: Synthesis, staging: Synthesis) -> None:
    for synthesis, protected in ((production, True), (staging, False)):
        manifest = json.loads((synthesis.folder / "manifest.json").read_text())["artifacts"]
        for stack in synthesis.templates:
            told = manifest[f"{synthesis.settings.prefix}-{stack}"]["properties"]
            assert bool(told.get("terminationProtection")) is protected, stack
