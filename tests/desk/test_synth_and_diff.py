"""`synth` and `diff`, ours and plain cdk's, without an AWS account; and what a deployment writes down."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bellwether.desk.home import Home
from bellwether.desk.project import Project
from bellwether.desk.tools import cdk_command, node_folder
from tests.desk.conftest import ROOT, Desk, desk_environment
from tests.desk.processes import REGION, as_owner

pytestmark = pytest.mark.timeout(600)
STAGES = ("local", "staging", "production")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that a changed setting changes nothing of the tests' own."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("src", "infrastructure", "web"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cdk.json", "package.json", "package-lock.json", "uv.lock", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, root)
    if (ROOT / "docs").is_dir():
        shutil.copytree(ROOT / "docs", root / "docs")
    return root


def typed(desk: Desk, checkout: Path, *arguments: str) -> Any:
    """`bellwether … --json` of a checkout that has to succeed; without credentials of any kind."""
    done = subprocess.run(
        [sys.executable, "-m", "bellwether", *arguments, "--json"],
        cwd=checkout,
        env=without_account(desk, checkout),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def without_account(desk: Desk, checkout: Path) -> dict[str, str]:
    return {
        **desk_environment(desk.home),
        "PYTHONPATH": str(checkout / "src"),
        "BELLWETHER_PROJECT": str(checkout),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


@pytest.mark.req("O2", "P1")
def test_every_stage_is_synthesized_without_an_account(desk: Desk, checkout: Path) -> None:
    stages = typed(desk, checkout, "synth")["stages"]
    assert [one["stage"] for one in stages] == list(STAGES)
    for one in stages:
        assert len(one["stacks"]) >= 6
        for stack in one["stacks"]:
            assert (Path(one["assembly"]) / f"{stack}.template.json").is_file()


@pytest.mark.req("O2", "P1")
def test_right_after_up_there_is_no_difference_and_a_changed_setting_is_one(
    desk: Desk, checkout: Path
) -> None:
    same = typed(desk, checkout, "diff", "local")
    assert same["compared_with"] == "deployed"
    assert same["changed"] == [], same["differences"]

    functions = checkout / "infrastructure" / "functions.py"
    before = functions.read_text()
    changed = before.replace("    timeout: int = 29\n", "    timeout: int = 28\n")
    assert changed != before
    functions.write_text(changed)
    try:
        other = typed(desk, checkout, "diff", "local")
    finally:
        functions.write_text(before)
    assert "bellwether-local-compute" in other["changed"]
    assert "28" in other["differences"]["bellwether-local-compute"]
    assert "bellwether-local-data" not in other["changed"]


@pytest.mark.req("O2", "P1")
def test_a_stage_that_is_deployed_nowhere_differs_from_nothing(desk: Desk, checkout: Path) -> None:
    told = typed(desk, checkout, "diff", "production")
    assert told["compared_with"] == "nothing"
    assert "bellwether-production-data" in told["changed"]
    assert "AWS::DynamoDB::GlobalTable" in told["differences"]["bellwether-production-data"]


@pytest.mark.req("O2", "P1")
def test_plain_cdk_synthesizes_and_compares_too(desk: Desk, checkout: Path) -> None:
    command = cdk_command(Home.open(desk.home), Project(checkout).root)
    environment = without_account(desk, checkout)
    path = [str(node_folder()), str(Path(sys.executable).parent), environment["PATH"]]
    engine = {
        "PATH": ":".join(path),
        "AWS_ENDPOINT_URL": desk.api_url.removesuffix("/v1"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }

    def cdk(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments, "--no-notices", "--no-color"],
            cwd=checkout,
            env={**environment, **engine},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    cdk("synth", "--quiet", "-c", "stage=local", "--output", "out")
    assert (checkout / "out" / "bellwether-local-data.template.json").is_file()
    said = cdk("diff", "bellwether-local-data", "--exclusively", "--method=template", "--app", "out")
    assert "There were no differences" in said


@pytest.mark.req("O3")
def test_a_deployment_writes_what_the_stacks_and_what_the_programs_need(desk: Desk) -> None:
    raw = json.loads((desk.home / "cdk-outputs.json").read_text())
    assert {name.removeprefix("bellwether-local-") for name in raw} >= {"data", "auth", "compute", "api"}
    told = desk.outputs
    assert told["stacks"] == raw
    assert told["endpoints"]["api_url"] == desk.api_url
    assert {"ws_url", "dashboard_url", "engine_url"} <= set(told["endpoints"])
    # Every name is one the engine answers to.
    tables, buckets, queues = (as_owner(desk, service) for service in ("dynamodb", "s3", "sqs"))
    for name in told["tables"].values():
        assert tables.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
    for name in told["buckets"].values():
        buckets.head_bucket(Bucket=name)
    for url in told["queues"].values():
        assert queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pools = as_owner(desk, "cognito-idp")
    assert pools.describe_user_pool(UserPoolId=told["user_pool_id"])["UserPool"]
    clients = pools.list_user_pool_clients(UserPoolId=told["user_pool_id"])["UserPoolClients"]
    assert told["user_pool_client_id"] in {one["ClientId"] for one in clients}
    functions = as_owner(desk, "lambda")
    assert len(told["functions"]) > 20
    for name in told["functions"].values():
        functions.get_function_configuration(FunctionName=name)


@pytest.mark.req("P8")
def test_the_smoke_test_passes_on_a_desk(desk: Desk) -> None:
    checks = desk.json("smoke")["checks"]
    assert len(checks) >= 8
    assert [check["name"] for check in checks if not check["ok"]] == []
