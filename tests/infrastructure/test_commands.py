"""`synth`, `diff`, `deploy`, `destroy` from the command line."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bellwether.cli import cdk_app, infrastructure
from bellwether.cli.cdk_app import CdkApp
from bellwether.cli.failures import Failure, NotRunning, Refused, WrongUse
from bellwether.cli.infrastructure import curate, write_outputs
from bellwether.cli.output import Output

app = typer.Typer()
infrastructure.register(app)

RAW = {
    "bellwether-staging-data": {
        "LakeBucket": "lake-1",
        "AgentsConfigTable": "agents-1",
        "PublishOutputFnGetAttLakeBucketArn52DE6E6C": "arn:aws:s3:::lake-1",
    },
    "bellwether-staging-compute": {
        "IngestQueueUrl": "https://sqs/ingest",
        "IngestDlqUrl": "https://sqs/ingest-dlq",
        "SignalWorkerFunction": "worker-1",
        "SignalWorkerLogGroup": "logs-1",
    },
    "bellwether-staging-api": {
        "ApiUrl": "https://api/v1",
        "SocketUrl": "wss://socket/v1",
        "RestApiEndpoint9E5FF2AC": "https://api/v1/",
    },
}


def refused(*arguments: str) -> Failure:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, Failure)
    return result.exception


@pytest.mark.req("O3")
def test_outputs_are_curated_by_kind() -> None:
    found = curate(RAW)
    assert found["endpoints"] == {"api_url": "https://api/v1", "ws_url": "wss://socket/v1"}
    assert found["tables"] == {"agents_config": "agents-1"}
    assert found["buckets"] == {"lake": "lake-1"}
    assert found["queues"] == {"ingest": "https://sqs/ingest", "ingest_dlq": "https://sqs/ingest-dlq"}
    assert found["functions"] == {"signal_worker": "worker-1"}
    assert found["log_groups"] == {"signal_worker": "logs-1"}
    assert not [name for name in found["outputs"] if name.startswith(("PublishOutput", "RestApiEndpoint"))]


@pytest.mark.req("O3")
def test_the_outputs_file_holds_each_stage_beside_the_others(tmp_path: Path) -> None:
    path = tmp_path / "infrastructure-outputs.json"
    write_outputs(path, "staging", {"region": "a"})
    write_outputs(path, "production", {"region": "b"})
    write_outputs(path, "staging", {"region": "c"})
    assert json.loads(path.read_text()) == {"production": {"region": "b"}, "staging": {"region": "c"}}
    write_outputs(path, "staging", None)
    assert json.loads(path.read_text()) == {"production": {"region": "b"}}


def test_the_other_commands_find_a_deployed_stage_by_these_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bellwether.cli.stage import find_stage

    path = tmp_path / "outputs.json"
    write_outputs(path, "staging", {**curate(RAW), "stage": "staging", "region": "eu-central-2"})
    monkeypatch.setenv("BELLWETHER_OUTPUTS", str(path))
    stage = find_stage("staging")
    assert stage.api_url == "https://api/v1"
    assert stage.region == "eu-central-2"
    assert stage.output("LakeBucket") == "lake-1"


def test_production_is_never_destroyed() -> None:
    failure = refused("destroy", "production", "--yes")
    assert isinstance(failure, Refused)
    assert failure.exit_code == 4
    assert "Object Lock" in failure.detail


@pytest.mark.parametrize(
    ("command", "hint"), [("deploy", "bellwether up"), ("destroy", "bellwether reset --yes")]
)
def test_the_local_stage_has_commands_of_its_own(command: str, hint: str) -> None:
    failure = refused(command, "local")
    assert (failure.exit_code, failure.hint) == (4, hint)


@pytest.mark.parametrize("command", ["synth", "diff", "deploy", "destroy"])
def test_a_stage_that_is_none_is_wrong_use(command: str) -> None:
    failure = refused(command, "prod")
    assert isinstance(failure, WrongUse)
    assert "local, staging, production" in str(failure.hint)


def test_without_credentials_nothing_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any) -> Any:
        raise NotRunning("No AWS credentials that work.")

    monkeypatch.setattr(infrastructure, "credentials", nobody)
    monkeypatch.setattr(CdkApp, "cdk", lambda *_, **__: pytest.fail("cdk was called"))
    assert refused("deploy", "staging").exit_code == 3


def test_production_is_not_deployed_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infrastructure, "credentials", lambda *_: ("123456789012", {}))
    monkeypatch.setattr(CdkApp, "synth", lambda *_, **__: pytest.fail("synthesized"))
    failure = refused("deploy", "production")
    assert failure.exit_code == 4
    assert failure.hint == "bellwether deploy production --yes"


@pytest.mark.req("X3", "O3")
def test_what_stands_by_is_deployed_alone_and_is_a_stage_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def synth(_self: CdkApp, stage: str, _output: Output, **told: Any) -> dict[str, Any]:
        asked.update(told, stage=stage)
        return {"assembly": "assembly"}

    def cdk(_self: CdkApp, arguments: list[str], *_: Any, **__: Any) -> str:
        asked["arguments"] = arguments
        raw = {"bellwether-production-standby": {"LedgerBucket": "copy-1"}}
        Path(arguments[arguments.index("--outputs-file") + 1]).write_text(json.dumps(raw))
        return ""

    monkeypatch.setattr(infrastructure, "credentials", lambda *_: ("123456789012", {}))
    monkeypatch.setattr(CdkApp, "root", tmp_path)
    monkeypatch.setattr(CdkApp, "synth", synth)
    monkeypatch.setattr(CdkApp, "cdk", cdk)
    monkeypatch.setattr(infrastructure, "unprepared", lambda *_: [])
    assert CliRunner().invoke(app, ["deploy", "production", "--standby", "--yes"]).exit_code == 0
    assert (asked["stage"], asked["standby"]) == ("production", True)
    assert asked["arguments"][:3] == ["deploy", "--exclusively", "bellwether-production-standby*"]
    written = json.loads((tmp_path / "infrastructure-outputs.json").read_text())
    assert set(written) == {"production-standby"}
    assert written["production-standby"]["buckets"] == {"ledger": "copy-1"}


def test_credentials_of_the_engine_never_reach_a_cloud_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def get_caller_identity(self) -> dict[str, str]:
            return {"Account": "123456789012"}

    asked: dict[str, Any] = {}

    def client(_self: Any, service: str, **told: Any) -> Client:
        asked[service] = told
        return Client()

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setattr("boto3.session.Session.client", client)
    account, environment = cdk_app.credentials(CdkApp.find(), "staging")
    assert account == "123456789012"
    assert asked["sts"]["endpoint_url"].endswith(".amazonaws.com")
    assert "AWS_ENDPOINT_URL" not in environment
    assert os.environ["AWS_ENDPOINT_URL"]


@pytest.mark.req("O2", "P1")
def test_a_layer_that_cannot_be_built_is_declared_and_never_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    def app_of(_self: CdkApp, _stage: str, _folder: Path, more: dict[str, str]) -> str:
        asked.append(more)
        return "" if more else "infrastructure.packaging.PackagingError: uv pip failed"

    monkeypatch.setattr(CdkApp, "_app", app_of)
    output = Output()
    assert CdkApp.find().synth("staging", output)["layer"] == "declared"
    assert [bool(more) for more in asked] == [False, True]
    with pytest.raises(Failure, match="uv pip failed"):
        CdkApp.find().synth("staging", output, complete=True)


@pytest.mark.req("O2", "P1")
def test_an_app_is_told_what_the_cdk_command_line_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise every resource of a desk, which cdk itself deployed, would show as different."""
    told: dict[str, Any] = {}

    def run(_command: list[str], *, env: dict[str, str], **_: Any) -> Any:
        told.update(json.loads(env["CDK_CONTEXT_JSON"]))
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr("bellwether.cli.cdk_app.subprocess.run", run)
    CdkApp.find().synth("local", Output(), endpoint="http://127.0.0.1:4999")
    assert (told["stage"], told["endpoint"]) == ("local", "http://127.0.0.1:4999")
    assert told["aws:cdk:enable-path-metadata"] is True
    assert told["aws:cdk:enable-asset-metadata"] is True
    told.clear()
    CdkApp.find().synth("production", Output())
    assert "endpoint" not in told
