"""The monthly signals tables from their creation to their export, and the daily backups of the others."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.aws.backups import Backups
from bellwether.adapters.aws.signal_table_retirement import (
    Manifest,
    SignalTableRetirement,
    exported_signals,
    manifest_key,
    months_to_retire,
)
from bellwether.adapters.aws.signal_table_rollover import Ceiling, SignalTableRollover, current_and_next
from bellwether.adapters.memory import MemoryPorts
from bellwether.domain.problems import Conflict, Unavailable
from bellwether.handlers import back_up, clean_up, roll_signal_tables
from bellwether.handlers.scheduled_function import Failed
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context
from tests.unit.handlers.tables_service import TablesService

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PREFIX = "bellwether-test-signals_"
SCHEDULED = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}


def rollover(service: TablesService, *, protected: bool = True, writes: int = 2_000) -> SignalTableRollover:
    client: Any = service
    return SignalTableRollover(
        client,
        PREFIX,
        key_arn="arn:aws:kms:key",
        protected=protected,
        stage="test",
        ceiling=Ceiling(reads=4_000, writes=writes),
        sleep=lambda _seconds: None,
    )


def rolled(service: TablesService, event: Any = SCHEDULED, *, protected: bool = True) -> dict[str, Any]:
    parts = roll_signal_tables.Parts(rollover=rollover(service, protected=protected), clock=lambda: NOW)
    return roll_signal_tables.handler.serve(event, Context(300_000), lambda: parts)


@pytest.mark.req("D1", "D4")
def test_this_months_and_the_next_months_tables_are_made_as_tables_have_to_be() -> None:
    service = TablesService()
    assert rolled(service)["Data"] == {"months": "202611,202612", "created": "202611,202612"}
    table = service.tables[f"{PREFIX}202612"]
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]
    assert table["SSESpecification"] == {
        "Enabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": "arn:aws:kms:key",
    }
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["OnDemandThroughput"] == {"MaxReadRequestUnits": 4_000, "MaxWriteRequestUnits": 2_000}
    tags = {tag["Key"]: tag["Value"] for tag in table["Tags"]}
    assert tags == {"product": "bellwether", "stage": "test", "month": "202612"}
    assert table["DeletionProtectionEnabled"] is True
    assert table["recovery"] == "ENABLED"


@pytest.mark.req("D1")
def test_rolling_again_changes_nothing_and_a_changed_stage_changes_its_tables() -> None:
    service = TablesService()
    rolled(service)
    service.calls.clear()
    assert rolled(service, {"RequestType": "Update"})["Data"]["created"] == ""
    assert set(service.calls) <= {"DescribeTable", "DescribeContinuousBackups"}
    rolled(service, protected=False)
    assert not service.tables[f"{PREFIX}202611"]["DeletionProtectionEnabled"]
    rollover(service, protected=False, writes=500).ensure(["202611"])
    assert service.tables[f"{PREFIX}202611"]["OnDemandThroughput"]["MaxWriteRequestUnits"] == 500


@pytest.mark.req("D1")
@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)))  # noqa: DTZ001
def test_the_next_month_follows_the_current_one(at: datetime) -> None:
    current, following = current_and_next(at.replace(tzinfo=UTC))
    assert current == f"{at:%Y%m}"
    first = datetime(int(following[:4]), int(following[4:]), 1, tzinfo=UTC)
    assert (first - timedelta(days=1)).strftime("%Y%m") == current


def test_two_runs_at_once_make_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    service = TablesService()
    other = rollover(service)
    creating = service.create_table

    def race(**wanted: Any) -> None:
        creating(**wanted)
        creating(**wanted)

    monkeypatch.setattr(service, "create_table", race)
    assert other.ensure(["202611"]).created == ()
    assert set(service.tables) == {f"{PREFIX}202611"}


def test_a_table_that_never_becomes_active_is_a_failure_that_says_little(logged: Logged) -> None:
    service = TablesService(polls=10_000)
    with pytest.raises(Unavailable):
        rollover(service).ensure(["202611"], seconds=5)
    with pytest.raises(Failed, match="Unavailable"):
        rolled(service)
    service.refusing["DescribeTable"] = "AccessDeniedException"
    with pytest.raises(Failed):
        rolled(service)
    assert any(line.get("fault") == "Unavailable" for line in logged())


@pytest.mark.req("D1", "D4")
def test_deleting_the_stack_deletes_tables_only_where_nothing_protects_them() -> None:
    service = TablesService()
    rolled(service)
    assert rolled(service, {"RequestType": "Delete"})["Data"]["removed"] == ""
    assert len(service.tables) == 2
    rolled(service, protected=False)
    answer = rolled(service, {"RequestType": "Delete"}, protected=False)
    assert answer == {"PhysicalResourceId": "signal-tables", "Data": {"removed": "202611,202612"}}
    assert service.tables == {}


def test_protection_has_to_be_said_clearly() -> None:
    def settings(told: str) -> roll_signal_tables.Settings:
        return roll_signal_tables.Settings(
            stage="s",
            signals_table_prefix="p",
            table_key_arn="k",
            deletion_protection=told,
            table_read_limit="4000",
            table_write_limit="2000",
        )

    assert settings("True").ceiling == Ceiling(reads=4_000, writes=2_000)
    assert settings("True").protected
    assert not settings("false").protected
    with pytest.raises(ValueError, match="true or false"):
        assert settings("yes").protected


def filled(service: TablesService, month: str, count: int) -> None:
    """A month's table with rows as the signals adapter writes them."""
    rollover(service).ensure([month])
    service.rows[f"{PREFIX}{month}"] = [
        {"pk": {"S": "ACME#20250101"}, "sk": {"S": f"t{n:04d}#sentiment#x"}, "body": {"S": f'{{"n":{n}}}'}}
        for n in range(count)
    ]


