"""What all tests share: how properties are tried, and the embedded engine, started once for a run."""

import contextlib
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

# a property holds or not; how long a loaded machine takes to try it says nothing of it
settings.register_profile("bellwether", deadline=None)
settings.load_profile("bellwether")

ROOT = Path(__file__).parents[1]

if sys.dont_write_bytecode:
    # Hundreds of processes start here, and each would compile what it imports: of a command line's start that
    # is a third, of a synthesis' imports two thirds. The bytecode stays out of the tree all the same.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(ROOT / ".pytest_cache" / "bytecode")
    sys.dont_write_bytecode = False


@dataclass(frozen=True)
class Engine:
    """An engine that answers: nothing is deployed to it."""

    endpoint: str
    region: str
    credentials: tuple[str, str]


@pytest.fixture(scope="session")
def engine_tools(request: pytest.FixtureRequest) -> Path:
    """A folder with the engine's environment, kept between runs beside the tests' own cache."""
    from bellwether.desk.home import Home
    from bellwether.desk.tools import engine_python

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder: Path = request.config.cache.mkdir(f"desk-tools-{python}")
    with one_builder(folder):
        engine_python(Home.open(beside(folder)))
    return folder


@pytest.fixture(scope="session")
def desk_tools(engine_tools: Path) -> Path:
    """The same folder, with the pinned cdk command line in it as well."""
    from bellwether.desk.home import Home
    from bellwether.desk.tools import cdk_command

    with one_builder(engine_tools):
        cdk_command(Home.open(beside(engine_tools)), ROOT)
    return engine_tools


def beside(folder: Path) -> Path:
    """A home whose tools are in `folder`."""
    root = folder.with_name(folder.name.replace("tools", "home"))
    root.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (root / "tools").symlink_to(folder, target_is_directory=True)
    return root


@contextlib.contextmanager
def one_builder(folder: Path) -> Iterator[None]:
    """Of the test processes that share `folder` one builds at a time."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, engine_tools: Path) -> Iterator[Engine]:
    """An engine of this test process, in a folder of its own."""
    from bellwether.desk import engine as process
    from bellwether.desk.aws import ROOT_KEY
    from bellwether.desk.home import Home
    from bellwether.desk.lock import DeskLock
    from bellwether.desk.tools import engine_python

    root = tmp_path_factory.mktemp("engine")
    (root / "tools").symlink_to(engine_tools, target_is_directory=True)
    home = Home.open(root)
    python = engine_python(home)
    lock = DeskLock(home.lock)
    lock.acquire()
    try:
        running = process.start(home, python, lock, port=free_port())
    finally:
        lock.release()
    try:
        yield Engine(running.url, process.REGION, (ROOT_KEY, ROOT_KEY))
    finally:
        process.stop(home)


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
