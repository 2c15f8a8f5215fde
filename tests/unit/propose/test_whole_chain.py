"""Posts in, a decided and evaluated proposal out, every use case the real one, everything in memory."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.agents.text.model import SentimentModel
from bellwether.domain.entities import Asset, Portfolio
from bellwether.domain.ledger import first_broken_link
from bellwether.domain.prices import History
from bellwether.domain.rights import User
from bellwether.usecases.decide import Decide, DecisionRequest
from bellwether.usecases.evaluate import Evaluate, EvaluateRequest
from bellwether.usecases.ingest import Ingest
from bellwether.usecases.process_batch import ProcessBatch
from bellwether.usecases.propose import Propose, ProposeAnswer, ProposeRequest
from bellwether.usecases.score import ScoreAssets
from tests.desk.material import good_posts
from tests.unit.trading import bars, wave

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
ANALYST, APPROVER = User(username="ana", roles=("analyst",)), User(username="abe", roles=("approver",))


def ready() -> MemoryPorts:
    """A desk that tracks one asset, has its bars and sixty good posts about it."""
    ports = MemoryPorts()
    ports.entities.put("asset", "BEACON", Asset(symbol="BEACON", name="Beacon Industries", sector="Tests"))
    ports.entities.put("asset", "HARBOR", Asset(symbol="HARBOR", name="Harbor Industries", sector="Tests"))
    ports.entities.put("portfolio", "core", Portfolio(name="core", cash=1_000_000.0))
    for symbol, level in (("BEACON", 40.0), ("HARBOR", 45.0)):
        ports.prices.merge(bars(symbol, wave(level=level, drift=0.0004), last=NOW.date() - timedelta(days=1)))
    posts = [
        msgspec.Raw(msgspec.json.encode({**post, "published_at": (NOW - timedelta(minutes=5)).isoformat()}))
        for post in good_posts("BEACON", 60)
    ]
    ingest = Ingest(raw=ports.raw, claims=ports.claims, queue=ports.queue, counts=ports.counts, salt=b"s")
    answer = ingest(kind="social", items=posts, batch_id="B1", submitted_by="ana", received_at=NOW)
    assert answer.accepted == 60
    process = ProcessBatch(
        raw=ports.raw,
        claims=ports.claims,
        signals=ports.signals,
        states=ports.states,
        entities=ports.entities,
        configs=ports.configs,
        changes=ports.changes,
        counts=ports.counts,
        sentiment=SentimentModel.load(),
    )
    for message in ports.queue.sent:
        process(message, now=NOW)
    return ports


def proposed(ports: MemoryPorts, now: datetime) -> ProposeAnswer:
    score = ScoreAssets(
        states=ports.states,
        signals=ports.signals,
        entities=ports.entities,
        configs=ports.configs,
        prices=ports.prices,
        forecasts=ports.forecasts,
        changes=ports.changes,
    )
    propose = Propose(
        score=score,
        entities=ports.entities,
        prices=ports.prices,
        controls=ports.controls,
        lake=ports.lake,
        ledger=ports.ledger,
        proposals=ports.proposals,
        announce=ports.announce,
        counts=ports.counts,
    )
    return propose(ProposeRequest(portfolio="core"), user=ANALYST, now=now)


@pytest.mark.req("A2", "A4", "A5", "A6", "A7", "A8")
def test_posts_become_a_decided_proposal_and_an_outcome() -> None:
    ports, later = ready(), NOW + timedelta(minutes=1)
    answer = proposed(ports, later)
    (proposal,) = answer.proposals
    assert (proposal.asset, proposal.side) == ("BEACON", "buy")
    assert [w.asset for w in answer.without] == ["HARBOR"]
    decide = Decide(
        entities=ports.entities,
        prices=ports.prices,
        controls=ports.controls,
        lake=ports.lake,
        ledger=ports.ledger,
        proposals=ports.proposals,
        announce=ports.announce,
        counts=ports.counts,
    )
    request = DecisionRequest(
        proposal_id=proposal.proposal_id, content_hash=proposal.content_hash, action="approve", reason="broad"
    )
    assert decide(request, user=APPROVER, now=later).decision.status == "approved"

    grown: History = bars("BEACON", wave(330, level=40.0, drift=0.0004), last=NOW.date() + timedelta(days=9))
    ports.prices.merge(grown)
    evaluate = Evaluate(
        entities=ports.entities,
        prices=ports.prices,
        configs=ports.configs,
        controls=ports.controls,
        ledger=ports.ledger,
        proposals=ports.proposals,
        outcomes=ports.outcomes,
        forecasts=ports.forecasts,
        announce=ports.announce,
        lake=ports.lake,
        counts=ports.counts,
    )
    evaluated = evaluate(EvaluateRequest(), now=NOW + timedelta(days=10))
    assert {(o.scope, o.asset, o.status) for o in evaluated.outcomes} >= {
        ("proposal", "BEACON", "approved"),
        ("score", "BEACON", None),
    }
    assert any(r.agent_id == "sentiment" and r.resolved for r in evaluated.track_records)
    assert first_broken_link(ports.ledger.entries()) is None
    assert [entry.kind for entry in ports.ledger.entries()] == ["proposal", "decision", "outcome"]
