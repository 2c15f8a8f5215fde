"""A few calls at once: services answer in milliseconds, mostly of waiting."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import local
from typing import TypeVar

Taken = TypeVar("Taken")
Given = TypeVar("Given")

THREADS = 8
_here = local()


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="calls", initializer=_enter)


def _enter() -> None:
    _here.inside = True


def each(call: Callable[[Taken], Given], arguments: Iterable[Taken]) -> list[Given]:
    """The call for each argument, in order of the arguments; the first error is raised after all have run.

    One argument, or a call from within another, runs in the caller's thread: a pool that waits for itself
    would never end.
    """
    waiting = list(arguments)
    if len(waiting) < 2 or getattr(_here, "inside", False):
        return [call(argument) for argument in waiting]
    futures = [_pool().submit(call, argument) for argument in waiting]
    faults = [fault for fault in (future.exception() for future in futures) if fault is not None]
    if faults:
        raise faults[0]
    return [future.result() for future in futures]
