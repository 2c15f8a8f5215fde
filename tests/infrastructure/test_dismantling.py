"""In which order a stage ends, and what is deleted before its stacks can go."""

from typing import Any

import pytest

from bellwether.cli.dismantling import delete_backups, empty, empty_bucket, order_of
from tests.infrastructure.synthesis import Synthesis


class Pages:
    """A paginator that has these pages."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = pages

    def paginate(self, **_: Any) -> tuple[dict[str, Any], ...]:
        return self._pages


class Service:
    """Answers every paginator with the same pages; keeps what it was asked to delete."""

    def __init__(self, *pages: dict[str, Any], faults: list[dict[str, str]] | None = None) -> None:
        self._pages = pages
        self._faults = faults
        self.deleted: list[Any] = []

    def get_paginator(self, _name: str) -> Pages:
        return Pages(*self._pages)

    def delete_objects(self, **asked: Any) -> dict[str, Any]:
        assert asked["BypassGovernanceRetention"] is True
        self.deleted += asked["Delete"]["Objects"]
        return {"Errors": self._faults} if self._faults else {}

    def delete_backup(self, **asked: Any) -> None:
        self.deleted.append(asked["BackupArn"])


VERSIONS = {
    "Versions": [{"Key": "a", "VersionId": "1", "Size": 3}, {"Key": "a", "VersionId": "2", "Size": 4}],
    "DeleteMarkers": [{"Key": "b", "VersionId": "3"}],
}


@pytest.mark.req("P6")
def test_what_writes_ends_before_what_holds_data_and_keys_end_last(
    staging: Synthesis, assemblies: Any
) -> None:
    order = order_of(assemblies / "staging")
    kinds = [
        [name.removeprefix("bellwether-staging-") for name in part] for part in (order.first, order.last)
    ]
    assert {"compute", "api", "observability", "edge"} <= set(kinds[0])
    assert {"data", "security"} <= set(kinds[1])
    assert not set(kinds[0]) & set(kinds[1])
    assert len(kinds[0]) + len(kinds[1]) == len(staging.templates)
    elsewhere = {name for name, region in order.regions.items() if region != "eu-central-2"}
    assert elsewhere == {"bellwether-staging-billing", "bellwether-staging-edge"}


@pytest.mark.req("P6")
def test_a_bucket_is_emptied_of_every_version_and_marker() -> None:
    bucket = Service(VERSIONS, {})
    assert empty_bucket(bucket, "lake") == 3
    assert bucket.deleted == [
        {"Key": "a", "VersionId": "1"},
        {"Key": "a", "VersionId": "2"},
        {"Key": "b", "VersionId": "3"},
    ]
    with pytest.raises(RuntimeError, match="1 objects of lake stay: AccessDenied"):
        empty_bucket(Service(VERSIONS, faults=[{"Code": "AccessDenied"}]), "lake")


@pytest.mark.req("P6")
def test_backups_of_a_table_go_with_it_and_what_is_gone_already_is_left_alone(
    assemblies: Any, staging: Any
) -> None:
    pages = {"BackupSummaries": [{"BackupArn": "arn:1"}, {"BackupArn": "arn:2"}]}
    tables = Service(pages)
    assert delete_backups(tables, "proposals") == 2
    assert tables.deleted == ["arn:1", "arn:2"]

    listed = {
        "StackResourceSummaries": [
            {"ResourceType": kind, "PhysicalResourceId": name, "ResourceStatus": status}
            for kind, name, status in (
                ("AWS::S3::Bucket", "lake", "CREATE_COMPLETE"),
                ("AWS::S3::Bucket", "gone", "DELETE_COMPLETE"),
                ("AWS::DynamoDB::GlobalTable", "proposals", "CREATE_COMPLETE"),
            )
        ]
    }
    services = {"cloudformation": Service(listed), "s3": Service(VERSIONS), "dynamodb": Service(pages)}
    order = order_of(assemblies / "staging")
    holding = len(order.last)
    deleted = empty(order.last, order.regions, lambda service, _region: services[service])
    assert deleted == {"objects": 3 * holding, "backups": 2 * holding}
