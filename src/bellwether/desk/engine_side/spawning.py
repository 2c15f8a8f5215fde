"""Starts function processes by forking them from a nursery, with their code unpacked once.

The engine unpacks code and layers anew for each process and starts each from nothing: with a layer of twenty
megabytes that is a second of work and a copy of every file, every time.
"""

import contextlib
import hashlib
import io
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from . import label

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); from engine_side.nursery import main; "
    "sys.path.remove(sys.argv[1]); main(sys.argv[2], sys.argv[3:])"
)
_KEPT = 2


class Child:
    """A forked function process, with the part of `subprocess.Popen` the engine uses.

    Its parent is the nursery, so its end is seen through a pipe it alone holds open.
    """

    def __init__(self, pid: int, streams: tuple[Any, Any, Any], life: int) -> None:
        self.pid = pid
        self.stdin, self.stdout, self.stderr = streams
        self.returncode: int | None = None
        self._life = life
        self._turn = threading.Lock()

    def poll(self) -> int | None:
        """0 once the process ended (its real code stays with the nursery), None before."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired."""
        if self._look(timeout) is None:
            raise subprocess.TimeoutExpired("function", timeout or 0)
        return 0

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        # Checked first: a pid whose process ended may belong to someone else by now.
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _look(self, patience: float | None) -> int | None:
        with self._turn:
            if self.returncode is None and select.select([self._life], [], [], patience)[0]:
                self.returncode = 0
                os.close(self._life)
            return self.returncode


class Nursery:
    """One process to fork functions from, for one code and its layers."""

    def __init__(self, code: Path, layers: list[Path]) -> None:
        ours, theirs = socket.socketpair()
        paths = [str(code), *(str(layer / "python") for layer in layers), *(str(layer) for layer in layers)]
        self._engine = ours
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, str(Path(__file__).parent.parent), *paths],
            stdin=theirs.fileno(),
            env={**os.environ, **label.PADDING},
        )
        theirs.close()
        self.used = time.monotonic()

    def fork(self, *, script: str, folder: str, environment: dict[str, str], name: str) -> Child:
        """Fork a process that runs `script` in `folder`. Raises OSError when the nursery is gone."""
        self.used = time.monotonic()
        stdin, to_child = os.pipe()
        from_child, stdout = os.pipe()
        errors, stderr = os.pipe()
        life, held = os.pipe()
        text = json.dumps({"cwd": folder, "env": environment, "script": script, "name": name}).encode()
        given = [stdin, stdout, stderr, held]
        try:
            with self._turn:
                socket.send_fds(self._engine, [struct.pack("!i", len(text))], given)
                self._engine.sendall(text)
                answer = self._engine.recv(4)
        finally:
            for handle in given:
                os.close(handle)
        if len(answer) < 4:
            for handle in (to_child, from_child, errors, life):
                os.close(handle)
            raise OSError("the nursery ended")
        streams = (
            os.fdopen(to_child, "w", buffering=1, encoding="utf-8"),
            os.fdopen(from_child, encoding="utf-8"),
            os.fdopen(errors, encoding="utf-8", errors="replace"),
        )
        return Child(struct.unpack("!i", answer)[0], streams, life)

    def close(self) -> None:
        """End the nursery; processes forked from it go on."""
        self._engine.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None


class Nurseries:
    """The nurseries in use: one per code and layers, the newest few of them."""

    def __init__(self, scratch: Path) -> None:
        self._code = scratch / "code"
        self._made: dict[tuple[str, ...], Nursery] = {}
        self._turn = threading.Lock()

    def unpacked(self, archive: bytes) -> Path:
        """The folder with an archive's files, unpacked once for all processes."""
        folder = self._code / hashlib.sha256(archive).hexdigest()[:32]
        with self._turn:
            if not folder.is_dir():
                self._code.mkdir(parents=True, exist_ok=True)
                building = Path(tempfile.mkdtemp(dir=self._code))
                _unpack(archive, building)
                building.rename(folder)
        return folder

    def nursery(self, code: Path, layers: list[Path]) -> Nursery:
        """The nursery for these files, started when there is none."""
        key = (str(code), *map(str, layers))
        with self._turn:
            made = self._made.get(key)
            if made is None or not made.alive():
                made = self._made[key] = Nursery(code, layers)
            made.used = time.monotonic()
            surplus = sorted(self._made, key=lambda each: self._made[each].used)[:-_KEPT]
            for each in surplus:
                self._made.pop(each).close()
        return made

    def close(self) -> None:
        """End all of them."""
        with self._turn:
            for made in self._made.values():
                made.close()
            self._made.clear()


def _unpack(archive: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        for member in files.namelist():
            if not (folder / member).resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"{member} would be unpacked outside its folder")
        files.extractall(folder)
