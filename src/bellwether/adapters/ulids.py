"""ULIDs that never run backwards within a process, whatever the clock does."""

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(rf"[0-7][{ALPHABET}]{{25}}")


def is_ulid(text: str) -> bool:
    """Whether the text is a ULID (26 characters of Crockford's base 32, the first at most 7)."""
    return _ULID.fullmatch(text) is not None


def ulid_time(ulid: str) -> datetime:
    """The instant in a ULID (milliseconds in its first ten characters)."""
    milliseconds = 0
    for character in ulid[:10]:
        milliseconds = milliseconds * 32 + ALPHABET.index(character)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


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
        return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
