"""A machine's API key is exchanged without a moment in which neither key is taken."""

# ruff: noqa: N803  the service's own argument names

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bellwether.adapters.aws.client_keys import CURRENT, PENDING, ClientKeys, digest
from bellwether.domain.problems import Conflict, Unauthenticated
from bellwether.handlers.api_clients import ApiClients
from bellwether.handlers.rotate_client_key import Parts, handler
from bellwether.handlers.scheduled_function import Failed

MACHINE, ALL = "machine-secret", "digests-secret"


class Manager:
    """Secrets Manager's versions and stages: putting a stage takes it from the version that had it."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str] = {}
        self.stages: dict[tuple[str, str], str] = {}

    def get_secret_value(
        self, SecretId: str, VersionStage: str, VersionId: str | None = None
    ) -> dict[str, Any]:
        version = self.stages.get((SecretId, VersionStage))
        if version is None or VersionId not in (None, version):
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.values[SecretId, version]}

    def put_secret_value(
        self, SecretId: str, ClientRequestToken: str, SecretString: str, VersionStages: list[str]
    ) -> None:
        told = self.values.setdefault((SecretId, ClientRequestToken), SecretString)
        if told != SecretString:
            raise ClientError({"Error": {"Code": "ResourceExistsException"}}, "PutSecretValue")
        for stage in VersionStages:
            self.stages[SecretId, stage] = ClientRequestToken

    def describe_secret(self, SecretId: str) -> dict[str, Any]:
        versions: dict[str, list[str]] = {}
        for (secret, stage), version in self.stages.items():
            if secret == SecretId:
                versions.setdefault(version, []).append(stage)
        return {"VersionIdsToStages": versions}

    def update_secret_version_stage(
        self, SecretId: str, VersionStage: str, MoveToVersionId: str, RemoveFromVersionId: str
    ) -> None:
        assert self.stages[SecretId, VersionStage] == RemoveFromVersionId
        self.stages[SecretId, VersionStage] = MoveToVersionId


@pytest.fixture
def manager() -> Manager:
    made = Manager()
    made.put_secret_value(MACHINE, "first", json.dumps({"name": "collector", "key": "old key"}), [CURRENT])
    digests = {"collector": digest("old key"), "other": digest("another")}
    made.put_secret_value(ALL, "first", json.dumps(digests), [CURRENT])
    return made


@pytest.fixture
def keys(manager: Manager) -> ClientKeys:
    return ClientKeys(manager, ALL)  # type: ignore[arg-type]


def key(manager: Manager, stage: str = CURRENT) -> str:
    return str(json.loads(manager.get_secret_value(MACHINE, stage)["SecretString"])["key"])


def taken(manager: Manager, presented: str) -> str:
    clients = ApiClients(lambda: str(manager.get_secret_value(ALL, CURRENT)["SecretString"]))
    return clients.user(presented).username


def rotate(keys: ClientKeys, token: str) -> None:
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        event = {"Step": step, "SecretId": MACHINE, "ClientRequestToken": token}
        handler.serve(event, SimpleNamespace(aws_request_id="r"), lambda: Parts(keys=keys))


@pytest.mark.req("S2")
def test_old_and_new_key_are_both_taken_until_the_next_rotation(manager: Manager, keys: ClientKeys) -> None:
    rotate(keys, "second")
    second = key(manager)
    assert second != "old key"
    assert len(second) >= 43
    assert taken(manager, "old key") == taken(manager, second) == "machine:collector"
    rotate(keys, "third")
    assert taken(manager, second) == taken(manager, key(manager)) == "machine:collector"
    with pytest.raises(Unauthenticated):
        taken(manager, "old key")
    assert taken(manager, "another") == "machine:other"


@pytest.mark.req("S2")
def test_a_step_that_comes_again_changes_nothing(manager: Manager, keys: ClientKeys) -> None:
    keys.create(MACHINE, "second")
    made = key(manager, PENDING)
    keys.create(MACHINE, "second")
    assert key(manager, PENDING) == made
    rotate(keys, "second")
    rotate(keys, "second")
    assert key(manager) == made


@pytest.mark.req("S2")
def test_a_key_that_would_not_be_taken_does_not_become_the_current_one(
    manager: Manager, keys: ClientKeys
) -> None:
    keys.create(MACHINE, "second")
    with pytest.raises(Conflict, match="not among those that are taken"):
        keys.test(MACHINE, "second")
    with pytest.raises(Conflict, match="no new key"):
        keys.announce(MACHINE, "a token nobody made a key for")
    assert key(manager) == "old key"


@pytest.mark.req("S2")
def test_no_key_is_in_what_the_function_says(manager: Manager, keys: ClientKeys) -> None:
    event = {"Step": "createSecret", "SecretId": MACHINE, "ClientRequestToken": "second"}
    told = handler.serve(event, SimpleNamespace(aws_request_id="r"), lambda: Parts(keys=keys))
    assert told == {"step": "createSecret"}


def test_an_unknown_step_is_refused(keys: ClientKeys) -> None:
    with pytest.raises(Failed):
        handler.serve({"Step": "leaveSecret"}, SimpleNamespace(aws_request_id="r"), lambda: Parts(keys=keys))
