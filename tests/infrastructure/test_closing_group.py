"""The function that empties a network's default security group."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure.answering import default_group

EVENT = {
    "RequestType": "Create",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "Closed",
    "ResponseURL": "https://cloudformation.example/answer",
    "ResourceProperties": {"Group": "sg-1"},
}


class Ec2:
    """A default group with its two rules."""

    def __init__(self) -> None:
        self.rules = [
            {"SecurityGroupRuleId": "in-1", "IsEgress": False},
            {"SecurityGroupRuleId": "out-1", "IsEgress": True},
        ]
        self.revoked: list[str] = []

    def describe_security_group_rules(self, *, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert Filters == [{"Name": "group-id", "Values": ["sg-1"]}]
        return {"SecurityGroupRules": [r for r in self.rules if r["SecurityGroupRuleId"] not in self.revoked]}

    def revoke_security_group_egress(self, *, GroupId: str, SecurityGroupRuleIds: list[str]) -> None:  # noqa: N803
        assert (GroupId, SecurityGroupRuleIds) == ("sg-1", ["out-1"])
        self.revoked += SecurityGroupRuleIds

    def revoke_security_group_ingress(self, *, GroupId: str, SecurityGroupRuleIds: list[str]) -> None:  # noqa: N803
        assert (GroupId, SecurityGroupRuleIds) == ("sg-1", ["in-1"])
        self.revoked += SecurityGroupRuleIds


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Ec2:
    made = Ec2()
    monkeypatch.setattr("boto3.client", lambda service: {"ec2": made}[service])
    return made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []

    def put(request: Any, timeout: float) -> io.BytesIO:
        told.append(json.loads(request.data))
        return io.BytesIO()

    monkeypatch.setattr(default_group, "urlopen", put)
    return told


def test_closing_takes_every_rule_out_once(ec2: Ec2, sent: list[dict[str, Any]]) -> None:
    default_group.handler(EVENT, None)
    default_group.handler({**EVENT, "RequestType": "Update"}, None)
    assert sorted(ec2.revoked) == ["in-1", "out-1"]
    assert [answer["Status"] for answer in sent] == ["SUCCESS", "SUCCESS"]


def test_a_deletion_changes_nothing(ec2: Ec2, sent: list[dict[str, Any]]) -> None:
    default_group.handler({**EVENT, "RequestType": "Delete"}, None)
    assert ec2.revoked == []
    assert sent[0]["Status"] == "SUCCESS"


def test_a_refusal_is_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, sent: list[dict[str, Any]]
) -> None:
    def refuse(_: str) -> None:
        raise PermissionError("not allowed")

    monkeypatch.setattr("boto3.client", refuse)
    default_group.handler(EVENT, None)
    (answer,) = sent
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "not allowed")


def test_the_code_that_closes_fits_where_it_is_uploaded_inline() -> None:
    assert len(Path(str(default_group.__file__)).read_text()) < 4_096
