"""The embedded engine: starting, stopping, being killed, and who may speak to its port."""

import contextlib
import io
import json
import os
import signal
import socket
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest

from bellwether.desk import engine, tools, up
from bellwether.desk.errors import DeskError, NotRunningError, RefusedError
from bellwether.desk.home import Home, write_private
from bellwether.desk.lock import DeskLock
from bellwether.desk.project import Project
from tests.conftest import free_port

pytestmark = pytest.mark.xdist_group("engine")


class Desk:
    """One home folder and the engine that may run in it."""

    def __init__(self, home: Home, python: Path, web: Path) -> None:
        self.home = home
        self.python = python
        self.web = web
        self.port = free_port()

    def start(self, *, python: Path | None = None, closed: bool = False, **limits: float) -> engine.Running:
        lock = DeskLock(self.home.lock)
        lock.acquire()
        try:
            return engine.start(
                self.home,
                python or self.python,
                lock,
                port=self.port,
                web=self.web,
                closed=closed,
                **limits,
            )
        finally:
            lock.release()

    def kill(self, running: engine.Running) -> None:
        os.kill(running.pid, signal.SIGKILL)
        os.waitpid(running.pid, 0)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=engine.REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory, engine_tools: Path) -> Path:
    root = tmp_path_factory.mktemp("tools")
    (root / "tools").symlink_to(engine_tools, target_is_directory=True)
    return tools.engine_python(Home.open(root))


@contextmanager
def desk_at(root: Path, python: Path) -> Iterator[Desk]:
    web = root / "web"
    web.mkdir()
    (web / "index.html").write_text("<!doctype html><title>desk</title>")
    (root / "secret.txt").write_text("not below web")
    desk = Desk(Home.open(root / "home"), python, web)
    try:
        yield desk
    finally:
        engine.stop(desk.home)


@pytest.fixture
def desk(tmp_path: Path, python: Path) -> Iterator[Desk]:
    with desk_at(tmp_path, python) as desk:
        yield desk


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, python: Path) -> Iterator[Desk]:
    """A running desk for tests that change nothing others look at."""
    with desk_at(tmp_path_factory.mktemp("shared"), python) as desk:
        desk.start()
        yield desk


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("did not happen in time")


_CODE = """
import json, os, time
import boto3

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    for record in event.get("Records", []):
        key = record["dynamodb"]["Keys"]["pk"]["S"]
        boto3.client("s3").put_object(Bucket=os.environ["COPY_TO"], Key=key, Body=b"")
    body = {
        "path": event.get("path"),
        "query": event.get("queryStringParameters"),
        "proto": (event.get("headers") or {}).get("X-Forwarded-Proto"),
    }
    return {"statusCode": 200, "body": json.dumps(body)}
"""


