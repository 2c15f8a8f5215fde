"""cfn-lint and checkov over the templates that are deployed to AWS."""

import json
from typing import Any

import pytest

from tests.infrastructure.scanning import (
    Finding,
    Scanners,
    Template,
    accepted_everywhere,
    accepted_in,
    bared,
    cfn_lint,
    checkov,
)
from tests.infrastructure.synthesis import Synthesis

pytestmark = pytest.mark.timeout(900)

FLAWED: dict[str, Any] = {
    "Open": {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}},
    "Absent": {"Type": "AWS::Timestream::Database"},
    "Unencrypted": {"Type": "AWS::Logs::LogGroup"},
    "Mighty": {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
            }
        },
    },
}
"""What no stage has: the scanners are run over it too, or nobody would notice that they had gone blind."""


@pytest.fixture(scope="module")
def found(
    production: Synthesis,
    standby: Synthesis,
    staging: Synthesis,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Finding]:
    """What both scanners find in the stages and in the flawed template."""
    scanners = Scanners.install(tmp_path_factory.mktemp("scanners") / "venv")
    folder = tmp_path_factory.mktemp("templates")
    flawed = folder / "flawed.stack.template.json"
    flawed.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": FLAWED}))
    templates = [Template(flawed, production.settings.region)]
    for synthesis in (production, standby, staging):
        templates += bared(synthesis, folder)
    return [*cfn_lint(scanners, templates), *checkov(scanners, templates)]


def unaccepted(synthesis: Synthesis, found: list[Finding]) -> list[Finding]:
    accepted, everywhere = accepted_in(synthesis), accepted_everywhere()
    return [
        one
        for one in found
        if one.stage == synthesis.settings.name
        and one.stack in synthesis.templates
        and one.rule not in everywhere
        and (one.stack, one.logical_id, one.rule) not in accepted
    ]


@pytest.mark.req("P9")
def test_nothing_is_found_in_production_that_was_not_looked_at(
    production: Synthesis, found: list[Finding]
) -> None:
    assert unaccepted(production, found) == []


@pytest.mark.req("P9", "X3")
def test_nothing_is_found_in_what_stands_by(standby: Synthesis, found: list[Finding]) -> None:
    assert unaccepted(standby, found) == []


@pytest.mark.req("P9")
def test_nothing_is_found_in_staging_that_was_not_looked_at(staging: Synthesis, found: list[Finding]) -> None:
    assert unaccepted(staging, found) == []


@pytest.mark.req("P9")
def test_nothing_is_accepted_that_is_not_found(
    production: Synthesis, standby: Synthesis, staging: Synthesis, found: list[Finding]
) -> None:
    for synthesis in (production, standby, staging):
        stage = synthesis.settings.name
        assert (
            accepted_in(synthesis) - {(f.stack, f.logical_id, f.rule) for f in found if f.stage == stage}
            == set()
        )
    everywhere = {rule for rule in accepted_everywhere() if "-" not in rule}
    assert everywhere <= {one.rule for one in found}


@pytest.mark.req("P9")
@pytest.mark.parametrize(
    ("resource", "rule"),
    [("Open", "CKV_AWS_20"), ("Absent", "E3006"), ("Unencrypted", "CKV_AWS_158"), ("Mighty", "CKV_AWS_110")],
)
def test_the_scanners_see_what_is_wrong(found: list[Finding], resource: str, rule: str) -> None:
    assert (resource, rule) in {(one.logical_id, one.rule) for one in found if one.stage == "flawed"}
