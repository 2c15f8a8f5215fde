"""Brings a desk up: tools, engine, deployment, users, readiness. `down`, `reset` and `status` beside it."""

import contextlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from . import engine, figures, tools
from .aws import client
from .deploy import Deployment, Report, deploy, settle
from .errors import DeskError, RefusedError
from .home import Home, read_json
from .lock import DeskLock
from .outputs import Outputs, read_outputs
from .project import Project
from .users import ensure_users

Recover = Callable[[Outputs], None]

_READY_SECONDS = 45.0


@dataclass(frozen=True)
class Up:
    """A desk that is up and answers."""

    outputs: Outputs
    users: dict[str, dict[str, str | None]]
    seconds: dict[str, float]
    running: engine.Running
    deployment: Deployment = field(repr=False)

    def document(self) -> dict[str, Any]:
        """What `up --json` prints."""
        return {
            "api_url": self.outputs.api_url,
            "ws_url": self.outputs.ws_url,
            "dashboard_url": self.outputs.dashboard_url,
            "users": self.users,
            "seconds": self.seconds,
        }


def bring_up(
    home: Home, project: Project, report: Report, *, port: int | None = None, recover: Recover | None = None
) -> Up:
    """Start everything and return when it answers. An interruption stops what was started.

    `report` hears (phase, detail) of: tools, engine, synth, bootstrap, deploy, repair, users, ready, recover.
    `recover` is called when the desk is deployed and healthy; callers are let in after it.
    """
    started = time.monotonic()
    lock = DeskLock(home.lock)
    lock.acquire()
    try:
        home.require_space()
        chosen = chosen_port(home, port)
        # Said at once, not after minutes of downloading.
        engine.require_free(chosen)
        report("tools", "")
        python, cdk = _tools(home, project)
        report("engine", "")
        mark = time.monotonic()
        running = engine.start(home, python, lock, port=chosen, web=project.web, closed=True)
        engine_seconds = time.monotonic() - mark
        try:
            deployment = deploy(home, project, running, cdk, report)
            users = _users(home, running, deployment.outputs, report)
            _await_health(home, running, report)
            if recover is not None:
                report("recover", "")
                recover(deployment.outputs)
            running.open()
        except BaseException:
            _give_up(home, running)
            raise
    finally:
        lock.release()
    seconds = {
        "engine": round(engine_seconds, 2),
        "synth": round(deployment.synth_seconds, 2),
        "deploy": round(deployment.deploy_seconds, 2),
        "ready": round(time.monotonic() - started, 2),
    }
    return Up(deployment.outputs, users, seconds, running, deployment)


def chosen_port(home: Home, asked: int | None) -> int:
    """The port asked for, or the one this desk used last, or the default."""
    last = (read_json(home.deployment) or {}).get("url", "")
    if asked is not None:
        return asked
    return int(last.rpartition(":")[2]) if last else engine.DEFAULT_PORT


def bring_down(home: Home) -> bool:
    """Stop the desk cleanly; False when it was not up."""
    return engine.stop(home)


def wipe(home: Home) -> None:
    """Forget everything a desk holds (tables, objects, users, passwords) but its installed tools."""
    if engine.find(home) is not None:
        raise RefusedError("the desk is up; end it with `bellwether down` before wiping it")
    lock = DeskLock(home.lock)
    lock.acquire()
    try:
        for folder in (home.state, home.scratch, home.assembly, home.logs, home.imports):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (
            home.running,
            home.routes,
            home.deployment,
            home.outputs,
            home.raw_outputs,
            home.credentials,
        ):
            file.unlink(missing_ok=True)
        # Tokens cached by `login` belong to users that no longer exist.
        for token in home.root.glob("tokens*"):
            shutil.rmtree(token) if token.is_dir() else token.unlink()
    finally:
        lock.release()


def status(home: Home) -> dict[str, Any]:
    """What runs, since when, and the health of each part. Raises NotRunningError when nothing does."""
    running = engine.require(home)
    state = running.status()
    document: dict[str, Any] = {
        "engine": {
            "pid": running.pid,
            "port": running.port,
            "since": running.started,
            "healthy": state["checkpoint"]["failures"] == 0,
            "open": state["open"],
            "checkpoint": state["checkpoint"],
            "workers": state["workers"],
        }
    }
    with contextlib.suppress(DeskError):
        outputs = read_outputs(home)
        document["api"] = {"url": outputs.api_url, **_health(running)}
        document["ws_url"] = outputs.ws_url
        document["dashboard_url"] = outputs.dashboard_url
    with contextlib.suppress(ClientError, BotoCoreError):
        document["figures"] = figures.today(running)
    return document


def _tools(home: Home, project: Project) -> tuple[Any, list[str]]:
    with ThreadPoolExecutor(2) as pool:
        python = pool.submit(tools.engine_python, home)
        cdk = pool.submit(tools.cdk_command, home, project.root)
        return python.result(), cdk.result()


def _users(
    home: Home, running: engine.Running, outputs: Outputs, report: Report
) -> dict[str, dict[str, str | None]]:
    if outputs.user_pool_id is None:
        return {}
    report("users", "")
    users = ensure_users(home, client(running, "cognito-idp"), outputs.user_pool_id)
    if any(user["password"] for user in users.values()):
        running.checkpoint()
    return users


def _await_health(home: Home, running: engine.Running, report: Report) -> None:
    """Poll the health route until it answers 200; a deployed API without one counts as ready."""
    report("ready", "")
    until = time.monotonic() + _READY_SECONDS
    while True:
        health = _health(running)
        if health["status_code"] in (200, 403, 404):
            return
        if time.monotonic() > until:
            raise DeskError(
                f"the desk is deployed but not healthy ({health}); see `bellwether logs`. The engine's log "
                f"ends with:\n{engine.log_tail(home, 8)}"
            )
        time.sleep(0.25)


def _health(running: engine.Running) -> dict[str, Any]:
    try:
        answer = httpx.get(f"{running.url}/v1/health", timeout=15, trust_env=False)
    except httpx.HTTPError as error:
        return {"status_code": 0, "healthy": False, "detail": str(error)}
    try:
        detail = answer.json()
    except ValueError:
        detail = answer.text[:200]
    return {"status_code": answer.status_code, "healthy": answer.status_code == 200, "detail": detail}


def _give_up(home: Home, running: engine.Running) -> None:
    with contextlib.suppress(Exception):
        settle(running)
    engine.stop(home)
