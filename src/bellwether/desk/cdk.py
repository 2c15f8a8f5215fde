"""Runs the real cdk command line against the engine."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import tools
from .aws import ACCOUNT, ROOT_KEY
from .engine import REGION
from .errors import DeskError
from .home import Home
from .project import Project

STAGE = "local"

Heard = Callable[[str], None]

_STALL_SECONDS = 150.0
"""Longer than any silent step of a deployment or a first synthesis (which builds the layer)."""

_EVENT = re.compile(
    r"^(?P<stack>\S+) \|\s+(?P<done>\d+)(?:/\d+)? \|[^|]*\| (?P<status>[A-Z_]+)\s*\| (?P<kind>\S+)"
)
_STACK = re.compile(r"^(?P<stack>\S+): (?P<what>(?:deploying|creating|updating).*)$")
_ASSET = re.compile(r"^(?P<stack>\S+): start: (?P<what>Building|Publishing) (?P<asset>.+?)(?: \(.*\))?$")


@dataclass(frozen=True)
class Cdk:
    """The command line with everything it needs to find this engine and nothing else."""

    home: Home
    project: Project
    command: list[str]
    endpoint: str

    def synth(self, heard: Heard, *, stage: str = STAGE) -> None:
        """Synthesise the stage into HOME with the running interpreter."""
        self._run(["synth", "--quiet", "--output", str(self.home.assembly), *self._app(stage)], heard)

    def bootstrap(self, heard: Heard) -> None:
        """Create the toolkit stack. Needs no app, so it may run while one is synthesised."""
        self._run(["bootstrap", f"aws://{ACCOUNT}/{REGION}"], heard, folder=self.home.root)

    def deploy(self, heard: Heard) -> None:
        """Deploy every synthesised stack and write the raw outputs."""
        self._run(
            [
                "deploy",
                "--all",
                "--app",
                str(self.home.assembly),
                # A change set that changes only outputs is answered with "no changes"; this is not.
                "--method=direct",
                "--require-approval=never",
                "--concurrency=4",
                "--asset-parallelism",
                "--progress=events",
                "--outputs-file",
                str(self.home.raw_outputs),
            ],
            heard,
        )

    def _app(self, stage: str) -> list[str]:
        app = str(json.loads((self.project.root / "cdk.json").read_text())["app"])
        # `python` there is whichever is on the PATH; here it is the one that runs.
        program, _, rest = app.partition(" ")
        command = f'"{sys.executable}" {rest}' if program.startswith("python") else app
        return ["--app", command, "--context", f"stage={stage}"]

    def _environment(self) -> dict[str, str]:
        # The owner's own profiles, endpoints and role settings must not reach a local deployment.
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CDK_"))}
        path = [
            str(tools.node_folder()),
            str(Path(sys.executable).parent),
            os.environ.get("PATH", os.defpath),
        ]
        return {
            **kept,
            "PATH": os.pathsep.join(path),
            "BELLWETHER_HOME": str(self.home.root),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            "NODE_COMPILE_CACHE": str(self.home.tools / "node-cache"),
            "NO_COLOR": "1",
            "CI": "true",
        }

    def _run(self, arguments: Sequence[str], heard: Heard, *, folder: Path | None = None) -> None:
        command = [*self.command, *arguments, "--no-notices", "--no-version-reporting"]
        kept: deque[str] = deque(maxlen=40)
        with (
            self.home.deploy_log.open("a") as log,
            subprocess.Popen(
                command,
                cwd=folder or self.project.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            watch = _Watch(process)
            try:
                for line in process.stdout or ():
                    watch.heard()
                    log.write(line)
                    log.flush()
                    kept.append(line.rstrip())
                    if said := progress_of(line):
                        heard(said)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                raise
            finally:
                watch.stop()
        if watch.stalled:
            kept.append(
                f"Nothing happened for {_STALL_SECONDS:.0f} s. A custom resource whose function does not "
                "report does this: that function's log, or the engine's, says why."
            )
        if process.returncode:
            raise DeskError(_explained(arguments[0], list(kept), self.home.deploy_log))


class _Watch:
    """Ends a command line that has been silent for too long: it would wait for ever."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._over = threading.Event()
        self._last = time.monotonic()
        self.stalled = False
        threading.Thread(target=self._run, daemon=True).start()

    def heard(self) -> None:
        """It said something."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """It ended."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(1):
            if time.monotonic() - self._last > _STALL_SECONDS:
                self.stalled = True
                self._process.terminate()
                return


def progress_of(line: str) -> str | None:
    """What a line of cdk's output says about progress, shortened; None for everything else."""
    if (event := _EVENT.match(line)) and event["status"].endswith("_COMPLETE"):
        return f"{event['stack']}: {event['kind'].removeprefix('AWS::')} ({event['done']})"
    if stack := _STACK.match(line):
        return f"{stack['stack']}: {stack['what']}"
    if asset := _ASSET.match(line):
        return f"{asset['stack']}: {asset['what'].lower()} {asset['asset']}"
    return None


def _explained(step: str, lines: list[str], log: Path) -> str:
    text = "\n".join(line for line in lines if line.strip())
    if "ENOSPC" in text or "No space left" in text:
        return f"the disk is full; free some space and run `up` again.\n{text}"
    end = "\n".join(text.splitlines()[-12:])
    return f"cdk {step} failed (whole log: {log}):\n{end}"
