"""The dashboard's summary: a bounded number of reads, whatever the desk has seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from bellwether.agents.registry import with_defaults
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import Calibration
from bellwether.domain.counters import spend, summed
from bellwether.domain.evaluation import subject_key
from bellwether.domain.items import Instant
from bellwether.domain.limits import read_controls
from bellwether.domain.outcomes import AgentTrackRecord, Outcome, outcome_id
from bellwether.domain.proposals import DeskState, Proposal, Status
from bellwether.domain.provider_terms import Terms
from bellwether.domain.reliability import reliability_of, track_record_of
from bellwether.domain.scores import Score, TrackRecord
from bellwether.usecases.evaluate import LATEST, Report
from bellwether.usecases.ports import (
    AgentConfigs,
    Counts,
    DeskControls,
    Entities,
    Forecasts,
    Lake,
    Outcomes,
    Proposals,
    ProviderRecords,
)
from bellwether.usecases.provider_status import ProviderStatus, provider_statuses

SCORES_SINCE = timedelta(hours=48)
MOST_SCORES = 200
MOST_PROPOSALS = 50
MOST_OUTCOMES = 50
STATUSES: tuple[Status, ...] = ("pending", "approved")


class Desk(Struct, frozen=True, kw_only=True):
    """State of the desk and why."""

    state: DeskState
    kill_switch: bool
    reason: str


class LatestScore(Struct, frozen=True, kw_only=True):
    """The newest kept score of an asset and horizon."""

    score_id: str
    asset: str
    as_of: Instant
    horizon: int
    p_up: float | None
    edge: float | None
    interval: tuple[float, float] | None
    n_eff: float
    track_record: TrackRecord
    explanation: str
    outcome_id: str


class ProposalLine(Struct, frozen=True, kw_only=True):
    """A proposal with the ids of its chain: back to the signals behind it, forth to its outcome.

    `outcome_id` is the id the outcome has or will have; `resolved` says whether it is there.
    """

    proposal_id: str
    created_at: Instant
    as_of: Instant
    expires_at: Instant
    asset: str
    side: str
    quantity: float
    notional: float
    limit_price: float
    portfolio: str
    proposed_by: str
    status: Status
    content_hash: str
    p_up: float | None
    score_id: str
    signal_ids: tuple[str, ...]
    outcome_id: str
    resolved: bool


class OutcomeLine(Struct, frozen=True, kw_only=True):
    """An outcome and what it is the outcome of."""

    outcome_id: str
    scope: str
    subject: str
    asset: str
    as_of: Instant
    evaluated_at: Instant
    horizon: int
    p_up: float
    raw_return: float
    relative_return: float | None
    hit: bool
    brier: float
    profit: float | None
    status: str | None


class AgentLine(Struct, frozen=True, kw_only=True):
    """An agent, the version in force, and its track record of the last evaluation (`None` before any)."""

    agent_id: str
    version: int
    enabled: bool
    track_record: TrackRecord
    reliability: float
    record: AgentTrackRecord | None


class Summary(Struct, frozen=True, kw_only=True):
    """`GET /dashboard/summary`. `providers` holds the providers something was asked of or that are off,
    `spend` counters of money and tokens by name.

    `calibration` and the agents' records are those of the last evaluation, `None` before the first.
    """

    at: Instant
    desk: Desk
    counts: dict[str, float]
    scores: list[LatestScore]
    proposals: list[ProposalLine]
    outcomes: list[OutcomeLine]
    calibration: Calibration | None
    agents: list[AgentLine]
    providers: list[ProviderStatus]
    spend: dict[str, float]
    evaluated_at: Instant | None


@dataclass(frozen=True, kw_only=True)
class Summarise:
    """Reads indexes, counters and the last evaluation's report; never a whole table."""

    entities: Entities
    configs: AgentConfigs
    controls: DeskControls
    proposals: Proposals
    outcomes: Outcomes
    forecasts: Forecasts
    lake: Lake
    counts: Counts
    records: ProviderRecords
    terms: Mapping[str, Terms]

    def __call__(self, *, now: datetime) -> Summary:
        """What the desk is and does at `now`."""
        controls = read_controls(self.controls.controls())
        totals = self.counts.totals()
        report = self._report()
        recent = self.outcomes.evaluated_before(now, limit=MOST_OUTCOMES)
        proposals = [p for status in STATUSES for p in self.proposals.with_status(status, MOST_PROPOSALS)]
        return Summary(
            at=now,
            desk=Desk(state=controls.desk_state, kill_switch=controls.kill_switch, reason=controls.reason),
            counts=self._counts(totals, proposals),
            scores=self._scores(now),
            proposals=self._lines(proposals),
            outcomes=[_outcome_line(outcome) for outcome in recent],
            calibration=report.calibration if report else None,
            agents=_agents(with_defaults(self.configs.current()), report),
            providers=[
                told
                for told in provider_statuses(self.records.all(), self.terms, totals, now)
                if told.state != "idle"
            ],
            spend=spend(totals),
            evaluated_at=report.at if report else None,
        )

    def _counts(self, totals: Mapping[str, float], proposals: list[Proposal]) -> dict[str, float]:
        counts = summed(totals)
        counts["tracked_assets"] = float(len(self.entities.assets()))
        for status in STATUSES:
            counts[f"{status}_proposals"] = float(sum(p.status == status for p in proposals))
        return counts

    def _scores(self, now: datetime) -> list[LatestScore]:
        newest: dict[tuple[str, int], Score] = {}
        for line in self.forecasts.between(now - SCORES_SINCE, now):
            score = msgspec.json.decode(line, type=Score)
            known = newest.get((score.asset, score.horizon))
            if known is None or known.as_of <= score.as_of:
                newest[score.asset, score.horizon] = score
        ordered = sorted(newest.values(), key=lambda s: (-abs(s.edge or 0.0), s.asset, s.horizon))
        return [_score_line(score) for score in ordered[:MOST_SCORES]]

    def _lines(self, proposals: list[Proposal]) -> list[ProposalLine]:
        ids = [outcome_id("proposal", p.proposal_id) for p in proposals]
        resolved = self.outcomes.known(ids) if ids else set()
        return [_proposal_line(p, one, one in resolved) for p, one in zip(proposals, ids, strict=True)]

    def _report(self) -> Report | None:
        content = self.lake.get(LATEST)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=Report)
        except msgspec.ValidationError:
            # Written by another release: the next evaluation replaces it.
            return None


