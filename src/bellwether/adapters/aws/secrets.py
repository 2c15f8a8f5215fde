"""Secrets Manager, read at run time and kept in memory for five minutes."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from bellwether.adapters.aws.faults import calling, code_of
from bellwether.domain.problems import NotFound

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

BELIEVED_SECONDS = 300.0


class ManagedSecrets:
    """`Secrets`."""

    def __init__(self, client: "SecretsManagerClient", seconds: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._seconds = seconds
        self._lock = Lock()
        self._read: dict[str, tuple[str, float]] = {}

    def text(self, secret_id: str) -> str:
        now = self._seconds()
        with self._lock:
            known = self._read.get(secret_id)
        if known is not None and now - known[1] < BELIEVED_SECONDS:
            return known[0]
        text = self._current(secret_id)
        with self._lock:
            self._read[secret_id] = (text, now)
        return text

    def _current(self, secret_id: str) -> str:
        with calling("a secret"):
            try:
                return self._client.get_secret_value(SecretId=secret_id)["SecretString"]
            except ClientError as fault:
                if code_of(fault) == "ResourceNotFoundException":
                    raise NotFound("there is no such secret") from fault
                raise

    def values(self, secret_id: str) -> dict[str, Any]:
        return msgspec.json.decode(self.text(secret_id), type=dict[str, Any])
