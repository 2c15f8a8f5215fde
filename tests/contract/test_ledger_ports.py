"""The ledger and its projections: one winner a sequence, and tables that end the same whatever the order."""

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from bellwether.adapters.aws.ledger import S3Ledger
from bellwether.adapters.aws.proposals import DynamoProposals
from bellwether.adapters.naming import LEDGER_PREFIX, ledger_key
from bellwether.domain.ledger import Entry, first_broken_link
from bellwether.domain.proposals import Proposal, Status
from tests.contract.conftest import Ports, ServicePorts, at_once
from tests.contract.records import NOON, chain, decision, entry, outcome, proposal


def test_an_empty_ledger_has_no_head(ports: Ports) -> None:
    assert ports.ledger.head() is None
    assert list(ports.ledger.entries()) == []


@pytest.mark.req("D6")
def test_the_ledger_reads_back_as_the_chain_that_was_written(ports: Ports) -> None:
    written = chain(70)
    assert [ports.ledger.append(one) for one in written] == [True] * 70
    assert ports.ledger.head() == written[-1]
    assert list(ports.ledger.entries()) == written
    assert list(ports.ledger.entries(after=68)) == written[68:]
    assert list(ports.ledger.entries(after=70)) == []
    assert first_broken_link(ports.ledger.entries()) is None


def test_a_sequence_is_given_once(ports: Ports) -> None:
    first, other = entry(1, {"n": "first"}), entry(1, {"n": "other"})
    assert ports.ledger.append(first)
    assert not ports.ledger.append(other)
    assert ports.ledger.append(first), "the same entry again, after an answer that was lost"
    assert ports.ledger.head() == first


def test_the_chain_has_no_gaps(ports: Ports) -> None:
    ports.ledger.append(entry(1))
    with pytest.raises(ValueError, match="gap"):
        ports.ledger.append(entry(3))


def test_of_writers_that_race_for_a_sequence_one_wins(ports: Ports) -> None:
    for sequence in range(1, 4):
        rivals = [entry(sequence, {"writer": number}) for number in range(8)]
        won = at_once([partial(ports.ledger.append, rival) for rival in rivals])
        assert sum(won) == 1
        assert ports.ledger.head() == rivals[won.index(True)]


def test_two_processes_see_each_other(service_ports: ServicePorts) -> None:
    here, there = (service_ports.make.ledger(service_ports.bucket) for _ in range(2))
    written = chain(5)
    for number, one in enumerate(written):
        assert (here if number % 2 else there).append(one)
        assert here.head() == there.head() == one
    assert not there.append(replace(written[2], hash="x"))


def test_a_ledger_that_was_replaced_is_searched_anew(service_ports: ServicePorts) -> None:
    ledger = service_ports.ledger
    for one in chain(4):
        ledger.append(one)
    s3 = service_ports.make.clients.s3()
    for sequence in (2, 3, 4):
        s3.delete_object(Bucket=service_ports.bucket, Key=ledger_key(sequence))
    head = ledger.head()
    assert head is not None
    assert head.sequence == 1


class ListedLedger:
    """The two calls a ledger reads with, over a chain of any length; counts the lists."""

    def __init__(self, length: int, page: int) -> None:
        self.length, self.page, self.lists = length, page, 0

    def list_objects_v2(self, *, Bucket: str, Prefix: str, StartAfter: str) -> dict[str, Any]:  # noqa: N803
        self.lists += 1
        first = int(StartAfter.removeprefix(LEDGER_PREFIX).removesuffix(".json")) + 1
        last = min(first + self.page - 1, self.length)
        keys = [{"Key": ledger_key(sequence)} for sequence in range(first, last + 1)]
        return {"Contents": keys, "IsTruncated": last < self.length}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        sequence = int(Key.removeprefix(LEDGER_PREFIX).removesuffix(".json"))
        return {"Body": Body(msgspec.json.encode(entry(sequence))), "ETag": "e"}


class Body:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self) -> bytes:
        return self.content


