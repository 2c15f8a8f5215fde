"""The pilot light: the stateless stacks in the second region, on what is copied there, asleep."""

import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure.app import build, build_standby
from infrastructure.constructs.tables import TABLES
from infrastructure.functions import FUNCTIONS
from infrastructure.packaging import Layer
from infrastructure.settings import RECOVERY_REGION, settings_of
from tests.infrastructure.synthesis import Synthesis, layer_below, new_app

STACKS = ["standby", "standby-api", "standby-auth", "standby-compute", "standby-observability"]


@pytest.mark.req("X3", "O1")
def test_every_function_waits_in_the_second_region(standby: Synthesis) -> None:
    assert sorted(standby.templates) == STACKS
    for name in FUNCTIONS:
        assert standby.function(name).properties["ReservedConcurrentExecutions"] > 0
    assert standby.of("AWS::ApplicationAutoScaling::ScalableTarget") == []


@pytest.mark.req("X3")
def test_nothing_runs_by_the_clock_but_what_makes_the_months_tables(standby: Synthesis) -> None:
    states = {
        json.loads(s.properties["Target"]["Input"])["schedule"]: s.properties["State"]
        for s in standby.of("AWS::Scheduler::Schedule")
    }
    assert states.pop("roll_signal_tables") == "ENABLED"
    assert set(states.values()) == {"DISABLED"}
    assert "evaluate" in states


@pytest.mark.req("X3")
def test_the_schedules_of_the_first_region_run(production: Synthesis) -> None:
    assert {s.properties["State"] for s in production.of("AWS::Scheduler::Schedule")} == {"ENABLED"}


@pytest.mark.req("X3", "S3")
def test_rights_are_on_what_is_in_the_second_region(standby: Synthesis) -> None:
    """No function there may need anything of the region that is lost."""
    for policy in standby.of("AWS::IAM::Policy"):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            told = json.dumps([statement["Resource"], statement.get("Condition", {})])
            assert "arn:aws:dynamodb:eu-central-2" not in told
            assert ".eu-central-2.amazonaws.com" not in told
            for value in read_there(statement["Resource"]):
                assert value["Region"] == RECOVERY_REGION or value["StackName"].endswith(
                    ("-data", "-security")
                )


def read_there(value: Any) -> list[dict[str, str]]:
    """Every output of another stack a value is made of."""
    if isinstance(value, dict):
        found = [value["Fn::GetStackOutput"]] if "Fn::GetStackOutput" in value else []
        return found + [one for inner in value.values() for one in read_there(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in read_there(inner)]
    return []


@pytest.mark.req("X3", "D2")
def test_replicas_are_used_by_name_and_the_rest_is_made_there(
    standby: Synthesis, production: Synthesis
) -> None:
    own = standby.of("AWS::DynamoDB::GlobalTable")
    assert len(own) == sum(not row.replicated for row in TABLES.values())
    for table in own:
        (replica,) = table.properties["Replicas"]
        assert replica["Region"] == RECOVERY_REGION
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    told = standby.function("summarise").properties["Environment"]["Variables"]["PROPOSALS_TABLE"]
    (source,) = read_there(told)
    assert (source["StackName"], source["Region"]) == ("bellwether-production-data", "eu-central-2")
    assert production.target("data", told).startswith("TablesProposals")
    rights = json.dumps([s["Resource"] for s in standby.statements("summarise")])
    assert rights.count(":dynamodb:eu-central-1:") >= 4, "of the replicas there, not of the tables here"


@pytest.mark.req("X3", "O3")
def test_its_outputs_are_named_as_those_of_any_stage(standby: Synthesis, staging: Synthesis) -> None:
    """`ledger verify`, `recover` and `smoke` find the stand-by as they find a stage."""
    there = {name for name in staging.outputs() if name.endswith(("Table", "Bucket", "QueueUrl", "Prefix"))}
    assert there <= standby.outputs().keys()
    assert {"ApiUrl", "UserPoolId", "UserPoolClientId"} <= standby.outputs().keys()


@pytest.mark.req("X3", "S2")
def test_secrets_are_the_replicas(standby: Synthesis) -> None:
    told = json.dumps(standby.function("authorizer").properties["Environment"]["Variables"])
    assert ":secretsmanager:eu-central-1:" in json.dumps(standby.templates)
    assert "API_CLIENTS_SECRET_ARN" in told


@pytest.mark.parametrize("stage", ["local", "staging"])
def test_a_stage_with_one_region_has_nothing_that_stands_by(stage: str, tmp_path: Path) -> None:
    app, settings = new_app(tmp_path / "out"), settings_of(stage)
    layer = Layer(cloud=False, folder=layer_below(tmp_path))
    with pytest.raises(ValueError, match=f"stage {stage} has no second region"):
        build_standby(app, build(app, settings, layer), settings, layer)


@pytest.mark.req("X3", "B4")
def test_what_stands_by_alarms_for_no_silence_but_of_what_runs_there(standby: Synthesis) -> None:
    named = {str(alarm.properties["AlarmName"]) for alarm in standby.of("AWS::CloudWatch::Alarm")}
    names = {name.removeprefix("bellwether-production-") for name in named}
    assert {name for name in names if name.startswith(("silent-", "no-"))} == {
        "silent-schedule-roll-signal-tables"
    }


@pytest.mark.req("X3", "B3")
def test_dashboards_of_both_regions_have_names_of_their_own(
    standby: Synthesis, production: Synthesis
) -> None:
    here, there = (
        {str(shown.properties["DashboardName"]) for shown in one.of("AWS::CloudWatch::Dashboard")}
        for one in (production, standby)
    )
    assert len(here) == len(there) == 4
    assert not here & there
