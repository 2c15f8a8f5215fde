"""`GET /metrics`: the desk's counters and how much waits in its queues, as OpenMetrics text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bellwether.adapters.composition import Composition
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.problems import Problem
from bellwether.domain.provider_terms import Terms
from bellwether.handlers.answers import Answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.open_metrics import CONTENT_TYPE, PREFIX, Labels, exposition
from bellwether.handlers.provider_terms import read_terms
from bellwether.handlers.request import Call
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock, Counts, ProviderRecords, QueueDepths
from bellwether.usecases.provider_status import provider_statuses

DEPTH = PREFIX + "queue_messages"
REACHABLE = PREFIX + "queue_reachable"
UP = PREFIX + "provider_up"
LAG = PREFIX + "provider_lag_seconds"
BUDGET = PREFIX + "provider_budget_used_ratio"
NEXT = PREFIX + "provider_next_call_timestamp_seconds"
HELP = {
    UP: "Whether a provider works (1) or not (0), and its state.",
    LAG: "Median age of the newest items of a provider when they were read.",
    BUDGET: "Larger share of a provider's budget of the day and the month that is spent.",
    NEXT: "When a provider may be called next, in seconds since 1970.",
    DEPTH: "Messages that wait or are being worked on, approximately.",
    REACHABLE: "Whether the queue told its depth (1) or not (0).",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    events_table: str
    ingest_queue_url: str
    ingest_dlq_url: str
    provider_terms: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    counts: Counts
    depths: QueueDepths
    queues: dict[str, str]
    records: ProviderRecords
    terms: Mapping[str, Terms] = field(default_factory=lambda: TERMS)
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    queues = {"ingest": settings.ingest_queue_url, "ingest_dead_letters": settings.ingest_dlq_url}
    return Parts(
        counts=make.counts(settings.events_table),
        depths=make.queue_depths(),
        queues=queues,
        records=make.provider_records(settings.events_table),
        terms=read_terms(settings.provider_terms),
    )


def respond(_call: Call, parts: Parts) -> Answer:
    depths: list[tuple[Labels, float]] = []
    reachable: list[tuple[Labels, float]] = []
    for name, url in parts.queues.items():
        labels = (("queue", name),)
        try:
            depths.append((labels, parts.depths.depth(url)))
            reachable.append((labels, 1.0))
        except Problem:
            reachable.append((labels, 0.0))
    gauges = {REACHABLE: reachable} | ({DEPTH: depths} if depths else {}) | provider_gauges(parts)
    return Answer(content_type=CONTENT_TYPE, body=exposition(parts.counts.totals(), gauges, HELP))


def provider_gauges(parts: Parts) -> dict[str, list[tuple[Labels, float]]]:
    """What is known of each provider that was asked for something; nothing when that is not to be had."""
    at = parts.clock()
    try:
        statuses = provider_statuses(parts.records.all(), parts.terms, {}, at)
    except Problem:
        return {}
    gauges: dict[str, list[tuple[Labels, float]]] = {}
    for told in statuses:
        if told.state == "idle":
            continue
        label = ("provider", told.name)
        gauges.setdefault(UP, []).append(((label, ("state", told.state)), float(told.state == "ok")))
        values = {
            LAG: told.lag_seconds,
            BUDGET: told.budget_used,
            NEXT: told.next_call_at.timestamp() if told.next_call_at else None,
        }
        for name, value in values.items():
            if value is not None:
                gauges.setdefault(name, []).append(((label,), value))
    return gauges


handler = ApiFunction(Settings, compose, respond, action="metrics")
