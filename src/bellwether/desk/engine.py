"""Starts, finds and stops the engine's process."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from . import tools
from .engine_side.settings import Settings
from .errors import DeskError, NotRunningError
from .home import Home, read_json, write_private
from .lock import DeskLock

REGION = "eu-central-2"
DEFAULT_PORT = 4566
RECORD_CALLS = "BELLWETHER_RECORD_CALLS"
"""Set to 1, the engine remembers each role's calls and how it decided them (`Running.calls`)."""
_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LOG_BYTES = 5_000_000

# The engine's environment must not see bellwether's packages, nor a caller's PYTHON* settings (-I); its own
# modules come last on the path, so that they never shadow the engine's.
# Settings come on the standard input: a command line, with the token in it, can be read by everyone here.
_BOOT = "import sys; sys.path.append(sys.argv[1]); from engine_side.main import main; main(sys.stdin.read())"


@dataclass(frozen=True)
class Running:
    """An engine that answers."""

    pid: int
    port: int
    token: str
    started: float
    """Unix time."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def status(self) -> dict[str, Any]:
        """The process's own account of itself: workers, checkpoint cost, counters."""
        return _get(f"{self.url}/_bellwether/status")

    def checkpoint(self) -> None:
        """Write the whole state now; raises DeskError when the disk refuses it."""
        if self._control("checkpoint") != 200:
            raise DeskError("the desk's state could not be written to disk: is the disk full?")

    def calls(self) -> dict[str, Any]:
        """What the engine remembers of the roles' calls; see `engine_side.recorded_calls`.

        Raises `DeskError` when it was started without remembering any.
        """
        answer = httpx.get(
            f"{self.url}/_bellwether/calls",
            headers={"x-bellwether-token": self.token},
            timeout=30,
            trust_env=False,
        )
        if answer.status_code != 200:
            raise DeskError(f"the engine was started without {RECORD_CALLS}=1 and remembers no calls")
        document: dict[str, Any] = answer.json()
        return document

    def open(self) -> None:
        """Let callers in."""
        if self._control("open") != 200:
            raise DeskError("the engine did not open the product's routes; see `bellwether logs --engine`")

    def _control(self, what: str) -> int:
        headers = {"x-bellwether-token": self.token}
        url = f"{self.url}/_bellwether/{what}"
        return httpx.post(url, headers=headers, timeout=90, trust_env=False).status_code


def start(
    home: Home,
    python: Path,
    lock: DeskLock,
    *,
    port: int,
    web: Path | None = None,
    closed: bool = False,
    **limits: float,
) -> Running:
    """Start the engine on loopback and wait until it answers.

    `lock` must be held; the engine inherits it and so keeps it for as long as it lives. `closed` keeps the
    product's routes shut until `Running.open`. `limits` are the memory bounds of
    `engine_side.settings.Settings` (idle_seconds, most_idle, most_per_function).
    """
    require_free(port)
    _rotate(home.engine_log)
    settings = Settings(
        port=port,
        region=REGION,
        state=str(home.state),
        objects=str(home.objects),
        scratch=str(home.scratch),
        routes=str(home.routes),
        web=str(web) if web else "",
        node=str(tools.node_folder()),
        token=secrets.token_urlsafe(24),
        closed=closed,
        record_calls=os.environ.get(RECORD_CALLS) == "1",
        **limits,  # type: ignore[arg-type]
    )
    arguments = [str(python), "-I", "-c", _BOOT, str(Path(__file__).parent)]
    log = os.open(home.engine_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            arguments,
            cwd=home.root,
            env=settings.environment(),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock.descriptor],
        )
    finally:
        os.close(log)
    _tell(process, settings.dump())
    running = Running(process.pid, port, settings.token, time.time())
    write_private(home.running, vars(running))
    try:
        _wait_ready(home, process, running)
    except BaseException:
        _end(process.pid)
        home.running.unlink(missing_ok=True)
        raise
    return running


def _tell(process: subprocess.Popen[bytes], text: str) -> None:
    """Give a process its standard input. One that has ended already is noticed by who waits for it."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as given:
            given.write(text.encode())


def find(home: Home) -> Running | None:
    """The running engine, or None. A record left by a killed engine is recognised and ignored."""
    record = read_json(home.running)
    if record is None:
        return None
    running = Running(**record)
    try:
        answers = running.status()["pid"] == running.pid
    except (httpx.HTTPError, ValueError, KeyError):
        return None
    return running if answers else None


def require(home: Home) -> Running:
    """The running engine; raises NotRunningError, saying whether it was killed."""
    running = find(home)
    if running is not None:
        return running
    if home.running.exists() and not DeskLock(home.lock).is_held():
        raise NotRunningError(
            "the desk ended without being stopped (killed, or the machine went down). Its state is on disk; "
            f"start it again with `bellwether up`.\n{log_tail(home, 5)}"
        )
    raise NotRunningError("the desk is not up; start it with `bellwether up`")


def stop(home: Home) -> bool:
    """Stop the engine cleanly: last requests, functions, checkpoint. False when none ran."""
    running = find(home)
    if running is not None:
        _end(running.pid)
    home.running.unlink(missing_ok=True)
    return running is not None


def log_tail(home: Home, lines: int = 15) -> str:
    """The end of the engine's log."""
    try:
        with home.engine_log.open("rb") as file:
            file.seek(max(0, home.engine_log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def require_free(port: int) -> None:
    """Raise DeskError when another program has the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise DeskError(
                f"port {port} on 127.0.0.1 is in use by another program; choose another: "
                f"`bellwether up --port {port + 1}`"
            ) from None


def _wait_ready(home: Home, process: subprocess.Popen[bytes], running: Running) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise DeskError(f"the engine ended while starting; its log ends with:\n{log_tail(home)}")
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
            if running.status()["pid"] == process.pid:
                return
        time.sleep(0.05)
    raise DeskError(
        f"the engine did not answer within {_READY_SECONDS:.0f} s; its log ends with:\n{log_tail(home)}"
    )


def _get(url: str) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(url, timeout=5, trust_env=False).json()
    return document


def _end(pid: int) -> None:
    """Terminate and wait; kill what does not end in time."""
    for number, patience in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if _ended(pid):
                return
            time.sleep(0.02)


def _ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _rotate(log: Path) -> None:
    """Keep one old log; a desk that runs for months must not fill the disk with it."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
