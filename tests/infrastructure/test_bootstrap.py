"""`bootstrap`: every region of a stage is made ready once, and nothing is deployed before."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from bellwether.cli import infrastructure, regions
from bellwether.cli.cdk_app import CdkApp, _region_of
from bellwether.cli.failures import Failure, Refused

app = typer.Typer()
infrastructure.register(app)


def stack(region: str, version: int) -> dict[str, Any]:
    return {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://unknown-account/{region}",
        "properties": {"requiresBootstrapStackVersion": version},
    }


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    artifacts = {
        "Tree": {"type": "cdk:tree"},
        "bellwether-staging-edge": stack("us-east-1", 6),
        "bellwether-staging-data": stack("eu-central-2", 8),
        "bellwether-staging-api": stack("eu-central-2", 6),
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return tmp_path


class Parameters:
    """The bootstrap stacks' marks by region; a region without one has none."""

    def __init__(self, marks: dict[str, Any]) -> None:
        self.marks = marks

    def client(self, service: str, endpoint_url: str) -> "Parameters":
        assert service == "ssm"
        self.region = endpoint_url.removeprefix("https://ssm.").removesuffix(".amazonaws.com")
        return self

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803 - the service's own name
        found = self.marks.get(self.region, "ParameterNotFound")
        if isinstance(found, str):
            raise ClientError({"Error": {"Code": found}}, "GetParameter")
        return {"Parameter": {"Value": str(found)}}


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch, assembly: Path) -> Any:
    """Runs the command line with the given marks; the calls of cdk are kept."""
    called: list[list[str]] = []

    def run(marks: dict[str, Any], *arguments: str) -> tuple[Any, list[list[str]]]:
        parameters = Parameters(marks)
        monkeypatch.setattr("boto3.session.Session.client", parameters.client)
        monkeypatch.setattr(infrastructure, "credentials", lambda *_: ("123456789012", {}))
        monkeypatch.setattr(CdkApp, "synth", lambda *_, **__: {"assembly": str(assembly), "stacks": []})
        monkeypatch.setattr(CdkApp, "cdk", lambda _self, told, *_, **__: called.append(list(told)))
        return CliRunner().invoke(app, arguments), called

    return run


def test_an_assembly_tells_its_regions_and_what_each_needs(assembly: Path) -> None:
    assert regions.bootstrap_versions(assembly) == {"eu-central-2": 8, "us-east-1": 6}
    assert _region_of(assembly / "manifest.json") == "eu-central-2"


def test_only_the_regions_that_are_not_ready_are_prepared(prepared: Any) -> None:
    result, called = prepared({"eu-central-2": 30, "us-east-1": 5}, "bootstrap", "staging", "--yes", "--json")
    assert json.loads(result.stdout)["prepared"] == ["us-east-1"]
    assert called == [["bootstrap", "aws://123456789012/us-east-1", "--termination-protection"]]


def test_ready_regions_are_left_alone_and_need_no_yes(prepared: Any) -> None:
    result, called = prepared({"eu-central-2": 8, "us-east-1": 6}, "bootstrap", "staging")
    assert (result.exit_code, called) == (0, [])
    assert "were ready" in result.stdout


def test_preparing_needs_a_yes(prepared: Any) -> None:
    result, called = prepared({}, "bootstrap", "staging")
    assert isinstance(result.exception, Refused)
    assert result.exception.hint == "bellwether bootstrap staging --yes"
    assert called == []


@pytest.mark.parametrize("command", ["bootstrap", "deploy"])
def test_a_region_that_is_not_enabled_says_how_to_enable_it(prepared: Any, command: str) -> None:
    result, called = prepared({"eu-central-2": "UnrecognizedClientException"}, command, "staging", "--yes")
    assert isinstance(result.exception, Failure)
    assert result.exception.hint == "aws account enable-region --region-name eu-central-2"
    assert called == []


def test_nothing_is_deployed_to_a_region_that_is_not_ready(prepared: Any) -> None:
    result, called = prepared({"eu-central-2": 8}, "deploy", "staging")
    assert isinstance(result.exception, Refused)
    assert "us-east-1" in result.exception.detail
    assert result.exception.hint == "bellwether bootstrap staging"
    assert called == []


def test_the_local_stage_is_prepared_by_up(prepared: Any) -> None:
    result, _ = prepared({}, "bootstrap", "local")
    assert isinstance(result.exception, Refused)
    assert result.exception.hint == "bellwether up"
