"""The use case: once each, in the ledger, without a look ahead, with track records and new versions."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bellwether.adapters.memory.signals import MemoryForecasts
from bellwether.domain.ledger import first_broken_link
from bellwether.domain.outcomes import Outcome, outcomes_of
from bellwether.domain.problems import InvalidInput
from bellwether.domain.scores import Score
from bellwether.usecases.decide import DecisionRequest
from bellwether.usecases.evaluate import LATEST, Evaluate, EvaluateRequest, Report
from tests.unit.trading import APPROVER, NOW, Desk, bars, desk, score, wave

SOON = NOW + timedelta(days=10)


def evaluating(made: Desk, kept: MemoryForecasts) -> Evaluate:
    return Evaluate(
        entities=made.entities,
        prices=made.prices,
        configs=made.configs,
        controls=made.controls,
        ledger=made.ledger,
        proposals=made.proposals,
        outcomes=made.outcomes,
        forecasts=kept,
        announce=made.announce,
        lake=made.lake,
        counts=made.counts,
    )


def keeping(*scores: Score) -> MemoryForecasts:
    kept = MemoryForecasts()
    for number, made in enumerate(scores):
        kept.keep([msgspec.json.encode(made)], f"{made.as_of:%Y/%m/%d}/{number}.ndjson")
    return kept


def grown(*symbols: str, until: datetime = SOON) -> Desk:
    """A desk whose bars go on until `until`."""
    made = desk(*symbols)
    for symbol in symbols or ("ACME",):
        made.prices.merge(bars(symbol, wave(330), last=until.date() - timedelta(days=1)))
    return made


EVERYTHING = EvaluateRequest()


@pytest.mark.req("A8")
def test_a_kept_score_becomes_an_outcome_once() -> None:
    made, kept = grown("ACME", "OTHER"), keeping(score())
    evaluate = evaluating(made, kept)
    answer = evaluate(EVERYTHING, now=SOON)
    (outcome,) = answer.outcomes
    assert (answer.resolved, answer.waiting, answer.more) == (1, 0, False)
    history = made.prices.history("ACME")
    row = history.dates.index(outcome.entry_date)
    assert outcome.entry_date > NOW.date()
    assert outcome.raw_return == pytest.approx(history.open[row + 1] / history.open[row] - 1)
    assert outcome.benchmark_return is not None
    assert outcome.brier == pytest.approx((0.56 - outcome.went_up) ** 2)
    assert {r.agent_id for r in answer.track_records} >= {"sentiment", "momentum", "attention"}

    again = evaluate(EVERYTHING, now=SOON + timedelta(hours=1))
    assert (again.resolved, again.outcomes) == (0, [outcome])
    entries = list(made.ledger.entries())
    assert [e.kind for e in entries] == ["outcome"]
    assert outcomes_of(entries[0].body) == [outcome]
    assert first_broken_link(entries) is None
    assert made.announce.announced == [1]


def test_a_proposal_is_evaluated_whatever_was_decided_and_expires_first() -> None:
    made = grown()
    proposal = made.proposed()
    answer = evaluating(made, keeping())(EVERYTHING, now=SOON)
    (outcome,) = answer.outcomes
    assert answer.expired == [proposal.proposal_id]
    assert (outcome.scope, outcome.subject, outcome.status) == ("proposal", proposal.proposal_id, "expired")
    assert outcome.profit == pytest.approx(outcome.raw_return * proposal.notional - proposal.expected_cost)


def test_an_approved_proposal_enters_after_its_approval() -> None:
    made = grown()
    proposal = made.proposed()
    decided = NOW + timedelta(hours=20)
    request = DecisionRequest(
        proposal_id=proposal.proposal_id, content_hash=proposal.content_hash, action="approve", reason="yes"
    )
    made.decide(request, user=APPROVER, now=decided)
    (outcome,) = evaluating(made, keeping())(EVERYTHING, now=SOON).outcomes
    assert outcome.status == "approved"
    assert outcome.entry_date > decided.date() > proposal.as_of.date()


def test_the_days_last_score_of_an_asset_and_horizon_counts() -> None:
    early = score(score_id="early", as_of=NOW - timedelta(hours=2), p_up=0.4)
    late = score(score_id="late", p_up=0.6)
    other = score(score_id="h5", horizon=5)
    answer = evaluating(grown(), keeping(late, early, other))(EVERYTHING, now=SOON)
    assert sorted(o.subject for o in answer.outcomes) == ["h5", "late"]


def test_what_is_not_over_waits_and_what_never_will_be_says_so() -> None:
    made = grown("ACME")
    kept = keeping(score(horizon=20), score("GONE"), score(p_up=None, edge=None, horizon=3))
    answer = evaluating(made, kept)(EVERYTHING, now=NOW + timedelta(days=12))
    assert (answer.resolved, answer.waiting) == (0, 1)
    (skipped,) = answer.skipped
    assert (skipped.asset, skipped.code) == ("GONE", "no_entry_price")


def test_scope_and_interval_choose() -> None:
    made = grown()
    made.proposed()
    evaluate = evaluating(made, keeping(score()))
    only = EvaluateRequest(first=NOW - timedelta(days=1), last=SOON, scope="score")
    assert [o.scope for o in evaluate(only, now=SOON).outcomes] == ["score"]
    earlier = EvaluateRequest(first=NOW - timedelta(days=9), last=NOW - timedelta(days=1))
    assert evaluate(earlier, now=SOON).outcomes == []
    with pytest.raises(InvalidInput, match="after"):
        evaluate(EvaluateRequest(first=SOON, last=NOW), now=SOON)
    asked = msgspec.json.decode(
        b'{"from": "2026-01-01T00:00:00Z", "scope": "proposal"}', type=EvaluateRequest
    )
    assert asked.first is not None


def test_more_outcomes_than_an_entry_holds_fill_several() -> None:
    made = grown()
    scores = [score(score_id=f"s{n}", horizon=1, as_of=NOW - timedelta(days=n)) for n in range(150)]
    first = EvaluateRequest(first=NOW - timedelta(days=200))
    answer = evaluating(made, keeping(*scores))(first, now=SOON)
    assert answer.resolved == 150
    entries = list(made.ledger.entries())
    assert [len(outcomes_of(e.body)) for e in entries] == [100, 50]
    assert first_broken_link(entries) is None
    assert made.counts.totals()["bellwether_evaluations_total"] == 1


def test_an_agent_that_was_right_earns_a_version_that_says_why() -> None:
    made = grown()
    scores = [score(score_id=f"s{n}", as_of=NOW - timedelta(days=n)) for n in range(150)]
    evaluate = evaluating(made, keeping(*scores))
    answer = evaluate(EvaluateRequest(first=NOW - timedelta(days=200)), now=SOON)
    (config,) = answer.configs
    assert (config.agent_id, config.version, config.created_at) == ("sentiment", 1, SOON)
    assert "150 outcomes" in config.reason
    assert made.configs.current()["sentiment"] == config
    again = evaluate(EvaluateRequest(first=NOW - timedelta(days=200)), now=SOON + timedelta(minutes=1))
    assert again.configs == []


def test_the_report_is_kept_under_eval() -> None:
    made = grown()
    answer = evaluating(made, keeping(score()))(EVERYTHING, now=SOON)
    assert answer.report == "eval/2026/03/14/150000.json"
    for key in (answer.report, LATEST):
        content = made.lake.get(key)
        assert content is not None
        report = msgspec.json.decode(content, type=Report)
        assert (report.at, report.resolved, report.calibration.n) == (SOON, 1, 1)
        assert report.track_records == answer.track_records


def test_an_outcome_only_the_ledger_knows_is_not_written_twice() -> None:
    """The process died between the ledger and the table: the next evaluation repairs the table first."""
    made, kept = grown(), keeping(score())
    evaluating(made, kept)(EVERYTHING, now=SOON)
    made.outcomes.__init__()  # type: ignore[misc]
    answer = evaluating(made, kept)(EVERYTHING, now=SOON + timedelta(minutes=1))
    assert answer.resolved == 0
    assert len(answer.outcomes) == 1
    assert len(list(made.ledger.entries())) == 1


def test_racing_evaluations_write_each_outcome_once() -> None:
    made = grown()
    kept = keeping(*(score(score_id=f"s{n}", as_of=NOW - timedelta(days=n)) for n in range(150)))
    start = Barrier(4)

    def run(number: int) -> list[Outcome]:
        start.wait()
        request = EvaluateRequest(first=NOW - timedelta(days=200))
        evaluating(made, kept)(request, now=SOON + timedelta(seconds=number))
        return []

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    ids = [o.outcome_id for e in made.ledger.entries() for o in outcomes_of(e.body)]
    assert len(ids) == len(set(ids)) == 150
    assert first_broken_link(made.ledger.entries()) is None


@settings(max_examples=25)
@given(closes=st.lists(st.floats(1, 1000), min_size=10, max_size=10), days=st.integers(0, 8))
def test_bars_and_scores_after_now_change_no_outcome(closes: list[float], days: int) -> None:
    now = NOW + timedelta(days=days)

    def resolved(tail: list[float], *more: Score) -> Any:
        made = desk("ACME", "OTHER")
        for symbol in ("ACME", "OTHER"):
            made.prices.merge(bars(symbol, [*wave(310), *tail], last=NOW.date() + timedelta(days=9)))
        kept = keeping(score(), score("OTHER", horizon=2), *more)
        answer = evaluating(made, kept)(EvaluateRequest(last=now), now=now)
        return msgspec.to_builtins([answer.outcomes, answer.track_records, answer.configs])

    future = score(score_id="later", as_of=now + timedelta(hours=1))
    known = bars("ACME", [1.0] * 10, last=NOW.date() + timedelta(days=9)).known_rows(now)
    plain = wave(320)[310:]
    assert resolved(plain) == resolved([*plain[:known], *closes[known:]], future)


def test_an_outcome_is_linked_back_to_its_subject() -> None:
    made = grown()
    kept = keeping(structs.replace(score(), score_id="score:ACME:x"))
    (outcome,) = evaluating(made, kept)(EVERYTHING, now=SOON).outcomes
    assert outcome.subject == "score:ACME:x"
    assert made.outcomes.get(outcome.outcome_id) == outcome
