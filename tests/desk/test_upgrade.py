"""An upgrade keeps everything, and a destroyed stage leaves nothing.

The templates and functions of an earlier commit are deployed to a desk of its own and filled with data; then
this checkout is deployed over them. `BELLWETHER_BASE` names the earlier commit; by default it is what this
branch deployed before its last change of that: of a merge the branch it went into, not the one merged.
"""

import gzip
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from bellwether.cli.cdk_app import CdkApp
from bellwether.cli.dismantling import dismantle
from bellwether.cli.output import Output
from tests.conftest import free_port
from tests.desk.conftest import ROOT, START_SECONDS, Desk, desk_environment, run_command
from tests.desk.leftovers import leftovers
from tests.desk.material import good_posts, write_bars
from tests.desk.processes import as_owner
from tests.desk.test_chain import propose, signals_of
from tests.infrastructure.replacement import FIXED, REFUSED

DEPLOYED = ("infrastructure", "src/bellwether", "uv.lock", "cdk.json")
TOOLS = (
    "package.json",
    "package-lock.json",
    "pyproject.toml",
    "uv.lock",
    "infrastructure/packaging.py",
    "src/bellwether/desk/engine-requirements.txt",
    "src/bellwether/desk/tools.py",
)
"""What a desk's tools and the functions' layer are built from."""
SYMBOL = "UPGRADED"
pytestmark = pytest.mark.timeout(900, func_only=True)


def git(*arguments: str) -> bytes | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def base() -> str:
    """The commit to come from. Skips, saying why, where there is none."""
    top = git("rev-parse", "--show-toplevel")
    if top is None or Path(top.decode().strip()).resolve() != ROOT.resolve():
        pytest.skip("no history: this is not a clone")
    if commit := os.environ.get("BELLWETHER_BASE", ""):
        pass
    elif git("status", "--porcelain", "--", *DEPLOYED):
        commit = "HEAD"
    else:
        last = git("log", "-1", "--first-parent", "--format=%H", "--", *DEPLOYED) or b""
        commit = f"{last.decode().strip()}^1"
    if git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is None:
        pytest.skip(f"no history to come from: the clone ends before {commit}")
    if any(git("cat-file", "-e", f"{commit}:{name}") is None for name in (*DEPLOYED, *TOOLS)):
        pytest.skip(f"{commit} has no desk that could be deployed")
    return commit


@dataclass(frozen=True)
class Kept:
    """What a desk holds: physical ids by (stack, logical id), rows by table, object hashes by bucket."""

    resources: dict[tuple[str, str], str]
    rows: dict[str, set[str]]
    objects: dict[str, dict[str, str]]
    users: dict[str, str]


def held(desk: Desk) -> Kept:
    stacks, tables = as_owner(desk, "cloudformation"), as_owner(desk, "dynamodb")
    buckets, pools = as_owner(desk, "s3"), as_owner(desk, "cognito-idp")
    resources = {
        (stack, one["LogicalResourceId"]): one["PhysicalResourceId"]
        for stack in desk.outputs["stacks"]
        for page in stacks.get_paginator("list_stack_resources").paginate(StackName=stack)
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] in FIXED
    }
    rows = {
        name: {
            json.dumps(item, sort_keys=True, default=str)
            for page in tables.get_paginator("scan").paginate(TableName=name)
            for item in page["Items"]
        }
        for name in tables.list_tables()["TableNames"]
    }
    objects = {
        name: {
            one["Key"]: one["ETag"]
            for page in buckets.get_paginator("list_objects_v2").paginate(Bucket=name)
            for one in page.get("Contents", ())
        }
        for name in desk.outputs["buckets"].values()
    }
    listed = pools.list_users(UserPoolId=desk.outputs["user_pool_id"])["Users"]
    users = {one["Username"]: sub_of(one) for one in listed}
    return Kept(resources, rows, objects, users)


def sub_of(user: dict[str, Any]) -> str:
    return str(next(a["Value"] for a in user["Attributes"] if a["Name"] == "sub"))


@dataclass(frozen=True)
class Upgraded:
    """The desk after the upgrade, what it held before, and the proposal decided before."""

    desk: Desk
    before: Kept
    after: Kept
    proposal: dict[str, Any]
    signals: int


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory, desk_tools: Path) -> Iterator[Upgraded]:
    commit = base()
    folder = tmp_path_factory.mktemp("upgrade")
    checkout, home, port = folder / "before", folder / "home", free_port()
    if all(git("show", f"{commit}:{name}") == (ROOT / name).read_bytes() for name in TOOLS):
        # otherwise each of the two would take away the other's, while other desks run from them
        home.mkdir()
        (home / "tools").symlink_to(desk_tools, target_is_directory=True)
    with tarfile.open(fileobj=BytesIO(git("archive", commit) or b"")) as archive:
        archive.extractall(checkout, filter="data")
    old = run_at(checkout, home, "up", "--detach", "--json", "--port", str(port))
    assert old.returncode == 0, old.stderr
    try:
        desk = Desk(home=home, up=json.loads(old.stdout))
        proposal, signals = fill(desk, folder)
        before = held(desk)
        assert run_at(checkout, home, "down").returncode == 0
        new = run_command(home, "up", "--detach", "--json", "--port", str(port), within=START_SECONDS)
        assert new.returncode == 0, f"{new.stdout}\n{new.stderr}"
        desk = Desk(home=home, up=json.loads(new.stdout))
        yield Upgraded(desk, before, held(desk), proposal, signals)
    finally:
        run_command(home, "down")


