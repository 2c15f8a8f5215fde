"""API keys of machines: names and SHA-256 digests in one secret, never the keys themselves."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable

from bellwether.domain.problems import Unauthenticated, Unavailable
from bellwether.domain.rights import User
from bellwether.handlers.logs import describe_fault, logger

FRESH_SECONDS = 300.0
LONGEST_KEY = 512

MACHINE = "machine:"
"""Begins the user name of a machine; no `sub` of a pool does."""


class ApiClients:
    """Knows a machine by its key. The secret is `{"name": "sha256 hex of its key", …}`, kept for 5 minutes.

    While a key is exchanged there is a list of two digests instead.

    While the secret cannot be read the last one read stays good. `read` gives the secret's text.
    """

    def __init__(self, read: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._digests: dict[str, tuple[str, ...]] | None = None
        self._tried_at = 0.0
        self._lock = threading.Lock()

    def user(self, key: str) -> User:
        """The machine of that key, with the role `machine`. Raises `Unauthenticated` when there is none."""
        if not 1 <= len(key) <= LONGEST_KEY:
            raise Unauthenticated("The API key is not valid.")
        presented = hashlib.sha256(key.encode()).hexdigest()
        # every entry is compared, in constant time: how long it takes says nothing about which were close
        matches = [
            name
            for name, digests in self._current().items()
            for digest in digests
            if hmac.compare_digest(presented.encode(), digest.lower().encode())
        ]
        if not matches:
            raise Unauthenticated("The API key is not valid.")
        return User(username=f"{MACHINE}{matches[0]}", roles=("machine",))

    def _current(self) -> dict[str, tuple[str, ...]]:
        with self._lock:
            if self._digests is None or self._clock() - self._tried_at > FRESH_SECONDS:
                self._tried_at = self._clock()
                self._refresh()
            if self._digests is None:
                raise Unavailable("The API keys cannot be read.")
            return self._digests

    def _refresh(self) -> None:
        try:
            told = json.loads(self._read())
            self._digests = {
                str(name): tuple(
                    str(digest)
                    for digest in (digests if isinstance(digests, list) else [digests])
                    if len(str(digest)) == 64
                )
                for name, digests in told.items()
            }
        except Exception as fault:  # noqa: BLE001  an outage of the secret store must not become ours
            logger.warning("the API keys could not be read", **describe_fault(fault))
