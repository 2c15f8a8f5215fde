"""A stage's templates as the tests read them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from aws_cdk import App

from infrastructure.app import build
from infrastructure.packaging import Layer
from infrastructure.settings import Auditor, Feature, StageSettings, settings_of
from tests.infrastructure.acceptance import Accepted, listening

ROOT = Path(__file__).parents[2]


class Resource(NamedTuple):
    """A resource of a template."""

    stack: str
    logical_id: str
    kind: str
    properties: dict[str, Any]
    rest: dict[str, Any]
    """Everything beside the properties: policies, dependencies, metadata."""


@dataclass(frozen=True)
class Synthesis:
    """Templates by stack, `security`, `data`, …"""

    settings: StageSettings
    templates: Mapping[str, dict[str, Any]]
    folder: Path
    """Where its cloud assembly lies."""
    accepted: Sequence[Accepted] = ()

    def region(self, stack: str) -> str:
        """Where a stack is deployed to."""
        manifest = json.loads((self.folder / "manifest.json").read_text())
        place = manifest["artifacts"][f"{self.settings.prefix}-{stack}"]["environment"]
        return str(place.rpartition("/")[2])

    def all(self) -> Iterator[Resource]:
        """Every resource of every stack."""
        for stack, template in self.templates.items():
            for logical_id, body in template.get("Resources", {}).items():
                rest = {key: value for key, value in body.items() if key not in ("Type", "Properties")}
                yield Resource(stack, logical_id, body["Type"], body.get("Properties", {}), rest)

    def of(self, kind: str, stack: str | None = None) -> list[Resource]:
        """Resources of a type, in one stack or all."""
        return [r for r in self.all() if r.kind == kind and stack in (None, r.stack)]

    def outputs(self) -> dict[str, Any]:
        """Our own outputs of all stacks."""
        found = {}
        for template in self.templates.values():
            found.update({name: output["Value"] for name, output in template.get("Outputs", {}).items()})
        return found

    def function(self, name: str) -> Resource:
        """The function whose handler is the module of that name."""
        wanted = f"bellwether.handlers.{name}.handler"
        (found,) = [r for r in self.of("AWS::Lambda::Function") if r.properties["Handler"] == wanted]
        return found

    def statements(self, function: str) -> list[dict[str, Any]]:
        """The policy statements of a function's role."""
        role = self.function(function).properties["Role"]["Fn::GetAtt"][0]
        stack = self.function(function).stack
        return [
            statement
            for policy in self.of("AWS::IAM::Policy", stack)
            if {"Ref": role} in policy.properties["Roles"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]

    def target(self, stack: str, reference: Any) -> str:
        """The logical id behind a Ref, a GetAtt or a weak reference to another stack's output."""
        if isinstance(reference, str):
            return reference
        if "Ref" in reference:
            return str(reference["Ref"])
        if "Fn::GetAtt" in reference:
            return str(reference["Fn::GetAtt"][0])
        told = reference["Fn::GetStackOutput"]
        other = told["StackName"].removeprefix(f"{self.settings.prefix}-")
        return self.target(other, self.templates[other]["Outputs"][told["OutputName"]]["Value"])


def listed(value: Any) -> list[Any]:
    """What a policy gives as one thing or as a list, as a list."""
    return value if isinstance(value, list) else [value]


def new_app(outdir: Path) -> App:
    """An app with the context of cdk.json, as the command line would start it."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    return App(context=context, outdir=str(outdir), analytics_reporting=False)


def add_stage(app: App, stage: str, layer: Path, auditor: str | None = None, **more: str) -> StageSettings:
    """Adds a stage's stacks to an app.

    The layer is a folder of the tests: templates are about resources, and building wheels would need the
    package index. `test_packaging.py` builds the real one.
    """
    settings = settings_of(stage, **more)
    if auditor:
        settings = replace(settings, auditor=Auditor.told(auditor))
    build(app, settings, Layer(cloud=settings.has(Feature.CLOUD_WHEELS), folder=layer))
    return settings


def synthesize(stage: str, folder: Path, **more: str) -> Synthesis:
    """Synthesizes a stage below `folder`."""
    layer = folder / "layer" / "python"
    layer.mkdir(parents=True, exist_ok=True)
    (layer / "dependency.py").write_text("")
    app = new_app(folder / stage)
    with listening(heed=True) as accepted:
        settings = add_stage(app, stage, layer.parent, **more)
    app.synth()
    return read(settings, folder / stage, accepted)


def read(settings: StageSettings, assembly: Path, accepted: Sequence[Accepted] = ()) -> Synthesis:
    """The templates of a synthesized stage."""
    prefix, ending = f"{settings.prefix}-", ".template.json"
    files = sorted(assembly.glob(f"*{ending}"))
    return Synthesis(
        settings,
        {path.name.removesuffix(ending).removeprefix(prefix): json.loads(path.read_text()) for path in files},
        assembly,
        accepted,
    )
