"""Named objects, secrets and queue depths, in memory."""

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import msgspec

from bellwether.domain.problems import NotFound


class MemoryLake:
    """`Lake` in a dictionary."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._objects: dict[str, bytes] = {}

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> None:  # noqa: ARG002
        with self._lock:
            self._objects[key] = content

    def get(self, key: str) -> bytes | None:
        with self._lock:
            return self._objects.get(key)

    def list(self, prefix: str) -> Iterator[str]:
        with self._lock:
            keys = sorted(key for key in self._objects if key.startswith(prefix))
        return iter(keys)


class MemorySecrets:
    """`Secrets` in a dictionary given at the start."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._secrets = dict(secrets or {})

    def text(self, secret_id: str) -> str:
        if secret_id not in self._secrets:
            raise NotFound(f"there is no secret {secret_id}")
        return self._secrets[secret_id]

    def values(self, secret_id: str) -> dict[str, Any]:
        return msgspec.json.decode(self.text(secret_id), type=dict[str, Any])


class MemoryQueueDepths:
    """`QueueDepths` in a dictionary; a queue nobody set is empty."""

    def __init__(self) -> None:
        self.depths: dict[str, int] = {}

    def depth(self, queue_url: str) -> int:
        return self.depths.get(queue_url, 0)
