"""Which desk a command talks to: the one running on this machine, or a stage deployed to an AWS account.

The local desk's addresses and names come from its home folder, a deployed stage's from
`infrastructure-outputs.json`, which `bellwether deploy` writes (another place: `BELLWETHER_OUTPUTS`).
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bellwether.cli.failures import NotRunning, WrongUse

LOCAL = "local"
OUTPUTS_FILE = "infrastructure-outputs.json"

StageOption = Annotated[
    str,
    typer.Option("--stage", envvar="BELLWETHER_STAGE", help="Which desk: local, or a deployed stage."),
]


@dataclass(frozen=True)
class Stage:
    """Where a desk answers. `endpoint_url` is the embedded engine's, `None` for AWS itself."""

    name: str
    api_url: str
    region: str
    outputs: Mapping[str, str]
    endpoint_url: str | None = None

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    def output(self, *names: str) -> str:
        """The first of these outputs the deployment has (`LakeBucketName` and `lake_bucket` are the same)."""
        for name in names:
            if (value := self.outputs.get(plain(name))) is not None:
                return value
        raise WrongUse(
            f"the deployment of stage {self.name} does not tell its {names[0]}",
            hint="bellwether up" if self.is_local else f"bellwether deploy {self.name}",
        )


def plain(name: str) -> str:
    """An output's name without what differs between writers of it."""
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("name")


def find_stage(name: str) -> Stage:
    """Raises `NotRunning` when the local desk is down, `WrongUse` when a stage is unknown here."""
    return _local() if name == LOCAL else _deployed(name)


def _local() -> Stage:
    from bellwether.desk import engine
    from bellwether.desk.home import Home, default_home, read_json

    if not default_home().is_dir():
        raise NotRunning("There is no desk on this machine yet.", hint="bellwether up")
    home = Home.open()
    running = engine.require(home)
    outputs = flat_outputs(read_json(home.outputs) or {}, LOCAL)
    if not outputs:
        raise NotRunning("The engine runs, but nothing is deployed to it yet.", hint="bellwether up")
    return Stage(
        name=LOCAL,
        api_url=f"{running.url}/v1",
        region=outputs.get("region", engine.REGION),
        outputs=outputs,
        endpoint_url=running.url,
    )


def _deployed(name: str) -> Stage:
    from bellwether.desk.home import read_json

    chosen = os.environ.get("BELLWETHER_OUTPUTS")
    for path in [Path(chosen)] if chosen else [Path(OUTPUTS_FILE), *_checkout()]:
        outputs = flat_outputs(read_json(path) or {}, name)
        if outputs and outputs.get("stage", name) == name:
            return _stage_of(name, outputs)
    raise WrongUse(
        f"Nothing here says where stage {name} is ({OUTPUTS_FILE} is missing or of another stage).",
        title="Unknown stage",
        hint=f"bellwether deploy {name}, or set BELLWETHER_OUTPUTS to its {OUTPUTS_FILE}",
    )


def _checkout() -> list[Path]:
    """Where `bellwether deploy` writes: the root of the checkout, if this runs from one."""
    from bellwether.desk.errors import DeskError
    from bellwether.desk.project import Project

    try:
        return [Project.find().root / OUTPUTS_FILE]
    except DeskError:
        return []


def _stage_of(name: str, outputs: Mapping[str, str]) -> Stage:
    stage = Stage(name=name, api_url="", region="", outputs=outputs)
    url = stage.output("ApiUrl", "ApiEndpoint", "RestApiUrl").rstrip("/")
    region = outputs.get("region") or outputs.get("userpoolid", "").rpartition("_")[0] or _region()
    url = url if url.endswith("/v1") else f"{url}/v1"
    return Stage(name=name, api_url=url, region=region, outputs=outputs)


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "eu-central-2"


_KINDS = {"tables": "table", "buckets": "bucket", "queues": "queueurl"}


def flat_outputs(document: Mapping[str, Any], stage: str) -> dict[str, str]:
    """Outputs by plain name, whether they come flat, per stack, or per stage.

    What the stacks themselves publish wins over what was found by looking at the resources, which are listed
    by kind and construct (`tables: {"Claims": …}` reads as `ClaimsTable`).
    """
    section = document.get(stage)
    found = section if isinstance(section, Mapping) else document
    stacks = found.get("stacks")
    flat = dict(_leaves(stacks)) if isinstance(stacks, Mapping) else {}
    for name, value in _leaves({key: part for key, part in found.items() if key != "stacks"}):
        flat.setdefault(name, value)
    for kind, ending in _KINDS.items():
        listed = found.get(kind)
        for name, value in (listed if isinstance(listed, Mapping) else {}).items():
            base = plain(name).removesuffix(ending).removesuffix("queue")
            flat.setdefault(base + ending, str(value))
    return flat


def _leaves(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        elif isinstance(value, str | int | float):
            yield plain(name), str(value)
