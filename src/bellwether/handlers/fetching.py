"""What the two fetchers share: the web client, the way into the desk, one round over the targets."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from bellwether.adapters.composition import Composition
from bellwether.adapters.providers.guarded_http import USER_AGENT, GuardedHttp
from bellwether.adapters.providers.polling import Round, poll
from bellwether.adapters.providers.provider import Provider
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.tally import change, note
from bellwether.adapters.providers.terms import TERMS
from bellwether.adapters.ulids import MonotonicUlids
from bellwether.domain.items import Kind
from bellwether.domain.problems import Problem
from bellwether.domain.provider_record import switched_off
from bellwether.domain.provider_terms import Terms
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.logs import describe_fault, logger
from bellwether.handlers.provider_keys import read_keys, why_off
from bellwether.handlers.provider_spend import tell
from bellwether.handlers.provider_terms import read_terms
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ingest import Ingest, IngestAnswer
from bellwether.usecases.ports import Clock, Entities, Lake, ProviderRecords

MOST_TOLD = 20

Makers = Mapping[str, Callable[[Sources], Sequence[Provider]]]
"""What makes each provider's targets, by the provider's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchSettings(FunctionSettings):
    lake_bucket: str
    claims_table: str
    events_table: str
    ingest_queue_url: str
    tracked_entities_table: str
    author_salt_secret_arn: str
    providers_secret_arn: str
    provider_terms: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchParts:
    entities: Entities
    lake: Lake
    ingest: Ingest
    http: GuardedHttp
    records: ProviderRecords
    keys: Callable[[], Mapping[str, Mapping[str, str]]] = dict
    """Members of the providers' secrets, by the secret's name."""
    terms: Mapping[str, Terms] = field(default_factory=lambda: TERMS)
    addresses: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = now
    sleep: Callable[[float], None] = time.sleep


def compose(settings: FetchSettings, arns: Mapping[str, str]) -> FetchParts:
    """The parts of a fetcher; `arns` are of the secrets with its providers' keys, by name."""
    make = Composition()
    secrets = make.secrets()
    return FetchParts(
        entities=make.entities(settings.tracked_entities_table),
        lake=make.lake(settings.lake_bucket),
        ingest=Ingest(
            raw=make.raw_batches(settings.lake_bucket),
            claims=make.item_claims(settings.claims_table),
            queue=make.batch_queue(settings.ingest_queue_url),
            counts=make.counts(settings.events_table),
            salt=secrets.text(settings.author_salt_secret_arn).encode(),
        ),
        http=GuardedHttp(),
        records=make.provider_records(settings.events_table),
        keys=partial(read_keys, secrets, {"providers": settings.providers_secret_arn, **arns}),
        terms=read_terms(settings.provider_terms),
    )


def fetch(parts: FetchParts, makers: Makers, seconds: float) -> dict[str, Any]:
    """One round over all targets; gives what to log. A target that fails is told, and fails nobody else."""
    began, at = time.perf_counter(), parts.clock()
    new_batch_id = MonotonicUlids()

    def submit(kind: Kind, items: Sequence[msgspec.Raw], submitted_by: str) -> IngestAnswer:
        return parts.ingest(
            kind=kind,
            items=items,
            batch_id=new_batch_id(),
            submitted_by=submitted_by,
            received_at=parts.clock(),
        )

    done = poll(targets(parts, makers), parts.lake, submit, at=at, seconds=seconds, wall=parts.clock)
    took = timedelta(seconds=time.perf_counter() - began)
    for name, tally in done.providers.items():
        note(parts.records, name, tally, at, took)
    count(parts, done)
    failing = [health for health in done.health if health.state == "failing"]
    for health in failing[:MOST_TOLD]:
        logger.warning(
            "a provider fails", provider=health.provider, code=health.code, failures=health.failures
        )
    record(ItemsAccepted=done.accepted, ItemsDuplicate=done.duplicates)
    tell(done.providers, parts.records, parts.terms, at)
    return {
        "targets": len(done.health) + len(done.put_off),
        "failing": len(failing),
        "put_off": len(done.put_off),
        "fetched": done.fetched,
        "accepted": done.accepted,
        "duplicates": done.duplicates,
        "milliseconds": round(took.total_seconds() * 1000),
    }


def targets(parts: FetchParts, makers: Makers) -> list[Provider]:
    """The targets of all providers that may be asked; of the others the record says why not."""
    keys = parts.keys()
    switched = [
        str(told.get("name")) for told in parts.entities.records("provider") if told.get("enabled") is False
    ]
    sources = Sources(
        entities=parts.entities,
        http=introduced(parts.http, keys),
        records=parts.records,
        clock=parts.clock,
        keys=keys,
        terms=parts.terms,
        addresses=parts.addresses,
        sleep=parts.sleep,
    )
    made: list[Provider] = []
    for name, maker in makers.items():
        if off := why_off(parts.terms[name], keys, switched):
            change(parts.records, name, lambda before, off=off: switched_off(before, *off))  # type: ignore[misc]
            continue
        made += maker(sources)
    return made


def introduced(http: GuardedHttp, keys: Mapping[str, Mapping[str, str]]) -> GuardedHttp:
    """The client, introducing itself as the providers' secret says (`user_agent`: some providers ask for a
    contact), else as the product."""
    told = keys.get("providers", {}).get("user_agent", "")
    return http.named(told if 0 < len(told) <= 200 else USER_AGENT)


def count(parts: FetchParts, done: Round) -> None:
    """Adds to the counters the dashboard shows by provider; losing them must not repeat the fetch."""
    counts = Counter[str]()
    dollars: dict[str, float] = {}
    for health in done.health:
        label = f'provider="{health.provider}",state="{health.state}"'
        counts[f"bellwether_provider_fetches_total{{{label}}}"] += 1
    for name, tally in done.providers.items():
        label = f'provider="{name}"'
        counts[f"bellwether_provider_calls_total{{{label}}}"] += tally.calls
        counts[f"bellwether_provider_items_total{{{label}}}"] += tally.items
        counts[f"bellwether_provider_new_items_total{{{label}}}"] += tally.accepted
        for code, times in tally.errors.items():
            counts[f'bellwether_provider_errors_total{{{label},code="{code}"}}'] += times
        if tally.dollars > 0:
            dollars[f"bellwether_provider_dollars_total{{{label}}}"] = tally.dollars
    told = {name: float(value) for name, value in counts.items() if value} | dollars
    try:
        parts.ingest.counts.add(told)
    except Problem as fault:
        logger.warning("the counters do not answer", **describe_fault(fault))
