"""When and how the engine's state reaches the disk.

A checkpoint forks: the child has the whole state as of one instant (the fork happens on the event loop,
between two requests) and writes it while the engine goes on. The engine pauses for the fork alone, a few
milliseconds, instead of for copying every row. A child that does not finish (it may have inherited a lock
another thread held) is killed and the next one tries again; the current generation stays whole either way.
"""

import asyncio
import copy
import gc
import logging
import os
import resource
import signal
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .generations import Generations

log = logging.getLogger("bellwether.checkpoint")

States = Callable[[], Mapping[str, Callable[[], Any]]]

_SHARE = 0.05
"""At most this share of the time goes into checkpoints, counted in the child's processor time."""
_SHORTEST = 1.0
"""Seconds between two checkpoints when they are cheap."""
_LONGEST = 60.0
"""Seconds after which one is written even if nothing seemed to change: timers change state, too."""
_CHILD_LIMIT = 60


@dataclass
class LastCheckpoint:
    """What the newest checkpoint cost, in seconds."""

    at: float = 0.0
    pause: float = 0.0
    processor: float = 0.0
    elapsed: float = 0.0
    failures: int = 0


class Checkpoints:
    """Takes checkpoints; `activity` is a counter that grows whenever something may have changed."""

    def __init__(self, generations: Generations, states: States, activity: Callable[[], int]) -> None:
        self._generations = generations
        self._states = states
        self._activity = activity
        self._seen = -1
        self._turn = asyncio.Lock()
        self.last = LastCheckpoint()

    async def run(self) -> None:
        """Checkpoint for as long as the engine runs."""
        while True:
            await asyncio.sleep(self.interval())
            idle = self._activity() == self._seen and time.time() - self.last.at < _LONGEST
            if not idle:
                await self.take()

    def interval(self) -> float:
        """Seconds until the next checkpoint."""
        return max(_SHORTEST, min(_LONGEST, (self.last.processor + self.last.pause) / _SHARE))

    async def take(self) -> bool:
        """Take one checkpoint now and wait until it is on disk; False when it could not be written."""
        async with self._turn:
            seen = self._activity()
            started = time.perf_counter()
            child = self._fork()
            pause = time.perf_counter() - started
            status, processor = await asyncio.to_thread(_wait, child)
            elapsed = time.perf_counter() - started
            self.last = LastCheckpoint(time.time(), pause, processor, elapsed, self.last.failures)
            if status == 0:
                self._seen = seen
                self.last.failures = 0
                return True
            self.last.failures += 1
            log.error("checkpoint failed (%s in a row); the one before stays in force", self.last.failures)
            return False

    def _fork(self) -> int:
        with warnings.catch_warnings():
            # Python warns that a forked child of a threaded process may meet a held lock: that case is met by
            # the child's time limit.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            self._in_child()
        return child

    def _in_child(self) -> None:
        """Write the snapshot and end; never returns into the engine's code."""
        code = 1
        try:
            # Held sockets would keep the port busy and callers waiting if the engine were killed meanwhile.
            os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(_CHILD_LIMIT)
            os.nice(5)
            # A collection would write into the header of every object, and so copy memory that is only read.
            gc.disable()
            # This process is the copy: the engine's own defensive deep copies would only double it again.
            copy.deepcopy = _same  # type: ignore[assignment]
            with self._generations.locked():
                self._generations.write(self._states())
            code = 0
        except BaseException as error:  # noqa: BLE001 - reported, then the child ends whatever happened
            os.write(2, f"checkpoint: {error!r}\n".encode())
        finally:
            os._exit(code)


def _same(value: Any, *_: Any) -> Any:
    return value


def _wait(child: int) -> tuple[int, float]:
    _, status, usage = os.wait4(child, 0)
    return status, usage.ru_utime + usage.ru_stime
