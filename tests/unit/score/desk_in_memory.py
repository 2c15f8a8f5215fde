"""The first half of the chain over ports in memory, driven as a caller would: items in, scores out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from bellwether.adapters.memory import MemoryPorts
from bellwether.agents.text import SentimentModel
from bellwether.domain.entities import Asset
from bellwether.domain.items import Kind
from bellwether.domain.outcomes import Outcome, outcome_id
from bellwether.domain.prices import History
from bellwether.domain.scores import Contribution, Score
from bellwether.usecases.ingest import Ingest, IngestAnswer
from bellwether.usecases.ports import BatchMessage
from bellwether.usecases.process_batch import ProcessBatch, Processed
from bellwether.usecases.recover import Recover, Recovered
from bellwether.usecases.score import ScoreAssets, ScoreRequest
from bellwether.usecases.trace import Trace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SYMBOLS = ("BEACON", "HARBOR")
_NAMES = count()


def post(words: str = "shares jump after record profit", **fields: Any) -> dict[str, Any]:
    """A post about $BEACON in words of its own, by an author of its own, unless `fields` say otherwise."""
    number = next(_NAMES)
    name = f"post-{number}"
    # in letters: many texts that only a number tells apart are copies
    own = str(number).translate(str.maketrans("0123456789", "klmnopqrst"))
    return {
        "source": "x",
        "source_id": name,
        "published_at": NOW,
        "author": f"author-of-{name}",
        "text": f"$BEACON {words}, floor{own} desk{own} room{own} house{own}",
        **fields,
    }


def raw(items: Sequence[Any]) -> list[msgspec.Raw]:
    """Items as they lie in a request."""
    return [msgspec.Raw(item if isinstance(item, bytes) else msgspec.json.encode(item)) for item in items]


def bars(symbol: str, closes: Sequence[float], last: date) -> History:
    """Daily bars that end on `last`, every calendar day one."""
    dates = [last - timedelta(days=n) for n in range(len(closes) - 1, -1, -1)]
    prices = list(closes)
    return History(symbol, dates, prices, prices, prices, prices, prices, [1e6] * len(prices))


@dataclass
class MemoryDesk:
    """A desk with two assets. `ports` may be replaced by ones that fail."""

    ports: MemoryPorts = field(default_factory=MemoryPorts)
    batches: int = 0

    def __post_init__(self) -> None:
        for symbol in SYMBOLS:
            asset = Asset(symbol=symbol, name=f"{symbol.title()} Industries")
            self.ports.entities.put("asset", symbol, asset)
        p = self.ports
        self.ingest = Ingest(raw=p.raw, claims=p.claims, queue=p.queue, counts=p.counts, salt=b"salt")
        self.process = self.processor()
        self.scoring = ScoreAssets(
            states=p.states,
            signals=p.signals,
            entities=p.entities,
            configs=p.configs,
            prices=p.prices,
            forecasts=p.forecasts,
            changes=p.changes,
            readers=1,
        )
        self.recovery = Recover(
            raw=p.raw,
            claims=p.claims,
            queue=p.queue,
            ledger=p.ledger,
            proposals=p.proposals,
            outcomes=p.outcomes,
            controls=p.controls,
            configs=p.configs,
        )
        self.trace = Trace(
            outcomes=p.outcomes,
            proposals=p.proposals,
            forecasts=p.forecasts,
            signals=p.signals,
            claims=p.claims,
            raw=p.raw,
        )

    def processor(self, **replaced: Any) -> ProcessBatch:
        """A signal worker, with some of its ports replaced."""
        p = self.ports
        ports: dict[str, Any] = {
            "raw": p.raw,
            "claims": p.claims,
            "signals": p.signals,
            "states": p.states,
            "entities": p.entities,
            "configs": p.configs,
            "changes": p.changes,
            "counts": p.counts,
            "sentiment": SentimentModel.load(),
            **replaced,
        }
        return ProcessBatch(**ports)

    def send(
        self, items: Sequence[Any], *, at: datetime = NOW, batch_id: str | None = None, kind: Kind = "social"
    ) -> IngestAnswer:
        """Ingests one batch without processing it."""
        self.batches += 1
        return self.ingest(
            kind=kind,
            items=raw(items),
            batch_id=batch_id or f"batch-{self.batches:04d}",
            submitted_by="ann",
            received_at=at,
        )

    def work(self, at: datetime = NOW) -> list[Processed]:
        """Processes all that waits in the queue."""
        return [self.process(message, now=at) for message in self.messages()]

    def messages(self) -> list[BatchMessage]:
        """Takes all that waits in the queue."""
        return self.ports.queue.take()

    def take_in(self, items: Sequence[Any], *, at: datetime = NOW, kind: Kind = "social") -> IngestAnswer:
        """Ingests and processes one batch."""
        answer = self.send(items, at=at, kind=kind)
        self.work(at)
        return answer

    def recover(self, at: datetime = NOW) -> Recovered:
        """What `bellwether recover` does."""
        return self.recovery(since=at - timedelta(days=400), now=at)

    def score(
        self, *, now: datetime = NOW, as_of: datetime | None = None, horizon: int = 1, asset: str = "BEACON"
    ) -> Score:
        """One asset's score."""
        request = ScoreRequest(assets=[asset], horizon=horizon, as_of=as_of)
        return self.scoring(request, now=now).scores[0]


def part(score: Score, agent: str = "sentiment") -> Contribution:
    """One agent's part in a score."""
    return next(one for one in score.contributions if one.agent_id == agent)


def outcome_of(score: Score, **fields: Any) -> Outcome:
    """How a score's forecast turned out: a rise of 1.2 %."""
    assert score.p_up is not None
    values: dict[str, Any] = {
        "outcome_id": outcome_id("score", score.score_id),
        "evaluated_at": NOW + timedelta(days=3),
        "scope": "score",
        "subject": score.score_id,
        "asset": score.asset,
        "as_of": score.as_of,
        "horizon": 1,
        "entry_date": date(2026, 11, 23),
        "exit_date": date(2026, 11, 24),
        "p_up": score.p_up,
        "raw_return": 0.012,
        "benchmark_return": None,
        "relative_return": None,
        "went_up": True,
        "hit": True,
        "brier": (1 - score.p_up) ** 2,
        "status": None,
        "side": None,
        "profit": None,
        "attribution": (),
        **fields,
    }
    return Outcome(**values)
