"""What the engine remembers of roles' calls, and the comparison with what they were granted."""

from types import SimpleNamespace
from typing import Any

import pytest

from bellwether.desk.engine_side.recorded_calls import RecordedCalls
from infrastructure.unexercised import Unexercised
from tests.desk.rights_used import Call, compare, granted, made, resource_name

ROLE = "arn:aws:sts::0:assumed-role/score-role/score"
TABLE = "arn:aws:dynamodb:eu-central-2:0:table/outcomes-1"


class Evaluator:
    """As the engine's: `enforce` asks `evaluate` for every caller but root."""

    def evaluate(self, context: Any, *_: Any) -> bool:
        return bool(context.action == "dynamodb:Query")

    def enforce(self, key: str, action: str, *, resource_arn: str, prefix: Any = None) -> str | None:
        if key == "root":
            return None
        context = SimpleNamespace(
            principal_arn=ROLE,
            action=action,
            resource_arn=resource_arn,
            service_context={"s3:prefix": prefix} if prefix else {},
        )
        return None if self.evaluate(context, []) else "denied"


def watched(most: int = 100) -> tuple[Evaluator, RecordedCalls]:
    evaluator, calls = Evaluator(), RecordedCalls(most)
    calls.install(evaluator)
    return evaluator, calls


@pytest.mark.req("S3")
def test_every_decision_is_kept_once_with_its_count_and_the_owners_are_not() -> None:
    evaluator, calls = watched()
    assert evaluator.enforce("key", "dynamodb:Query", resource_arn=TABLE) is None
    assert evaluator.enforce("key", "dynamodb:Query", resource_arn=TABLE) is None
    assert evaluator.enforce("key", "s3:ListBucket", resource_arn="arn:aws:s3:::b", prefix=["x/"]) == "denied"
    assert evaluator.enforce("root", "dynamodb:Scan", resource_arn=TABLE) is None
    document = calls.document()
    assert document["dropped"] == 0
    assert [(c["action"], c["prefix"], c["allowed"], c["times"]) for c in document["calls"]] == [
        ("dynamodb:Query", "", True, 2),
        ("s3:ListBucket", "x/", False, 1),
    ]


@pytest.mark.req("S3")
def test_what_there_is_no_room_for_is_told_and_refused_by_the_reader() -> None:
    evaluator, calls = watched(most=1)
    for action in ("dynamodb:Query", "dynamodb:Query", "dynamodb:Scan"):
        evaluator.enforce("key", action, resource_arn=TABLE)
    document = calls.document()
    assert (len(document["calls"]), document["dropped"]) == (1, 1)
    with pytest.raises(AssertionError, match="not complete"):
        made(document, {"score-role": "score"})


POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["dynamodb:Query", "dynamodb:Scan"],
            "Resource": [TABLE, f"{TABLE}/index/*"],
        },
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::lake",
            "Condition": {"StringLike": {"s3:prefix": ["a/*", "b/*"]}},
        },
    ]
}


def compared(*excuses: Unexercised) -> Any:
    calls = {
        Call("score", "dynamodb:Query", f"{TABLE}/index/by_day", "", True): 3,
        Call("score", "dynamodb:Query", TABLE, "", True): 1,
        Call("score", "dynamodb:Scan", TABLE, "", False): 1,
        Call("score", "s3:ListBucket", "arn:aws:s3:::lake", "a/2026/", True): 1,
        Call("other", "dynamodb:Scan", f"{TABLE}/index/by_day", "", True): 1,
    }
    return compare(granted({"score": [POLICY]}), calls, {"outcomes-1": "outcomes"}, excuses)


@pytest.mark.req("S3")
def test_a_right_is_used_by_a_call_of_its_own_function_action_resource_and_prefix() -> None:
    found = compared()
    assert {(r.action, r.resource.removeprefix(TABLE), r.prefix): n for r, n in found.used.items()} == {
        ("dynamodb:Query", "", ""): 1,
        ("dynamodb:Query", "/index/*", ""): 3,
        ("s3:ListBucket", "arn:aws:s3:::lake", "a/*"): 1,
    }
    assert [(r.action, r.prefix) for r in found.idle] == [
        ("dynamodb:Scan", ""),
        ("dynamodb:Scan", ""),
        ("s3:ListBucket", "b/*"),
    ]
    assert [call.action for call in found.denied] == ["dynamodb:Scan"]


@pytest.mark.req("S3")
def test_a_reason_excuses_what_it_names_and_is_dead_when_that_is_nothing() -> None:
    scans = Unexercised("score", "dynamodb:Scan", "table/outcomes(/index/\\*)?", "because")
    other = Unexercised("propose", ".*", ".*", "because")
    found = compared(scans, other)
    assert [r.action for r in found.idle] == ["s3:ListBucket"]
    assert set(found.excused.values()) == {scans}
    assert found.dead == [other]


def test_resources_are_named_as_a_person_would() -> None:
    names = {"outcomes-1": "outcomes", "lake-9": "lake"}
    assert resource_name(f"{TABLE}/index/*", names) == "table/outcomes/index/*"
    assert resource_name(f"{TABLE}/stream/2026-11-25T00:00", names) == "table/outcomes/stream"
    assert resource_name("arn:aws:s3:::lake-9/eval/*", names) == "lake/eval/*"
    assert resource_name("arn:aws:logs:r:0:log-group:/aws/x:*", names) == "its log"
    assert resource_name("*", names) == "every"


def test_somebody_trying_a_role_out_is_not_the_function() -> None:
    record = {
        "dropped": 0,
        "calls": [
            {
                "principal": f"arn:aws:sts::0:assumed-role/{role}/{session}",
                "action": "sqs:PurgeQueue",
                "resource": "q",
                "prefix": "",
                "allowed": False,
                "times": 1,
            }
            for role, session in (("score-role", "rights"), ("score-role", "fn"), ("strange", "fn"))
        ],
    }
    assert made(record, {"score-role": "score"}) == {Call("score", "sqs:PurgeQueue", "q", "", False): 1}
