"""AWS's own rules for solutions (cdk-nag), over production."""

import contextlib
import json
import re
from pathlib import Path

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from infrastructure.constructs.acknowledged import WILDCARDS
from tests.infrastructure.synthesis import add_stage, new_app


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Construct paths by finding, of everything that is not acknowledged."""
    folder = tmp_path_factory.mktemp("rules")
    layer = folder / "layer"
    layer.mkdir()
    (layer / "dependency.py").write_text("")
    app = new_app(folder / "out")
    add_stage(app, "production", layer)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # A synthesis with findings raises; the report is written in any case.
    with contextlib.suppress(RuntimeError):
        app.synth()
    return read_report(folder / "out")


def read_report(folder: Path) -> dict[str, list[str]]:
    (path,) = folder.glob("*validation-report.json")
    reports = json.loads(path.read_text())["pluginReports"]
    assert any("AwsSolutions" in json.dumps(report) for report in reports)
    return {
        violation["ruleName"]: [str(c.get("constructPath")) for c in violation["violatingConstructs"]]
        for report in reports
        for violation in report["violations"]
    }


def wildcard(finding: str) -> str | None:
    found = re.fullmatch(r"AwsSolutions-IAM5\[Resource::(.*)\]", finding)
    return found[1] if found else None


@pytest.mark.req("P9", "S3")
def test_nothing_is_found_that_was_not_looked_at(findings: dict[str, list[str]]) -> None:
    unexpected = {
        finding: paths
        for finding, paths in findings.items()
        if not any(re.fullmatch(w.pattern, wildcard(finding) or "-") for w in WILDCARDS)
    }
    assert unexpected == {}


@pytest.mark.req("P9", "S3")
def test_every_accepted_wildcard_is_still_there(findings: dict[str, list[str]]) -> None:
    there = [found for finding in findings if (found := wildcard(finding))]
    idle = [w for w in WILDCARDS if not any(re.fullmatch(w.pattern, found) for found in there)]
    assert idle == []


def test_every_acknowledgement_gives_a_reason() -> None:
    assert all(len(wildcard.reason) > 15 for wildcard in WILDCARDS)
