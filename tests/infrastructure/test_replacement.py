"""No deployment replaces what holds data, and no change of the code makes the next one do it.

The templates are compared with the reviewed ones of an earlier commit: `BELLWETHER_BASE` (what is deployed,
for one who is about to deploy), else the parent of the commit under test. A deliberate replacement is named
in `DELIBERATE`, with what becomes of the data.
"""

import os

import pytest

from tests.infrastructure.replacement import FIXED, Templates, replaced, snapshot_at
from tests.infrastructure.snapshot_text import masked
from tests.infrastructure.synthesis import Synthesis

_NAMED = (
    "work queues have a name since their dead-letter queue names them; what waits in the old queue is queued "
    "again by `recover`, which reads it from the lake and the ledger"
)
_MOVED = (
    "the firewall's log lies in a group of another construct; the old group, with what it holds, stays in "
    "production until its time is over"
)
DELIBERATE: dict[tuple[str, str, str], str] = {
    **{
        (stage, "compute", queue): _NAMED
        for stage in ("staging", "production")
        for queue in ("IngestQueue95F6DB49", "DecisionsQueue88CFE309")
    },
    **{(stage, "api", "FirewallLog4D407857"): _MOVED for stage in ("staging", "production")},
}
"""(stage, stack, logical id) -> why, and what becomes of what it holds"""


def earlier(stage: str) -> dict[str, Templates]:
    """The commits to compare with that have reviewed templates."""
    told = os.environ.get("BELLWETHER_BASE")
    found = {commit: snapshot_at(commit, stage) for commit in ([told] if told else ["HEAD", "HEAD^"])}
    if told and found[told] is None:
        pytest.fail(f"BELLWETHER_BASE={told} is no commit with reviewed templates of {stage}")
    return {commit: templates for commit, templates in found.items() if templates is not None}


@pytest.mark.req("O1", "D4")
@pytest.mark.parametrize("stage", ["staging", "production"])
def test_nothing_that_holds_data_is_replaced(stage: str, request: pytest.FixtureRequest) -> None:
    synthesis: Synthesis = request.getfixturevalue(stage)
    now = {stack: masked(template) for stack, template in synthesis.templates.items()}
    before = earlier(stage)
    if not before:
        pytest.skip("no earlier commit with reviewed templates is at hand (an archive, or a shallow clone)")
    for commit, templates in before.items():
        found = [r for r in replaced(templates, now) if (stage, r.stack, r.logical_id) not in DELIBERATE]
        assert found == [], f"compared with {commit}"


@pytest.mark.req("D4")
def test_another_id_another_name_and_another_type_are_noticed(production: Synthesis) -> None:
    """The comparison itself, on the real templates with one resource after the other spoilt."""
    now = {stack: masked(template) for stack, template in production.templates.items()}
    assert list(replaced(now, now)) == []
    holding = [
        (stack, logical_id, body)
        for stack, template in now.items()
        for logical_id, body in template["Resources"].items()
        if body["Type"] in FIXED
    ]
    assert len(holding) > 40
    for stack, logical_id, body in holding:
        others = {name: one for name, one in now[stack]["Resources"].items() if name != logical_id}
        renamed = {**now, stack: {"Resources": {**others, f"{logical_id}X": body}}}
        assert [r.logical_id for r in replaced(now, renamed)] == [logical_id]
        for name in FIXED[body["Type"]]:
            properties = {**body.get("Properties", {}), name: "other"}
            spoilt = {**now, stack: {"Resources": {**others, logical_id: {**body, "Properties": properties}}}}
            (found,) = replaced(now, spoilt)
            assert found.why == f"{name} of {body['Type']} changes"


@pytest.mark.req("D4")
@pytest.mark.parametrize("stage", ["production"])
def test_what_holds_data_stays_when_its_stack_goes(stage: str, request: pytest.FixtureRequest) -> None:
    synthesis: Synthesis = request.getfixturevalue(stage)
    loose = [
        (r.stack, r.logical_id)
        for r in synthesis.all()
        if r.kind in KEPT
        and (r.stack, r.logical_id) not in MADE_AGAIN
        and (r.rest.get("DeletionPolicy"), r.rest.get("UpdateReplacePolicy")) != KEPT_POLICY
    ]
    assert loose == []


KEPT = {
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
}
KEPT_POLICY = ("Retain", "Retain")
MADE_AGAIN = {
    ("api", "EdgeSecret2B282A1C"): "generated, and sent by one side to the other: a new one does as well"
}
