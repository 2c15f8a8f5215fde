"""Records for the contract suite: complete, valid, and different where a test says so."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bellwether.domain.items import RawBatch, StoredItem
from bellwether.domain.ledger import GENESIS, Entry, content_hash, next_entry
from bellwether.domain.outcomes import Attribution, Outcome
from bellwether.domain.prices import History
from bellwether.domain.proposals import Decision, Proposal, RiskResult, Status
from bellwether.domain.scores import Concentration, Score
from bellwether.domain.signals import Signal
from bellwether.domain.state import AgentSums, AssetDay

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORDS = 'Zürich: Gewinn ↑ 12 % — 利益 «рост» 🚀 \x00 " \\'


def batch(batch_id: str = "b1", received_at: datetime = NOON, items: int = 2) -> RawBatch:
    return RawBatch(
        batch_id=batch_id,
        kind="news",
        received_at=received_at,
        submitted_by="ana",
        items=[
            StoredItem(
                item_id=f"rss-{number:032x}",
                kind="news",
                source="rss",
                source_id=f"https://example.org/{number}",
                published_at=received_at - timedelta(hours=1),
                observed_at=received_at,
                known_at=received_at,
                cluster_id=f"w-{number:024x}",
                text=f"{WORDS} {number}",
                engagement={"likes": 0.1 + 0.2},
            )
            for number in range(items)
        ],
    )


def signal(number: int = 0, *, asset: str = "AAPL", known: datetime = NOON, **changed: Any) -> Signal:
    made = Signal(
        asset=asset,
        agent_id="sentiment",
        agent_version=1,
        item_ids=(f"rss-{number:032x}",),
        event_time=known - timedelta(minutes=5),
        observed_time=known,
        horizon=1,
        p_up=0.1 + 0.2,
        quality=0.7,
        half_life=24.0,
        expires_at=known + timedelta(days=7),
        input_hash="a" * 64,
        rationale=WORDS,
        evidence=1 / 3,
    )
    return replace(made, **changed) if changed else made


def state(asset: str = "AAPL", day: str = "20261123", version: int = 1, items: int = 1) -> AssetDay:
    sums = AgentSums(half_life=24.0, weight=0.1 + 0.2, weighted_log_odds=-1e-17, signals=items)
    return AssetDay(
        asset=asset,
        day=day,
        version=version,
        agents={"sentiment@24.0": sums},
        items=items,
        authors={"ä" * 20: items},
    )


def history(symbol: str = "AAPL", first_day: int = 2, days: int = 3, close: float = 100.1) -> History:
    closes = [close + number for number in range(days)]
    dates = [datetime(2026, 11, first_day + number, tzinfo=UTC).date() for number in range(days)]
    return History(symbol, dates, closes, closes, closes, closes, closes, [1e6] * days)


def entry(sequence: int = 1, body: dict[str, Any] | None = None, kind: Any = "decision") -> Entry:
    """An entry of any sequence, for stores that do not check the chain."""
    body = body if body is not None else {"n": sequence}
    hashed = content_hash([sequence, body])
    return Entry(
        sequence=sequence,
        at=NOON,
        kind=kind,
        subject=f"s{sequence}",
        body=body,
        previous_hash=GENESIS,
        hash=hashed,
    )


def chain(length: int) -> list[Entry]:
    """A proper chain of entries."""
    entries: list[Entry] = []
    for number in range(length):
        last = entries[-1] if entries else None
        at = NOON + timedelta(seconds=number)
        entries.append(
            next_entry(last, at=at, kind="decision", subject=f"s{number}", record=decision("p", number))
        )
    return entries


def proposal(proposal_id: str = "01P", created_at: datetime = NOON, status: Status = "pending") -> Proposal:
    score = Score(
        score_id=f"sc-{proposal_id}",
        asset="AAPL",
        as_of=created_at,
        horizon=1,
        p_up=0.1 + 0.2,
        edge=None,
        base_rate=0.5,
        n_eff=1.5,
        disagreement=None,
        interval=(0.2, 0.4),
        contributions=(),
        track_record="unproven",
        concentration=Concentration(
            items=1, authors=1, top_author_share=1.0, top_cluster_share=1.0, young_author_share=0.0
        ),
    )
    risk = RiskResult(
        asset="AAPL",
        side="buy",
        quantity=3.0,
        allowed_quantity=3.0,
        verdict="pass",
        state="ACTIVE",
        checks=(),
        as_of=created_at,
    )
    return Proposal(
        proposal_id=proposal_id,
        created_at=created_at,
        asset="AAPL",
        side="buy",
        quantity=3.0,
        notional=1234.56,
        limit_price=411.52,
        score=score,
        sizing=(),
        expected_cost=1.1,
        price_as_of=created_at,
        as_of=created_at,
        expires_at=created_at + timedelta(days=1),
        proposed_by="ana",
        portfolio="main",
        content_hash="c" * 64,
        status=status,
        risk=risk,
    )


def decision(
    proposal_id: str = "01P",
    revision: int = 1,
    status: Status = "approved",
    decided_at: datetime = NOON + timedelta(minutes=1),
) -> Decision:
    return Decision(
        proposal_id=proposal_id,
        revision=revision,
        decided_at=decided_at,
        decided_by="ben",
        action="approve",
        status=status,
        reason=WORDS,
        content_hash="c" * 64,
    )


def outcome(number: int = 0, evaluated_at: datetime = NOON, **changed: Any) -> Outcome:
    made = Outcome(
        outcome_id=f"o-{number:024x}",
        evaluated_at=evaluated_at,
        scope="score",
        subject=f"sc-{number}",
        asset="AAPL",
        as_of=evaluated_at - timedelta(days=2),
        horizon=1,
        entry_date=(evaluated_at - timedelta(days=2)).date(),
        exit_date=(evaluated_at - timedelta(days=1)).date(),
        p_up=0.55,
        raw_return=0.1 + 0.2,
        benchmark_return=None,
        relative_return=None,
        went_up=True,
        hit=True,
        brier=0.2025,
        status=None,
        side=None,
        profit=None,
        attribution=(
            Attribution(
                agent_id="sentiment", agent_version=1, p_up=0.55, weight=0.3, brier=0.2, return_share=0.1
            ),
        ),
    )
    return replace(made, **changed) if changed else made
