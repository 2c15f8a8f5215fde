"""A desk from nothing to ready, with two small stacks deployed by the real cdk command line."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bellwether.desk import engine, up
from bellwether.desk.aws import client
from bellwether.desk.cdk import progress_of
from bellwether.desk.errors import DeskError, NotRunningError, RefusedError
from bellwether.desk.home import Home
from bellwether.desk.outputs import read_outputs
from bellwether.desk.project import Project
from bellwether.desk.repair import lifecycle_rule
from bellwether.desk.users import generated_password, saved_credentials
from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "tests" / "desk" / "engine_app", root / "infrastructure")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, root)
    context = {"@aws-cdk/core:defaultCrossStackReferences": "weak"}
    (root / "cdk.json").write_text(json.dumps({"app": "python infrastructure/app.py", "context": context}))
    return Project(root)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, desk_tools: Path) -> Home:
    root = tmp_path_factory.mktemp("desk")
    (root / "tools").symlink_to(desk_tools, target_is_directory=True)
    return Home.open(root)


Heard = list[tuple[str, str]]


@pytest.fixture(scope="module")
def first(home: Home, project: Project) -> Iterator[tuple[up.Up, Heard]]:
    heard: Heard = []
    started = up.bring_up(home, project, lambda *said: heard.append(said), port=free_port())
    try:
        yield started, heard
    finally:
        up.bring_down(home)


def test_up_reports_every_phase_and_answers(home: Home, first: tuple[up.Up, Heard]) -> None:
    started, heard = first
    document = json.loads(json.dumps(started.document()))
    phases = list(dict.fromkeys(phase for phase, _ in heard))
    expected = {"tools", "engine", "synth", "bootstrap", "deploy", "repair", "users", "ready"}
    assert set(phases) == expected
    assert set(document) == {"api_url", "ws_url", "dashboard_url", "users", "seconds"}
    assert set(document["seconds"]) == {"engine", "synth", "deploy", "ready"}
    assert httpx.get(f"{document['api_url']}/health").json() == {"status": "ok"}
    assert set(document["users"]) == {"viewer", "analyst", "approver", "admin"}
    assert up.status(home)["api"]["healthy"]
    with pytest.raises(RefusedError, match="already up"):
        up.bring_up(home, Project(ROOT), lambda *_: None)
    with pytest.raises(RefusedError, match="is up"):
        up.wipe(home)


def test_the_first_users_can_sign_in_with_what_was_kept(home: Home, first: tuple[up.Up, Heard]) -> None:
    started, _ = first
    kept = saved_credentials(home)
    assert oct(home.credentials.stat().st_mode)[-3:] == "600"
    assert {role: user["password"] for role, user in started.users.items()} == {
        role: user["password"] for role, user in kept.items()
    }
    cognito = client(started.running, "cognito-idp")
    for role, user in kept.items():
        answer = cognito.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=started.outputs.user_pool_client_id,
            AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
        )
        claims = answer["AuthenticationResult"]["IdToken"].split(".")[1]
        assert role in _decoded(claims)["cognito:groups"]


def _decoded(part: str) -> dict[str, Any]:
    import base64

    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return document


def test_what_the_engine_drops_is_applied(first: tuple[up.Up, Heard]) -> None:
    started, _ = first
    assert started.deployment.unrepaired == []
    outputs = started.outputs
    tables, buckets = client(started.running, "dynamodb"), client(started.running, "s3")
    rows, lake = outputs.tables["Rows"], outputs.buckets["Lake"]
    ttl = tables.describe_time_to_live(TableName=rows)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    backups = tables.describe_continuous_backups(TableName=rows)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert tables.describe_table(TableName=rows)["Table"]["SSEDescription"]["SSEType"] == "KMS"
    encryption = buckets.get_bucket_encryption(Bucket=lake)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert ":key/" in encryption["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    rule = buckets.get_bucket_lifecycle_configuration(Bucket=lake)["Rules"][0]
    assert rule["Transitions"] == [{"Days": 90, "StorageClass": "GLACIER"}]
    name = outputs.functions["Health"]
    reserved = client(started.running, "lambda").get_function_concurrency(FunctionName=name)
    assert reserved["ReservedConcurrentExecutions"] == 3


def test_a_second_up_after_a_kill_skips_the_deployment(
    home: Home, project: Project, first: tuple[up.Up, Heard]
) -> None:
    started, _ = first
    os.kill(started.running.pid, signal.SIGKILL)
    os.waitpid(started.running.pid, 0)
    with pytest.raises(NotRunningError, match="without being stopped"):
        up.status(home)
    called: list[str] = []
    again = up.bring_up(
        home, project, lambda *_: None, recover=lambda outputs: called.append(outputs.api_url)
    )
    assert again.deployment.skipped
    assert again.seconds["ready"] < 25
    assert again.outputs == read_outputs(home) == started.outputs
    assert called == [started.outputs.api_url]
    assert {user["password"] for user in again.users.values()} == {None}
    assert httpx.get(f"{again.outputs.api_url}/health").status_code == 200


def test_a_change_of_the_checkout_is_noticed(project: Project) -> None:
    before = project.fingerprint()
    (project.root / "infrastructure" / "__pycache__").mkdir(exist_ok=True)
    (project.root / "infrastructure" / "__pycache__" / "x.pyc").touch()
    assert project.fingerprint() == before
    (project.root / "infrastructure" / "settings.py").write_text("x = 1\n")
    assert project.fingerprint() != before


def test_a_failing_synth_is_told_in_the_tools_own_words_and_leaves_nothing_running(
    home: Home, project: Project, tmp_path: Path
) -> None:
    up.bring_down(home)
    shutil.copytree(project.root, tmp_path / "broken")
    (tmp_path / "broken" / "infrastructure" / "app.py").write_text("raise SystemExit('no such stage')\n")
    with pytest.raises(DeskError, match="no such stage"):
        up.bring_up(home, Project(tmp_path / "broken"), lambda *_: None)
    assert engine.find(home) is None


def test_a_wiped_desk_has_nothing_left(home: Home) -> None:
    up.bring_down(home)
    up.wipe(home)
    left = {entry.name for entry in home.root.iterdir()}
    assert left <= {"tools", "desk.lock"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("S |  4/9 | 5:51:41 AM | CREATE_COMPLETE   | AWS::KMS::Key   | Key (Key96)", "S: KMS::Key (4)"),
        ("S |   1 | 5:51:41 AM | CREATE_IN_PROGRESS | AWS::KMS::Key   | Key (Key96)", None),
        ("S: creating stack...", "S: creating stack..."),
        ("S: start: Publishing Code (0-eu-1)", "S: publishing Code"),
        ("anything else", None),
    ],
)
def test_progress_is_read_from_the_tools_output(line: str, said: str | None) -> None:
    assert progress_of(line) == said


def test_lifecycle_rules_take_the_shape_of_the_api() -> None:
    rule = {
        "Id": "old",
        "Status": "Enabled",
        "Prefix": "raw-data/",
        "TagFilters": [{"Key": "class", "Value": "x"}],
        "NoncurrentVersionTransitions": [{"TransitionInDays": 9, "StorageClass": "DEEP_ARCHIVE"}],
    }
    made = lifecycle_rule(rule)
    assert made["Filter"] == {"And": {"Prefix": "raw-data/", "Tags": [{"Key": "class", "Value": "x"}]}}
    assert made["NoncurrentVersionTransitions"] == [{"NoncurrentDays": 9, "StorageClass": "DEEP_ARCHIVE"}]
    assert lifecycle_rule({"Status": "Enabled"})["Filter"] == {"Prefix": ""}


def test_generated_passwords_meet_every_class() -> None:
    for _ in range(50):
        password = generated_password()
        assert len(password) == 24
        assert any(c.islower() for c in password)
        assert any(c.isupper() for c in password)
        assert any(c.isdigit() for c in password)
        assert any(not c.isalnum() for c in password)