def _score_line(score: Score) -> LatestScore:
    return LatestScore(
        score_id=score.score_id,
        asset=score.asset,
        as_of=score.as_of,
        horizon=score.horizon,
        p_up=score.p_up,
        edge=score.edge,
        interval=score.interval,
        n_eff=score.n_eff,
        track_record=score.track_record,
        explanation=score.explanation,
        outcome_id=outcome_id("score", subject_key(score)),
    )


def _proposal_line(proposal: Proposal, identity: str, resolved: bool) -> ProposalLine:
    contributions = proposal.score.contributions
    return ProposalLine(
        proposal_id=proposal.proposal_id,
        created_at=proposal.created_at,
        as_of=proposal.as_of,
        expires_at=proposal.expires_at,
        asset=proposal.asset,
        side=proposal.side,
        quantity=proposal.quantity,
        notional=proposal.notional,
        limit_price=proposal.limit_price,
        portfolio=proposal.portfolio,
        proposed_by=proposal.proposed_by,
        status=proposal.status,
        content_hash=proposal.content_hash,
        p_up=proposal.score.p_up,
        score_id=proposal.score.score_id,
        signal_ids=tuple(dict.fromkeys(s for c in contributions for s in c.signal_ids)),
        outcome_id=identity,
        resolved=resolved,
    )


def _outcome_line(outcome: Outcome) -> OutcomeLine:
    return OutcomeLine(**{name: getattr(outcome, name) for name in OutcomeLine.__struct_fields__})


def _agents(configs: Mapping[str, AgentConfig], report: Report | None) -> list[AgentLine]:
    records = {record.agent_id: record for record in (report.track_records if report else [])}
    return [
        AgentLine(
            agent_id=agent_id,
            version=config.version,
            enabled=config.enabled,
            track_record=track_record_of(config),
            reliability=reliability_of(config),
            record=records.get(agent_id),
        )
        for agent_id, config in sorted(configs.items())
    ]
