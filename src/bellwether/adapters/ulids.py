"""ULIDs that never run backwards within a process, whatever the clock does."""

import os
import time
from collections.abc import Callable
from threading import Lock

from bellwether.domain.ids import CROCKFORD


def _now() -> int:
    return time.time_ns() // 1_000_000


class MonotonicUlids:
    """Gives ULIDs in ascending order (the ULID specification's monotonic mode); safe between threads.

    `milliseconds` and `randomness` are the sources of time and of random bytes.
    """

    def __init__(
        self,
        milliseconds: Callable[[], int] = _now,
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._milliseconds = milliseconds
        self._randomness = randomness
        self._lock = Lock()
        self._last = 0

    def __call__(self) -> str:
        with self._lock:
            fresh = (self._milliseconds() << 80) | int.from_bytes(self._randomness(10), "big")
            # Within a millisecond, or after the clock was set back, the last one is counted on.
            self._last = fresh if fresh >> 80 > self._last >> 80 else self._last + 1
            value = self._last
        return "".join(CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))
