"""Exactly how the local stage differs from production, against a list somebody has reviewed.

After a deliberate change: `BELLWETHER_UPDATE=1 uv run pytest tests/infrastructure/test_differences.py`, and
read the difference of the list before committing it.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infrastructure.settings import ENGINE_LACKS
from tests.infrastructure.synthesis import Synthesis

REVIEWED = Path(__file__).with_name("local_differences.txt")
HEADER = """How the templates of `local` differ from those of `production`. Made by
tests/infrastructure/test_differences.py; names of stages, hashes of assets and of versions are left out. -
only in production   + only in local   ~ differs (production -> local)

"""


def named_alike(synthesis: Synthesis) -> dict[str, Any]:
    """The resources without what differs only because the stage has another name or content another hash."""
    stage = synthesis.settings.name
    text = json.dumps(synthesis.templates, sort_keys=True)
    text = text.replace(f"bellwether-{stage}", "bellwether-STAGE").replace(f"({stage})", "(STAGE)")
    text = text.replace(f'{{"Key": "stage", "Value": "{stage}"}}', '{"Key": "stage", "Value": "STAGE"}')
    # Ids of what belongs to two resources hold the stack's name, and hashes of it.
    text = re.sub(rf"\w*bellwether{stage}\w*", lambda found: unhashed(found[0].replace(stage, "STAGE")), text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
    text = re.sub(r"((?:CurrentVersion|Deployment)[A-Z0-9]{8})[0-9a-f]{32}", r"\1VERSION", text)
    templates: dict[str, Any] = json.loads(text)
    return {
        f"{stack}/{logical_id}": {key: body.get(key) for key in ("Type", "Properties", "DeletionPolicy")}
        for stack, template in templates.items()
        for logical_id, body in template["Resources"].items()
    }


def unhashed(logical_id: str) -> str:
    return re.sub(r"[0-9A-F]{8}", "", logical_id)


def differences(production: Synthesis, local: Synthesis) -> Iterator[str]:
    missing = sorted(set(production.templates) - set(local.templates))
    yield from (f"- {stack} (a whole stack)" for stack in missing)
    theirs, ours = named_alike(production), named_alike(local)
    for name in sorted(theirs.keys() | ours.keys()):
        if name.partition("/")[0] in missing:
            continue
        if name not in ours:
            yield f"- {name} ({theirs[name]['Type']})"
        elif name not in theirs:
            yield f"+ {name} ({ours[name]['Type']})"
        else:
            yield from changed(name, theirs[name], ours[name])


def changed(path: str, theirs: Any, ours: Any) -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            yield from changed(f"{path}.{key}", theirs.get(key), ours.get(key))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for position, pair in enumerate(zip(theirs, ours, strict=True)):
            yield from changed(f"{path}[{position}]", *pair)
    elif theirs != ours:
        yield f"~ {path}: {short(theirs)} -> {short(ours)}"


def short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, sort_keys=True)
    return text if len(text) <= 160 else f"{text[:157]}..."


@pytest.mark.req("O1")
def test_local_differs_from_production_as_reviewed(production: Synthesis, local: Synthesis) -> None:
    found = HEADER + "\n".join(differences(production, local)) + "\n"
    print(found)
    if os.environ.get("BELLWETHER_UPDATE"):
        REVIEWED.write_text(found)
    assert found.splitlines() == REVIEWED.read_text().splitlines()


def test_a_resource_is_missing_locally_only_where_the_engine_lacks_it(
    production: Synthesis, local: Synthesis
) -> None:
    assert ENGINE_LACKS
    missing = {
        line.rpartition("(")[2].rstrip(")")
        for line in differences(production, local)
        # The network and batch are missing as a whole, and what functions need to join the network.
        if line[0] == "-" and not re.match(r"- (network/|batch/|\w+/Functions\w+Network\w{8} )", line)
    }
    assert missing == {
        "AWS::ApiGateway::Account",
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::Athena::NamedQuery",
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::Cognito::LogDeliveryConfiguration",
        "AWS::Cognito::UserPoolRiskConfigurationAttachment",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::QueryDefinition",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SecretsManager::Secret",
        "AWS::WAFv2::LoggingConfiguration",
        "AWS::WAFv2::WebACL",
        "AWS::WAFv2::WebACLAssociation",
        "AWS::SecretsManager::ResourcePolicy",
        "AWS::SecretsManager::RotationSchedule",
        "a whole stack",
    }
