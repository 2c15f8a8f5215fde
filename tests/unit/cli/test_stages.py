"""Where a stage is: read from what deployments leave behind."""

import json
from pathlib import Path

import pytest

from bellwether.cli.failures import NotRunning, WrongUse
from bellwether.cli.operations import queues_of
from bellwether.cli.stage import Stage, find_stage, flat_outputs


def stage(outputs: dict[str, str]) -> Stage:
    return Stage(name="local", api_url="", region="", outputs=outputs)


@pytest.mark.parametrize(
    "document",
    [
        {"LakeBucketName": "b", "ClaimsTable": "c"},
        {"local": {"stacks": {"Data": {"LakeBucket": "b", "ClaimsTableName": "c"}}}},
        {"local": {"buckets": {"Lake": "b"}, "tables": {"Claims": "c"}}},
        {"Bellwether-local-Data": {"lake_bucket": "b", "claims_table": "c"}},
    ],
)
def test_outputs_are_found_however_they_are_nested_and_spelled(document: dict[str, object]) -> None:
    found = stage(flat_outputs(document, "local"))
    assert found.output("LakeBucket") == "b"
    assert found.output("ClaimsTable") == "c"


def test_what_the_stacks_publish_wins_over_what_was_found() -> None:
    document = {
        "local": {"buckets": {"LakeBucket": "found"}, "stacks": {"Data": {"LakeBucket": "published"}}}
    }
    assert stage(flat_outputs(document, "local")).output("LakeBucket") == "published"


def test_an_output_that_is_missing_says_what_to_do() -> None:
    with pytest.raises(WrongUse) as failed:
        stage({}).output("LakeBucket")
    assert failed.value.hint == "bellwether up"


def test_queues_are_those_with_a_dead_letter_queue() -> None:
    outputs = flat_outputs(
        {"IngestQueueUrl": "q", "IngestDlqUrl": "d", "DecisionsQueueUrl": "f", "DecisionsDlqUrl": "g"},
        "local",
    )
    assert queues_of(stage(outputs)) == {"decisions": ("f", "g"), "ingest": ("q", "d")}


def test_a_machine_without_a_desk_says_how_to_start_one(home: Path) -> None:
    with pytest.raises(NotRunning) as failed:
        find_stage("local")
    assert failed.value.hint == "bellwether up"
    assert not home.exists()


def test_a_deployed_stage_is_read_from_its_outputs(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"staging": {"ApiUrl": "https://x.example/v1/", "Region": "eu-central-2"}}))
    monkeypatch.setenv("BELLWETHER_OUTPUTS", str(outputs))
    found = find_stage("staging")
    assert (found.api_url, found.region, found.endpoint_url) == ("https://x.example/v1", "eu-central-2", None)


def test_a_stage_nobody_deployed_is_wrong_use(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BELLWETHER_PROJECT", str(tmp_path))
    with pytest.raises(WrongUse):
        find_stage("staging")
