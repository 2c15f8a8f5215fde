"""Backtests on spare capacity: where they run, what they may do, and how one starts."""

import ast
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infrastructure.batch import start
from tests.infrastructure.synthesis import Synthesis, listed

KEYS = {"AccessKeyId": "AKID", "SecretAccessKey": "a/secret+key", "Token": "a-token"}


@pytest.mark.req("X2")
def test_jobs_run_on_spare_arm_capacity_in_the_network_up_to_a_limit(
    production: Synthesis, staging: Synthesis
) -> None:
    for synthesis in (production, staging):
        (environment,) = synthesis.of("AWS::Batch::ComputeEnvironment")
        capacity = environment.properties["ComputeResources"]
        assert capacity["Type"] == "FARGATE_SPOT"
        assert capacity["MaxvCpus"] == 16
        assert len(capacity["Subnets"]) == 2
        (group,) = capacity["SecurityGroupIds"]
        assert synthesis.target("batch", group).startswith("NetworkEgressGroup")
    (job,) = production.of("AWS::Batch::JobDefinition")
    container = job.properties["ContainerProperties"]
    assert container["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    assert container["NetworkConfiguration"]["AssignPublicIp"] == "DISABLED"
    assert container["User"] == "65534"
    assert job.properties["Timeout"]["AttemptDurationSeconds"] == 6 * 3_600
    (queue,) = production.of("AWS::Batch::JobQueue")
    assert len(queue.properties["ComputeEnvironmentOrder"]) == 1


@pytest.mark.req("X2")
def test_a_job_that_is_taken_away_starts_again_and_one_that_fails_does_not(production: Synthesis) -> None:
    (job,) = production.of("AWS::Batch::JobDefinition")
    strategy = job.properties["RetryStrategy"]
    assert strategy["Attempts"] == 3
    assert [rule["Action"] for rule in strategy["EvaluateOnExit"]] == ["RETRY", "EXIT"]


@pytest.mark.req("X2", "S3")
def test_a_job_reads_the_lake_and_writes_backtests_alone(production: Synthesis) -> None:
    (job,) = production.of("AWS::Batch::JobDefinition")
    role = job.properties["ContainerProperties"]["JobRoleArn"]["Fn::GetAtt"][0]
    allowed: dict[str, list[str]] = {}
    for policy in production.of("AWS::IAM::Policy", "batch"):
        if {"Ref": role} in policy.properties["Roles"]:
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                for action in listed(statement["Action"]):
                    allowed.setdefault(action, []).append(json.dumps(statement["Resource"]))
    assert {a for a in allowed if not a.startswith("kms:")} == {
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
    }
    assert all("/backtests/*" in where for where in allowed["s3:PutObject"])
    folders = ("/raw-data/*", "/curated-data/*", "/backtests/*", ".zip")
    assert all(any(folder in where for folder in folders) for where in allowed["s3:GetObject"])


def test_the_local_stage_runs_backtests_itself(local: Synthesis) -> None:
    assert "batch" not in local.templates


@pytest.mark.parametrize("key", ["abc.zip", "0123456789abcdef.zip"])
def test_the_request_is_signed_as_the_service_library_does(key: str) -> None:
    now = datetime(2026, 11, 25, 12, 30, 5, tzinfo=UTC)
    host = "cdk-assets-1-eu-central-2.s3.eu-central-2.amazonaws.com"
    ours = start.headers(host, f"/{key}", "eu-central-2", KEYS, now)
    request = AWSRequest(method="GET", url=f"https://{host}/{key}")
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Security-Token"] = KEYS["Token"]
    request.headers["X-Amz-Content-SHA256"] = start.EMPTY
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    credentials = Credentials(KEYS["AccessKeyId"], KEYS["SecretAccessKey"], KEYS["Token"])
    signer = S3SigV4Auth(credentials, "s3", "eu-central-2")
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert ours["authorization"].endswith(f"Signature={signer.signature(text, request)}")
    assert f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(request))}" in ours["authorization"]


def test_the_container_fetches_its_package_and_becomes_the_job(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bellwether/cli/backtest_job.py", "")
    asked: list[str] = []

    def fetch(url: str, sent: dict[str, str] | None = None) -> bytes:
        asked.append(url)
        assert ("authorization" in (sent or {})) == url.startswith("https://")
        return json.dumps(KEYS).encode() if url.startswith("http://") else package.getvalue()

    became: list[Any] = []
    monkeypatch.setattr(start, "fetch", fetch)
    monkeypatch.setattr("os.execve", lambda *told: became.append(told))
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    monkeypatch.setattr("sys.argv", ["-c", "items", "prices", "-", "run-1"])
    for name, value in {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1",
        "AWS_REGION": "eu-central-2",
        "PACKAGE_BUCKET": "assets",
        "PACKAGE_KEYS": "hash-1.zip,hash-2.zip",
    }.items():
        monkeypatch.setenv(name, value)
    start.main()
    assert asked == [
        "http://169.254.170.2/v2/credentials/1",
        "https://assets.s3.eu-central-2.amazonaws.com/hash-1.zip",
        "https://assets.s3.eu-central-2.amazonaws.com/hash-2.zip",
    ]
    ((_, arguments, environment),) = became
    assert arguments[1:] == ["-m", "bellwether.cli.backtest_job", "items", "prices", "-", "run-1"]
    assert environment["PYTHONPATH"] == str(tmp_path)
    assert (tmp_path / "bellwether" / "cli" / "backtest_job.py").is_file()


def test_the_starting_code_needs_nothing_but_python_and_holds_no_reference_batch_would_replace() -> None:
    source = Path(str(start.__file__)).read_text()
    assert "$(" not in source
    assert "Ref::" not in source
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    import sys

    assert imported <= sys.stdlib_module_names