def deploy_echo(iam: Any, functions: Any, name: str, *, copy_to: str = "", timeout: int = 20) -> str:
    """Create a function that answers with what it was asked; returns its ARN."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(everything))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", _CODE)
    arn: str = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": packed.getvalue()},
        Timeout=timeout,
        Environment={"Variables": {"COPY_TO": copy_to}},
    )["FunctionArn"]
    return arn


def function_processes(running: engine.Running) -> dict[str, psutil.Process]:
    """function name -> a process that runs it."""
    found = {}
    for process in psutil.Process(running.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if name := process.environ().get("AWS_LAMBDA_FUNCTION_NAME"):
                found[name] = process
    return found


# --- start and stop ---


def test_starts_answers_and_stops_without_leaving_a_process(desk: Desk) -> None:
    running = desk.start()
    assert engine.find(desk.home) == running
    assert oct(desk.home.root.stat().st_mode)[-3:] == "700"
    assert engine.stop(desk.home)
    assert engine.find(desk.home) is None
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)
    with pytest.raises(NotRunningError, match="not up"):
        engine.require(desk.home)


def test_the_token_is_on_no_command_line(shared: Desk) -> None:
    running = engine.require(shared.home)
    family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
    assert running.token
    assert not [process for process in family if running.token in " ".join(process.cmdline())]


def test_a_closed_desk_lets_callers_in_when_it_is_opened(desk: Desk) -> None:
    running = desk.start(closed=True)
    assert running.status()["open"] is False
    assert httpx.post(f"{running.url}/_bellwether/open").status_code == 403
    running.open()
    assert running.status()["open"] is True


def test_a_second_up_is_refused_while_the_first_runs(shared: Desk) -> None:
    with pytest.raises(RefusedError, match="already up"):
        DeskLock(shared.home.lock).acquire()


def test_a_port_in_use_is_named_with_a_way_out(desk: Desk) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", desk.port))
        other.listen()
        with pytest.raises(DeskError, match=rf"port {desk.port}.*--port {desk.port + 1}"):
            desk.start()


def test_a_port_in_use_is_said_before_anything_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(up, "_tools", lambda *_: pytest.fail("tools were installed first"))
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(DeskError, match="in use by another program"):
            up.bring_up(
                Home.open(tmp_path),
                Project(tmp_path),
                lambda phase, _: said.append(phase),
                port=other.getsockname()[1],
            )
    assert said == []


def test_a_killed_engine_is_recognised_and_the_next_start_goes_on(desk: Desk) -> None:
    desk.kill(desk.start())
    with pytest.raises(NotRunningError, match="without being stopped"):
        engine.require(desk.home)
    desk.start()
    assert engine.require(desk.home).port == desk.port


def test_an_engine_that_cannot_start_shows_its_log(desk: Desk) -> None:
    with pytest.raises(DeskError, match="No module named"):
        desk.start(python=Path(sys.executable))


def test_an_interrupted_tool_build_is_built_again(tmp_path: Path) -> None:
    home = Home.open(tmp_path)

    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    def complete(folder: Path) -> None:
        (folder / "whole").touch()

    with pytest.raises(KeyboardInterrupt):
        tools._installed(home, "kit-1", interrupted)
    (home.tools / ".kit-0").mkdir()
    (home.tools / "kit-0").mkdir()
    assert [file.name for file in tools._installed(home, "kit-1", complete).iterdir()] == ["whole"]
    assert [folder.name for folder in home.tools.iterdir()] == ["kit-1"]


# --- what survives kill -9 ---


def test_an_acknowledged_object_survives_a_kill_at_once(desk: Desk) -> None:
    running = desk.start()
    s3 = desk.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": engine.REGION})
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    running.checkpoint()
    for number in range(20):
        s3.put_object(Bucket="lake", Key=f"raw-data/{number}", Body=b"x" * 5000, Metadata={"n": str(number)})
    s3.put_object(Bucket="lake", Key="raw-data/once", Body=b"first", IfNoneMatch="*")
    desk.kill(running)

    orphan = desk.home.objects / "000000000000" / "lake" / "raw-data" / "cut-short.tmp"
    orphan.write_bytes(b"half")
    desk.start()
    assert not orphan.exists()
    s3 = desk.client("s3")
    keys = {entry["Key"] for entry in s3.list_objects_v2(Bucket="lake")["Contents"]}
    assert keys == {f"raw-data/{number}" for number in range(20)} | {"raw-data/once"}
    last = s3.get_object(Bucket="lake", Key="raw-data/19")
    assert last["Body"].read() == b"x" * 5000
    assert last["Metadata"] == {"n": "19"}
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="lake", Key="raw-data/once", Body=b"second", IfNoneMatch="*")


def test_an_object_that_did_not_reach_the_disk_is_not_acknowledged(desk: Desk) -> None:
    desk.start()
    s3 = desk.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": engine.REGION})
    bucket = desk.home.objects / "000000000000" / "lake"
    (bucket / "blocked.tmp").mkdir(parents=True)
    with pytest.raises(s3.exceptions.ClientError):
        s3.put_object(Bucket="lake", Key="blocked", Body=b"x")


def test_a_checkpoint_survives_a_kill_whole(desk: Desk) -> None:
    running = desk.start()
    tables, queues, pools = desk.client("dynamodb"), desk.client("sqs"), desk.client("cognito-idp")
    tables.create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    url = queues.create_queue(QueueName="work")["QueueUrl"]
    pool = pools.create_user_pool(PoolName="people")["UserPool"]["Id"]
    pools.admin_create_user(UserPoolId=pool, Username="ana", MessageAction="SUPPRESS")
    tables.put_item(TableName="rows", Item={"pk": {"S": "a"}, "big": {"B": b"\x00" * 70_000}})
    queues.send_message(QueueUrl=url, MessageBody="one")
    until(lambda: running.status()["checkpoint"]["at"])
    running.checkpoint()
    desk.kill(running)

    desk.start()
    row = desk.client("dynamodb").get_item(TableName="rows", Key={"pk": {"S": "a"}})["Item"]
    assert row["big"]["B"] == b"\x00" * 70_000
    assert desk.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "one"
    assert desk.client("cognito-idp").admin_get_user(UserPoolId=pool, Username="ana")["Username"] == "ana"


def test_a_stream_goes_on_after_a_kill(desk: Desk) -> None:
    """Without the correction the function sees nothing until as many rows as before were written."""
    running = desk.start()
    tables = desk.client("dynamodb")
    stream = tables.create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]["LatestStreamArn"]
    deploy_echo(desk.client("iam"), desk.client("lambda"), "watcher", copy_to="seen")
    desk.client("s3").create_bucket(
        Bucket="seen", CreateBucketConfiguration={"LocationConstraint": engine.REGION}
    )
    desk.client("lambda").create_event_source_mapping(
        EventSourceArn=stream, FunctionName="watcher", StartingPosition="TRIM_HORIZON", BatchSize=10
    )

    def seen() -> set[str]:
        listed = desk.client("s3").list_objects_v2(Bucket="seen").get("Contents", [])
        return {entry["Key"] for entry in listed}

    for number in range(5):
        tables.put_item(TableName="rows", Item={"pk": {"S": f"before-{number}"}})
    until(lambda: len(seen()) == 5)
    running.checkpoint()
    desk.kill(running)
    desk.start()
    desk.client("dynamodb").put_item(TableName="rows", Item={"pk": {"S": "after"}})
    until(lambda: "after" in seen())


# --- function processes ---


def test_idle_function_processes_end_and_none_outlives_the_engine(desk: Desk) -> None:
    running = desk.start(idle_seconds=1.0)
    functions = desk.client("lambda")
    deploy_echo(desk.client("iam"), functions, "echo")
    functions.invoke(FunctionName="echo", Payload=b"{}")
    assert running.status()["workers"]
    until(lambda: not running.status()["workers"], 15)
    assert functions.invoke(FunctionName="echo", Payload=b"{}")["StatusCode"] == 200
    left = psutil.Process(running.pid).children(recursive=True)
    assert left
    engine.stop(desk.home)
    until(lambda: not any(process.is_running() for process in left))


def test_function_processes_end_with_a_killed_engine(desk: Desk) -> None:
    running = desk.start()
    deploy_echo(desk.client("iam"), desk.client("lambda"), "echo")
    desk.client("lambda").invoke(FunctionName="echo", Payload=b"{}")
    # the nursery and a function's process at least; a checkpoint is a third one while it is written
    left = psutil.Process(running.pid).children(recursive=True)
    assert len(left) >= 2
    desk.kill(running)
    until(lambda: not any(process.is_running() for process in left))


def test_a_function_survives_its_process_and_the_one_it_was_forked_from(desk: Desk) -> None:
    running = desk.start()
    functions = desk.client("lambda")
    deploy_echo(desk.client("iam"), functions, "echo")

    def works() -> bool:
        answer = functions.invoke(FunctionName="echo", Payload=b"{}")
        return answer["StatusCode"] == 200 and "FunctionError" not in answer

    assert works()
    process = function_processes(running)["echo"]
    nursery = process.parent()
    process.kill()
    until(lambda: not process.is_running())
    assert works()
    assert nursery is not None
    nursery.kill()
    # A new configuration ends the process there is; the next one needs a nursery again.
    functions.update_function_configuration(FunctionName="echo", Timeout=19)
    assert works()


def test_a_function_that_takes_too_long_is_ended(desk: Desk) -> None:
    running = desk.start()
    functions = desk.client("lambda")
    deploy_echo(desk.client("iam"), functions, "slow", timeout=1)
    answer = functions.invoke(FunctionName="slow", Payload=b'{"sleep": 30}')
    assert answer["FunctionError"]
    assert "timed out" in json.loads(answer["Payload"].read())["errorMessage"]
    assert "slow" not in function_processes(running)


def test_processes_stay_within_their_bounds_under_a_burst(desk: Desk) -> None:
    running = desk.start(most=3, most_idle=2, most_per_function=2)
    functions = desk.client("lambda")
    for name in ("a", "b", "c", "d"):
        deploy_echo(desk.client("iam"), functions, name)

    def invoke(number: int) -> int:
        client = desk.client("lambda")
        status: int = client.invoke(FunctionName="abcd"[number % 4], Payload=b"{}")["StatusCode"]
        return status

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(invoke, number) for number in range(24)]
        counts = []
        while not all(answer.done() for answer in answers):
            counts.append(sum(running.status()["workers"].values()))
            time.sleep(0.05)
    assert {answer.result() for answer in answers} == {200}
    assert max(counts) <= 3
    until(lambda: sum(running.status()["workers"].values()) <= 2, 15)


# --- the port ---

BROWSER = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-origin"},
        {"referer": "http://127.0.0.1/"},
        {"user-agent": "Mozilla/5.0"},
        {"host": "rebound.example"},
        {"host": "127.0.0.1.evil.example"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("GET", "/some-bucket"),
        ("POST", "/_ministack/reset"),
        ("GET", "/_bellwether/status"),
        ("GET", "/_aws/execute-api/abc/v1/@connections/x"),
        ("GET", "/some-bucket/key?X-Amz-Signature=1"),
    ],
)
def test_no_web_page_reaches_the_engine(
    shared: Desk, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = httpx.request(method, f"http://127.0.0.1:{shared.port}{path}", headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "/_ministack/config", "/_localstack/x", "/_aws/sqs/messages"]
)
def test_maintenance_calls_are_closed_to_programs_too(shared: Desk, path: str) -> None:
    assert httpx.post(f"http://127.0.0.1:{shared.port}{path}").status_code == 403


def test_custom_resources_may_report(shared: Desk) -> None:
    url = f"http://127.0.0.1:{shared.port}/_ministack/cfn-response/unknown"
    assert httpx.put(url, json={}).headers.get("content-type") != "application/problem+json"
    assert httpx.get(url).status_code == 403
    assert httpx.put(url, json={}, headers=BROWSER).status_code == 403


def test_the_dashboard_is_served_and_nothing_beside_it(shared: Desk) -> None:
    base = f"http://127.0.0.1:{shared.port}"
    page = httpx.get(f"{base}/", headers={"sec-fetch-site": "none"})
    assert page.status_code == 200
    assert "<title>desk" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert httpx.get(f"{base}/", headers={"if-none-match": page.headers["etag"]}).status_code == 304
    assert httpx.get(f"{base}/%2e%2e/secret.txt", headers=BROWSER).status_code == 403
    assert httpx.get(f"{base}/", headers={"host": "rebound.example"}).status_code == 403


def test_the_api_answers_503_before_a_deployment(shared: Desk) -> None:
    answer = httpx.get(f"http://127.0.0.1:{shared.port}/v1/health")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_api_and_its_limits_behind_v1(desk: Desk) -> None:
    desk.start()
    rest = desk.client("apigateway")
    arn = deploy_echo(desk.client("iam"), desk.client("lambda"), "echo")
    api = rest.create_rest_api(name="desk")["id"]
    root = rest.get_resources(restApiId=api)["items"][0]["id"]
    anything = rest.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    rest.put_method(restApiId=api, resourceId=anything, httpMethod="ANY", authorizationType="NONE")
    rest.put_integration(
        restApiId=api,
        resourceId=anything,
        httpMethod="ANY",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{engine.REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    )
    rest.create_deployment(restApiId=api, stageName="v1")
    write_private(desk.home.routes, {"rest": {"api_id": api, "stage": "v1"}, "public": {"region": "r"}})
    base = f"http://127.0.0.1:{desk.port}"

    echoed = httpx.get(f"{base}/v1/ingest/social?x=1", headers=BROWSER).json()
    assert echoed["path"] == "/ingest/social"
    assert echoed["query"] == {"x": "1"}
    assert echoed["proto"] is None or echoed["proto"] != "forged"
    assert httpx.get(f"{base}/config.json").json() == {"region": "r"}

    declared = httpx.post(f"{base}/v1/ingest/social", content=b"x" * (10 * 1024 * 1024 + 1))
    assert declared.status_code == 413
    assert declared.headers["content-type"] == "application/problem+json"
    streamed = httpx.post(f"{base}/v1/ingest/social", content=(b"x" * 1024 * 1024 for _ in range(11)))
    assert streamed.status_code == 413
    assert httpx.post(f"{base}/v1/ingest/social", content=b"x" * 1024 * 1024).status_code == 200


def test_only_the_page_itself_signs_in(shared: Desk) -> None:
    url = f"http://127.0.0.1:{shared.port}/auth"
    target = "AWSCognitoIdentityProviderService.{}"
    sign_in = {"x-amz-target": target.format("InitiateAuth"), "content-type": "application/x-amz-json-1.1"}
    own = {**sign_in, "origin": f"http://127.0.0.1:{shared.port}"}
    assert httpx.post(url, headers=own, json={"ClientId": "unknown"}).status_code == 400
    assert httpx.post(url, headers={**sign_in, **BROWSER}, json={}).status_code == 403
    admin = {**own, "x-amz-target": target.format("AdminDeleteUser")}
    assert httpx.post(url, headers=admin, json={}).status_code == 403
