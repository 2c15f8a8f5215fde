"""When a drill says that all is well, and when it does not."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bellwether.cli.recovery_drill import Drilled, Restored

AT = datetime(2026, 11, 23, tzinfo=UTC)
WHOLE = Restored(
    backup_at=AT,
    recovery_point_seconds=3_600,
    rows_before=10,
    rows_restored=10,
    restore_seconds=1.0,
    same_as_before=True,
)
FEWER = replace(WHOLE, rows_restored=9, same_as_before=False)
EMPTY = replace(FEWER, rows_restored=0)


def drilled(tracked: Restored, *, lost: bool = False, **more: Any) -> Drilled:
    return Drilled(lost=lost, tables={"proposals": FEWER, "tracked_entities": tracked}, **more)


@pytest.mark.req("X3")
@pytest.mark.parametrize(
    ("report", "sound"),
    [
        (drilled(WHOLE), True),
        (drilled(FEWER), True),  # restored beside the real one, from a backup that is older
        (drilled(EMPTY), False),
        (drilled(WHOLE, lost=True), True),
        (drilled(FEWER, lost=True), False),
        (drilled(WHOLE, broken="entry 3 is missing"), False),
        (drilled(WHOLE, behind=["p-1"]), False),
        (drilled(WHOLE, contradicting=["p-1"]), False),
        (drilled(WHOLE, lost=True, objects={"ledger/": {"lost": 5, "back": 5}}), True),
        (drilled(WHOLE, lost=True, objects={"ledger/": {"lost": 5, "back": 4}}), False),
    ],
)
def test_a_drill_is_sound_only_when_everything_is_back(report: Drilled, sound: bool) -> None:
    assert report.sound is sound


def test_the_oldest_backup_is_the_recovery_point() -> None:
    report = drilled(replace(WHOLE, recovery_point_seconds=7_200))
    with report.timed("tables"):
        pass
    told = report.document()
    assert told["recovery_point_seconds"] == 7_200
    assert told["recovery_time_seconds"] == sum(told["steps"].values())
