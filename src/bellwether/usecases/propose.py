"""Turning scores into proposals: sized, risk-checked, written to the ledger, or a reason why not."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from msgspec import Meta, Struct, structs

from bellwether.domain.drafts import Terms, Without, drafted, with_proposal
from bellwether.domain.entities import Symbol
from bellwether.domain.ids import ulid
from bellwether.domain.items import Instant
from bellwether.domain.ledger import Entry
from bellwether.domain.problems import Conflict
from bellwether.domain.proposals import Proposal
from bellwether.domain.rights import User
from bellwether.domain.risk_order import Situation
from bellwether.domain.scores import Score
from bellwether.usecases.ports import (
    Announcements,
    Counts,
    DeskControls,
    Entities,
    Lake,
    Ledger,
    Prices,
    Proposals,
)
from bellwether.usecases.record import ATTEMPTS, Recorder
from bellwether.usecases.score import ScoreAnswer, ScoreRequest
from bellwether.usecases.situation import SituationReader, moment

TAIL = 20
JUST_NOW = timedelta(minutes=1)


class ProposeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which portfolio to propose; all tracked assets, the next trading day and now by default."""

    portfolio: Annotated[str, Meta(min_length=1, max_length=80)]
    assets: Annotated[list[Symbol], Meta(min_length=1, max_length=500)] | None = None
    horizon: Annotated[int, Meta(ge=1, le=252)] = 1
    as_of: Instant | None = None


class ProposeAnswer(Struct, frozen=True, kw_only=True):
    """What was proposed, strongest edge first, and for every other asset the reason."""

    proposals: list[Proposal]
    without: list[Without]


class Scoring(Protocol):
    """The scoring use case."""

    def __call__(self, request: ScoreRequest, *, now: datetime, keep: bool = True) -> ScoreAnswer:
        """Scores of the request's assets."""


@dataclass
class _Round:
    """What changes while one request works through its assets."""

    user: User
    now: datetime
    first_at: datetime
    request: ProposeRequest
    head: Entry | None
    situation: Situation
    made: list[Proposal] = field(default_factory=list)
    without: list[Without] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Propose:
    """`POST /propose`."""

    score: Scoring
    entities: Entities
    prices: Prices
    controls: DeskControls
    lake: Lake
    ledger: Ledger
    proposals: Proposals
    announce: Announcements
    counts: Counts

    def __call__(
        self, request: ProposeRequest, *, user: User, now: datetime, first_at: datetime | None = None
    ) -> ProposeAnswer:
        """Proposes; the strongest edges come first because all share the portfolio's limits.

        The same user's same request of the same `first_at` (by default `now`) gives the proposals it made
        before again, so that a call that was cut off can be repeated; what it makes is made as of `now`.
        Raises `Forbidden`, `InvalidInput`, `NotFound` (portfolio), `Conflict`
        when other writers keep the ledger busy.
        """
        user.require("propose")
        asked = ScoreRequest(assets=request.assets, horizon=request.horizon, as_of=request.as_of)
        # Read before scoring, so that a portfolio that does not exist costs no scores.
        head = self._recorder.caught_up()
        situation = self._situation(
            request, request.assets or [a.symbol for a in self.entities.assets()], now
        )
        scores = self.score(asked, now=now).scores
        this = _Round(
            user=user, now=now, first_at=first_at or now, request=request, head=head, situation=situation
        )
        for score in sorted(scores, key=lambda s: (-abs(s.edge or 0.0), s.asset)):
            self._consider(score, this)
        self._count(this)
        return ProposeAnswer(proposals=this.made, without=sorted(this.without, key=lambda w: w.asset))

    def _consider(self, score: Score, this: _Round) -> None:
        proposal_id = proposal_id_of(score.asset, this.request, this.user, this.first_at)
        earlier = self._made_before(proposal_id, this)
        if earlier is not None:
            this.made.append(earlier)
            return
        terms = Terms(
            proposal_id=proposal_id,
            portfolio=this.request.portfolio,
            proposed_by=this.user.username,
            now=this.now,
        )
        for _ in range(ATTEMPTS):
            made = drafted(score, this.situation, terms)
            if isinstance(made, Without):
                this.without.append(made)
                return
            entry = self._recorder.append(
                this.head, at=this.now, kind="proposal", subject=proposal_id, record=made
            )
            if entry is not None:
                this.head = entry
                this.made.append(made)
                this.situation = with_proposal(this.situation, made)
                return
            this.head = self._recorder.caught_up()
            symbols = list(this.situation.book.market.histories)
            this.situation = self._situation(this.request, symbols, this.now)
        raise Conflict(f"the ledger was busy {ATTEMPTS} times in a row; {len(this.made)} proposals were made")

    def _made_before(self, proposal_id: str, this: _Round) -> Proposal | None:
        """What an earlier try of the request made of the asset, whatever became of it since."""
        for proposal in this.situation.open_proposals:
            if proposal.proposal_id == proposal_id:
                return proposal
        found = self.proposals.get(proposal_id) if this.first_at != this.now else None
        if found is None:
            return None
        proposal, decisions = found
        return structs.replace(proposal, status=decisions[-1].status if decisions else proposal.status)

    def _situation(self, request: ProposeRequest, symbols: Sequence[str], now: datetime) -> Situation:
        read = SituationReader(
            entities=self.entities,
            prices=self.prices,
            controls=self.controls,
            proposals=self.proposals,
            lake=self.lake,
        )
        return read(
            request.portfolio,
            symbols=symbols,
            as_of=moment(request.as_of, now),
            now=now,
            newest=self._newest(now),
        )

    def _newest(self, now: datetime) -> list[str]:
        """Ids of the proposals written in the last minute, from the ledger's end."""
        head = self.ledger.head()
        if head is None or now - head.at > JUST_NOW:
            return []
        tail = self.ledger.entries(after=max(0, head.sequence - TAIL))
        return [e.subject for e in tail if e.kind == "proposal" and now - e.at <= JUST_NOW]

    @property
    def _recorder(self) -> Recorder:
        return Recorder(ledger=self.ledger, proposals=self.proposals, announce=self.announce)

    def _count(self, this: _Round) -> None:
        refused = Counter(without.code for without in this.without)
        counts = {
            f'bellwether_proposals_refused_total{{code="{code}"}}': float(n) for code, n in refused.items()
        }
        if this.made:
            counts["bellwether_proposals_total"] = float(len(this.made))
        if counts:
            self.counts.add(counts)


def proposal_id_of(asset: str, request: ProposeRequest, user: User, first_at: datetime) -> str:
    """A ULID of `first_at`, its random part a hash of who asked for what: a repeated call repeats it."""
    asked = "\x00".join((user.username, request.portfolio, asset, repr(request.horizon), repr(request.as_of)))
    return ulid(first_at, hashlib.sha256(f"{asked}\x00{first_at.isoformat()}".encode()).digest()[:10])
