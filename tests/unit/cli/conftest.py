"""A command line that is typed at in the process, a desk in memory behind it, and an API without sockets."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from bellwether.adapters.memory import MemoryPorts
from bellwether.cli import owner
from bellwether.cli.api import Api
from bellwether.cli.main import app

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).parents[4] / "shared" / "data"))


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document it has to be."""
        return json.loads(self.out)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without a desk, in a terminal of known width."""
    folder = tmp_path / "home"
    monkeypatch.setenv("BELLWETHER_HOME", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("BELLWETHER_STAGE", raising=False)
    monkeypatch.delenv("BELLWETHER_OUTPUTS", raising=False)
    return folder


@pytest.fixture
def typed(home: Path) -> Callable[..., Done]:
    """Types a command: `typed("track", "list", stdin=b"…")`."""

    def run(*arguments: str, stdin: bytes | None = None) -> Done:
        result = CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)
        return Done(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> MemoryPorts:
    """The desk an owner's commands write to."""
    memory = MemoryPorts()

    @contextmanager
    def opened(stage: str) -> Iterator[MemoryPorts]:
        yield memory

    monkeypatch.setattr(owner, "owner_ports", opened)
    return memory


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stages whose changes were made durable, in order."""
    stages: list[str] = []
    monkeypatch.setattr(owner, "keep", stages.append)
    return stages


Route = Callable[[httpx.Request], httpx.Response]


@dataclass
class Peer(httpx.BaseTransport):
    """The other end of the API client: answers from a list or a function, and remembers what it was sent."""

    answers: list[httpx.Response | Exception] = field(default_factory=list)
    route: Route | None = None
    seen: list[httpx.Request] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(request)
        answer = self.route(request) if self.route else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def api_of(peer: Peer, tokens: Any = None, waits: list[float] | None = None) -> Api:
    """A client of the peer; what it would have waited is noted instead."""
    noted = waits if waits is not None else []
    return Api("http://127.0.0.1:9/v1", tokens, sleep=noted.append, transport=peer)


def problem(status: int, headers: Mapping[str, str] | None = None, **members: Any) -> httpx.Response:
    """A problem document as the API sends it."""
    body = {"type": "urn:x", "title": "A title", "status": status, "detail": "what happened", **members}
    sent = {"Content-Type": "application/problem+json", **(headers or {})}
    return httpx.Response(status, headers=sent, content=json.dumps(body).encode())
