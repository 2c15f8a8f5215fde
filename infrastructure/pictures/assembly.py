"""A synthesized stage as the pictures read it: resources by stack, references followed to their resource."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

_HASH = re.compile(r"[0-9A-F]{8}$")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_ENDING = ".template.json"


class Place(NamedTuple):
    """Where a resource is declared."""

    stack: str
    logical_id: str


@dataclass(frozen=True)
class Assembly:
    """Templates by the stacks' short names (`data`, `api`, …) and each stack's region."""

    templates: Mapping[str, Mapping[str, Any]]
    regions: Mapping[str, str]
    prefix: str
    """What the stacks' full names begin with, such as `bellwether-production`."""

    @classmethod
    def read(cls, folder: Path, prefix: str) -> "Assembly":
        """Reads what `cdk synth` wrote. Raises `OSError` or `ValueError` when it is not there or damaged."""
        manifest = json.loads((folder / "manifest.json").read_text())["artifacts"]
        names = sorted(path.name.removesuffix(_ENDING) for path in folder.glob(f"*{_ENDING}"))
        return cls(
            {_short(name, prefix): json.loads((folder / f"{name}{_ENDING}").read_text()) for name in names},
            {_short(name, prefix): manifest[name]["environment"].rpartition("/")[2] for name in names},
            prefix,
        )

    def resources(self, *kinds: str) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        """Resources of the given types with their properties."""
        for stack, template in self.templates.items():
            for logical_id, body in template.get("Resources", {}).items():
                if body["Type"] in kinds:
                    yield Place(stack, logical_id), body.get("Properties", {})

    def properties(self, place: Place) -> Mapping[str, Any]:
        """The properties of a resource. Raises `KeyError` when there is none."""
        found: Mapping[str, Any] = self.templates[place.stack]["Resources"][place.logical_id]["Properties"]
        return found

    def kind(self, place: Place) -> str:
        """The type of a resource; nothing when there is none."""
        return str(self.templates[place.stack].get("Resources", {}).get(place.logical_id, {}).get("Type", ""))

    @cached_property
    def functions(self) -> Mapping[Place, str]:
        """The desk's functions by the name of their handler's module."""
        found = {}
        for place, properties in self.resources("AWS::Lambda::Function"):
            _, marker, rest = str(properties.get("Handler", "")).partition("bellwether.handlers.")
            if marker:
                found[place] = rest.partition(".")[0]
        return found

    def uses(self, stack: str) -> set[str]:
        """The stacks whose outputs a stack reads."""
        told = {_short(str(name), self.prefix) for name in _stack_names(self.templates[stack])}
        return told & self.templates.keys() - {stack}

    def references(self, stack: str, value: Any) -> Iterator[Place]:
        """Every resource a value of a template refers to, in its own stack or in another."""
        if isinstance(value, list):
            for entry in value:
                yield from self.references(stack, entry)
        elif isinstance(value, Mapping):
            yield from self._of_mapping(stack, value)

    def _of_mapping(self, stack: str, value: Mapping[str, Any]) -> Iterator[Place]:
        if "Ref" in value:
            yield Place(stack, str(value["Ref"]))
        elif "Fn::GetAtt" in value:
            yield Place(stack, str(value["Fn::GetAtt"][0]))
        elif "Fn::GetStackOutput" in value:
            told = value["Fn::GetStackOutput"]
            other = _short(str(told["StackName"]), self.prefix)
            output = self.templates.get(other, {}).get("Outputs", {}).get(told["OutputName"])
            yield from self.references(other, output["Value"]) if output else ()
        else:
            for entry in value.values():
                yield from self.references(stack, entry)


def words(logical_id: str) -> str:
    """A logical id as words, without CDK's hash: `FailedRuns6F7FC7C6` is "failed runs"."""
    return " ".join(_WORD.findall(_HASH.sub("", logical_id))).lower()


def _short(name: str, prefix: str) -> str:
    return name.removeprefix(f"{prefix}-")


def _stack_names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "Fn::GetStackOutput" in value:
            yield value["Fn::GetStackOutput"]["StackName"]
        for entry in value.values():
            yield from _stack_names(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _stack_names(entry)
