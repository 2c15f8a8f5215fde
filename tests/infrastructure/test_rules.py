"""AWS's own rules (cdk-nag) over the stages that are deployed to AWS, and what was accepted of them."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cdk_nag
import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_s3 as s3

from infrastructure.constructs.acknowledged import EVERYWHERE, PACKS, WILDCARDS, accept
from tests.infrastructure.acceptance import Accepted, listening
from tests.infrastructure.conftest import AUDITOR
from tests.infrastructure.synthesis import add_stage, layer_below, new_app

pytestmark = pytest.mark.timeout(900)

STAGES = ("production", "staging")
CHECKS = (cdk_nag.AwsSolutionsChecks, cdk_nag.ServerlessChecks, cdk_nag.NIST80053R5Checks)
OWN_RULES = "CloudFormation Validate"
"""CDK's own rules, which every synthesis asks; they count like those of the packs."""
_ACCEPTED_EVERYWHERE = {row.rule for row in EVERYWHERE}


@dataclass(frozen=True)
class Inspection:
    """What the packs find in a stage when nothing is accepted, and what the stage's constructs accept.

    Production comes with what stands by for it in the second region.
    """

    findings: Mapping[str, list[str]]
    """Construct paths by finding."""
    accepted: list[Accepted]

    def unaccepted(self) -> Iterator[tuple[str, str]]:
        for finding, paths in self.findings.items():
            if finding in _ACCEPTED_EVERYWHERE or narrow(finding):
                continue
            yield from ((finding, path) for path in paths if not self.is_accepted(finding, path))

    def is_accepted(self, finding: str, path: str) -> bool:
        return any(one.rule == finding and below(path, one.path) for one in self.accepted)

    def used(self) -> set[tuple[str, str]]:
        """Rules and reasons that are accepted where something is found."""
        return {
            (one.rule, one.reason)
            for one in self.accepted
            if any(below(path, one.path) for path in self.findings.get(one.rule, []))
        }


def below(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")


def inspect(stage: str, folder: Path) -> Inspection:
    layer = layer_below(folder)
    app = new_app(folder / "out")
    with listening(heed=False) as accepted:
        add_stage(app, stage, layer, auditor=AUDITOR, standby=stage == "production")
    check(app)
    return Inspection(read_report(folder / "out"), accepted)


def check(app: App) -> None:
    Validations.of(app).add_plugins(*(pack(app) for pack in CHECKS))
    # A synthesis with findings raises; the report is written in any case.
    with contextlib.suppress(RuntimeError):
        app.synth()


def read_report(folder: Path) -> dict[str, list[str]]:
    (path,) = folder.glob("*validation-report.json")
    reports = json.loads(path.read_text())["pluginReports"]
    assert {report["pluginName"] for report in reports} == {*PACKS, OWN_RULES}
    return {
        violation["ruleName"]: [str(c.get("constructPath")) for c in violation["violatingConstructs"]]
        for report in reports
        for violation in report["violations"]
    }


@pytest.fixture(scope="module")
def inspections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inspection]:
    return {stage: inspect(stage, tmp_path_factory.mktemp(f"rules-{stage}")) for stage in STAGES}


def wildcard(finding: str) -> str | None:
    found = re.fullmatch(r"AwsSolutions-IAM5\[Resource::(.*)\]", finding)
    return found[1] if found else None


def narrow(finding: str) -> bool:
    """Whether the finding is a wildcard that ends a named prefix, as listed."""
    return any(re.fullmatch(w.pattern, wildcard(finding) or "-") for w in WILDCARDS)


@pytest.mark.req("P9", "S3", "X3")
@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_found_that_was_not_looked_at(inspections: dict[str, Inspection], stage: str) -> None:
    assert list(inspections[stage].unaccepted()) == []


@pytest.mark.req("P9")
def test_nothing_is_accepted_that_is_not_found(inspections: dict[str, Inspection]) -> None:
    told = {(a.rule, a.reason) for one in inspections.values() for a in one.accepted}
    used = set().union(*(one.used() for one in inspections.values()))
    assert {(rule, reason) for rule, reason in told - used if rule.startswith(PACKS)} == set()
    found = {finding for one in inspections.values() for finding in one.findings}
    assert {rule for rule in _ACCEPTED_EVERYWHERE if rule.startswith(PACKS)} <= found


@pytest.mark.req("P9", "S3")
def test_every_accepted_wildcard_is_still_there(inspections: dict[str, Inspection]) -> None:
    found = {f for one in inspections.values() for finding in one.findings if (f := wildcard(finding))}
    idle = [w for w in WILDCARDS if not any(re.fullmatch(w.pattern, one) for one in found)]
    assert idle == []


def test_an_unaccepted_finding_would_be_seen(inspections: dict[str, Inspection]) -> None:
    """The check itself: without its acknowledgements, production is full of findings."""
    bare = Inspection(inspections["production"].findings, [])
    assert len(list(bare.unaccepted())) > 50


def test_what_is_accepted_reaches_the_scanners(tmp_path: Path) -> None:
    """`accept` speaks to the scanners themselves too, so that they are quiet outside these tests."""
    app = App(outdir=str(tmp_path))
    bucket = s3.Bucket(Stack(app, "stack"), "bucket")
    accept(bucket, "because", "AwsSolutions-S1", "CKV_AWS_18", "CKV_AWS_21", "W3045", "W3046")
    app.synth()
    (resource,) = json.loads((tmp_path / "stack.template.json").read_text())["Resources"].values()
    skipped = [{"id": rule, "comment": "because"} for rule in ("CKV_AWS_18", "CKV_AWS_21")]
    assert resource["Metadata"]["checkov"] == {"skip": skipped}
    assert resource["Metadata"]["cfn-lint"] == {"config": {"ignore_checks": ["W3045", "W3046"]}}
    assert "AwsSolutions-S1" in (tmp_path / "stack.metadata.json").read_text()
