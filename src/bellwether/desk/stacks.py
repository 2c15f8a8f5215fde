"""What is deployed: the synthesized templates joined with the engine's stacks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Resource:
    """One resource of a deployed stack."""

    stack: str
    logical: str
    kind: str
    physical: str
    properties: dict[str, Any]
    path: str = ""
    """The construct's path in the app, for example `Bellwether-DataStack/Proposals/Resource`."""

    @property
    def name(self) -> str:
        """The construct's own name within its stack: `Proposals`."""
        parts = [part for part in self.path.split("/")[1:] if part not in ("Resource", "Default")]
        return "/".join(parts) or self.logical


@dataclass(frozen=True)
class Deployed:
    """All stacks of an assembly as they are deployed."""

    resources: list[Resource]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """stack -> output -> value"""
    exports: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """stack -> stack id"""

    def of(self, *kinds: str) -> Iterator[Resource]:
        """The resources of some CloudFormation types."""
        return (resource for resource in self.resources if resource.kind in kinds)

    def physical(self, stack: str, logical: str) -> str | None:
        """A physical id by stack and logical id."""
        for resource in self.resources:
            if resource.stack == stack and resource.logical == logical:
                return resource.physical
        return None


def templates(assembly: Path) -> dict[str, dict[str, Any]]:
    """stack name -> template, from a cloud assembly's manifests (nested assemblies included)."""
    found: dict[str, dict[str, Any]] = {}
    for manifest in sorted(assembly.rglob("manifest.json")):
        for artifact_id, artifact in json.loads(manifest.read_text()).get("artifacts", {}).items():
            if artifact.get("type") == "aws:cloudformation:stack":
                properties = artifact.get("properties", {})
                name = properties.get("stackName", artifact_id)
                found[name] = json.loads((manifest.parent / properties["templateFile"]).read_text())
    return found


def deployed(cloudformation: Any, assembly: Path) -> Deployed:
    """Join the assembly's templates with the stacks the engine holds."""
    resources: list[Resource] = []
    outputs: dict[str, dict[str, str]] = {}
    exports: dict[str, str] = {}
    ids: dict[str, str] = {}
    for stack, template in templates(assembly).items():
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        ids[stack] = described["StackId"]
        outputs[stack] = {item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", [])}
        for item in described.get("Outputs", []):
            if "ExportName" in item:
                exports[item["ExportName"]] = item["OutputValue"]
        resources.extend(_resources(cloudformation, stack, template))
    return Deployed(resources, outputs, exports, ids)


def _resources(cloudformation: Any, stack: str, template: dict[str, Any]) -> Iterator[Resource]:
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for item in page["StackResourceSummaries"]:
            entry = template.get("Resources", {}).get(item["LogicalResourceId"])
            if entry is None or not item.get("PhysicalResourceId"):
                continue
            yield Resource(
                stack=stack,
                logical=item["LogicalResourceId"],
                kind=entry["Type"],
                physical=item["PhysicalResourceId"],
                properties=entry.get("Properties", {}),
                path=entry.get("Metadata", {}).get("aws:cdk:path", ""),
            )
