"""The drill: tables are really restored, rolled forward from the ledger, and compared with it."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from bellwether.cli.failures import Failure
from bellwether.cli.ledger import Reading, compared, rewritten
from bellwether.cli.owner import OwnerPorts, owner_client
from bellwether.cli.stage import Stage
from bellwether.domain.ledger import Entry, first_broken_link
from bellwether.domain.problems import Problem
from bellwether.usecases.recover import project

if TYPE_CHECKING:
    from bellwether.adapters.aws.restores import Backup, TableRestores

TABLES = {
    "proposals": "ProposalsTable",
    "outcomes": "OutcomesTable",
    "agents_config": "AgentsConfigTable",
    "tracked_entities": "TrackedEntitiesTable",
}
"""What is backed up, with the output its name is told by."""
PRICES = "curated-data/prices/"
LEDGER = "ledger/"
_CLOCKS = timedelta(seconds=5)


@dataclass
class Restored:
    """What became of one table. `recovery_point_seconds` is how old the backup was when it was needed."""

    backup_at: datetime
    recovery_point_seconds: float
    rows_before: int
    rows_restored: int
    restore_seconds: float
    same_as_before: bool = False

    def document(self) -> dict[str, Any]:
        """For the report."""
        return {**self.__dict__, "backup_at": self.backup_at.astimezone(UTC)}


@dataclass
class Drilled:
    """The drill's report. `steps` are seconds; `sound` is what the exit code says."""

    lost: bool
    tables: dict[str, Restored] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    rolled_forward: int = 0
    entries: int = 0
    head: str | None = None
    broken: str | None = None
    behind: list[str] = field(default_factory=list)
    contradicting: list[str] = field(default_factory=list)
    objects: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """The ledger is unbroken, tables say what it says, and what no ledger tells of came back the same."""
        objects_back = all(one["lost"] == one["back"] for one in self.objects.values())
        return not (self.broken or self.behind or self.contradicting) and objects_back and self._kept

    @property
    def _kept(self) -> bool:
        """Whether what no ledger tells of is there. Beside an older backup all one can ask is that it is not
        empty.
        """
        table = self.tables["tracked_entities"]
        some = table.rows_restored > 0 or table.rows_before == 0
        return table.same_as_before or (some and not self.lost)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Notes how long a step took."""
        began = time.monotonic()
        yield
        self.steps[step] = round(time.monotonic() - began, 3)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        points = [table.recovery_point_seconds for table in self.tables.values()]
        return {
            "lost": self.lost,
            "sound": self.sound,
            "recovery_point_seconds": round(max(points), 1),
            "recovery_time_seconds": round(sum(self.steps.values()), 3),
            "steps": self.steps,
            "tables": {name: table.document() for name, table in self.tables.items()},
            "ledger": {"unbroken": self.broken is None, "entries": self.entries, "head": self.head},
            "rolled_forward": self.rolled_forward,
            "broken": self.broken,
            "behind": self.behind,
            "contradicting": self.contradicting,
            "objects": self.objects,
        }


class Drill:
    """One run on a stage. With `lose` the tables and objects are really deleted, else copies are made."""

    def __init__(self, stage: Stage, restores: "TableRestores", *, now: datetime, lose: bool) -> None:
        self._stage = stage
        self._restores = restores
        self._now = now
        self._names = {own: stage.output(output) for own, output in TABLES.items()}
        self._report = Drilled(lost=lose)

    def __call__(self) -> Drilled:
        """Runs the drill. Tables it made beside the real ones are dropped, whatever happens."""
        lose = self._report.lost
        ending = "" if lose else f"-drill-{self._now:%Y%m%d%H%M%S}"
        targets = {own: f"{name}{ending}" for own, name in self._names.items()}
        backups = {own: self._backup(own, fresh=lose) for own in self._names}
        if lose:
            self._lose_objects()
        try:
            with self._report.timed("tables"):
                for own, target in targets.items():
                    self._report.tables[own] = self._restored(own, backups[own], target)
            self._follow_ledger(targets)
        finally:
            if not lose:
                for target in targets.values():
                    self._restores.drop(target)
        return self._report

    def _backup(self, own: str, *, fresh: bool) -> "Backup":
        """What to restore from: the newest there is. Before anything is lost, one of this moment."""
        name = self._names[own]
        newest = None if fresh else self._restores.newest(name)
        return newest or self._restores.take(name, f"bellwether-{own}-{self._now:%Y%m%d}-drill")

    def _restored(self, own: str, backup: "Backup", target: str) -> Restored:
        name = self._names[own]
        like = self._restores.described(name)
        tags, before = self._restores.tags(like["TableArn"]), self._restores.content(name)
        began = time.monotonic()
        if self._report.lost:
            self._restores.drop(name)
        try:
            self._restores.restore(backup, target, {**like, **self._protection(like)}, tags)
        except Problem as fault:
            told = f"aws dynamodb restore-table-from-backup --backup-arn {backup.arn}"
            raise Failure(str(fault), hint=f"{told} --target-table-name {name}") from fault
        seconds = time.monotonic() - began
        after = self._restores.content(target)
        return Restored(
            backup_at=backup.at,
            recovery_point_seconds=round(max(0.0, (datetime.now(UTC) - backup.at).total_seconds()), 1),
            rows_before=before.rows,
            rows_restored=after.rows,
            restore_seconds=round(seconds, 3),
            same_as_before=before == after,
        )

    def _protection(self, like: Mapping[str, Any]) -> dict[str, Any]:
        """A table of the drill is to be dropped again."""
        return {
            "DeletionProtectionEnabled": self._report.lost and bool(like.get("DeletionProtectionEnabled"))
        }

    def _follow_ledger(self, targets: Mapping[str, str]) -> None:
        """Rolls the restored tables forward and compares them, entry by entry, with the ledger."""
        outputs = {**self._stage.outputs}
        for own, output in TABLES.items():
            outputs[output.lower()] = targets[own]
        ports = OwnerPorts(replace(self._stage, outputs=outputs))
        with self._report.timed("ledger"):
            for entry in ports.ledger.entries():
                project(entry, ports)
                self._report.rolled_forward += 1
        reading = Reading(self._listened(ports.ledger.entries()))
        with self._report.timed("verification"):
            broken = first_broken_link(reading) or reading.unreadable or rewritten(ports)
            self._report.broken = broken.reason if broken else None
            if broken is None:
                tables = compared(reading.expected, ports)
                self._report.behind, self._report.contradicting = tables.behind, tables.contradicting

    def _listened(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self._report.entries, self._report.head = entry.sequence, entry.hash
            yield entry

    def _lose_objects(self) -> None:
        """Deletes the ledger's entries and the prices, and brings them back from their versions."""
        from bellwether.adapters.aws.versions import ObjectVersions

        client = owner_client(self._stage, "s3")
        since = datetime.now(UTC) - _CLOCKS
        for prefix, output in ((LEDGER, "LedgerBucket"), (PRICES, "LakeBucket")):
            bucket = ObjectVersions(client, self._stage.output(output))
            lost = bucket.hide(prefix)
            with self._report.timed(f"objects of {prefix.rstrip('/')}"):
                back = bucket.bring_back(prefix, since)
            self._report.objects[prefix] = {"lost": lost, "back": back}


def shown_of(report: Drilled) -> list[Any]:
    """For people."""
    from rich.table import Table

    table = Table("table", "rows before", "restored", "backup is older by", "seconds")
    for name, one in report.tables.items():
        age = f"{one.recovery_point_seconds:,.1f} s"
        table.add_row(
            name, f"{one.rows_before:,}", f"{one.rows_restored:,}", age, f"{one.restore_seconds:.2f}"
        )
    told = msgspec.to_builtins(report.document())
    verdict = "[green]Sound[/green]" if report.sound else "[bold red]Not sound[/bold red]"
    return [
        table,
        f"{verdict}: {report.entries:,} ledger entries, {report.rolled_forward:,} applied; recovery point "
        f"{told['recovery_point_seconds']} s before the ledger was applied, nothing after; recovery time "
        f"{told['recovery_time_seconds']} s.",
        *(f"[red]{name}[/red]" for name in [*report.behind, *report.contradicting][:10]),
        *([f"[red]ledger: {report.broken}[/red]"] if report.broken else []),
    ]
