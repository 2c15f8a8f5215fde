"""The ledger and its projections, in memory."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from threading import Lock

from msgspec.structs import replace

from bellwether.adapters.merging import decision_of, in_order_of_revision, newest_status, proposal_of
from bellwether.domain.ledger import Entry
from bellwether.domain.outcomes import Outcome
from bellwether.domain.proposals import Decision, Proposal, Status


class MemoryLedger:
    """`Ledger` as a list."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: list[Entry] = []

    def head(self) -> Entry | None:
        with self._lock:
            return self._entries[-1] if self._entries else None

    def append(self, entry: Entry) -> bool:
        with self._lock:
            if entry.sequence != len(self._entries) + 1:
                if entry.sequence > len(self._entries):
                    raise ValueError(f"entry {entry.sequence} would leave a gap after {len(self._entries)}")
                return self._entries[entry.sequence - 1].hash == entry.hash
            self._entries.append(entry)
            return True

    def entries(self, after: int = 0) -> Iterator[Entry]:
        with self._lock:
            return iter(self._entries[max(after, 0) :])


class MemoryProposals:
    """`Proposals` computed from the entries it was shown."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._proposals: dict[str, Proposal] = {}
        self._decisions: dict[str, dict[int, Decision]] = {}
        self._by_status: dict[Status, set[str]] = {}
        self._status: dict[str, Status] = {}

    def project(self, entry: Entry) -> None:
        if entry.kind == "proposal":
            proposal = proposal_of(entry)
            with self._lock:
                self._proposals.setdefault(proposal.proposal_id, proposal)
                self._index(proposal.proposal_id)
        elif entry.kind == "decision":
            decision = decision_of(entry)
            with self._lock:
                self._decisions.setdefault(decision.proposal_id, {})[entry.sequence] = decision
                self._index(decision.proposal_id)

    def _index(self, proposal_id: str) -> None:
        proposal = self._proposals.get(proposal_id)
        if proposal is None:
            return
        status = newest_status(proposal, self._decided(proposal_id))
        before = self._status.get(proposal_id)
        if before is not None:
            self._by_status[before].discard(proposal_id)
        self._status[proposal_id] = status
        self._by_status.setdefault(status, set()).add(proposal_id)

    def _decided(self, proposal_id: str) -> list[Decision]:
        return in_order_of_revision(self._decisions.get(proposal_id, {}).items())

    def get(self, proposal_id: str) -> tuple[Proposal, list[Decision]] | None:
        with self._lock:
            proposal = self._proposals.get(proposal_id)
            return (proposal, self._decided(proposal_id)) if proposal else None

    def with_status(self, status: Status, limit: int = 100) -> list[Proposal]:
        with self._lock:
            found = [self._current(proposal_id) for proposal_id in self._by_status.get(status, ())]
        found.sort(key=lambda proposal: (proposal.created_at, proposal.proposal_id), reverse=True)
        return found[:limit]

    def decided_between(self, first: datetime, last: datetime) -> list[Proposal]:
        with self._lock:
            found = [
                self._current(proposal_id)
                for proposal_id, proposal in self._proposals.items()
                if first <= proposal.created_at <= last
            ]
        return sorted(found, key=lambda proposal: (proposal.created_at, proposal.proposal_id))

    def _current(self, proposal_id: str) -> Proposal:
        return replace(self._proposals[proposal_id], status=self._status[proposal_id])


class MemoryOutcomes:
    """`Outcomes` kept sorted by time of evaluation; the first outcome of an id stays."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._outcomes: dict[str, Outcome] = {}
        self._ordered: list[Outcome] | None = None

    def put(self, outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            for outcome in outcomes:
                self._outcomes.setdefault(outcome.outcome_id, outcome)
            self._ordered = None

    def known(self, outcome_ids: Sequence[str]) -> set[str]:
        with self._lock:
            return {outcome_id for outcome_id in outcome_ids if outcome_id in self._outcomes}

    def evaluated_before(self, as_of: datetime, limit: int = 10_000) -> list[Outcome]:
        with self._lock:
            if self._ordered is None:
                self._ordered = sorted(
                    self._outcomes.values(), key=lambda outcome: (outcome.evaluated_at, outcome.outcome_id)
                )
            end = bisect_right(self._ordered, as_of, key=lambda outcome: outcome.evaluated_at)
            return self._ordered[max(end - limit, 0) : end][::-1]

    def get(self, outcome_id: str) -> Outcome | None:
        with self._lock:
            return self._outcomes.get(outcome_id)


class MemoryAnnouncements:
    """`Announcements` as a list of sequences, one an entry as the FIFO queue has it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.announced: list[int] = []

    def announce(self, entry: Entry) -> None:
        with self._lock:
            if entry.sequence not in self.announced[-100:]:
                self.announced.append(entry.sequence)
