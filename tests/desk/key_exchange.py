"""The exchange of a machine's API key, step by step."""

import json
import uuid

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
