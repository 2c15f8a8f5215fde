"""API keys of machines, exchanged in the four steps of a Secrets Manager rotation.

A machine's key lies in a secret of its own, `{"name": …, "key": …}`, which the machine reads. The desk knows
keys by their digests alone, in one secret for all machines, `{name: [sha256 hex, …]}`. A rotation sets the
new key's digest beside the one in use; the one before that goes. So the old key stays good until the next
rotation, and a machine changes over whenever it reads its secret again.

Rotations of two machines must not run at once: both change the secret of the digests.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from bellwether.adapters.aws.faults import calling, code_of
from bellwether.domain.problems import Conflict

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEY_BYTES = 32
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"


class ClientKeys:
    """Rotates the key in a machine's secret. `digests` is the id of the secret with all machines' digests.

    Each step may come again with the same token and then changes nothing more.
    """

    def __init__(self, client: "SecretsManagerClient", digests: str) -> None:
        self._client = client
        self._digests = digests
        self.steps: Mapping[str, Callable[[str, str], None]] = {
            "createSecret": self.create,
            "setSecret": self.announce,
            "testSecret": self.test,
            "finishSecret": self.finish,
        }

    def create(self, secret: str, token: str) -> None:
        """Makes the new key as the pending version, unless it is there already."""
        if self._key(secret, PENDING, token) is not None:
            return
        named = self._read(secret, CURRENT) or {}
        made = {**named, "key": secrets.token_urlsafe(KEY_BYTES)}
        self._write(secret, made, token, PENDING)

    def announce(self, secret: str, token: str) -> None:
        """Sets the pending key's digest beside the current one's. Raises `Conflict` without a pending key."""
        name, pending = self._pending(secret, token)
        current = self._key(secret, CURRENT)
        if current == pending:
            return
        valid = [digest(key) for key in (current, pending) if key is not None]
        told = self._read(self._digests, CURRENT) or {}
        if told.get(name) != valid:
            self._write(self._digests, {**told, name: valid}, token, CURRENT)

    def test(self, secret: str, token: str) -> None:
        """Raises `Conflict` unless the desk would take the pending key."""
        name, pending = self._pending(secret, token)
        if digest(pending) not in (self._read(self._digests, CURRENT) or {}).get(name, []):
            raise Conflict("the new key is not among those that are taken")

    def finish(self, secret: str, token: str) -> None:
        """Makes the pending key the current one."""
        with calling("a machine's secret"):
            versions = self._client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
            (current,) = [version for version, stages in versions.items() if CURRENT in stages]
            if current != token:
                self._client.update_secret_version_stage(
                    SecretId=secret, VersionStage=CURRENT, MoveToVersionId=token, RemoveFromVersionId=current
                )

    def _pending(self, secret: str, token: str) -> tuple[str, str]:
        told = self._read(secret, PENDING, token)
        if not told or "name" not in told or "key" not in told:
            raise Conflict("there is no new key to take")
        return str(told["name"]), str(told["key"])

    def _key(self, secret: str, stage: str, token: str | None = None) -> str | None:
        key = (self._read(secret, stage, token) or {}).get("key")
        return str(key) if key else None

    def _read(self, secret: str, stage: str, token: str | None = None) -> dict[str, Any] | None:
        version = {"VersionId": token} if token else {}
        with calling("a machine's secret"):
            try:
                told = self._client.get_secret_value(SecretId=secret, VersionStage=stage, **version)
            except ClientError as fault:
                if code_of(fault) == "ResourceNotFoundException":
                    return None
                raise
        return msgspec.json.decode(told["SecretString"], type=dict[str, Any])

    def _write(self, secret: str, value: Mapping[str, Any], token: str, stage: str) -> None:
        text = msgspec.json.encode(value).decode()
        with calling("a machine's secret"):
            self._client.put_secret_value(
                SecretId=secret, ClientRequestToken=token, SecretString=text, VersionStages=[stage]
            )


def digest(key: str) -> str:
    """SHA-256 of a key, in hex."""
    return hashlib.sha256(key.encode()).hexdigest()
