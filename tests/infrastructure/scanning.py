"""Scanners that read templates, run as programs of an environment of their own.

They see templates without the acknowledgements in them. What they find is compared with what was accepted
here, so that a finding nobody looked at and an acknowledgement of nothing both show.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from infrastructure.constructs.acknowledged import EVERYWHERE
from tests.infrastructure.synthesis import Synthesis

REQUIREMENTS = Path(__file__).parent / "scanners" / "requirements.txt"


class Finding(NamedTuple):
    """What a scanner has against a resource."""

    stage: str
    stack: str
    logical_id: str
    rule: str
    message: str


@dataclass(frozen=True)
class Scanners:
    """The installed scanners."""

    folder: Path

    @classmethod
    def install(cls, folder: Path) -> "Scanners":
        """Installs the locked versions, each checked against its hash."""
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, folder], check=True)
        into = str(folder / "bin" / "python")
        locked = ["uv", "pip", "install", "--quiet", "--require-hashes", "--python", into]
        subprocess.run([*locked, "-r", str(REQUIREMENTS)], check=True)
        return cls(folder)

    def run(self, name: str, *arguments: str | Path) -> Any:
        """Runs a scanner that prints JSON; gives what it printed. Its exit status says only whether it found
        something.
        """
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "AWS_REGION": "eu-central-2"}
        done = subprocess.run(
            [self.folder / "bin" / name, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.stdout.strip(), done.stderr
        return json.loads(done.stdout)


@dataclass(frozen=True)
class Template:
    """A file to scan, and the region its stack is deployed to."""

    path: Path
    region: str


def bared(synthesis: Synthesis, folder: Path) -> list[Template]:
    """Writes a stage's templates without the resources' metadata."""
    written = []
    for stack, template in synthesis.templates.items():
        resources = {
            logical_id: {key: value for key, value in body.items() if key != "Metadata"}
            for logical_id, body in template.get("Resources", {}).items()
        }
        path = folder / f"{synthesis.settings.name}.{stack}.template.json"
        path.write_text(json.dumps(template | {"Resources": resources}, indent=1))
        written.append(Template(path, synthesis.region(stack)))
    return written


def cfn_lint(scanners: Scanners, templates: Sequence[Template]) -> Iterator[Finding]:
    """Findings of cfn-lint, which knows what each region has; so each stack is asked for its own."""
    for region in sorted({template.region for template in templates}):
        files = [template.path for template in templates if template.region == region]
        for match in scanners.run("cfn-lint", "--format", "json", "--regions", region, "--", *files):
            place = match["Location"]["Path"] or []
            logical_id = str(place[1]) if len(place) > 1 and place[0] == "Resources" else ""
            stage, stack = Path(match["Filename"]).name.split(".")[:2]
            yield Finding(stage, stack, logical_id, match["Rule"]["Id"], match["Message"])


def checkov(scanners: Scanners, templates: Sequence[Template]) -> Iterator[Finding]:
    """Findings of checkov's rules for CloudFormation, the ones it ships."""
    (folder,) = {template.path.parent for template in templates}
    command = ["--framework", "cloudformation", "--output", "json", "--quiet", "--skip-download"]
    report = scanners.run("checkov", "--directory", folder, *command)
    assert report["summary"]["parsing_errors"] == 0
    for failed in report["results"]["failed_checks"]:
        stage, stack = Path(failed["file_path"]).name.split(".")[:2]
        logical_id = failed["resource"].rpartition(".")[2]
        yield Finding(stage, stack, logical_id, failed["check_id"], failed["check_name"])


def accepted_in(synthesis: Synthesis) -> set[tuple[str, str, str]]:
    """Stack, logical id and rule of what resources accept in their metadata."""
    found = set()
    for resource in synthesis.all():
        told = resource.rest.get("Metadata", {})
        rules = [skip["id"] for skip in told.get("checkov", {}).get("skip", [])]
        rules += told.get("cfn-lint", {}).get("config", {}).get("ignore_checks", [])
        found |= {(resource.stack, resource.logical_id, rule) for rule in rules}
    return found


def accepted_everywhere() -> set[str]:
    """Rules that are not asked at all."""
    return {row.rule for row in EVERYWHERE}
