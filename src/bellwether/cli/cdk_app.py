"""The CDK app and its command line, run from the checkout with the bundled Node."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bellwether.cli.failures import Failure, NotRunning
from bellwether.cli.output import Output

if TYPE_CHECKING:
    from bellwether.desk.project import Project

_LAYER_FAILED = "PackagingError"
_TAIL = 15
_TOLD_BY_CDK = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
"""What the cdk command line tells every app. Without it each resource would differ from the deployed one."""


@dataclass(frozen=True)
class CdkApp:
    """The CDK app and its command line, run from the checkout with the interpreter that runs this."""

    project: "Project"

    @classmethod
    def find(cls) -> "CdkApp":
        """Raises `DeskError` outside a checkout."""
        from bellwether.desk.project import Project

        return cls(Project.find())

    @property
    def root(self) -> Path:
        """The checkout."""
        return self.project.root

    @cached_property
    def context(self) -> dict[str, Any]:
        """Context of cdk.json, which the command line hands to an app."""
        return dict(json.loads((self.root / "cdk.json").read_text())["context"])

    def synth(
        self,
        stage: str,
        output: Output,
        *,
        complete: bool = False,
        standby: bool = False,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Synthesizes one stage, offline; with `standby` also what stands by in its second region.

        The local stage is made for the desk that answers at `endpoint`.

        The layer's first build needs the package index. Where that cannot be reached the templates are made
        with the layer's requirements in its place and `layer` says "declared"; with `complete` that fails.
        """
        began = time.monotonic()
        folder = self.root / "cdk.out" / (f"{stage}-standby" if standby else stage)
        more = ({"region": "recovery"} if standby else {}) | ({"endpoint": endpoint} if endpoint else {})
        output.note(f"synthesizing {folder.name}")
        layer, fault = "built", self._app(stage, folder, more)
        if fault and _LAYER_FAILED in fault and not complete:
            output.note("the layer cannot be built here; its requirements stand in for it")
            layer, fault = "declared", self._app(stage, folder, {**more, "layer": str(self._declared())})
        if fault:
            raise Failure(fault, title=f"Stage {stage} could not be synthesized")
        stacks = sorted(path.name.removesuffix(".template.json") for path in folder.glob("*.template.json"))
        seconds = round(time.monotonic() - began, 1)
        return {"stage": stage, "assembly": str(folder), "stacks": stacks, "layer": layer, "seconds": seconds}

    def _app(self, stage: str, folder: Path, more: Mapping[str, str]) -> str:
        """Runs the app; gives the end of what it said when it failed."""
        environment = {
            **_with_node(os.environ),
            "CDK_OUTDIR": str(folder),
            "CDK_CONTEXT_JSON": json.dumps({**self.context, **_TOLD_BY_CDK, "stage": stage, **more}),
        }
        done = subprocess.run(
            [sys.executable, "-m", "infrastructure.app"],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return _tail(done.stderr) or "it failed without a word" if done.returncode else ""

    def _declared(self) -> Path:
        folder = self.root / "cdk.out" / ".declared-layer"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "uv.lock").write_bytes((self.root / "uv.lock").read_bytes())
        return folder

    def account(self, stage: str) -> tuple[dict[str, str], bool]:
        """The environment to reach what is deployed, and whether there is anything to reach."""
        if stage == "local":
            return _local_environment(), True
        try:
            return credentials(self, stage)[1], True
        except NotRunning:
            return dict(os.environ), False

    def cdk(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, heard: Output | None = None
    ) -> str:
        """Runs the pinned cdk command line and gives what it said. Raises `Failure` with the end of that."""
        from bellwether.desk.home import Home
        from bellwether.desk.tools import cdk_command

        command = [*cdk_command(Home.open(), self.root), *arguments, "--no-notices", "--no-color"]
        said: list[str] = []
        with subprocess.Popen(
            command,
            cwd=self.root,
            env={**_with_node(environment), "CDK_DISABLE_CLI_TELEMETRY": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                said.append(line)
                if heard and line.strip():
                    heard.err.print(line.rstrip(), highlight=False, markup=False)
        if process.returncode:
            raise Failure(_tail("".join(said)), title=f"cdk {arguments[0]} failed")
        return "".join(said)


def credentials(app: CdkApp, stage: str) -> tuple[str, dict[str, str]]:
    """The account of the caller's credentials and an environment with the stage's region.

    Raises `NotRunning` without credentials that work.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    # Credentials of a desk's engine would deploy a stage meant for AWS to it.
    environment = {key: value for key, value in os.environ.items() if key != "AWS_ENDPOINT_URL"}
    made = app.root / "cdk.out" / stage / "manifest.json"
    region = _region_of(made) or os.environ.get("AWS_REGION") or "eu-central-2"
    try:
        client = boto3.session.Session(region_name=region).client(
            "sts", endpoint_url=f"https://sts.{region}.amazonaws.com"
        )
        account = str(client.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as fault:
        raise NotRunning(
            f"No AWS credentials that work ({type(fault).__name__}).",
            title="AWS cannot be reached",
            hint="sign in with `aws sso login` or set AWS_PROFILE, then try again",
        ) from fault
    return account, {**environment, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def _region_of(manifest: Path) -> str | None:
    """The region a stage's data lives in; what other regions have serves it."""
    if not manifest.is_file():
        return None
    for name, artifact in json.loads(manifest.read_text())["artifacts"].items():
        if name.endswith("-data") and "environment" in artifact:
            return str(artifact["environment"]).rpartition("/")[2]
    return None


def _local_environment() -> dict[str, str]:
    from bellwether.cli.stage import find_stage
    from bellwether.desk.aws import ROOT_KEY

    desk = find_stage("local")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return {
        **kept,
        "AWS_ENDPOINT_URL": str(desk.endpoint_url),
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_REGION": desk.region,
        "AWS_DEFAULT_REGION": desk.region,
    }


def _with_node(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the bundled Node, which the library behind CDK needs."""
    from bellwether.desk.tools import node_folder

    path = os.pathsep.join(
        [str(node_folder()), str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]
    )
    return {**environment, "PATH": path, "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_TAIL:])
