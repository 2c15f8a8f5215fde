"""Least privilege both ways: nothing a function needs is missing, nothing it was given is idle.

The report of the same comparison: `uv run python -m benchmarks.least_privilege`.
"""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.desk.conftest import Desk
from tests.desk.exercise import OLD_MONTH, Exercise
from tests.desk.least_privilege import compared, report
from tests.desk.processes import as_owner
from tests.desk.rights_used import Comparison


@pytest.fixture(scope="module")
def comparison(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    Exercise(desk, tmp_path_factory.mktemp("exercise")).run()
    found = compared(desk)
    print(report(desk, found))
    return found


@pytest.mark.req("S3")
def test_nothing_a_function_needs_is_missing(comparison: Comparison) -> None:
    assert comparison.used
    assert comparison.denied == []


@pytest.mark.req("S3")
def test_nothing_a_function_was_given_is_idle_without_a_reason(comparison: Comparison) -> None:
    assert comparison.idle == []


@pytest.mark.req("S3")
def test_every_reason_still_excuses_something(comparison: Comparison) -> None:
    assert comparison.dead == []


@pytest.mark.req("D5")
@pytest.mark.usefixtures("comparison")
def test_every_folder_of_the_lake_is_written_by_the_running_desk(desk: Desk) -> None:
    pages = as_owner(desk, "s3").get_paginator("list_objects_v2")
    lake = desk.outputs["buckets"]["Lake/Bucket"]
    keys = [one["Key"] for page in pages.paginate(Bucket=lake) for one in page.get("Contents", ())]
    now = datetime.now(UTC)
    wanted = (
        rf"raw-data/{now:%Y/%m/%d}/\d\d/.+",
        r"curated-data/prices/.+",
        rf"curated-data/signals/{OLD_MONTH}/_manifest\.json",
        r"features/scores/.+",
        r"features/providers/rss/.+",
        r"features/held/.+",
        r"eval/\d{4}/\d\d/\d\d/.+",
        r"eval/equity/.+",
    )
    assert [pattern for pattern in wanted if not any(re.fullmatch(pattern, key) for key in keys)] == []


@pytest.mark.req("D1", "C5")
@pytest.mark.usefixtures("comparison")
def test_an_old_month_of_signals_is_retired_and_the_next_one_is_there(desk: Desk) -> None:
    """By the functions of the schedules, run as their schedules run them."""
    names = as_owner(desk, "dynamodb").list_tables()["TableNames"]
    months = {name[-6:] for name in names if "signals_" in name}
    now = datetime.now(UTC)
    following = (now.replace(day=1) + timedelta(days=32)).strftime("%Y%m")
    assert {f"{now:%Y%m}", following} <= months
    assert OLD_MONTH not in months


KEYS = {
    "Proposals": ("proposal_id", "created_at"),
    "Outcomes": ("outcome_id", "evaluated_at"),
    "AgentsConfig": ("agent_id", "version"),
    "TrackedEntities": ("entity_type", "entity_id"),
}


@pytest.mark.req("D2", "D3")
@pytest.mark.usefixtures("comparison")
@pytest.mark.parametrize("table", KEYS)
def test_a_table_is_keyed_as_required_and_holds_rows(desk: Desk, table: str) -> None:
    tables, name = as_owner(desk, "dynamodb"), desk.outputs["tables"][f"Tables/{table}"]
    schema = tables.describe_table(TableName=name)["Table"]["KeySchema"]
    assert tuple(key["AttributeName"] for key in schema) == KEYS[table]
    assert tables.scan(TableName=name, Limit=1)["Count"] == 1
