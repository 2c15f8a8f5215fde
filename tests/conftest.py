"""What all tests share: how properties are tried, and the embedded engine, started once for a run."""

import fcntl
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

# a property holds or not; how long a loaded machine takes to try it says nothing of it
settings.register_profile("bellwether", deadline=None)
settings.load_profile("bellwether")

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Engine:
    """An engine that answers: nothing is deployed to it."""

    endpoint: str
    region: str
    credentials: tuple[str, str]


@pytest.fixture(scope="session")
def engine_tools(request: pytest.FixtureRequest) -> Path:
    """The folder the engine's environment is built in, kept between runs beside the tests' own cache."""
    return request.config.cache.mkdir("desk-tools")


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
    with (engine_tools / "lock").open("w") as one_builder:
        fcntl.flock(one_builder, fcntl.LOCK_EX)
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
