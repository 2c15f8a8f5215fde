"""What adapters of the same port compute alike, free of any service."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

import msgspec
from msgspec import Struct

from bellwether.domain.items import Instant
from bellwether.domain.ledger import Entry
from bellwether.domain.prices import History
from bellwether.domain.proposals import Decision, Proposal, Status

Row = tuple[float, float, float, float, float, float]


class _ScoreTime(Struct):
    as_of: Instant


def merge_histories(old: History, new: History) -> tuple[History, int]:
    """`old` with the bars of `new` added or, for the same date, replaced; and how many rows changed.

    A bar equal to the one there already is no change. Neither argument is altered.
    """
    rows = dict(_rows(old))
    changed = 0
    for day, row in _rows(new):
        if rows.get(day) != row:
            rows[day] = row
            changed += 1
    if not changed:
        return old, 0
    days = sorted(rows)
    columns = [[rows[day][column] for day in days] for column in range(6)]
    return History(new.symbol, days, *columns), changed


def _rows(history: History) -> Iterator[tuple[date, Row]]:
    columns = zip(
        history.open,
        history.high,
        history.low,
        history.close,
        history.adj_close,
        history.volume,
        strict=True,
    )
    return zip(history.dates, columns, strict=True)


def scores_between(lines: Iterable[bytes], first: datetime, last: datetime) -> Iterator[bytes]:
    """The scores (JSON, one a line) whose `as_of` lies in the interval, both ends included."""
    for line in lines:
        if line.strip() and first <= msgspec.json.decode(line, type=_ScoreTime).as_of <= last:
            yield line


def proposal_of(entry: Entry) -> Proposal:
    """The proposal an entry carries. Raises `msgspec.ValidationError`."""
    return msgspec.convert(entry.body, Proposal)


def decision_of(entry: Entry) -> Decision:
    """The decision an entry carries. Raises `msgspec.ValidationError`."""
    return msgspec.convert(entry.body, Decision)


def in_order_of_revision(decisions: Iterable[tuple[int, Decision]]) -> list[Decision]:
    """Decisions by revision; of two that claim the same revision the first in the ledger counts.

    Takes pairs of ledger sequence and decision, in any order.
    """
    by_revision: dict[int, Decision] = {}
    for _, decision in sorted(decisions, key=lambda pair: pair[0]):
        by_revision.setdefault(decision.revision, decision)
    return [by_revision[revision] for revision in sorted(by_revision)]


def newest_status(proposal: Proposal, decisions: list[Decision]) -> Status:
    """The status after the last decision, the proposal's own before any."""
    return decisions[-1].status if decisions else proposal.status
