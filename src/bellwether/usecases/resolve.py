"""Resolving forecasts whose horizon has passed, each once, with the bars complete at `now`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from bellwether.domain.evaluation import (
    Benchmark,
    Skipped,
    equal_weight,
    forward_return,
    resolve_proposal,
    resolve_score,
    subject_key,
)
from bellwether.domain.outcomes import Outcome, Scope, outcome_id
from bellwether.domain.prices import History
from bellwether.domain.proposals import Proposal, is_replayed
from bellwether.domain.scores import Score
from bellwether.usecases.ports import Entities, Forecasts, Outcomes, Prices, Proposals

MOST_RESOLVED = 2_000
ASKED_AT_ONCE = 100


@dataclass
class Found:
    """What was resolved, what was known before, what never will be, and how many forecasts are not over."""

    outcomes: list[Outcome] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    waiting: int = 0
    more: bool = False


@dataclass(frozen=True, kw_only=True)
class Resolve:
    """Reads proposals, kept scores and prices; writes nothing."""

    entities: Entities
    prices: Prices
    proposals: Proposals
    outcomes: Outcomes
    forecasts: Forecasts

    def __call__(self, scope: Scope | None, first: datetime, last: datetime, *, now: datetime) -> Found:
        """Outcomes of what was forecast from `first` to `last`, at most 2,000 new ones (`more` says so)."""

        subjects = list(self._subjects(scope, first, last))
        ids = [identity for identity, _ in subjects]
        known: set[str] = set()
        for start in range(0, len(ids), ASKED_AT_ONCE):
            known |= self.outcomes.known(ids[start : start + ASKED_AT_ONCE])
        found = Found(known=[identity for identity in ids if identity in known])
        histories = _Histories(self.prices)
        benchmark: Benchmark | None = None
        for identity, subject in subjects:
            if identity in known:
                continue
            if len(found.outcomes) >= MOST_RESOLVED:
                found.more = True
                break
            if benchmark is None:
                benchmark = equal_weight({a.symbol: histories[a.symbol] for a in self.entities.assets()})
            self._resolve(subject, histories, benchmark, found, now)
        return found

    def _subjects(
        self, scope: Scope | None, first: datetime, last: datetime
    ) -> Iterator[tuple[str, Proposal | Score]]:
        """Ids of outcomes and what they resolve, each once, oldest first within a scope."""
        if scope != "score":
            for proposal in self.proposals.decided_between(first, last):
                yield outcome_id("proposal", proposal.proposal_id), proposal
        if scope != "proposal":
            scores: dict[str, Score] = {}
            for line in self.forecasts.between(first, last):
                score = msgspec.json.decode(line, type=Score)
                earlier = scores.get(subject_key(score))
                if score.p_up is not None and (earlier is None or earlier.as_of <= score.as_of):
                    scores[subject_key(score)] = score
            for key, score in scores.items():
                yield outcome_id("score", key), score

    def _resolve(
        self,
        subject: Proposal | Score,
        histories: "_Histories",
        benchmark: Benchmark,
        found: Found,
        now: datetime,
    ) -> None:
        horizon = subject.score.horizon if isinstance(subject, Proposal) else subject.horizon
        history = histories[subject.asset]
        realised = forward_return(history, self._start(subject), horizon, now=now)
        if realised == "waiting":
            found.waiting += 1
        elif isinstance(realised, str):
            name = subject.proposal_id if isinstance(subject, Proposal) else subject.score_id
            last = history.dates[-1].isoformat() if history.dates else "never"
            reason = f"the bars of {subject.asset} end ({last}) before {horizon} trading days have passed"
            found.skipped.append(Skipped(subject=name, asset=subject.asset, code=realised, reason=reason))
        elif isinstance(subject, Proposal):
            found.outcomes.append(resolve_proposal(subject, realised, benchmark, now=now))
        else:
            found.outcomes.append(resolve_score(subject, realised, benchmark, now=now))

    def _start(self, subject: Proposal | Score) -> datetime:
        """When trading could begin: an approved proposal's approval, else when the forecast was made."""
        if isinstance(subject, Proposal) and subject.status == "approved" and not is_replayed(subject):
            found = self.proposals.get(subject.proposal_id)
            if found is not None and found[1]:
                return found[1][-1].decided_at
        return subject.as_of


class _Histories(dict[str, History]):
    """Histories, each read once when it is first needed."""

    def __init__(self, prices: Prices) -> None:
        super().__init__()
        self._prices = prices

    def __missing__(self, symbol: str) -> History:
        self[symbol] = self._prices.history(symbol)
        return self[symbol]
