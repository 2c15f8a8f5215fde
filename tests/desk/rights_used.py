"""Compares what functions may do with what they did: rights from deployed roles, calls from the engine."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infrastructure.unexercised import UNEXERCISED, Unexercised


class Right(NamedTuple):
    """One action a function's role allows on one resource; `prefix` narrows the listing of a bucket."""

    function: str
    action: str
    resource: str
    prefix: str = ""


class Call(NamedTuple):
    """One kind of call a function made, and whether the engine let it."""

    function: str
    action: str
    resource: str
    prefix: str
    allowed: bool


@dataclass(frozen=True)
class Comparison:
    """`idle` are rights without a call and without a reason; `excused` those with a reason."""

    used: Mapping[Right, int]
    idle: Sequence[Right]
    excused: Mapping[Right, Unexercised]
    denied: Sequence[Call]
    dead: Sequence[Unexercised] = field(default_factory=tuple)


def granted(policies: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[Right]:
    """The rights in policy documents by function: one for each action, resource and prefix they name."""
    for function, documents in policies.items():
        for statement in (s for document in documents for s in _listed(document["Statement"])):
            assert statement["Effect"] == "Allow", f"{function} has a Deny, which nothing here understands"
            prefixes = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", "")
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    for prefix in _listed(prefixes):
                        yield Right(function, action, resource, prefix)


def made(record: Mapping[str, Any], roles: Mapping[str, str]) -> dict[Call, int]:
    """The calls of functions (by their role's name) in the engine's record, and how often.

    Sessions named otherwise than the function are somebody trying the role out, not the function.
    """
    assert not record["dropped"], f"the record is not complete: {record['dropped']} calls were dropped"
    found: dict[Call, int] = {}
    for call in record["calls"]:
        role, _, session = call["principal"].partition(":assumed-role/")[2].partition("/")
        if role not in roles or session == "rights":
            continue
        key = Call(roles[role], call["action"], call["resource"], call["prefix"], call["allowed"])
        found[key] = found.get(key, 0) + call["times"]
    return found


def compare(
    rights: Iterable[Right],
    calls: Mapping[Call, int],
    names: Mapping[str, str],
    excuses: Sequence[Unexercised] = UNEXERCISED,
) -> Comparison:
    """Which rights were used, which are idle, which calls were denied. `names` are of `resource_name`."""
    used: dict[Right, int] = {}
    idle: list[Right] = []
    excused: dict[Right, Unexercised] = {}
    for right in sorted(set(rights)):
        times = sum(count for call, count in calls.items() if call.allowed and _covers(right, call))
        if times:
            used[right] = times
        elif (excuse := _excuse(right, names, excuses)) is not None:
            excused[right] = excuse
        else:
            idle.append(right)
    return Comparison(
        used=used,
        idle=idle,
        excused=excused,
        denied=sorted(call for call in calls if not call.allowed),
        dead=[excuse for excuse in excuses if excuse not in excused.values()],
    )


def resource_name(arn: str, names: Mapping[str, str]) -> str:
    """An ARN as a person would say it; `names` maps physical names and ids to the desk's own."""
    if arn == "*":
        return "every"
    service, rest = arn.split(":")[2], arn.split(":", 5)[5]
    if service == "logs":
        return "its log"
    kind = "queue/" if service == "sqs" else ""
    for physical in sorted(names, key=len, reverse=True):
        rest = rest.replace(physical, names[physical])
    return kind + re.sub(r"(stream)/.*", r"\1", rest)


def _covers(right: Right, call: Call) -> bool:
    return (
        right.function == call.function
        and right.action == call.action
        and _matches(right.resource, call.resource)
        and _matches(right.prefix or "*", call.prefix)
    )


def _matches(pattern: str, text: str) -> bool:
    """A policy's wildcards: `*` any text, `?` one character."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _excuse(right: Right, names: Mapping[str, str], excuses: Sequence[Unexercised]) -> Unexercised | None:
    name = resource_name(right.resource, names)
    for excuse in excuses:
        pairs = ((excuse.functions, right.function), (excuse.actions, right.action), (excuse.resources, name))
        if all(re.fullmatch(pattern, text) for pattern, text in pairs):
            return excuse
    return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
