"""A stage's templates as the tests read them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from aws_cdk import App

from infrastructure.app import build, build_standby
from infrastructure.packaging import Layer
from infrastructure.settings import Auditor, Feature, StageSettings, settings_of
from infrastructure.stacks.standby import standby_settings
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


def add_stage(
    app: App, stage: str, layer: Path, *, auditor: str | None = None, standby: bool = False, **more: str
) -> StageSettings:
    """Adds a stage's stacks to an app, and those that stand by in the second region where asked to.

    The layer is a folder of the tests: templates are about resources, and building wheels would need the
    package index. `test_packaging.py` builds the real one.
    """
    settings = settings_of(stage, **more)
    if auditor:
        settings = replace(settings, auditor=Auditor.told(auditor))
    packed = Layer(cloud=settings.has(Feature.CLOUD_WHEELS), folder=layer)
    desk = build(app, settings, packed)
    if standby:
        build_standby(app, desk, settings, packed)
    return settings


def layer_below(folder: Path) -> Path:
    """Makes a layer that takes no time to build."""
    layer = folder / "layer" / "python"
    layer.mkdir(parents=True, exist_ok=True)
    (layer / "dependency.py").write_text("")
    return layer.parent


def synthesize(stage: str, folder: Path, *, auditor: str | None = None, **more: str) -> Synthesis:
    """Synthesizes a stage below `folder`."""
    app = new_app(folder / stage)
    with listening(heed=True) as accepted:
        settings = add_stage(app, stage, layer_below(folder), auditor=auditor, standby=False, **more)
    app.synth()
    return read(settings, folder / stage, accepted)


def synthesize_standby(stage: str, folder: Path) -> Synthesis:
    """Synthesizes a stage with what stands by in its second region, and gives that alone."""
    app = new_app(folder / stage)
    with listening(heed=True) as accepted:
        settings = add_stage(app, stage, layer_below(folder), standby=True)
    app.synth()
    whole = read(settings, folder / stage, accepted)
    return replace(
        whole,
        settings=standby_settings(settings),
        templates={name: one for name, one in whole.templates.items() if name.startswith("standby")},
        accepted=[one for one in accepted if one.path.startswith(f"{settings.prefix}-standby")],
    )


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