@example(lengths=[1000, 2000], page=1)
@example(lengths=[1001], page=1)
@example(lengths=[2002, 6002], page=1)
@given(
    lengths=st.lists(st.integers(0, 3_000_000), min_size=1, max_size=4), page=st.sampled_from([1, 7, 1000])
)
def test_the_head_of_a_long_ledger_takes_few_calls(lengths: list[int], page: int) -> None:
    service = ListedLedger(0, page)
    ledger = S3Ledger(service, "b")  # type: ignore[arg-type]
    for length in lengths:  # it may grow, or be another one altogether
        service.length, service.lists = length, 0
        head = ledger.head()
        assert (head.sequence if head else 0) == length
        assert service.lists <= 48
    service.lists = 0
    ledger.head()
    assert service.lists <= 2


def story() -> tuple[Proposal, list[Entry]]:
    """A proposal and three decisions on it, the last of which revokes it."""
    made = proposal()
    statuses: list[Status] = ["pending", "approved", "revoked"]
    decisions = [
        decision(made.proposal_id, number, status, NOON + timedelta(minutes=number))
        for number, status in enumerate(statuses, start=1)
    ]
    bodies = [("proposal", made), *(("decision", one) for one in decisions)]
    return made, [entry(n, msgspec.to_builtins(body), kind) for n, (kind, body) in enumerate(bodies, 1)]


def statuses_of(ports: Ports) -> dict[str, int]:
    known: tuple[Status, ...] = ("pending", "approved", "rejected", "expired", "revoked", "superseded")
    return {status: len(found) for status in known if (found := ports.proposals.with_status(status))}


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_a_projection_ends_the_same_whatever_the_order(ports: Ports, order: tuple[int, ...]) -> None:
    made, entries = story()
    for number in [*order, *order[::-1]]:
        ports.proposals.project(entries[number])
    found = ports.proposals.get(made.proposal_id)
    assert found is not None
    assert found[0] == made, "as first written"
    assert [one.revision for one in found[1]] == [1, 2, 3]
    assert found[1][2].reason == decision().reason
    assert statuses_of(ports) == {"revoked": 1}
    assert ports.proposals.with_status("revoked") == [replace(made, status="revoked")]


