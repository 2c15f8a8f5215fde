"""What became of a forecast: the return that could be had after it, against the other assets, agent by agent.

Entry is the adjusted open of the first bar whose UTC day begins at or after the forecast was made (the
close before it has passed when the forecast is out, that open has not); exit is the adjusted open `horizon`
bars later. Both bars must have been complete at `now`, so that nothing that is not known yet is ever read.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from bellwether.domain.log_odds import log_odds, probability
from bellwether.domain.outcomes import Attribution, Outcome, Scope, outcome_id
from bellwether.domain.portfolio_value import direction
from bellwether.domain.prices import History
from bellwether.domain.proposals import Proposal
from bellwether.domain.scores import Contribution, Score

PATIENCE_DAYS = 10
"""Calendar days beyond the horizon after which bars that do not come are called missing."""

Resolution = Literal["waiting", "no_entry_price", "no_exit_price"]


class ForwardReturn(Struct, frozen=True):
    """A return between two opens, as a decimal."""

    entry_date: date
    exit_date: date
    value: float


class Skipped(Struct, frozen=True, kw_only=True):
    """A forecast that will not be resolved, or not with the prices there are."""

    subject: str
    asset: str
    code: str
    reason: str


Benchmark = Callable[[date, date], float | None]


def forward_return(
    history: History, start: datetime, horizon: int, *, now: datetime
) -> ForwardReturn | Resolution:
    """The return over `horizon` bars after `start`, from bars complete at `now`, or why there is none."""
    known = history.known_rows(now)
    entry = history.first_row_after(start)
    if entry >= known:
        late = now > start + timedelta(days=PATIENCE_DAYS)
        return "no_entry_price" if late else "waiting"
    leave = entry + horizon
    if leave >= known:
        # Five bars a week; holidays and the time until the last bar is known are in the patience.
        due = start + timedelta(days=horizon * 7 / 5 + PATIENCE_DAYS)
        return "no_exit_price" if now > due else "waiting"
    paid, got = history.adjusted_open(entry), history.adjusted_open(leave)
    return ForwardReturn(history.dates[entry], history.dates[leave], got / paid - 1)


def equal_weight(histories: Mapping[str, History]) -> Benchmark:
    """The mean return of the assets that have both bars, `None` below two; remembers its answers."""
    answers: dict[tuple[date, date], float | None] = {}

    def benchmark(entry: date, leave: date) -> float | None:
        if (entry, leave) not in answers:
            returns = []
            for history in histories.values():
                first, last = history.row_of(entry), history.row_of(leave)
                if first is not None and last is not None:
                    returns.append(history.adjusted_open(last) / history.adjusted_open(first) - 1)
            answers[entry, leave] = sum(returns) / len(returns) if len(returns) > 1 else None
        return answers[entry, leave]

    return benchmark


def subject_key(score: Score) -> str:
    """What makes two kept forecasts the same: asset, UTC day of `as_of` and horizon."""
    return f"{score.asset}:{score.as_of:%Y%m%d}:{score.horizon}"


def resolve_score(score: Score, realised: ForwardReturn, benchmark: Benchmark, *, now: datetime) -> Outcome:
    """The outcome of a kept forecast. The score must not abstain (`ValueError`)."""
    return _outcome("score", score.score_id, subject_key(score), score, realised, benchmark, now)


def resolve_proposal(
    proposal: Proposal, realised: ForwardReturn, benchmark: Benchmark, *, now: datetime
) -> Outcome:
    """The outcome of a proposal, whatever was decided: what it made, or would have made."""
    sign, ret = direction(proposal.side), realised.value
    identity = proposal.proposal_id
    outcome = _outcome("proposal", identity, identity, proposal.score, realised, benchmark, now)
    return replace(
        outcome,
        status=proposal.status,
        side=proposal.side,
        hit=sign * ret > 0,
        profit=sign * ret * proposal.notional - proposal.expected_cost,
    )


def _outcome(
    scope: Scope,
    subject: str,
    identity: str,
    score: Score,
    realised: ForwardReturn,
    benchmark: Benchmark,
    now: datetime,
) -> Outcome:
    if score.p_up is None:
        raise ValueError(f"{score.score_id} abstains: there is nothing to resolve")
    market = benchmark(realised.entry_date, realised.exit_date)
    went_up = realised.value > 0
    return Outcome(
        outcome_id=outcome_id(scope, identity),
        evaluated_at=now,
        scope=scope,
        subject=subject,
        asset=score.asset,
        as_of=score.as_of,
        horizon=score.horizon,
        entry_date=realised.entry_date,
        exit_date=realised.exit_date,
        p_up=score.p_up,
        base_rate=score.base_rate,
        raw_return=realised.value,
        benchmark_return=market,
        relative_return=None if market is None else realised.value - market,
        went_up=went_up,
        hit=(score.p_up > 0.5) == went_up,
        brier=(score.p_up - went_up) ** 2,
        status=None,
        side=None,
        profit=None,
        attribution=attributed(score.contributions, score.base_rate, realised.value),
    )


def attributed(
    contributions: Sequence[Contribution], base_rate: float, raw_return: float
) -> tuple[Attribution, ...]:
    """Each agent's own forecast, its Brier score, and its share of the return by what it moved the score.

    Agents that abstained or had no evidence made no forecast. Shares add up to at most the return, with an
    agent that pulled against the others counting against it.
    """
    spoke = [c for c in contributions if c.abstained is None and c.evidence > 0]
    moved = sum(abs(c.share) for c in spoke)
    parts = []
    for c in spoke:
        p = probability(log_odds(base_rate) + c.log_odds)
        parts.append(
            Attribution(
                agent_id=c.agent_id,
                agent_version=c.agent_version,
                p_up=p,
                weight=c.weight,
                brier=(p - (raw_return > 0)) ** 2,
                return_share=raw_return * c.share / moved if moved else 0.0,
            )
        )
    return tuple(parts)
