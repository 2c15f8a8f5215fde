"""The regions a stage deploys to, and whether each is ready for the CDK."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bellwether.cli.failures import Refused

_MARK = "/cdk-bootstrap/hnb659fds/version"
_NOT_ENABLED = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "OptInRequired"})


def unprepared(assembly: Path, environment: Mapping[str, str]) -> list[str]:
    """The regions of an assembly whose bootstrap stack is missing or too old. Raises `Refused`."""
    needed = bootstrap_versions(assembly)
    return [region for region, version in needed.items() if version_in(region, environment) < version]


def bootstrap_versions(assembly: Path) -> dict[str, int]:
    """The regions an assembly deploys to, each with the version of the bootstrap stack it needs there."""
    needed: dict[str, int] = {}
    for artifact in json.loads((assembly / "manifest.json").read_text())["artifacts"].values():
        if artifact["type"] == "aws:cloudformation:stack":
            region = artifact["environment"].rpartition("/")[2]
            version = artifact["properties"].get("requiresBootstrapStackVersion", 0)
            needed[region] = max(version, needed.get(region, 0))
    return dict(sorted(needed.items()))


def version_in(region: str, environment: Mapping[str, str]) -> int:
    """The version of a region's bootstrap stack; 0 without one.

    Raises `Refused` for a region the account has not enabled, as Zürich is at first.
    """
    import boto3
    from botocore.exceptions import ClientError

    client: Any = boto3.session.Session(
        region_name=region, profile_name=environment.get("AWS_PROFILE")
    ).client("ssm", endpoint_url=f"https://ssm.{region}.amazonaws.com")
    try:
        return int(client.get_parameter(Name=_MARK)["Parameter"]["Value"])
    except ClientError as fault:
        code = str(fault.response.get("Error", {}).get("Code"))
        if code == "ParameterNotFound":
            return 0
        if code in _NOT_ENABLED:
            raise Refused(
                f"The account does not take calls in {region} ({code}).",
                title="Region not enabled",
                hint=f"aws account enable-region --region-name {region}",
            ) from None
        raise Refused(f"{region} refuses to tell what it has ({code}).", title="No right to look") from None
