"""`ledger verify`, `trace`, `recover` and `queue redrive`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.cli import operations, owner
from bellwether.cli.stage import Stage
from bellwether.domain.ledger import Entry, next_entry
from bellwether.domain.outcomes import Outcome, Resolved
from tests.unit.cli.conftest import Done
from tests.unit.cli.test_chain_commands import DECISION, PROPOSAL

Typed = Callable[..., Done]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def chain_of(ports: MemoryPorts, *, project: bool = True) -> list[Entry]:
    """A proposal and its approval in the ledger, and in the tables if `project`."""
    first = next_entry(None, at=NOW, kind="proposal", subject=PROPOSAL.proposal_id, record=PROPOSAL)
    second = next_entry(first, at=NOW, kind="decision", subject=PROPOSAL.proposal_id, record=DECISION)
    for entry in (first, second):
        assert ports.ledger.append(entry)
        if project:
            ports.proposals.project(entry)
    return [first, second]


class Forged:
    """A ledger that reads as given."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = entries

    def entries(self, after: int = 0) -> Any:
        for entry in self._entries:
            if isinstance(entry, Exception):
                raise entry
            yield entry


def test_an_unbroken_ledger_is_proven(typed: Typed, ports: MemoryPorts) -> None:
    entries = chain_of(ports)
    done = typed("ledger", "verify", "--json")
    assert done.code == 0
    assert done.document == {
        "unbroken": True,
        "entries": 2,
        "head": entries[-1].hash,
        "broken": None,
        "tables": {"behind": [], "contradicting": []},
    }
    assert "Unbroken" in typed("ledger", "verify").out


def test_an_empty_ledger_is_unbroken(typed: Typed, ports: MemoryPorts) -> None:
    done = typed("ledger", "verify", "--json")
    assert (done.code, done.document["entries"], done.document["head"]) == (0, 0, None)


@pytest.mark.parametrize(
    ("forge", "sequence"),
    [
        (lambda e: [msgspec.structs.replace(e[0], body={**e[0].body, "quantity": 1e6}), e[1]], 1),
        (lambda e: [e[0], msgspec.structs.replace(e[1], previous_hash="f" * 64)], 2),
        (lambda e: [e[1]], 1),
        (lambda e: [e[0], msgspec.DecodeError("cut off")], 2),
    ],
    ids=["changed", "relinked", "removed", "unreadable"],
)
def test_the_first_broken_link_is_named(
    typed: Typed,
    ports: MemoryPorts,
    monkeypatch: pytest.MonkeyPatch,
    forge: Callable[[list[Entry]], list[Any]],
    sequence: int,
) -> None:
    forged = Forged(forge(chain_of(ports)))
    object.__setattr__(ports, "ledger", forged)
    done = typed("ledger", "verify", "--json")
    assert done.code == 1
    assert done.document["unbroken"] is False
    assert done.document["broken"]["sequence"] == sequence
    assert f"Broken at entry {sequence}" in typed("ledger", "verify").out


def test_an_entry_that_was_written_twice_is_a_broken_link(typed: Typed, ports: MemoryPorts) -> None:
    chain_of(ports)
    object.__setattr__(ports, "ledger_versions", lambda: {1: 1, 2: 2})
    done = typed("ledger", "verify", "--json")
    assert done.code == 1
    assert done.document["broken"] == {"sequence": 2, "reason": "it was written more than once"}


def test_tables_that_lag_are_named_and_tables_that_contradict_fail(typed: Typed, ports: MemoryPorts) -> None:
    entries = chain_of(ports, project=False)
    done = typed("ledger", "verify", "--json")
    assert done.code == 0
    assert done.document["tables"]["behind"] == [PROPOSAL.proposal_id]
    ports.proposals.project(entries[0])
    assert typed("ledger", "verify", "--json").document["tables"]["behind"] == [PROPOSAL.proposal_id]
    ports.proposals.project(entries[1])
    extra = next_entry(
        entries[1],
        at=NOW,
        kind="decision",
        subject=PROPOSAL.proposal_id,
        record=msgspec.structs.replace(DECISION, revision=2, action="revoke", status="revoked"),
    )
    ports.proposals.project(extra)
    done = typed("ledger", "verify", "--json")
    assert done.code == 1
    assert done.document["tables"]["contradicting"] == [PROPOSAL.proposal_id]


def test_outcomes_are_compared_by_content(typed: Typed, ports: MemoryPorts) -> None:
    first, second = outcome("o-1"), outcome("o-2")
    entry = next_entry(None, at=NOW, kind="outcome", subject="o-1", record=Resolved(outcomes=(first, second)))
    ports.ledger.append(entry)
    assert typed("ledger", "verify", "--json").document["tables"]["behind"] == ["o-1", "o-2"]
    ports.outcomes.put([first, msgspec.structs.replace(second, brier=0.0)])
    done = typed("ledger", "verify", "--json")
    assert done.code == 1
    assert done.document["tables"] == {"behind": [], "contradicting": ["o-2"]}


def outcome(outcome_id: str) -> Outcome:
    return Outcome(
        outcome_id=outcome_id,
        evaluated_at=NOW,
        scope="score",
        subject=PROPOSAL.score.score_id,
        asset="KO",
        as_of=NOW,
        horizon=1,
        entry_date=NOW.date(),
        exit_date=NOW.date(),
        p_up=0.56,
        raw_return=0.01,
        benchmark_return=None,
        relative_return=None,
        went_up=True,
        hit=True,
        brier=0.1936,
        status=None,
        side=None,
        profit=None,
        attribution=(),
    )


