"""How many function processes may wait for work, and for how long.

The engine keeps one process per function for ever and starts as many more as there are concurrent calls. On
AWS that costs the owner nothing; here it is the machine's memory.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger("bellwether.workers")

_PATIENCE = 2.0
"""Seconds a call waits for a process before one is started beyond the bounds."""


class Workers:
    """Bounds and reaps the engine's pool (`runtime` is ministack.core.lambda_runtime)."""

    def __init__(
        self, runtime: Any, *, idle_seconds: float, most_idle: int, most_per_function: int, most: int
    ) -> None:
        self._runtime = runtime
        self._idle_seconds = idle_seconds
        self._most_idle = most_idle
        self._most_per_function = most_per_function
        self._most = most
        self._admission = threading.Lock()
        self._acquire: Callable[..., Any] = runtime.acquire_worker
        self._closed = False
        self.invocations = 0

    def install(self, functions: Any) -> None:
        """Replace the pool's entry points in the service that uses them (ministack.services.lambda_svc)."""
        functions.acquire_worker = self.acquire
        functions.reap_idle_workers = _never

    def acquire(self, name: str, config: Any, code: Any, **options: Any) -> Any:
        """Lease a worker, waiting a little for a busy one when the function, or all, have their share.

        Runs on one of the engine's worker threads. After two seconds a further process is started all the
        same: a function that calls itself would otherwise wait for its own caller.
        """
        if self._closed:
            raise RuntimeError("the desk is stopping")
        self.invocations += 1
        key = self._runtime._worker_key(name, config, options.get("qualifier", "$LATEST"))
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if (free := self._free(key)) is not None:
                return free, "reused"
            if (leased := self._started(key, name, config, code, options)) is not None:
                return leased
            time.sleep(0.003)
        return self._acquire(name, config, code, **options)

    def _free(self, key: str) -> Any:
        with self._runtime._lock:
            for worker in self._runtime._workers.get(key, []):
                if not worker.in_use:
                    worker.in_use = True
                    worker.last_used = time.time()
                    return worker
        return None

    def _started(self, key: str, name: str, config: Any, code: Any, options: dict[str, Any]) -> Any:
        """Lease a new worker if the bounds leave room for it, else None."""
        # Looking for room and taking it are one step: two calls must not both take the last place.
        with self._admission:
            room, evicted = self._room(key)
            leased = (
                self._acquire(name, config, code, max_concurrency=self._most_per_function, **options)
                if room
                else (None, "full")
            )
        if evicted:
            self._runtime.kill_workers(evicted)
        return leased if leased[0] is not None else None

    def _room(self, key: str) -> tuple[bool, list[Any]]:
        """Whether one more process may start, and which one (out of the pool already) has to end for it.

        When there are too many already, the longest idle one makes way, but only for a function that has
        none: busy functions would otherwise take each other's processes in turn and do little but start.
        """
        with self._runtime._lock:
            workers = [worker for entries in self._runtime._workers.values() for worker in entries]
            if len(workers) < self._most:
                return True, []
            if self._runtime._workers.get(key):
                return False, []
            idle = sorted((worker for worker in workers if not worker.in_use), key=_last_used)[:1]
            self._remove(idle)
        return bool(idle), idle

    async def run(self) -> None:
        """Reap for as long as the engine runs."""
        while True:
            await asyncio.sleep(5)
            doomed = self.collect(time.time())
            if doomed:
                await asyncio.to_thread(self._runtime.kill_workers, doomed)
                log.info("stopped %s idle function processes", len(doomed))

    def collect(self, now: float) -> list[Any]:
        """Take out of the pool what has been idle too long, and the longest idle beyond the bound."""
        with self._runtime._lock:
            idle = [
                worker
                for entries in self._runtime._workers.values()
                for worker in entries
                if not worker.in_use
            ]
            idle.sort(key=_last_used, reverse=True)
            doomed = [
                worker
                for place, worker in enumerate(idle)
                if now - worker.last_used > self._idle_seconds
                or (place >= self._most_idle and now - worker.last_used > 1)
            ]
            self._remove(doomed)
        return doomed

    def close(self) -> None:
        """Start no more processes: schedules and queues go on until the engine's very end."""
        self._closed = True

    def count(self) -> dict[str, int]:
        """Processes per function."""
        with self._runtime._lock:
            return {key: len(entries) for key, entries in self._runtime._workers.items() if entries}

    def _remove(self, doomed: list[Any]) -> None:
        gone = {id(worker) for worker in doomed}
        for key, entries in list(self._runtime._workers.items()):
            kept = [worker for worker in entries if id(worker) not in gone]
            if kept:
                self._runtime._workers[key] = kept
            else:
                del self._runtime._workers[key]


def _last_used(worker: Any) -> float:
    return float(worker.last_used)


def _never(*_: Any) -> int:
    return 0
