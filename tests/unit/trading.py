"""Bars, scores, portfolios and a whole desk in memory for the tests of the chain from a score on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bellwether.adapters.memory.feed import MemoryChanges, MemoryCounts
from bellwether.adapters.memory.lake import MemoryLake
from bellwether.adapters.memory.ledger import (
    MemoryAnnouncements,
    MemoryLedger,
    MemoryOutcomes,
    MemoryProposals,
)
from bellwether.adapters.memory.reference import (
    MemoryAgentConfigs,
    MemoryDeskControls,
    MemoryEntities,
    MemoryPrices,
)
from bellwether.domain.entities import Asset, Portfolio, Position
from bellwether.domain.limits import Controls
from bellwether.domain.portfolio_value import Market, valued
from bellwether.domain.prices import History
from bellwether.domain.proposals import Proposal
from bellwether.domain.rights import User
from bellwether.domain.risk_order import Situation
from bellwether.domain.scores import Concentration, Contribution, Score, TrackRecord
from bellwether.usecases.decide import Decide
from bellwether.usecases.propose import Propose, ProposeRequest
from bellwether.usecases.score import ScoreAnswer, ScoreRequest

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
ANALYST = User(username="ana", roles=("analyst",))
APPROVER = User(username="abe", roles=("approver",))
SECOND = User(username="sue", roles=("approver",))


def weekdays(last: date, count: int) -> list[date]:
    """The last `count` weekdays up to `last`."""
    days: list[date] = []
    day = last
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]


def bars(symbol: str, closes: Sequence[float], *, last: date, volume: float = 1_000_000.0) -> History:
    """Bars that open where they close."""
    days = weekdays(last, len(closes))
    prices = [float(c) for c in closes]
    return History(symbol, days, prices, prices, prices, prices, prices, [volume] * len(prices))


def wave(
    count: int = 320, *, level: float = 100.0, drift: float = 0.0006, size: float = 0.015
) -> list[float]:
    """Closes with a gentle trend and a wave: plenty of days either way."""
    return [level * math.exp(drift * n + size * math.sin(0.7 * n)) for n in range(count)]


def score(asset: str = "ACME", **changes: Any) -> Score:
    """A score that likes the asset, carried by many authors, of agents without a record."""
    record: TrackRecord = "unproven"
    values: dict[str, Any] = {
        "score_id": f"score:{asset}",
        "asset": asset,
        "as_of": NOW,
        "horizon": 1,
        "p_up": 0.56,
        "edge": 0.05,
        "base_rate": 0.51,
        "n_eff": 1.0,
        "disagreement": None,
        "interval": (0.50, 0.62),
        "contributions": (
            Contribution(
                agent_id="sentiment",
                agent_version=0,
                weight=0.25,
                log_odds=0.2,
                evidence=20.0,
                reliability=0.3,
                share=0.2,
                signals=20,
                signal_ids=(f"{asset}#20260304#one",),
            ),
        ),
        "track_record": record,
        "concentration": Concentration(
            items=40, authors=30, top_author_share=0.1, top_cluster_share=0.1, young_author_share=0.1
        ),
        "last_event": NOW - timedelta(hours=1),
    }
    return Score(**{**values, **changes})


def situation(
    *,
    cash: float = 100_000.0,
    positions: dict[str, float] | None = None,
    histories: Sequence[History] | None = None,
    controls: Controls | None = None,
    assets: Sequence[Asset] | None = None,
    as_of: datetime = NOW,
    **more: Any,
) -> Situation:
    """A portfolio at cost 100 a share, and ACME and OTHER to trade."""
    controls = controls or Controls()
    yesterday = as_of.date() - timedelta(days=1)
    if histories is None:
        histories = [
            bars("ACME", wave(), last=yesterday),
            bars("OTHER", wave(level=50, size=0.01), last=yesterday),
        ]
    known = (
        assets
        if assets is not None
        else [Asset(symbol=h.symbol, name=h.symbol, sector="S") for h in histories]
    )
    market = Market(
        as_of=as_of,
        histories={h.symbol: h for h in histories},
        assets={a.symbol: a for a in known},
        days=controls.limits.var_days,
    )
    portfolio = Portfolio(
        name="core",
        cash=cash,
        positions=tuple(Position(symbol=s, quantity=q, cost=100.0) for s, q in (positions or {}).items()),
    )
    return Situation(as_of=as_of, controls=controls, book=valued(market, portfolio), **more)


@dataclass
class Desk:
    """Every port in memory, one portfolio `core` in cash, and scores given by hand."""

    entities: MemoryEntities = field(default_factory=MemoryEntities)
    prices: MemoryPrices = field(default_factory=MemoryPrices)
    configs: MemoryAgentConfigs = field(default_factory=MemoryAgentConfigs)
    controls: MemoryDeskControls = field(default_factory=MemoryDeskControls)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    proposals: MemoryProposals = field(default_factory=MemoryProposals)
    outcomes: MemoryOutcomes = field(default_factory=MemoryOutcomes)
    announce: MemoryAnnouncements = field(default_factory=MemoryAnnouncements)
    changes: MemoryChanges = field(default_factory=MemoryChanges)
    counts: MemoryCounts = field(default_factory=MemoryCounts)
    lake: MemoryLake = field(default_factory=MemoryLake)
    scores: dict[str, Score] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entities.put("portfolio", "core", Portfolio(name="core", cash=1_000_000.0))

    def track(self, symbol: str, closes: Sequence[float], *, last: date, made: Score | None = None) -> None:
        """Tracks an asset with bars and, when it has one, a score."""
        self.entities.put("asset", symbol, Asset(symbol=symbol, name=symbol, sector=f"of {symbol}"))
        self.prices.merge(bars(symbol, closes, last=last))
        if made is not None:
            self.scores[symbol] = made

    def score(self, request: ScoreRequest, *, now: datetime, keep: bool = True) -> ScoreAnswer:
        """The scores given by hand, as the scoring use case gives them."""
        asked = request.assets or sorted(self.scores)
        found = [self.scores[symbol] for symbol in asked]
        return ScoreAnswer(as_of=request.as_of or now, horizon=request.horizon, scores=found)

    @property
    def propose(self) -> Propose:
        return Propose(
            score=self.score,
            entities=self.entities,
            prices=self.prices,
            controls=self.controls,
            lake=self.lake,
            ledger=self.ledger,
            proposals=self.proposals,
            announce=self.announce,
            counts=self.counts,
        )

    @property
    def decide(self) -> Decide:
        return Decide(
            entities=self.entities,
            prices=self.prices,
            controls=self.controls,
            lake=self.lake,
            ledger=self.ledger,
            proposals=self.proposals,
            announce=self.announce,
            counts=self.counts,
        )

    def proposed(self, symbol: str = "ACME", *, now: datetime = NOW) -> Proposal:
        """A pending proposal of the analyst."""
        answer = self.propose(ProposeRequest(portfolio="core", assets=[symbol]), user=ANALYST, now=now)
        assert answer.proposals, answer.without
        return answer.proposals[0]


def desk(*symbols: str, now: datetime = NOW) -> Desk:
    """A desk that tracks the symbols (ACME by default), likes them all and has bars until yesterday."""
    made = Desk()
    for symbol in symbols or ("ACME",):
        made.track(
            symbol, wave(), last=now.date() - timedelta(days=1), made=score(symbol, as_of=now, last_event=now)
        )
    return made
