"""`GET /health`: whether the desk's parts answer, for anyone to see; names parts, never resources."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from msgspec import Struct

from bellwether.adapters.composition import Composition
from bellwether.adapters.naming import month_of
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.items import Instant
from bellwether.domain.problems import Problem, Unavailable
from bellwether.domain.provider_terms import Terms
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.logs import describe_fault, logger
from bellwether.handlers.provider_terms import read_terms
from bellwether.handlers.request import Call
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock, ProviderRecords
from bellwether.usecases.provider_status import Standing, provider_statuses

FRESH_SECONDS = 5.0
PATIENCE_SECONDS = 4.0

# A probe gives the messages that wait, for a queue, else None; it raises when its part does not answer.
Probe = Callable[[], int | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    events_table: str
    proposals_table: str
    lake_bucket: str
    ledger_bucket: str
    ingest_queue_url: str
    ingest_dlq_url: str
    decisions_dlq_url: str
    signals_table_prefix: str
    provider_terms: str


class Dependency(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part. `attention` is a part that answers while dead letters wait in it."""

    state: Literal["ok", "attention", "down"]
    milliseconds: float
    messages: int | None = None


class ProviderHealth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A provider that was asked for something, or that is off: its state and what follows from it."""

    state: Standing
    line: str
    next_call_at: Instant | None = None


class Health(Struct, frozen=True, kw_only=True):
    """`ok` when every part answers. Dead letters do not make the desk unhealthy, they make someone look; nor
    does a provider that is away.
    """

    status: Literal["ok", "down"]
    checked_at: datetime
    dependencies: dict[str, Dependency]
    providers: dict[str, ProviderHealth]


_FINE = Dependency(state="ok", milliseconds=0.0)


@dataclass(kw_only=True, slots=True)
class Parts:
    """The probes by part, and the last finding, which serves everybody for five seconds."""

    probes: Mapping[str, Probe]
    records: ProviderRecords
    terms: Mapping[str, Terms] = field(default_factory=lambda: TERMS)
    clock: Clock = now
    ticks: Callable[[], float] = time.monotonic
    last: tuple[float, Health] | None = field(default=None)


def compose(settings: Settings) -> Parts:
    from bellwether.adapters.aws import probes

    clients = Composition().clients
    tables, buckets, queues = clients.dynamodb(), clients.s3(), Composition(clients).queue_depths()
    return Parts(
        probes={
            "events": lambda: active(probes.probe_table(tables, settings.events_table)),
            "proposals": lambda: active(probes.probe_table(tables, settings.proposals_table)),
            "signals": lambda: active(
                probes.probe_table(tables, settings.signals_table_prefix + month_of(now()))
            ),
            "lake": lambda: probes.probe_bucket(buckets, settings.lake_bucket),
            "ledger": lambda: probes.probe_bucket(buckets, settings.ledger_bucket),
            "ingest_queue": lambda: queues.depth(settings.ingest_queue_url),
            "ingest_dead_letters": lambda: queues.depth(settings.ingest_dlq_url),
            "decisions_dead_letters": lambda: queues.depth(settings.decisions_dlq_url),
        },
        records=Composition(clients).provider_records(settings.events_table),
        terms=read_terms(settings.provider_terms),
    )


def active(status: str) -> None:
    """Raises `Unavailable` for a table that is not in service (`UPDATING` is)."""
    if status not in {"ACTIVE", "UPDATING"}:
        raise Unavailable(f"the table is {status}")


def respond(_call: Call, parts: Parts) -> Answer:
    if parts.last is None or parts.ticks() - parts.last[0] > FRESH_SECONDS:
        parts.last = (parts.ticks(), examine(parts))
    found = parts.last[1]
    answer = json_answer(found, 200 if found.status == "ok" else 503)
    return Answer(
        status=answer.status,
        body=answer.body,
        headers={"Retry-After": "5"} if found.status == "down" else {},
    )


def examine(parts: Parts) -> Health:
    """Asks all parts at once; one that takes longer than four seconds is down."""
    pool = ThreadPoolExecutor(max(len(parts.probes), 1))
    began = time.monotonic()
    asked = {name: pool.submit(timed, name, probe) for name, probe in parts.probes.items()}
    found = {}
    for name, answer in asked.items():
        try:
            found[name] = answer.result(timeout=max(PATIENCE_SECONDS - (time.monotonic() - began), 0.01))
        except TimeoutError:
            found[name] = Dependency(state="down", milliseconds=PATIENCE_SECONDS * 1000)
    # a probe that hangs must not make this call hang: its thread ends on its own
    pool.shutdown(wait=False, cancel_futures=True)
    status: Literal["ok", "down"] = "down" if any(d.state == "down" for d in found.values()) else "ok"
    return Health(
        status=status, checked_at=parts.clock(), dependencies=found, providers=providers_of(parts, found)
    )


def providers_of(parts: Parts, found: Mapping[str, Dependency]) -> dict[str, ProviderHealth]:
    """The providers there is something to say of; none when their records are not to be had."""
    if found.get("events", _FINE).state == "down":
        return {}
    try:
        statuses = provider_statuses(parts.records.all(), parts.terms, {}, parts.clock())
    except Problem as fault:
        logger.warning("the providers' records do not answer", **describe_fault(fault))
        return {}
    return {
        told.name: ProviderHealth(state=told.state, line=told.line, next_call_at=told.next_call_at)
        for told in statuses
        if told.state != "idle"
    }


def timed(name: str, probe: Probe) -> Dependency:
    began = time.perf_counter()
    try:
        messages = probe()
    except Exception as fault:  # noqa: BLE001  that a part fails, in whatever way, is the finding
        logger.warning("a part does not answer", part=name, **describe_fault(fault))
        return Dependency(state="down", milliseconds=_since(began))
    waiting = bool(messages) and name.endswith("dead_letters")
    return Dependency(state="attention" if waiting else "ok", milliseconds=_since(began), messages=messages)


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


handler = ApiFunction(Settings, compose, respond, action=None)
