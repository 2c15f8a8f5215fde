"""Resolving: the most at once, scopes, starts of approved proposals, and writers in each other's way."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from bellwether.adapters.memory.signals import MemoryForecasts
from bellwether.domain.outcomes import Outcome
from bellwether.domain.problems import Conflict
from bellwether.domain.proposals import Decision, Proposal
from bellwether.usecases import resolve
from bellwether.usecases.record import ATTEMPTS, Recorder, record_outcomes
from bellwether.usecases.resolve import Resolve
from tests.unit.evaluate.test_evaluate import grown, keeping
from tests.unit.evaluate.test_expire import Overtaken
from tests.unit.score.desk_in_memory import outcome_of
from tests.unit.trading import NOW, Desk, score

pytestmark = pytest.mark.req("A8")

SOON = NOW + timedelta(days=10)


def resolving(made: Desk, kept: MemoryForecasts, proposals: Any = None) -> Resolve:
    return Resolve(
        entities=made.entities,
        prices=made.prices,
        proposals=proposals or made.proposals,
        outcomes=made.outcomes,
        forecasts=kept,
    )


def test_no_more_than_the_most_are_resolved_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "MOST_RESOLVED", 2)
    monkeypatch.setattr(resolve, "ASKED_AT_ONCE", 2)
    made = grown()
    kept = keeping(*(score(score_id=f"s{n}", horizon=n) for n in (1, 2, 3, 4)))
    first = resolving(made, kept)(None, NOW - timedelta(days=1), SOON, now=SOON)
    assert ([o.horizon for o in first.outcomes], first.more, first.known) == ([1, 2], True, [])
    made.outcomes.put(first.outcomes)
    rest = resolving(made, kept)(None, NOW - timedelta(days=1), SOON, now=SOON)
    assert ([o.horizon for o in rest.outcomes], rest.more) == ([3, 4], False)
    assert rest.known == [o.outcome_id for o in first.outcomes]


@pytest.mark.parametrize(
    ("scope", "found"), [(None, ["proposal", "score"]), ("score", ["score"]), ("proposal", ["proposal"])]
)
def test_a_scope_takes_its_own(scope: Any, found: list[str]) -> None:
    made = grown()
    made.proposed()
    answer = resolving(made, keeping(score()))(scope, NOW - timedelta(days=1), SOON, now=SOON)
    assert sorted(o.scope for o in answer.outcomes) == found


class Said:
    """A table that lists one proposal with the decisions it is told."""

    def __init__(self, proposal: Proposal, decisions: Sequence[Decision] | None) -> None:
        self.proposal, self.decisions = proposal, decisions

    def decided_between(self, *_: Any) -> list[Proposal]:
        return [self.proposal]

    def get(self, _: str) -> tuple[Proposal, Sequence[Decision]] | None:
        return None if self.decisions is None else (self.proposal, self.decisions)


def decision(hours: float) -> Decision:
    return Decision(
        proposal_id="P",
        revision=1,
        decided_at=NOW + timedelta(hours=hours),
        decided_by="abe",
        action="approve",
        status="approved",
        reason="",
        content_hash="",
    )


@pytest.mark.parametrize(
    ("status", "decisions", "days"),
    [
        ("approved", [decision(20), decision(45)], 2),  # the last approval, on Friday: entered on Monday
        ("approved", [], 0),
        ("approved", None, 0),
        ("rejected", [decision(45)], 0),
    ],
)
def test_an_approved_proposal_starts_at_its_last_approval(status: Any, decisions: Any, days: int) -> None:
    made = grown()
    proposal = structs.replace(made.proposed(), status=status)
    (outcome,) = resolving(made, keeping(), Said(proposal, decisions))(
        "proposal", NOW, SOON, now=SOON
    ).outcomes
    plain = (NOW + timedelta(days=1)).date()
    history = made.prices.history("ACME")
    assert outcome.entry_date == history.dates[history.dates.index(plain) + days]


def test_a_replayed_proposal_starts_at_its_own_moment() -> None:
    made = grown()
    proposal = structs.replace(made.proposed(), status="approved", created_at=NOW + timedelta(days=3))
    (outcome,) = resolving(made, keeping(), Said(proposal, [decision(60)]))(
        "proposal", NOW, SOON, now=SOON
    ).outcomes
    assert outcome.entry_date == (NOW + timedelta(days=1)).date()


def test_what_never_will_be_says_where_its_bars_end() -> None:
    made = grown("ACME")
    answer = resolving(made, keeping(score("GONE"), score(horizon=9, score_id="h")))(
        None, NOW - timedelta(days=1), SOON, now=NOW + timedelta(days=60)
    )
    reasons = {skipped.asset: (skipped.subject, skipped.code, skipped.reason) for skipped in answer.skipped}
    last = made.prices.history("ACME").dates[-1]
    assert reasons["GONE"] == (
        "score:GONE",
        "no_entry_price",
        "the bars of GONE end (never) before 1 trading days have passed",
    )
    assert reasons["ACME"] == (
        "h",
        "no_exit_price",
        f"the bars of ACME end ({last.isoformat()}) before 9 trading days have passed",
    )


def outcomes(count: int) -> list[Outcome]:
    return [
        outcome_of(score(score_id=f"s{n}"), subject=f"s{n}", outcome_id=f"o-{n:03}") for n in range(count)
    ]


def recorder(made: Desk, ledger: Any) -> Recorder:
    return Recorder(ledger=ledger, proposals=made.proposals, announce=made.announce)


def test_outcomes_another_writer_took_are_left_out() -> None:
    made = Desk()
    rival = recorder(made, made.ledger)

    def act() -> None:
        record_outcomes(outcomes(3)[:2], rival, made.outcomes, head=made.ledger.head(), now=NOW)

    ledger = Overtaken(made, 1, act)
    written = record_outcomes(outcomes(3), recorder(made, ledger), made.outcomes, head=None, now=NOW)
    assert [o.outcome_id for o in written] == ["o-002"]
    assert [len(e.body["outcomes"]) for e in made.ledger.entries()] == [2, 1]


def test_a_ledger_that_is_always_busy_is_a_conflict() -> None:
    made = Desk()
    busy = Overtaken(made, 10_000)
    with pytest.raises(Conflict, match="the ledger was busy 41 times in a row"):
        record_outcomes(outcomes(1), recorder(made, busy), made.outcomes, head=None, now=NOW)
    assert busy.tried == ATTEMPTS + 1
    assert list(made.ledger.entries()) == []