def cleaned(service: TablesService, ports: MemoryPorts, time_is_up: Callable[[], bool]) -> dict[str, Any]:
    client: Any = service

    def retirement(_time_is_up: Callable[[], bool]) -> SignalTableRetirement:
        return SignalTableRetirement(
            client, PREFIX, ports.lake, time_is_up, rows_a_part=10, sleep=lambda _seconds: None
        )

    parts = clean_up.Parts(retirement=retirement, changes=ports.changes, clock=lambda: NOW)
    return clean_up.handler.serve(SCHEDULED, Context(900_000), lambda: parts)


def test_which_months_are_past_their_time() -> None:
    months = ("202408", "202509", "202510", "202511", "202611", "202612")
    assert months_to_retire(months, NOW) == ["202408", "202509"]
    assert months_to_retire(months, NOW, kept=1) == ["202408", "202509", "202510", "202511"]


@pytest.mark.req("D1", "C5", "D5")
def test_an_old_month_is_exported_checked_and_dropped(ports: MemoryPorts) -> None:
    service = TablesService()
    filled(service, "202501", 25)
    filled(service, "202611", 4)
    filled(service, "202502", 0)
    told = cleaned(service, ports, lambda: False)
    assert told == {"retired": {"202501": 25, "202502": 0}, "unfinished": []}
    assert set(service.tables) == {f"{PREFIX}202611"}
    keys = list(ports.lake.list("curated-data/signals/202501/part-"))
    assert keys == [f"curated-data/signals/202501/part-{n:05d}.ndjson.gz" for n in range(3)]
    lines = [line for key in keys for line in gzip.decompress(ports.lake.get(key) or b"").splitlines()]
    assert [msgspec.json.decode(line)["n"] for line in lines] == list(range(25))
    assert list(exported_signals(ports.lake, "202501")) == lines
    (change,) = ports.changes.after(None)
    assert change.type == "signals_retired"


@pytest.mark.req("D1", "C5")
def test_a_run_that_is_cut_off_is_continued_by_the_next_one(ports: MemoryPorts) -> None:
    service = TablesService()
    filled(service, "202501", 25)
    asked = iter([False, False, True, True, True])
    assert cleaned(service, ports, lambda: next(asked)) == {"retired": {}, "unfinished": ["202501"]}
    manifest = msgspec.json.decode(ports.lake.get(manifest_key("202501")) or b"", type=Manifest)
    assert (manifest.rows, manifest.complete) == (10, False)
    assert f"{PREFIX}202501" in service.tables
    assert cleaned(service, ports, lambda: False)["retired"] == {"202501": 25}
    assert len(list(exported_signals(ports.lake, "202501"))) == 25


