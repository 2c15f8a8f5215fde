"""How much longer the runtime lets the call go on that is worked on: a process works on one at a time."""

import math
import time
from collections.abc import Callable
from typing import Any

_ends = [math.inf]


def begin_within(context: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
    """From here on `seconds_left` goes by this call's context; one that says nothing sets no end."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    _ends[0] = math.inf if left is None else monotonic() + int(left()) / 1000


def seconds_left(monotonic: Callable[[], float] = time.monotonic) -> float:
    """Seconds until the runtime ends the call; infinite where nobody does."""
    return _ends[0] - monotonic()
