"""The restore drill, run on a desk that was used: nothing decided is lost, and the time it takes is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.desk.conftest import Desk
from tests.desk.material import write_bars
from tests.desk.processes import as_owner
from tests.desk.test_chain import propose

SYMBOL = "DRILLS"


@pytest.fixture(scope="module")
def decided(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, dict[str, Any]]:
    """A desk with a proposal, backed up before it was decided: the decision is in no backup."""
    folder: Path = tmp_path_factory.mktemp("drill")
    desk.json("track", "add", SYMBOL, "--name", "Drills Holdings")
    bars = write_bars(folder / "bars.csv", [SYMBOL], last=datetime.now(UTC).date() - timedelta(days=1))
    desk.json("prices", "import", str(bars))
    desk.json("portfolio", "set", "core", "--cash", "1000000")
    proposal = propose(desk, SYMBOL)
    first = desk.json("recovery", "drill")
    assert first["sound"], first
    body = {
        "proposal_id": proposal["proposal_id"],
        "content_hash": proposal["content_hash"],
        "action": "approve",
        "reason": "after the backup",
    }
    assert desk.call("POST", "/decision", role="approver", body=body).status_code == 200
    return desk, body


def names(desk: Desk) -> list[str]:
    found: list[str] = as_owner(desk, "dynamodb").list_tables()["TableNames"]
    return found


@pytest.mark.req("X3", "C5")
def test_restored_beside_the_real_tables_and_rolled_forward(decided: tuple[Desk, dict[str, Any]]) -> None:
    desk, _ = decided
    before = names(desk)
    told = desk.json("recovery", "drill")
    assert told["sound"], told
    assert told["tables"]["proposals"]["same_as_before"] is False, "the decision is younger than the backup"
    assert told["rolled_forward"] == told["ledger"]["entries"] > 1
    assert told["behind"] == told["contradicting"] == []
    assert told["recovery_point_seconds"] > 0
    assert told["recovery_time_seconds"] > 0
    assert names(desk) == before, "the drill cleans up after itself"


@pytest.mark.req("X3", "D6")
def test_tables_ledger_and_prices_are_lost_and_come_back(decided: tuple[Desk, dict[str, Any]]) -> None:
    desk, decision = decided
    before = names(desk)
    told = desk.json("recovery", "drill", "--lose", "--yes")
    assert told["sound"], told
    assert told["lost"] is True
    assert told["objects"]["ledger/"]["lost"] == told["ledger"]["entries"]
    assert told["objects"]["curated-data/prices/"]["back"] > 0
    assert all(table["same_as_before"] for table in told["tables"].values()), told["tables"]
    assert names(desk) == before

    verified = desk.json("ledger", "verify")
    assert verified["unbroken"]
    assert verified["head"] == told["ledger"]["head"]
    assert verified["tables"] == {"behind": [], "contradicting": []}
    again = desk.call("POST", "/decision", role="approver", body=decision)
    assert again.status_code == 409, again.text
    assert "approved" in again.json()["detail"]
    score = desk.call("POST", "/score", role="analyst", body={"assets": [SYMBOL]})
    assert score.json()["scores"][0]["p_up"] is not None
    dynamodb = as_owner(desk, "dynamodb")
    table = desk.outputs["stacks"]["bellwether-local-data"]["ProposalsTable"]
    recovery = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


@pytest.mark.req("X3")
def test_nothing_of_production_is_deleted_for_a_drill(decided: tuple[Desk, dict[str, Any]]) -> None:
    desk, _ = decided
    refused = desk.run("recovery", "drill", "--lose", "--yes", "--stage", "production")
    assert refused.returncode == 4
    assert "keeps its data" in refused.stderr