@pytest.mark.req("D1")
def test_a_table_whose_export_does_not_read_back_is_kept(
    ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = TablesService()
    filled(service, "202501", 5)
    put = ports.lake.put
    monkeypatch.setattr(
        ports.lake, "put", lambda key, content, *_: put(key, content[:-1] if "part" in key else content)
    )
    client: Any = service
    with pytest.raises(Conflict):
        SignalTableRetirement(client, PREFIX, ports.lake, lambda: False).retire_before(NOW)
    assert f"{PREFIX}202501" in service.tables


@pytest.mark.req("D1", "D5")
def test_a_row_the_export_does_not_have_keeps_the_table_and_is_exported_next_time(
    ports: MemoryPorts,
) -> None:
    service = TablesService()
    filled(service, "202501", 25)
    asked = iter([False] * 4 + [True] * 9)
    assert cleaned(service, ports, lambda: next(asked))["unfinished"] == ["202501"]
    service.rows[f"{PREFIX}202501"] += [{"pk": {"S": "X"}, "sk": {"S": "z"}, "body": {"S": '{"n":25}'}}]
    with pytest.raises(Failed, match="Conflict"):
        cleaned(service, ports, lambda: False)
    assert f"{PREFIX}202501" in service.tables
    assert cleaned(service, ports, lambda: False)["retired"] == {"202501": 26}
    assert len(list(exported_signals(ports.lake, "202501"))) == 26


@pytest.mark.req("D1")
def test_a_table_another_run_dropped_is_no_failure(ports: MemoryPorts) -> None:
    service = TablesService()
    filled(service, "202501", 5)

    def dropped_meanwhile() -> bool:
        service.tables.pop(f"{PREFIX}202501", None)
        return False

    assert cleaned(service, ports, dropped_meanwhile) == {"retired": {}, "unfinished": ["202501"]}


def backed_up(service: TablesService, ports: MemoryPorts, at: datetime = NOW) -> dict[str, Any]:
    client: Any = service
    parts = back_up.Parts(
        backups=Backups(client),
        tables={"proposals": "stack-Proposals-1", "outcomes": "stack-Outcomes-2"},
        changes=ports.changes,
        clock=lambda: at,
    )
    return back_up.handler.serve(SCHEDULED, Context(300_000), lambda: parts)


@pytest.mark.req("C5", "X3")
def test_each_table_is_backed_up_once_a_day(ports: MemoryPorts) -> None:
    service = TablesService()
    assert backed_up(service, ports)["created"] == ["proposals", "outcomes"]
    assert backed_up(service, ports, NOW + timedelta(hours=5))["present"] == ["proposals", "outcomes"]
    assert {b["BackupName"] for b in service.backups} == {
        "bellwether-proposals-20261123",
        "bellwether-outcomes-20261123",
    }
    assert ports.changes.after(None)[-1].data["failed"] == []


@pytest.mark.req("C5")
def test_only_our_own_old_backups_are_dropped(ports: MemoryPorts) -> None:
    service = TablesService()
    for back in range(60):
        service.add_backup(
            "stack-Proposals-1", f"bellwether-proposals-{NOW - timedelta(days=60 - back):%Y%m%d}"
        )
    service.add_backup("stack-Proposals-1", "made-by-hand")
    told = backed_up(service, ports)
    names = {b["BackupName"] for b in service.backups if b["TableName"] == "stack-Proposals-1"}
    assert "made-by-hand" in names
    assert told["dropped"] == 25
    assert min(names - {"made-by-hand"}) == f"bellwether-proposals-{NOW - timedelta(days=35):%Y%m%d}"


@pytest.mark.req("C5")
def test_a_table_that_fails_keeps_its_old_backups_and_the_others_are_backed_up(
    ports: MemoryPorts, logged: Logged
) -> None:
    service = TablesService()
    service.add_backup("stack-Proposals-1", "bellwether-proposals-20200101")
    service.refusing["stack-Proposals-1"] = "LimitExceededException"
    with pytest.raises(Failed):
        backed_up(service, ports)
    assert {b["BackupName"] for b in service.backups} == {
        "bellwether-proposals-20200101",
        "bellwether-outcomes-20261123",
    }
    assert ports.changes.after(None)[-1].data["failed"] == ["proposals"]


def test_a_backup_that_is_being_restored_from_is_left_for_the_next_time(ports: MemoryPorts) -> None:
    service = TablesService()
    service.add_backup("stack-Proposals-1", "bellwether-proposals-20200101")
    service.refusing[service.backups[0]["BackupArn"]] = "BackupInUseException"
    assert backed_up(service, ports)["dropped"] == 0
    service.refusing[service.backups[0]["BackupArn"]] = "AccessDeniedException"
    with pytest.raises(Failed):
        backed_up(service, ports)
