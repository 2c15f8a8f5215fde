"""Reads roles and calls off a running desk and says what it found."""

import re
from collections.abc import Iterator, Mapping

from bellwether.desk import engine
from bellwether.desk.home import Home
from tests.desk.conftest import Desk
from tests.desk.processes import as_owner
from tests.desk.rights_used import Comparison, Right, compare, granted, made, resource_name


def compared(desk: Desk) -> Comparison:
    """The comparison for all functions of a desk that remembers calls."""
    iam, functions = as_owner(desk, "iam"), as_owner(desk, "lambda")
    roles, policies = {}, {}
    for construct, deployed in desk.outputs["functions"].items():
        name = _function_name(construct)
        configured = functions.get_function_configuration(FunctionName=deployed)
        role = configured["Role"].rpartition("/")[2]
        roles[role] = name
        assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        policies[name] = [
            iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
    record = engine.require(Home.open(desk.home)).calls()
    return compare(granted(policies), made(record, roles), names(desk))


def names(desk: Desk) -> dict[str, str]:
    """Physical names and ids of what is deployed, as the functions' table calls them."""
    stacks = as_owner(desk, "cloudformation")
    found: dict[str, str] = {}
    kinds = {
        "AWS::DynamoDB::GlobalTable": "",
        "AWS::S3::Bucket": "",
        "AWS::SQS::Queue": "",
        "AWS::KMS::Key": "",
        "AWS::ApiGatewayV2::Api": "api/",
        "AWS::SecretsManager::Secret": "secret/",
    }
    for stack in desk.outputs["stacks"]:
        for page in stacks.get_paginator("list_stack_resources").paginate(StackName=stack):
            for one in page["StackResourceSummaries"]:
                if one["ResourceType"] in kinds:
                    physical = one["PhysicalResourceId"].rpartition("/")[2].rpartition(":")[2]
                    found[physical] = kinds[one["ResourceType"]] + _own_name(one["LogicalResourceId"][:-8])
    return found


def report(desk: Desk, found: Comparison) -> str:
    """The comparison as Markdown: sums, what is wrong if anything is, and every right with its calls."""
    known = names(desk)
    return "\n".join(
        [
            *_sums(found),
            *_faults(found, known),
            "",
            "## Every right",
            "",
            "| function | action | resource | calls |",
            "|---|---|---|---|",
            *(_line(right, str(times), known) for right, times in found.used.items()),
            "",
            "## Rights without a call, and why they stay",
            "",
            *_excuses(found, known),
        ]
    )


def _sums(found: Comparison) -> Iterator[str]:
    yield "| function | rights | used | not asked of this engine | idle | denied calls |"
    yield "|---|---|---|---|---|---|"
    functions = sorted({right.function for right in (*found.used, *found.excused, *found.idle)})
    for function in functions:
        counts = [
            sum(one.function == function for one in part)
            for part in (found.used, found.excused, found.idle, found.denied)
        ]
        yield f"| {function} | {sum(counts[:3])} | {' | '.join(map(str, counts))} |"


def _faults(found: Comparison, known: Mapping[str, str]) -> Iterator[str]:
    if found.denied or found.idle or found.dead:
        yield "\n## What is wrong\n"
    yield from (f"- denied: {c.function} {c.action} on {c.resource} {c.prefix}" for c in found.denied)
    yield from (
        f"- idle: {r.function} {r.action} on {resource_name(r.resource, known)} {r.prefix}"
        for r in found.idle
    )
    yield from (f"- a reason that excuses nothing: {excuse}" for excuse in found.dead)


def _excuses(found: Comparison, known: Mapping[str, str]) -> Iterator[str]:
    by_reason: dict[str, list[Right]] = {}
    for right, excuse in found.excused.items():
        by_reason.setdefault(excuse.reason, []).append(right)
    for reason, rights in by_reason.items():
        kinds = sorted({f"`{r.action}` on `{resource_name(r.resource, known)}`" for r in rights})
        functions = sorted({r.function for r in rights})
        yield f"- {reason}: {', '.join(kinds)} ({', '.join(functions)})"


def _line(right: Right, calls: str, known: Mapping[str, str]) -> str:
    below = f" below `{right.prefix}`" if right.prefix else ""
    resource = resource_name(right.resource, known)
    return f"| {right.function} | `{right.action}` | `{resource}`{below} | {calls} |"


def _own_name(construct: str) -> str:
    """`TablesEvents` is `events`, `LakeBucket` is `lake`, `IngestQueue` is `ingest`."""
    return _snake(construct.removeprefix("Tables").removesuffix("Bucket").removesuffix("Queue")) or "tables"


def _function_name(construct: str) -> str:
    """`Functions/SignalWorker/Function` is `signal_worker`, as in the functions' table."""
    own = construct.removeprefix("Functions/").removesuffix("/Function").replace("/", "")
    return _snake(own)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
