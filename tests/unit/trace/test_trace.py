"""Walking back: from any id to the posts behind it, and noticing what was changed since."""

import math
from datetime import timedelta, timezone
from typing import Any

import msgspec
import pytest

from bellwether.domain.entities import Portfolio
from bellwether.domain.problems import NotFound
from bellwether.domain.rights import User
from bellwether.domain.scores import Concentration, Contribution, Score, fits_its_id, score_id
from bellwether.usecases.decide import Decide, DecisionRequest
from bellwether.usecases.propose import Propose, ProposeRequest
from bellwether.usecases.trace import TraceNode, tree_lines
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, bars, outcome_of, part, post


def kinds(node: TraceNode) -> set[str]:
    return {node.kind}.union(*(kinds(child) for child in node.children))


def find(node: TraceNode, kind: str) -> list[TraceNode]:
    below = [found for child in node.children for found in find(child, kind)]
    return [node, *below] if node.kind == kind else below


@pytest.fixture
def desk() -> MemoryDesk:
    made = MemoryDesk()
    made.take_in(
        [post() for _ in range(3)]
        + [post(observed_at=NOW - timedelta(days=2), published_at=NOW - timedelta(days=2))]
    )
    return made


def test_an_outcome_leads_to_the_posts(desk: MemoryDesk) -> None:
    outcome = outcome_of(desk.score())
    desk.ports.outcomes.put([outcome])
    tree = desk.trace(outcome.outcome_id, now=NOW)
    assert kinds(tree) == {"outcome", "score", "agent", "signal", "item"}
    items = find(tree, "item")
    assert len(items) == 4
    assert all("$BEACON shares jump" in item.title for item in items)
    assert all(signal.intact for signal in find(tree, "signal"))
    assert "rose (+1.20%)" in tree.title


def test_a_proposal_and_its_decision_lead_to_the_posts(desk: MemoryDesk) -> None:
    ports = desk.ports
    closes = [40 * math.exp(0.0004 * n + 0.015 * math.sin(0.7 * n)) for n in range(320)]
    ports.prices.merge(bars("BEACON", closes, (NOW - timedelta(days=1)).date()))
    ports.entities.put("portfolio", "core", Portfolio(name="core", cash=1_000_000))
    desk.take_in([post() for _ in range(40)])
    shared: dict[str, Any] = {
        "entities": ports.entities,
        "prices": ports.prices,
        "controls": ports.controls,
        "lake": ports.lake,
        "ledger": ports.ledger,
        "proposals": ports.proposals,
        "announce": ports.announce,
        "counts": ports.counts,
    }
    made = Propose(score=desk.scoring, **shared)(
        ProposeRequest(portfolio="core", assets=["BEACON"]),
        user=User(username="ann", roles=("analyst",)),
        now=NOW,
    )
    (proposal,) = made.proposals
    Decide(**shared)(
        DecisionRequest(
            proposal_id=proposal.proposal_id,
            content_hash=proposal.content_hash,
            action="reject",
            reason="not now",
        ),
        user=User(username="bob", roles=("approver",)),
        now=NOW + timedelta(minutes=5),
    )
    tree = desk.trace(proposal.proposal_id, now=NOW)
    assert [child.kind for child in tree.children] == ["decision", "score"]
    assert (tree.intact, tree.children[0].intact, tree.children[1].intact) == (True, True, True)
    assert len(find(tree, "item")) == 44
    decision = desk.trace(f"{proposal.proposal_id}/1", now=NOW)
    assert decision.title == "reject by bob: not now"
    assert {"decision", "proposal", "score", "signal", "item"} <= kinds(decision)
    with pytest.raises(NotFound):
        desk.trace(f"{proposal.proposal_id}/2", now=NOW)


def test_a_score_that_was_changed_does_not_fit_its_id(desk: MemoryDesk) -> None:
    score = desk.score()
    assert fits_its_id(score)
    forged = msgspec.structs.replace(score.contributions[-1], weight=0.9)
    changed = msgspec.structs.replace(score, contributions=(*score.contributions[:-1], forged))
    assert not fits_its_id(changed)
    for line in desk.ports.forecasts.between(NOW, NOW):
        assert fits_its_id(msgspec.json.decode(line, type=Score))


