"""The desk's processes, as the operating system shows them."""

import hashlib
import json
import os
import secrets
import signal
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import boto3
import psutil

from bellwether.adapters.aws.claims import DynamoItemClaims
from bellwether.usecases.leases import LEASE
from tests.desk.conftest import Desk, eventually, run_command

REGION = "eu-central-2"


def engine_process(desk: Desk) -> psutil.Process:
    """The engine's process, as `status` tells it."""
    return psutil.Process(desk.json("status")["engine"]["pid"])


def workers(desk: Desk, function: str) -> list[psutil.Process]:
    """Processes that run a function right now (the engine starts them as its children)."""
    found = []
    for child in engine_process(desk).children(recursive=True):
        try:
            name = child.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
        except psutil.Error:
            continue
        if function.replace("_", "") in name.lower().replace("-", "").replace("_", ""):
            found.append(child)
    return found


def kill_engine(engine: psutil.Process) -> None:
    """`kill -9`, and wait until it is gone."""
    os.kill(engine.pid, signal.SIGKILL)
    eventually(
        lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE,
        what="the end of the engine",
    )


def up_again(desk: Desk) -> dict[str, Any]:
    """Starts a killed desk on the port it had; tokens of before are still good but are fetched anew."""
    port = desk.api_url.split(":")[2].split("/")[0]
    done = run_command(desk.home, "up", "--detach", "--json", "--port", port)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    status: dict[str, Any] = desk.json("status")
    return status


def end_leases(desk: Desk, batches: Iterable[str], dead_before: datetime) -> None:
    """As if the leases of workers that began before a moment, and were all killed after it, had run out."""
    claims = DynamoItemClaims(as_owner(desk, "dynamodb"), desk.outputs["tables"]["Tables/Claims"])
    for batch_id in batches:
        claims.end_lease(batch_id, dead_before + LEASE)


def as_owner(desk: Desk, service: str) -> Any:
    """A client with the rights of the desk's owner, on the engine."""
    origin = desk.api_url.removesuffix("/v1")
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=origin,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def as_function(desk: Desk, function: str, service: str) -> Any:
    """A client with the rights of a function's role, and of nothing else."""
    role = as_owner(desk, "lambda").get_function_configuration(
        FunctionName=desk.outputs["functions"][f"Functions/{function}/Function"]
    )["Role"]
    session = as_owner(desk, "sts").assume_role(RoleArn=role, RoleSessionName="rights")["Credentials"]
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=desk.api_url.removesuffix("/v1"),
        region_name=REGION,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


def give_machine_key(desk: Desk, name: str) -> str:
    """Adds a machine to the desk's API clients, as its owner does, and returns its key."""
    key = secrets.token_urlsafe(32)
    store = as_owner(desk, "secretsmanager")
    settings = as_owner(desk, "lambda").get_function_configuration(
        FunctionName=desk.outputs["functions"]["Functions/Authorizer/Function"]
    )
    arn = settings["Environment"]["Variables"]["API_CLIENTS_SECRET_ARN"]
    known = json.loads(store.get_secret_value(SecretId=arn)["SecretString"] or "{}")
    known[name] = hashlib.sha256(key.encode()).hexdigest()
    store.put_secret_value(SecretId=arn, SecretString=json.dumps(known))
    return key
