"""A machine's API key is exchanged by the deployed function, asked as Secrets Manager would ask it."""

import json
import uuid

import httpx
import pytest

from tests.desk.conftest import Desk
from tests.desk.processes import as_owner

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def secret_named(desk: Desk, part: str) -> str:
    """The name of the stage's secret that is named for `part`."""
    listed = as_owner(desk, "secretsmanager").list_secrets()["SecretList"]
    (name,) = [one["Name"] for one in listed if part in one["Name"]]
    return str(name)


def value_of(desk: Desk, secret: str) -> dict[str, str]:
    told = as_owner(desk, "secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return dict(json.loads(told))


def rotate(desk: Desk, secret: str) -> None:
    """Asks for the four steps, which the engine's own RotateSecret does not."""
    function, token = desk.outputs["functions"]["Functions/RotateClientKey/Function"], str(uuid.uuid4())
    for step in STEPS:
        event = {"Step": step, "SecretId": secret, "ClientRequestToken": token}
        answer = as_owner(desk, "lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        assert "FunctionError" not in answer, answer["Payload"].read()


@pytest.mark.req("S2", "C2", "A1")
def test_a_machine_gets_in_with_the_key_of_its_secret(desk: Desk) -> None:
    secret = secret_named(desk, "ClientCollector")
    first = value_of(desk, secret)
    rotate(desk, secret)
    second = value_of(desk, secret)
    assert second["name"] == first["name"] == "collector"
    assert second["key"] != first["key"]
    assert len(value_of(desk, secret_named(desk, "ApiClients"))["collector"]) == 2
    for key, expected in ((second["key"], 200), (first["key"], 200), ("nobody's key", 401)):
        answer = httpx.get(f"{desk.api_url}/metrics", headers={"X-Api-Key": key}, timeout=60)
        assert answer.status_code == expected, answer.text
