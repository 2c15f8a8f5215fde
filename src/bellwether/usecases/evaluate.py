"""Evaluating: forecasts whose horizon has passed become outcomes, outcomes the agents' track records."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import Calibration
from bellwether.domain.equity import EquityDay
from bellwether.domain.evaluation import Skipped
from bellwether.domain.items import Instant
from bellwether.domain.ledger import Entry
from bellwether.domain.limits import read_controls
from bellwether.domain.outcomes import AgentTrackRecord, Outcome, Scope, outcomes_of
from bellwether.domain.problems import InvalidInput
from bellwether.usecases.equity import RecordEquity
from bellwether.usecases.expire import Expire
from bellwether.usecases.learn import Learn
from bellwether.usecases.ports import (
    AgentConfigs,
    Announcements,
    Counts,
    DeskControls,
    Entities,
    Forecasts,
    Lake,
    Ledger,
    Outcomes,
    Prices,
    Proposals,
)
from bellwether.usecases.record import Recorder, record_outcomes
from bellwether.usecases.resolve import Resolve

LEAST_LOOKBACK = timedelta(days=45)
TAIL = 20
"""Entries at the ledger's end that are projected again first: a crash may have kept them from the table."""
MOST_ANSWERED = 500
LATEST = "eval/latest.json"


class EvaluateRequest(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"first": "from", "last": "to"}
):
    """Scores with an `as_of`, and proposals made, from `from` to `to`; of one `scope` or of both."""

    first: Instant | None = None
    last: Instant | None = None
    scope: Scope | None = None


class EvaluateAnswer(Struct, frozen=True, kw_only=True):
    """Outcomes of the interval, newly resolved first, at most 500; all of the new ones are in the ledger.

    `waiting` forecasts have a horizon that is not over; `more` says that another call would resolve more.
    `equity` is each portfolio's last recorded day.
    """

    outcomes: list[Outcome]
    track_records: list[AgentTrackRecord]
    skipped: list[Skipped]
    resolved: int
    waiting: int
    more: bool
    expired: list[str]
    configs: list[AgentConfig]
    report: str
    equity: dict[str, EquityDay] = {}


class Report(Struct, frozen=True, kw_only=True):
    """What `eval/` keeps of an evaluation."""

    at: Instant
    first: Instant
    last: Instant
    resolved: int
    waiting: int
    hit_rate: float | None
    brier: float | None
    calibration: Calibration
    skipped: list[Skipped]
    track_records: list[AgentTrackRecord]
    configs: list[AgentConfig]
    equity: dict[str, EquityDay] = {}


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """`POST /evaluate`, and every night."""

    entities: Entities
    prices: Prices
    configs: AgentConfigs
    controls: DeskControls
    ledger: Ledger
    proposals: Proposals
    outcomes: Outcomes
    forecasts: Forecasts
    announce: Announcements
    lake: Lake
    counts: Counts

    def __call__(self, request: EvaluateRequest, *, now: datetime) -> EvaluateAnswer:
        """Resolves what can be resolved with the bars complete at `now`. Raises `InvalidInput`, `Conflict`.

        An outcome's id follows from what it resolves, so that evaluating again adds nothing twice.
        Proposals past their time expire first.
        """
        first, last = self._interval(request, now)
        expired = Expire(ledger=self.ledger, proposals=self.proposals, announce=self.announce)(now=now)
        # Read before what is known: an outcome another evaluation appends from here on makes this one lose.
        head = self._project_tail()
        found = self._resolve(request.scope, first, last, now=now)
        written = record_outcomes(found.outcomes, self._recorder, self.outcomes, head=head, now=now)
        equity = RecordEquity(entities=self.entities, prices=self.prices, lake=self.lake)(now=now)
        costs = read_controls(self.controls.controls()).costs
        learnt = Learn(configs=self.configs, outcomes=self.outcomes, costs=costs)(now=now)
        report = Report(
            at=now,
            first=first,
            last=last,
            resolved=len(written),
            waiting=found.waiting,
            hit_rate=_mean([float(o.hit) for o in written]),
            brier=_mean([o.brier for o in written]),
            calibration=learnt.calibration,
            skipped=found.skipped[:MOST_ANSWERED],
            track_records=learnt.track_records,
            configs=learnt.configs,
            equity=equity,
        )
        self._count(written)
        return EvaluateAnswer(
            outcomes=[*written, *self._earlier(found.known, MOST_ANSWERED - len(written))][:MOST_ANSWERED],
            track_records=learnt.track_records,
            skipped=found.skipped[:MOST_ANSWERED],
            resolved=len(written),
            waiting=found.waiting,
            more=found.more,
            expired=expired,
            configs=learnt.configs,
            report=self._kept(report, now),
            equity=equity,
        )

    def _interval(self, request: EvaluateRequest, now: datetime) -> tuple[datetime, datetime]:
        horizons = [config.horizon for config in self.configs.current().values()]
        lookback = max(LEAST_LOOKBACK, timedelta(days=2 * max(horizons, default=1) + 15))
        last = request.last or now
        first = request.first or min(last, now) - lookback
        if first > last:
            raise InvalidInput("from is after to", path="$.from")
        return first, min(last, now)

    @property
    def _recorder(self) -> Recorder:
        return Recorder(ledger=self.ledger, proposals=self.proposals, announce=self.announce)

    @property
    def _resolve(self) -> Resolve:
        return Resolve(
            entities=self.entities,
            prices=self.prices,
            proposals=self.proposals,
            outcomes=self.outcomes,
            forecasts=self.forecasts,
        )

    def _project_tail(self) -> Entry | None:
        """The head of the ledger, the effect of its last entries in the tables."""
        head = self._recorder.caught_up()
        for entry in self.ledger.entries(after=max(0, head.sequence - TAIL) if head else 0):
            if entry.kind == "outcome":
                self.outcomes.put(outcomes_of(entry.body))
        return head

    def _earlier(self, ids: list[str], limit: int) -> list[Outcome]:
        found = (self.outcomes.get(identity) for identity in ids[-max(0, limit) :] if limit > 0)
        return [outcome for outcome in found if outcome is not None]

    def _kept(self, report: Report, now: datetime) -> str:
        content = msgspec.json.encode(report)
        key = f"eval/{now:%Y/%m/%d}/{now:%H%M%S}.json"
        self.lake.put(key, content)
        self.lake.put(LATEST, content)
        return key

    def _count(self, outcomes: Iterable[Outcome]) -> None:
        hits = Counter(
            f'bellwether_outcomes_total{{scope="{o.scope}",hit="{str(o.hit).lower()}"}}' for o in outcomes
        )
        self.counts.add({"bellwether_evaluations_total": 1.0, **{k: float(n) for k, n in hits.items()}})


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
