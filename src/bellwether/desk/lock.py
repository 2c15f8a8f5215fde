"""One desk per home folder, enforced by a lock the operating system drops when its holder dies."""

import fcntl
import os
from pathlib import Path

from .errors import RefusedError


class DeskLock:
    """Held by the `up` that runs, then by the engine it started (the descriptor is inherited).

    A killed process cannot leave it behind, so nobody ever has to delete a stale file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @property
    def descriptor(self) -> int:
        """The open descriptor, for the engine to inherit."""
        if self._handle is None:
            raise RuntimeError("the lock is not held")
        return self._handle

    def acquire(self) -> None:
        """Take the lock or raise RefusedError when another `up` has it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise RefusedError(
                "this desk is already up, or being started or stopped: see `bellwether status`, "
                "or end it with `bellwether down`"
            ) from None
        self._handle = handle

    def release(self) -> None:
        """Let go of this process's descriptor; an engine that inherited it keeps the lock."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def is_held(self) -> bool:
        """Whether any process has the lock."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False
