"""From scores to proposals: sized, checked, written once, or a reason why not."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec import structs

from bellwether.domain.entities import Asset, Portfolio, Position
from bellwether.domain.ledger import Entry, first_broken_link
from bellwether.domain.problems import Forbidden, InvalidInput, NotFound, Unavailable
from bellwether.domain.proposals import Proposal, proposal_hash
from bellwether.domain.scores import Concentration
from bellwether.usecases.decide import DecisionRequest
from bellwether.usecases.propose import ProposeRequest
from tests.unit.trading import ANALYST, APPROVER, NOW, Desk, desk, score, wave

ALL = ProposeRequest(portfolio="core")


@pytest.mark.req("A5")
def test_a_liked_asset_becomes_a_sealed_pending_proposal() -> None:
    made = desk()
    answer = made.propose(ALL, user=ANALYST, now=NOW)
    (proposal,) = answer.proposals
    assert answer.without == []
    assert (proposal.asset, proposal.side, proposal.status) == ("ACME", "buy", "pending")
    assert proposal.content_hash == proposal_hash(proposal)
    assert [step.step for step in proposal.sizing] == [
        "kelly",
        "volatility_target",
        "position_cap",
        "sector_cap",
        "unproven_cap",
    ]
    price = wave()[-1]
    assert proposal.quantity == 0.01 * 1_000_000 // price
    assert proposal.notional == pytest.approx(proposal.quantity * price)
    assert proposal.limit_price == pytest.approx(price * 1.005, abs=1e-4)
    assert proposal.expires_at == NOW + timedelta(hours=24)
    assert proposal.price_as_of == NOW.replace(hour=0)
    assert proposal.expected_cost > 0
    assert proposal.risk.verdict == "pass"
    assert proposal.risk.proposal_id == proposal.proposal_id
    assert proposal.agent_versions == {"sentiment": 0}


def test_the_ledger_is_written_first_then_the_table_then_the_queue() -> None:
    made = desk()
    proposal = made.proposed()
    (entry,) = made.ledger.entries()
    assert (entry.kind, entry.subject) == ("proposal", proposal.proposal_id)
    assert msgspec.convert(entry.body, Proposal) == proposal
    assert first_broken_link([entry]) is None
    found = made.proposals.get(proposal.proposal_id)
    assert found == (proposal, [])
    assert made.announce.announced == [1]
    assert made.counts.totals()["bellwether_proposals_total"] == 1


def test_a_queue_that_does_not_answer_does_not_unsay_a_proposal() -> None:
    class Silent:
        def announce(self, entry: Entry) -> None:
            raise Unavailable("no queue")

    made = desk()
    propose = made.propose
    answer = type(propose)(**{**vars(propose), "announce": Silent()})(ALL, user=ANALYST, now=NOW)
    assert len(answer.proposals) == 1
    assert made.proposals.with_status("pending") == answer.proposals


def reason(made: Desk, **request: Any) -> Any:
    (without,) = made.propose(ProposeRequest(portfolio="core", **request), user=ANALYST, now=NOW).without
    return without


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"p_up": None, "edge": None, "interval": None}, "abstained"),
        ({"edge": 0.0}, "no_edge"),
        ({"edge": 0.0019}, "no_edge"),
        ({"p_up": 0.47, "edge": 0.01}, "no_edge_after_costs"),
    ],
)
def test_a_score_that_is_worth_no_order_says_why(changes: dict[str, Any], code: str) -> None:
    made = desk()
    made.scores["ACME"] = score(**changes)
    assert reason(made).code == code
    assert made.ledger.head() is None


def test_an_asset_without_bars_or_enough_of_them_says_so() -> None:
    made = desk()
    made.track("NEW", wave(30), last=NOW.date() - timedelta(days=1), made=score("NEW"))
    made.scores["BARE"] = score("BARE")
    made.entities.put("asset", "BARE", Asset(symbol="BARE", name="Bare"))
    assert reason(made, assets=["NEW"]).code == "no_price_history"
    assert reason(made, assets=["BARE"]).code == "no_price"


def test_what_is_too_small_to_trade_is_not_proposed() -> None:
    made = desk()
    made.entities.put("portfolio", "core", Portfolio(name="core", cash=5_000.0))
    assert reason(made).code == "too_small"


def test_a_portfolio_without_worth_or_with_an_unpriced_holding_has_no_equity() -> None:
    made = desk()
    made.entities.put("portfolio", "core", Portfolio(name="core", cash=-5.0))
    assert reason(made).code == "no_equity"
    gone = Position(symbol="GONE", quantity=1, cost=1)
    made.entities.put("portfolio", "core", Portfolio(name="core", cash=1e6, positions=(gone,)))
    assert "GONE" in reason(made).reason


def test_a_denied_order_names_the_codes_and_their_sentences() -> None:
    made = desk()
    crowd = Concentration(items=9, authors=1, top_author_share=1, top_cluster_share=0.2, young_author_share=0)
    made.scores["ACME"] = score(concentration=crowd, last_event=NOW - timedelta(days=9))
    without = reason(made)
    assert (without.code, without.checks) == ("denied", ("STALE_SIGNAL", "MANIPULATION"))
    assert "one author" in without.reason
    assert made.counts.totals() == {'bellwether_proposals_refused_total{code="denied"}': 1.0}


def test_a_clamp_is_on_record_and_the_rest_is_proposed() -> None:
    made = desk()
    made.controls.change({"limits": {"volume_share": 0.00005}}, NOW)
    proposal = made.proposed()
    assert (proposal.risk.verdict, proposal.quantity) == ("clamp", 50)
    assert proposal.sizing[-1].step == "risk_clamp"
    assert proposal.risk.quantity > 50


def test_asking_again_is_a_duplicate_and_the_same_call_gives_the_same_answer() -> None:
    made = desk()
    first = made.propose(ALL, user=ANALYST, now=NOW)
    assert made.propose(ALL, user=ANALYST, now=NOW) == first
    later = made.propose(ALL, user=ANALYST, now=NOW + timedelta(minutes=1))
    assert [w.checks for w in later.without] == [("DUPLICATE",)]
    assert len(list(made.ledger.entries())) == 1


def test_a_call_repeated_later_gives_what_it_made_and_makes_the_rest_as_of_now() -> None:
    made = desk()
    asked = ProposeRequest(portfolio="core", assets=["ACME"])
    (first,) = made.propose(asked, user=ANALYST, now=NOW).proposals
    later = NOW + timedelta(minutes=10)
    rejection = DecisionRequest(
        proposal_id=first.proposal_id, content_hash=first.content_hash, action="reject", reason="no"
    )
    made.decide(rejection, user=APPROVER, now=later)
    (again,) = made.propose(asked, user=ANALYST, now=later, first_at=NOW).proposals
    assert (again.proposal_id, again.status) == (first.proposal_id, "rejected")
    assert len(list(made.ledger.entries())) == 2
    fresh = desk()
    (late,) = fresh.propose(asked, user=ANALYST, now=later, first_at=NOW).proposals
    assert (late.proposal_id, late.created_at, late.as_of) == (first.proposal_id, later, later)


def test_proposals_of_one_call_share_the_limits_strongest_edge_first() -> None:
    """Net exposure of 2.5 % has room for two positions of 1 % and half of a third."""
    made = desk("AAA", "BBB", "CCC")
    for symbol, edge in (("AAA", 0.03), ("BBB", 0.05), ("CCC", 0.04)):
        made.scores[symbol] = score(symbol, edge=edge, p_up=0.51 + edge)
    made.controls.change({"limits": {"net_exposure": 0.025}}, NOW)
    answer = made.propose(ALL, user=ANALYST, now=NOW)
    assert [p.asset for p in answer.proposals] == ["BBB", "CCC", "AAA"]
    assert [p.risk.verdict for p in answer.proposals] == ["pass", "pass", "clamp"]
    assert sum(p.notional for p in answer.proposals) <= 25_000


def test_a_disliked_asset_is_sold_short_only_where_that_is_allowed() -> None:
    made = desk()
    made.scores["ACME"] = score(p_up=0.40, edge=-0.11, interval=(0.34, 0.46))
    assert made.proposed().side == "sell"
    holding = desk()
    holding.scores["ACME"] = made.scores["ACME"]
    holding.controls.change({"sizing": {"short_selling": False}}, NOW)
    assert reason(holding).code == "too_small"
    held = Portfolio(name="core", cash=1e6, positions=(Position(symbol="ACME", quantity=30, cost=90),))
    holding.entities.put("portfolio", "core", held)
    assert holding.proposed().quantity == 30


def test_a_replayed_moment_is_marked_and_judged_as_of_then() -> None:
    made = desk()
    past = NOW - timedelta(days=30)
    made.scores["ACME"] = score(as_of=past, last_event=past - timedelta(hours=1))
    request = ProposeRequest(portfolio="core", as_of=past)
    (proposal,) = made.propose(request, user=ANALYST, now=NOW).proposals
    assert (proposal.as_of, proposal.created_at) == (past, NOW)
    assert proposal.expires_at > NOW
    assert proposal.price_as_of <= past
    # Another day of the same replay is no duplicate of this one.
    other = past - timedelta(days=2)
    made.scores["ACME"] = score(as_of=other, last_event=other)
    assert made.propose(structs.replace(request, as_of=other), user=ANALYST, now=NOW).proposals


def test_who_may_not_propose_or_asks_for_what_is_not_is_told() -> None:
    made = desk()
    with pytest.raises(Forbidden):
        made.propose(ALL, user=APPROVER, now=NOW)
    with pytest.raises(NotFound, match="nobody"):
        made.propose(ProposeRequest(portfolio="nobody"), user=ANALYST, now=NOW)
    with pytest.raises(InvalidInput, match="future"):
        made.propose(ProposeRequest(portfolio="core", as_of=NOW + timedelta(days=1)), user=ANALYST, now=NOW)


def test_a_writer_that_was_faster_is_noticed_and_judged_with() -> None:
    """Between reading and writing, someone else proposes the same: the second look finds a duplicate."""
    made = desk()
    ledger = made.ledger
    rival = made.propose

    class Overtaken:
        def __init__(self) -> None:
            self.overtaken = False

        def head(self) -> Entry | None:
            return ledger.head()

        def append(self, entry: Entry) -> bool:
            if not self.overtaken:
                self.overtaken = True
                rival(ALL, user=ANALYST, now=NOW + timedelta(seconds=1))
            return ledger.append(entry)

        def entries(self, after: int = 0) -> Any:
            return ledger.entries(after)

    slow = type(rival)(**{**vars(rival), "ledger": Overtaken()})
    answer = slow(ALL, user=ANALYST, now=NOW + timedelta(seconds=2))
    assert answer.proposals == []
    assert [w.checks for w in answer.without] == [("DUPLICATE",)]
    assert len(list(ledger.entries())) == 1
