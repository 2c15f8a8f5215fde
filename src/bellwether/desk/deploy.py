"""Deploys the local stage to a running engine, and skips it when nothing changed."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from . import repair
from .aws import client
from .cdk import Cdk
from .engine import Running
from .home import Home, read_json, write_private
from .outputs import Outputs, read_outputs, write_outputs
from .project import Project
from .stacks import Deployed, deployed

Report = Callable[[str, str], None]
"""Called with a phase (`synth`, `bootstrap`, `deploy`, `repair`) and what is happening in it."""

_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
_TOOLKIT = "CDKToolkit"


@dataclass(frozen=True)
class Deployment:
    """What a deployment did."""

    outputs: Outputs
    skipped: bool = False
    synth_seconds: float = 0.0
    deploy_seconds: float = 0.0
    unrepaired: list[repair.Repair] = field(default_factory=list)


def deploy(
    home: Home, project: Project, running: Running, cdk: list[str], report: Report, *, force: bool = False
) -> Deployment:
    """Bring the engine's stacks to what the checkout says; raises DeskError with cdk's own words."""
    cloudformation = client(running, "cloudformation")
    fingerprint = project.fingerprint()
    record = read_json(home.deployment) or {}
    same = record.get("fingerprint") == fingerprint and record.get("url") == running.url
    if not force and same and _holds(cloudformation, record.get("stacks", {})):
        return Deployment(read_outputs(home), skipped=True)
    # Gone while the stacks change: an interrupted deployment is never taken for a finished one.
    home.deployment.unlink(missing_ok=True)
    tool = Cdk(home, project, cdk, running.url)
    started = time.monotonic()
    synthesised = _synth_and_bootstrap(tool, cloudformation, report)
    report("deploy", "")
    tool.deploy(lambda line: report("deploy", line))
    found = deployed(cloudformation, home.assembly)
    unrepaired = _repair(running, found, report)
    outputs = write_outputs(home, found, running.url)
    # The command line said "deployed": from here on a kill must not take it back.
    running.checkpoint()
    write_private(home.deployment, {"fingerprint": fingerprint, "url": running.url, "stacks": found.ids})
    spent = time.monotonic() - started - synthesised
    return Deployment(outputs, False, synthesised, spent, unrepaired)


def _synth_and_bootstrap(tool: Cdk, cloudformation: Any, report: Report) -> float:
    """Both at once: they do not need each other. Returns the seconds synthesis took."""
    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        missing = not _status(cloudformation, _TOOLKIT).endswith("_COMPLETE")
        bootstrap = pool.submit(tool.bootstrap, lambda line: report("bootstrap", line)) if missing else None
        report("synth", "")
        tool.synth(lambda line: report("synth", line))
        synthesised = time.monotonic() - started
        if bootstrap is not None:
            bootstrap.result()
    return synthesised


def _repair(running: Running, found: Deployed, report: Report) -> list[repair.Repair]:
    report("repair", "")
    return [entry for entry in repair.repair_running(running, found) if entry.fault]


def _holds(cloudformation: Any, stacks: dict[str, str]) -> bool:
    """Whether the engine still has exactly these stacks (by id), in a good state."""
    return bool(stacks) and all(_status(cloudformation, identity) in _GOOD for identity in stacks.values())


def _status(cloudformation: Any, stack: str) -> str:
    try:
        status: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError:
        return "MISSING"
    return status


def settle(running: Running, seconds: float = 15.0) -> None:
    """Wait for stack operations under way to end, so that stopping the engine does not cut one short."""
    cloudformation = client(running, "cloudformation")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        stacks = cloudformation.describe_stacks()["Stacks"]
        if not any(stack["StackStatus"].endswith("_IN_PROGRESS") for stack in stacks):
            return
        time.sleep(0.2)
