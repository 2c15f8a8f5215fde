"""A whole desk for the end-to-end tests: started by the command a user types, driven as four users."""

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import schemathesis

from infrastructure.openapi import DOCUMENT
from tests.conftest import free_port

if TYPE_CHECKING:
    from tests.desk.signed_out import SignedOut

ROOT = Path(__file__).parents[2]
COMMAND_SECONDS = 240
START_SECONDS = 600
TEST_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's own time is limited; starting a desk for it has a limit of its own, `START_SECONDS`."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS, func_only=True))


@dataclass
class Desk:
    """A running desk: `run` types a command at it, `call` sends a request as one of its users."""

    home: Path
    up: dict[str, Any]
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return desk_environment(self.home)

    @property
    def api_url(self) -> str:
        return str(self.up["api_url"])

    @property
    def outputs(self) -> dict[str, Any]:
        """Names and addresses of what is deployed, as the desk writes them for its owner."""
        document = json.loads((self.home / "infrastructure-outputs.json").read_text())
        return dict(document["local"])

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `bellwether …` against this desk."""
        return run_command(self.home, *arguments, stdin=stdin)

    def json(self, *arguments: str) -> Any:
        """Runs a command with `--json` that has to succeed, and decodes its answer."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def token(self, role: str) -> str:
        """An access token of one of the first users, obtained as a client would: from the user pool."""
        if role not in self.tokens:
            self.tokens[role] = self.json("login", "--as", role, "--show-token")["token"]
        return self.tokens[role]

    def call(
        self,
        method: str,
        path: str,
        *,
        role: str | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request to the API, without retries, as `role` or as nobody.

        Whatever comes back has to be what the API's description says can come.
        """
        sent = dict(headers or {})
        if role is not None:
            sent["Authorization"] = f"Bearer {self.token(role)}"
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        response = httpx.request(method, self.api_url + path, content=content, headers=sent, timeout=60)
        conforms(method, path, response)
        return response


@functools.cache
def description() -> schemathesis.BaseSchema:
    """The API's description, as what a test may check answers against."""
    schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text()))
    # who calls is said by the tests
    schema.config.generation.with_security_parameters = False
    return schema


def conforms(method: str, path: str, response: httpx.Response) -> None:
    """Fails when a described route answers with what is not described of it."""
    operation = json.loads(DOCUMENT.read_text())["paths"].get(path.partition("?")[0], {}).get(method.lower())
    if operation is not None:
        assert str(response.status_code) in operation["responses"], response.text
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return  # described as text, which the checker takes for the type of each event in it
        described = description()[path.partition("?")[0]][method]
        assert isinstance(described, schemathesis.APIOperation)
        described.validate_response(response)


def desk_environment(home: Path) -> dict[str, str]:
    """The environment of a user who has this home and nothing of AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BELLWETHER_"))}
    return {
        **kept,
        "BELLWETHER_HOME": str(home),
        "BELLWETHER_RECORD_CALLS": "1",
        "NO_COLOR": "1",
        "COLUMNS": "160",
    }


def run_command(
    home: Path, *arguments: str, stdin: str | None = None, within: float = COMMAND_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Runs the command line of this checkout with the interpreter of the tests."""
    return subprocess.run(
        [sys.executable, "-m", "bellwether", *arguments],
        cwd=ROOT,
        env=desk_environment(home),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, desk_tools: Path) -> Iterator[Desk]:
    """One desk for all end-to-end tests of a run; each test uses assets and ids of its own."""
    home = tmp_path_factory.mktemp("home")
    (home / "tools").symlink_to(desk_tools, target_is_directory=True)
    port = str(free_port())
    started = run_command(home, "up", "--detach", "--json", "--port", port, within=START_SECONDS)
    assert started.returncode == 0, f"{started.stdout}\n{started.stderr}"
    try:
        yield Desk(home=home, up=json.loads(started.stdout))
    finally:
        run_command(home, "down")


@pytest.fixture(scope="session")
def signed_out(desk: Desk) -> "SignedOut":
    """Logins that have ended; who asks for them early saves a later test the waiting."""
    from tests.desk.signed_out import sign_out_in_every_way

    return sign_out_in_every_way(desk)


def eventually(
    check: Callable[[], Any], *, within: float = 30.0, every: float = 0.2, what: str = "it"
) -> Any:
    """The first truthy answer of `check`; fails when there is none in time."""
    deadline = time.monotonic() + within
    while True:
        if answer := check():
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {within:.0f} s")
        time.sleep(every)
