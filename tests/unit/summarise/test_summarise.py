"""The summary: everything a dashboard opens with, from a bounded number of reads."""

from datetime import timedelta

import msgspec
import pytest

from bellwether.adapters.memory import MemoryProviderRecords
from bellwether.adapters.memory.signals import MemoryForecasts
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.counters import named, spend, summed
from bellwether.usecases.evaluate import EvaluateRequest
from bellwether.usecases.summarise import Summarise, Summary
from tests.unit.evaluate.test_evaluate import evaluating, grown, keeping
from tests.unit.trading import NOW, Desk, desk, score

SOON = NOW + timedelta(days=10)


def summarising(made: Desk, kept: MemoryForecasts) -> Summarise:
    return Summarise(
        entities=made.entities,
        configs=made.configs,
        controls=made.controls,
        proposals=made.proposals,
        outcomes=made.outcomes,
        forecasts=kept,
        lake=made.lake,
        counts=made.counts,
        records=MemoryProviderRecords(),
        terms=TERMS,
    )


@pytest.mark.req("A9")
def test_a_new_desk_has_a_summary_without_inventions() -> None:
    summary = summarising(Desk(), keeping())(now=NOW)
    assert (summary.desk.state, summary.evaluated_at, summary.calibration) == ("ACTIVE", None, None)
    assert (summary.scores, summary.proposals, summary.outcomes) == ([], [], [])
    assert summary.counts == {"tracked_assets": 0, "pending_proposals": 0, "approved_proposals": 0}
    assert all(agent.record is None and agent.track_record == "unproven" for agent in summary.agents)
    assert {"sentiment", "momentum"} <= {agent.agent_id for agent in summary.agents}


def test_a_proposal_line_names_its_whole_chain() -> None:
    made = desk()
    proposal = made.proposed()
    (line,) = summarising(made, keeping())(now=NOW).proposals
    assert line.proposal_id == proposal.proposal_id
    assert line.content_hash == proposal.content_hash
    assert line.score_id == proposal.score.score_id
    assert line.signal_ids == ("ACME#20260304#one",)
    assert line.resolved is False
    assert summarising(made, keeping())(now=NOW).counts["pending_proposals"] == 1


def test_an_evaluated_desk_shows_outcomes_calibration_and_records() -> None:
    made, kept = grown(), keeping(score())
    proposal = made.proposed()
    evaluating(made, kept)(EvaluateRequest(), now=SOON)
    summary = summarising(made, kept)(now=SOON)
    assert summary.evaluated_at == SOON
    assert {(o.scope, o.asset) for o in summary.outcomes} == {("score", "ACME"), ("proposal", "ACME")}
    assert summary.calibration is not None
    assert summary.calibration.n == 1
    sentiment = next(agent for agent in summary.agents if agent.agent_id == "sentiment")
    assert sentiment.record is not None
    assert (sentiment.record.resolved, sentiment.version) == (1, 1)
    by_proposal = next(o for o in summary.outcomes if o.subject == proposal.proposal_id)
    assert by_proposal.status == "expired"
    assert msgspec.json.decode(msgspec.json.encode(summary), type=Summary) == summary


def test_scores_are_the_latest_of_each_asset_strongest_edge_first() -> None:
    kept = keeping(
        score("AAA", edge=0.01),
        score("BBB", edge=-0.04),
        score("AAA", edge=0.02, as_of=NOW - timedelta(hours=3), score_id="older"),
        score("OLD", as_of=NOW - timedelta(days=9)),
    )
    scores = summarising(desk(), kept)(now=NOW).scores
    assert [(s.asset, s.edge) for s in scores] == [("BBB", -0.04), ("AAA", 0.01)]


def test_the_desks_state_is_shown_with_its_reason() -> None:
    made = desk()
    made.controls.change({"kill_switch": True, "reason": "drill"}, NOW)
    shown = summarising(made, keeping())(now=NOW).desk
    assert (shown.state, shown.kill_switch, shown.reason) == ("HALTED", True, "drill")


def test_a_report_of_another_release_does_not_break_the_summary() -> None:
    made = desk()
    made.lake.put("eval/latest.json", b'{"at": "2026-01-01T00:00:00Z"}')
    assert summarising(made, keeping())(now=NOW).evaluated_at is None


def test_counters_are_grouped_by_name_and_money() -> None:
    totals = {
        'bellwether_items_total{kind="news"}': 3.0,
        'bellwether_items_total{kind="social"}': 4.0,
        'bellwether_provider_calls_total{outcome="ok",provider="gdelt"}': 7.0,
        'bellwether_provider_calls_total{outcome="error",provider="gdelt"}': 1.0,
        'bellwether_spend_dollars_total{provider="openai"}': 0.25,
        "bellwether_tokens_total": 1200.0,
        "bellwether_broken_tokenizers_total": 1.0,
    }
    assert named('bellwether_items_total{kind="news"}') == ("items", {"kind": "news"})
    assert named("uptime") == ("uptime", {})
    assert summed(totals)["items"] == 7.0
    assert spend(totals) == {"spend_dollars": 0.25, "tokens": 1200.0}
