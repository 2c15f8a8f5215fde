"""How long to go on trying, and how long to wait between tries."""

import random
from time import monotonic, sleep

from bellwether.domain.problems import Unavailable

LONGEST_WAIT = 1.0
FIRST_WAIT = 0.01


class Patience:
    """Waits with exponential backoff and full jitter until `seconds` have passed since it was made."""

    def __init__(self, what: str, seconds: float = 20.0) -> None:
        self._what = what
        self._until = monotonic() + seconds
        self._wait = FIRST_WAIT

    def wait(self) -> None:
        """Sleeps a little longer each time. Raises `Unavailable` when the time is up."""
        if monotonic() >= self._until:
            raise Unavailable(f"{self._what}: still refused after many tries")
        sleep(random.uniform(0, self._wait))  # noqa: S311 (jitter is no secret)
        self._wait = min(self._wait * 2, LONGEST_WAIT)