def run_at(checkout: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line of another checkout, with the interpreter and the packages of this one."""
    return subprocess.run(
        [sys.executable, "-m", "bellwether", *arguments],
        cwd=checkout,
        env={**desk_environment(home), "PYTHONPATH": str(checkout / "src")},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def fill(desk: Desk, folder: Path) -> tuple[dict[str, Any], int]:
    """Assets, bars, posts, signals, a score, a decided proposal and one that waits."""
    desk.json("track", "add", SYMBOL, "--name", "Upgraded Industries")
    bars = write_bars(folder / "bars.csv", [SYMBOL], last=datetime.now(UTC).date() - timedelta(days=1))
    desk.json("prices", "import", str(bars))
    desk.json("portfolio", "set", "core", "--cash", "1000000")
    proposal = propose(desk, SYMBOL)
    body = {
        "proposal_id": proposal["proposal_id"],
        "content_hash": proposal["content_hash"],
        "action": "approve",
        "reason": "before the upgrade",
    }
    assert desk.call("POST", "/decision", role="approver", body=body).status_code == 200
    desk.json("ledger", "verify")
    return proposal, signals(desk)


def signals(desk: Desk) -> int:
    answer = desk.call("POST", "/score", role="analyst", body={"assets": [SYMBOL]})
    return signals_of(answer.json()["scores"][0])


@pytest.mark.req("O1", "D4")
def test_nothing_that_holds_data_was_replaced(upgraded: Upgraded) -> None:
    before, after = upgraded.before.resources, upgraded.after.resources
    assert len(before) > 20
    assert {key: after.get(key) for key in before} == before


@pytest.mark.req("O1", "D4")
def test_every_row_and_every_object_is_still_there(upgraded: Upgraded) -> None:
    before, after = upgraded.before, upgraded.after
    assert any(before.rows.values())
    # Schedules of the running desk go on meanwhile: counters are added to, claims of answers settle.
    moving = {desk_table(upgraded, name) for name in ("Events", "Claims", "Connections")}
    lost = {name: rows - after.rows[name] for name, rows in before.rows.items() if name not in moving}
    assert {name: rows for name, rows in lost.items() if rows} == {}
    for bucket, objects in before.objects.items():
        assert objects.items() <= after.objects[bucket].items()


def desk_table(upgraded: Upgraded, name: str) -> str:
    return str(upgraded.desk.outputs["tables"][f"Tables/{name}"])


@pytest.mark.req("O1", "U1")
def test_users_of_before_sign_in_with_their_passwords(upgraded: Upgraded) -> None:
    assert upgraded.before.users
    assert upgraded.after.users == upgraded.before.users
    for role in ("viewer", "analyst", "approver", "admin"):
        assert upgraded.desk.call("GET", "/dashboard/summary", role=role).status_code == 200


@pytest.mark.req("O1", "A7")
def test_the_ledger_and_what_was_decided_stand(upgraded: Upgraded) -> None:
    desk = upgraded.desk
    assert desk.run("ledger", "verify").returncode == 0
    body = {
        "proposal_id": upgraded.proposal["proposal_id"],
        "content_hash": upgraded.proposal["content_hash"],
        "action": "approve",
        "reason": "after the upgrade",
    }
    again = desk.call("POST", "/decision", role="approver", body=body)
    assert again.status_code == 409, again.text
    assert signals(desk) == upgraded.signals
    desk.call("POST", "/ingest/social", role="analyst", body={"items": good_posts(SYMBOL, 2)})
    assert desk.run("trace", upgraded.proposal["proposal_id"]).returncode == 0


@pytest.mark.req("D4")
def test_what_cannot_change_is_what_the_build_tool_says(upgraded: Upgraded) -> None:
    """The table the static check goes by, against the specification `cdk diff` compares with."""
    (path,) = (upgraded.desk.home / "tools").glob("cdk-*/node_modules/aws-cdk/db.json.gz")
    resources = json.loads(gzip.decompress(path.read_bytes()))["schema"]["resource"]["entities"]
    known = {
        resource["cloudFormationType"]: {
            name
            for name, one in resource["properties"].items()
            if one.get("causesReplacement") in {"yes", "maybe"}
        }
        for resource in resources
        if resource["cloudFormationType"] in FIXED
    }
    ours = {kind: set(FIXED[kind] - REFUSED.get(kind, frozenset())) for kind in known}
    assert ours == known
    assert len(known) == sum(kind.startswith("AWS::") for kind in FIXED)


@pytest.mark.req("P6", "D4")
def test_a_stage_that_keeps_nothing_is_destroyed_without_a_trace(
    upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local stage as staging is destroyed: same code, same removal policies, buckets full, a backup."""
    desk = upgraded.desk
    table = desk.outputs["tables"]["Tables/Proposals"]
    as_owner(desk, "dynamodb").create_backup(TableName=table, BackupName="bellwether-proposals-20260101")

    def client(service: str, region: str = "") -> Any:
        return as_owner(desk, service)

    before = leftovers(client)
    assert {"tables", "backups", "buckets", "functions", "queues", "roles", "log groups"} <= set(before)
    assert {"secrets", "schedules", "REST APIs", "socket APIs", "user pools", "stacks"} <= set(before)
    assert {"keys not pending deletion", "aliases of keys", "alarms", "layers", "mappings"} <= set(before)

    monkeypatch.setenv("BELLWETHER_HOME", str(desk.home))
    tool = CdkApp.find()
    environment, _ = tool.account("local")
    deleted = dismantle(tool, desk.home / "cdk.out", environment, client, Output())
    assert deleted["backups"] >= 1
    assert deleted["objects"] >= sum(map(len, upgraded.after.objects.values()))
    assert leftovers(client) == {}
