"""`GET /metrics`: the desk's counters and how much waits in its queues, as OpenMetrics text."""

from dataclasses import dataclass

from bellwether.adapters.composition import Composition
from bellwether.domain.problems import Problem
from bellwether.handlers.answers import Answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.open_metrics import CONTENT_TYPE, PREFIX, Labels, exposition
from bellwether.handlers.request import Call
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Counts, QueueDepths

DEPTH = PREFIX + "queue_messages"
REACHABLE = PREFIX + "queue_reachable"
HELP = {
    DEPTH: "Messages that wait or are being worked on, approximately.",
    REACHABLE: "Whether the queue told its depth (1) or not (0).",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    events_table: str
    ingest_queue_url: str
    ingest_dlq_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    counts: Counts
    depths: QueueDepths
    queues: dict[str, str]


def compose(settings: Settings) -> Parts:
    make = Composition()
    queues = {"ingest": settings.ingest_queue_url, "ingest_dead_letters": settings.ingest_dlq_url}
    return Parts(counts=make.counts(settings.events_table), depths=make.queue_depths(), queues=queues)


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
    gauges = {REACHABLE: reachable} | ({DEPTH: depths} if depths else {})
    return Answer(content_type=CONTENT_TYPE, body=exposition(parts.counts.totals(), gauges, HELP))


handler = ApiFunction(Settings, compose, respond, action="metrics")