def test_a_score_fits_its_id_as_it_reads_back_whatever_its_numbers_were_written_as() -> None:
    there = timezone(timedelta(hours=2))
    contributions = (
        Contribution(
            agent_id="attention", agent_version=0, weight=1, log_odds=0, evidence=5, reliability=1, share=-0.0
        ),
    )
    given: dict[str, Any] = {"as_of": NOW.astimezone(there), "horizon": 1, "base_rate": 1}
    made = Score(
        score_id=score_id("BEACON", contributions=contributions, **given),
        asset="BEACON",
        p_up=None,
        edge=None,
        n_eff=0,
        disagreement=None,
        interval=None,
        contributions=contributions,
        track_record="unproven",
        concentration=Concentration(
            items=0, authors=0, top_author_share=0, top_cluster_share=0, young_author_share=0
        ),
        **given,
    )
    assert fits_its_id(made)
    assert fits_its_id(msgspec.json.decode(msgspec.json.encode(made), type=Score))


def test_each_agent_of_a_score_has_its_signals_or_its_reason(desk: MemoryDesk) -> None:
    score = desk.score()
    tree = desk.trace(score.score_id, now=NOW)
    agents = {node.id: node for node in tree.children}
    assert len(agents["sentiment@0"].children) == 4
    assert agents["momentum@0"].children == ()
    assert agents["momentum@0"].title == part(score, "momentum").abstained


def test_a_signal_and_an_item_can_be_asked_for(desk: MemoryDesk) -> None:
    signal_id = part(desk.score()).signal_ids[0]
    tree = desk.trace(signal_id, now=NOW)
    assert (tree.kind, tree.id, tree.intact) == ("signal", signal_id, True)
    (item,) = tree.children
    assert desk.trace(item.id, now=NOW).title == item.title


def test_a_forecast_that_was_replaced_still_leads_to_what_was_known(desk: MemoryDesk) -> None:
    first = desk.score(now=NOW + timedelta(minutes=1))
    desk.take_in([post()], at=NOW + timedelta(minutes=2))
    desk.score(now=NOW + timedelta(minutes=3))
    tree = desk.trace(first.score_id, now=NOW + timedelta(minutes=4))
    assert tree.missing
    assert len(find(tree, "item")) == 4


def test_words_changed_in_the_lake_show(desk: MemoryDesk) -> None:
    score = desk.score()
    (key,) = desk.ports.raw.keys(NOW - timedelta(hours=1))
    batch = desk.ports.raw.get(key)
    forged = msgspec.structs.replace(batch.items[0], text="$BEACON is a fraud")
    changed = msgspec.structs.replace(batch, items=[forged, *batch.items[1:]])

    class Forged:
        """A lake in which one post was edited."""

        def get(self, _key: str) -> Any:
            return changed

        def keys(self, since: Any) -> Any:
            return desk.ports.raw.keys(since)

    object.__setattr__(desk.trace, "raw", Forged())
    tree = desk.trace(score.score_id, now=NOW)
    assert sorted(str(signal.intact) for signal in find(tree, "signal")) == ["False", "True", "True", "True"]
    assert any("changed since" in line for line in tree_lines(tree))


def test_only_the_heaviest_signals_are_shown_and_the_rest_counted(desk: MemoryDesk) -> None:
    object.__setattr__(desk.trace, "most_signals", 2)
    tree = desk.trace(desk.score().score_id, now=NOW)
    assert len(find(tree, "signal")) == 2
    assert tree.left_out == 2
    assert any("2 further signals" in line for line in tree_lines(tree))


def test_a_subject_that_is_gone_is_said_to_be_missing(desk: MemoryDesk) -> None:
    outcome = outcome_of(desk.score(), scope="proposal", subject="01ARYZ6S410000000000000000")
    desk.ports.outcomes.put([outcome])
    (subject,) = desk.trace(outcome.outcome_id, now=NOW).children
    assert (subject.kind, subject.missing) == ("proposal", True)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nonsense",
        "x-" + "0" * 32,
        "01ARYZ6S410000000000000000",
        "01ARYZ6S410000000000000000/1",
        "score:BEACON:20200101T000000.000000Z:1:0123456789abcdef",
        "BEACON#20261120#2026-11-20T12:00:00.000000Z#sentiment#x-0",
        "o-" + "0" * 24,
    ],
)
def test_an_id_of_nothing_is_not_found(desk: MemoryDesk, name: str) -> None:
    with pytest.raises(NotFound):
        desk.trace(name, now=NOW)
