"""A record of equity that cannot be read: orders are denied for DRAWDOWN, the log says which object it is."""

import logging
from datetime import timedelta

import pytest

from bellwether.domain.entities import Portfolio
from bellwether.domain.problems import Conflict
from bellwether.usecases.decide import DecisionRequest
from bellwether.usecases.equity import RecordEquity, key_of
from bellwether.usecases.propose import ProposeRequest
from tests.unit.trading import ANALYST, APPROVER, NOW, Desk, desk

KEY = key_of("core", NOW.year)
DAMAGED = [b'{"day":"2026-01-05","equi', b"\xff\xfe\x00", b'{"day":"2026-01-05"}', b"[]\n"]


def damage(made: Desk, content: bytes = DAMAGED[0]) -> None:
    made.lake.put(KEY, content)


@pytest.mark.req("A6")
@pytest.mark.parametrize("content", DAMAGED)
def test_no_proposal_is_allowed_on_a_damaged_record(content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    whole, made = desk(), desk()
    assert whole.propose(ProposeRequest(portfolio="core"), user=ANALYST, now=NOW).proposals
    damage(made, content)
    with caplog.at_level(logging.ERROR):
        answer = made.propose(ProposeRequest(portfolio="core"), user=ANALYST, now=NOW)
    assert answer.proposals == []
    (without,) = [one for one in answer.without if one.asset == "ACME"]
    assert without.checks == ("DRAWDOWN",)
    assert KEY in without.reason
    assert KEY in caplog.text
    assert made.lake.get(KEY) == content


@pytest.mark.req("A7")
def test_nothing_is_approved_on_a_damaged_record(caplog: pytest.LogCaptureFixture) -> None:
    made = desk()
    proposal = made.proposed()
    damage(made)
    request = DecisionRequest(
        proposal_id=proposal.proposal_id,
        content_hash=proposal.content_hash,
        action="approve",
        reason="seen",
    )
    with pytest.raises(Conflict, match=f"DRAWDOWN: .*{KEY}"):
        made.decide(request, user=APPROVER, now=NOW + timedelta(minutes=5))
    assert [entry.kind for entry in made.ledger.entries()] == ["proposal"]
    assert KEY in caplog.text


def test_the_nightly_record_leaves_a_damaged_one_alone_and_goes_on_with_the_others() -> None:
    made = desk()
    made.entities.put("portfolio", "other", Portfolio(name="other", cash=1_000.0))
    damage(made)
    newest = RecordEquity(entities=made.entities, prices=made.prices, lake=made.lake)(now=NOW)
    assert set(newest) == {"other"}
    assert made.lake.get(KEY) == DAMAGED[0]