def test_a_proposal_projected_again_is_not_for_a_moment_pending_again(
    service_ports: ServicePorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, entries = story()
    for one in entries:
        service_ports.proposals.project(one)
    monkeypatch.setattr(DynamoProposals, "_settle", lambda *_: None)
    service_ports.proposals.project(entries[0])
    assert statuses_of(service_ports) == {"revoked": 1}


def test_projections_that_race_end_the_same(ports: Ports) -> None:
    made, entries = story()
    orders = [Random(seed).sample(entries, 4) for seed in range(6)]

    def project(order: list[Entry]) -> None:
        for one in order:
            ports.proposals.project(one)

    at_once([partial(project, order) for order in orders])
    assert statuses_of(ports) == {"revoked": 1}
    found = ports.proposals.get(made.proposal_id)
    assert found is not None
    assert len(found[1]) == 3


def test_a_decision_alone_is_no_proposal(ports: Ports) -> None:
    _, entries = story()
    ports.proposals.project(entries[1])
    assert ports.proposals.get("01P") is None
    assert ports.proposals.get("") is None
    assert statuses_of(ports) == {}


def test_two_decisions_at_one_instant_are_both_kept(ports: Ports) -> None:
    bodies = [("proposal", proposal()), ("decision", decision(revision=1, status="pending"))]
    bodies.append(("decision", decision(revision=2, status="approved")))
    for number, (kind, body) in enumerate(bodies, start=1):
        ports.proposals.project(entry(number, msgspec.to_builtins(body), kind))
    found = ports.proposals.get("01P")
    assert found is not None
    assert [one.status for one in found[1]] == ["pending", "approved"]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_two_decisions_of_one_revision_the_first_in_the_ledger_counts(
    ports: Ports, order: tuple[int, ...]
) -> None:
    statuses: dict[int, Status] = {1: "approved", 2: "rejected"}
    ports.proposals.project(entry(9, msgspec.to_builtins(proposal()), "proposal"))
    for sequence in order:
        body = decision(status=statuses[sequence], decided_at=NOON + timedelta(seconds=sequence))
        ports.proposals.project(entry(sequence, msgspec.to_builtins(body), "decision"))
    assert statuses_of(ports) == {"approved": 1}


def test_entries_of_other_kinds_are_none_of_its_business(ports: Ports) -> None:
    ports.proposals.project(entry(1, msgspec.to_builtins(outcome()), "outcome"))
    assert statuses_of(ports) == {}


@pytest.mark.req("D3")
def test_proposals_by_status_come_newest_first_and_bounded(ports: Ports) -> None:
    made = [proposal(f"01P{number:03}", NOON + timedelta(hours=number)) for number in range(30)]
    for number, one in enumerate(Random(2).sample(made, len(made)), start=1):
        ports.proposals.project(entry(number, msgspec.to_builtins(one), "proposal"))
    assert ports.proposals.with_status("pending") == made[::-1]
    assert ports.proposals.with_status("pending", limit=2) == made[:-3:-1]
    assert ports.proposals.with_status("pending", limit=0) == []


@pytest.mark.req("D3")
def test_proposals_created_between_two_instants(ports: Ports) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    times = [midnight - timedelta(days=40), midnight - timedelta(microseconds=1), midnight, midnight]
    made = [proposal(f"01P{number}", at) for number, at in enumerate(times)]
    for number, one in enumerate(made, start=1):
        ports.proposals.project(entry(number, msgspec.to_builtins(one), "proposal"))
    rejected = decision("01P2", status="rejected", decided_at=midnight)
    ports.proposals.project(entry(9, msgspec.to_builtins(rejected), "decision"))
    found = ports.proposals.decided_between(times[1], midnight)
    assert found == [made[1], replace(made[2], status="rejected"), made[3]]
    assert ports.proposals.decided_between(midnight, times[1]) == []
    everything = ports.proposals.decided_between(datetime(1970, 1, 1, tzinfo=UTC), midnight)
    assert [one.proposal_id for one in everything] == ["01P0", "01P1", "01P2", "01P3"]


def test_an_outcome_is_kept_once_whenever_it_is_put_again(ports: Ports) -> None:
    first = outcome(1)
    ports.outcomes.put([first, outcome(1, NOON + timedelta(days=1), p_up=0.9)])
    ports.outcomes.put([outcome(1, NOON - timedelta(days=1), p_up=0.9), outcome(2)])
    assert ports.outcomes.get(first.outcome_id) == first
    assert ports.outcomes.known([first.outcome_id, "none", first.outcome_id]) == {first.outcome_id}
    assert ports.outcomes.evaluated_before(NOON + timedelta(days=9)) == [outcome(2), outcome(1)]


def test_many_outcomes_and_none(ports: Ports) -> None:
    ports.outcomes.put([])
    assert ports.outcomes.known([]) == set()
    assert ports.outcomes.get("none") is None
    assert ports.outcomes.get("") is None
    assert ports.outcomes.evaluated_before(NOON) == []
    made = [outcome(number, NOON + timedelta(seconds=number)) for number in range(130)]
    ports.outcomes.put(made)
    assert ports.outcomes.known([one.outcome_id for one in made]) == {one.outcome_id for one in made}
    assert ports.outcomes.evaluated_before(made[-1].evaluated_at) == made[::-1]


def test_outcomes_of_several_days_come_newest_first_up_to_the_limit(ports: Ports) -> None:
    made = [outcome(number, NOON + timedelta(hours=7 * number)) for number in range(40)]
    ports.outcomes.put(made)
    assert ports.outcomes.evaluated_before(made[20].evaluated_at) == made[20::-1]
    assert ports.outcomes.evaluated_before(made[-1].evaluated_at, limit=5) == made[:-6:-1]
    assert ports.outcomes.evaluated_before(NOON - timedelta(microseconds=1)) == []


def test_racing_outcomes_are_one_outcome(ports: Ports) -> None:
    rivals = [[outcome(1, NOON + timedelta(seconds=number))] for number in range(6)]
    at_once([partial(ports.outcomes.put, rival) for rival in rivals])
    (kept,) = ports.outcomes.evaluated_before(NOON + timedelta(days=1))
    assert ports.outcomes.get(kept.outcome_id) == kept
