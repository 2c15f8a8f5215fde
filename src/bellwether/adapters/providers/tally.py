"""What a round of fetching came to for one provider, and what of it goes into the provider's record."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from msgspec.structs import replace

from bellwether.adapters.providers.provider import Fetched, Health
from bellwether.domain.provider_record import UNREACHABLE, ProviderRecord
from bellwether.usecases.ports import ProviderRecords

MOST_TRIES = 20


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts of one provider's targets. `errors` counts failures by code, `lags` holds seconds from
    publication to reading, of items that have a date of their own."""

    calls: int = 0
    items: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    dollars: float = 0.0
    failing: int = 0
    asked: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)
    failures: list[Health] = field(default_factory=list)
    next_tries: list[datetime] = field(default_factory=list)

    def add(self, fetched: Fetched) -> None:
        """Counts one target's fetch."""
        health = fetched.health
        self.calls += fetched.cost.calls
        self.dollars += fetched.cost.dollars
        self.items += health.items
        self.refused += health.refused
        self.asked += health.state != "waiting"
        if health.state == "failing":
            self.failing += 1
            self.errors[health.code or "failing"] += 1
            self.failures.append(health)
            if fetched.cursor.not_before is not None:
                self.next_tries.append(fetched.cursor.not_before)
        for item in fetched.items:
            if item.observed_at is not None and item.published_at < item.observed_at:
                self.lags.append((item.observed_at - item.published_at).total_seconds())

    @property
    def lag(self) -> float | None:
        """The median of the lags, `None` without any."""
        return round(median(self.lags), 1) if self.lags else None


def note(records: ProviderRecords, name: str, tally: Tally, began: datetime, took: timedelta) -> None:
    """Writes the round into the provider's record.

    Calls that went through the record have written how they went; of others (feeds, each of another server)
    the round tells: the provider fails when all of its targets do, and is tried again when the first of them
    is.
    """

    def noted(record: ProviderRecord) -> ProviderRecord:
        if tally.lag is not None:
            record = replace(record, lag_seconds=tally.lag)
        own = record.called_at is not None and record.called_at >= began
        return record if own or not tally.asked else _of_round(record, tally, began + took)

    change(records, name, noted)


def change(
    records: ProviderRecords, name: str, changed: Callable[[ProviderRecord], ProviderRecord]
) -> ProviderRecord:
    """Replaces a record by what `changed` makes of it; gives up, losing nothing but news, when others keep
    coming between."""
    before = records.get(name)
    for _ in range(MOST_TRIES):
        after = changed(before)
        if after == before:
            return before
        after = replace(after, version=before.version + 1)
        if records.put(after):
            return after
        before = records.get(name)
    return before


def _of_round(record: ProviderRecord, tally: Tally, at: datetime) -> ProviderRecord:
    record = replace(record, called_at=at)
    if tally.failing < tally.asked:
        few = f"{tally.failing} of {tally.asked} targets fail" if tally.failing else None
        return replace(
            record,
            state="ok",
            failures=0,
            not_before=None,
            succeeded_at=at,
            code=_most(tally.failures) if few else None,
            detail=few,
        )
    codes = {health.code for health in tally.failures}
    return replace(
        record,
        state="unreachable" if codes <= UNREACHABLE else "failing",
        failures=record.failures + 1,
        not_before=min(tally.next_tries, default=None),
        code=_most(tally.failures),
        detail=tally.failures[0].detail,
    )


def _most(failures: Iterable[Health]) -> str | None:
    counted = Counter(health.code or "failing" for health in failures)
    return counted.most_common(1)[0][0] if counted else None