def test_recover_brings_the_tables_up_to_date(typed: Typed, ports: MemoryPorts) -> None:
    chain_of(ports, project=False)
    done = typed("recover", "--since", "2026-11-23", "--json")
    assert done.code == 0
    assert done.document["ledger_entries"] in {0, 2}
    assert typed("recover", "--since", "last week").code == 2


def test_a_proposal_is_walked_back_and_an_unknown_id_is_a_failure(typed: Typed, ports: MemoryPorts) -> None:
    chain_of(ports)
    done = typed("trace", PROPOSAL.proposal_id)
    assert done.code == 0
    for words in ("proposal", PROPOSAL.proposal_id, "approve by bob", "[good] news", PROPOSAL.score.score_id):
        assert words in done.out
    tree = typed("trace", PROPOSAL.proposal_id, "--json").document
    assert {child["kind"] for child in tree["children"]} == {"decision", "score"}
    missing = typed("trace", "nothing", "--json")
    assert missing.code == 1
    assert "nothing" in missing.document["error"]["detail"]


class Sqs:
    """Two queues in memory."""

    def __init__(self, dead: list[dict[str, Any]]) -> None:
        self.dead = dead
        self.taken: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.order: list[str] = []

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        waiting = len(self.dead) + len(self.taken) if QueueUrl == "dead" else len(self.sent)
        return {"Attributes": {AttributeNames[0]: str(waiting)}}

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        found, self.dead = self.dead[:MaxNumberOfMessages], self.dead[MaxNumberOfMessages:]
        self.taken += found
        return {"Messages": found} if found else {}

    def send_message(self, **request: Any) -> None:
        self.order.append("send")
        self.sent.append(request)

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        self.order.append("delete")
        self.taken = [message for message in self.taken if message["ReceiptHandle"] != ReceiptHandle]


def letters(count: int) -> list[dict[str, Any]]:
    return [
        {
            "Body": f"b{n}",
            "MessageId": f"m{n}",
            "ReceiptHandle": f"r{n}",
            "Attributes": {"MessageGroupId": "ledger"},
            "MessageAttributes": {"trace": {"StringValue": "t", "DataType": "String"}},
        }
        for n in range(count)
    ]


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch, home: object) -> Sqs:
    sqs = Sqs(letters(23))
    outputs = {"ingestqueueurl": "main", "ingestdlqurl": "dead"}
    stage = Stage(name="local", api_url="", region="x", outputs=outputs)
    monkeypatch.setattr(operations, "find_stage", lambda _: stage)
    monkeypatch.setattr(owner, "owner_client", lambda *_: sqs)
    return sqs


@pytest.mark.req("C4")
def test_a_redrive_moves_every_message_and_deletes_it_only_then(typed: Typed, queues: Sqs) -> None:
    listed = typed("queue", "list", "--json").document["queues"]
    assert listed == [{"name": "ingest", "waiting": 0, "given_up": 23}]
    done = typed("queue", "redrive", "ingest", "--json")
    assert done.code == 0
    assert done.document == {"queue": "ingest", "found": 23, "moved": 23, "left": 0}
    assert [request["MessageBody"] for request in queues.sent] == [f"b{n}" for n in range(23)]
    assert queues.order == ["send", "delete"] * 23
    assert queues.sent[0]["MessageAttributes"]["trace"]["StringValue"] == "t"


def test_a_redrive_can_be_bounded_and_names_the_queues_it_knows(typed: Typed, queues: Sqs) -> None:
    assert typed("queue", "redrive", "ingest", "--most", "5", "--json").document["moved"] == 5
    wrong = typed("queue", "redrive", "nonsense", "--json")
    assert wrong.code == 2
    assert "ingest" in wrong.document["error"]["detail"]


def test_a_fifo_message_keeps_its_group_and_gets_through() -> None:
    sqs = Sqs(letters(2))
    assert list(operations.move(sqs, "dead", "main.fifo", most=2)) == [2]
    assert [(r["MessageGroupId"], r["MessageDeduplicationId"]) for r in sqs.sent] == [
        ("ledger", "redrive-m0"),
        ("ledger", "redrive-m1"),
    ]


def test_users_get_and_lose_roles(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    from bellwether.cli import users

    class Idp:
        def __init__(self) -> None:
            self.calls: list[str] = []

        def __getattr__(self, action: str) -> Any:
            def call(**request: Any) -> dict[str, Any]:
                self.calls.append(f"{action} {request.get('Username')} {request.get('GroupName')}")
                return {}

            return call

    idp = Idp()
    stage = Stage(name="local", api_url="", region="x", outputs={"userpoolid": "pool"})
    monkeypatch.setattr(users, "find_stage", lambda _: stage)
    monkeypatch.setattr(owner, "owner_client", lambda *_: idp)
    assert typed("users", "add-role", "ana", "approver", "--json").document == {
        "username": "ana",
        "added": "approver",
    }
    assert typed("users", "remove-role", "ana", "approver").code == 0
    assert typed("users", "add-role", "ana", "king").code == 2
    assert idp.calls[0] == "admin_add_user_to_group ana approver"
    assert idp.calls[1] == "admin_remove_user_from_group ana approver"
    assert not any("king" in call for call in idp.calls)
