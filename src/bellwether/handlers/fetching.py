"""What the two fetchers share: the web client, the way into the desk, one round over the targets."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bellwether.adapters.composition import Composition
from bellwether.adapters.providers.guarded_http import USER_AGENT, GuardedHttp
from bellwether.adapters.providers.polling import Round, poll
from bellwether.adapters.providers.provider import Provider
from bellwether.adapters.ulids import MonotonicUlids
from bellwether.domain.items import Kind
from bellwether.domain.problems import Problem
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.logs import describe_fault, logger
from bellwether.handlers.provider_spend import read_prices, spent, tell
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ingest import Ingest, IngestAnswer
from bellwether.usecases.ports import Clock, Entities, Lake, Secrets

MOST_TOLD = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchSettings(FunctionSettings):
    lake_bucket: str
    claims_table: str
    events_table: str
    ingest_queue_url: str
    tracked_entities_table: str
    author_salt_secret_arn: str
    providers_secret_arn: str
    provider_prices: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchParts:
    entities: Entities
    lake: Lake
    ingest: Ingest
    http: GuardedHttp
    prices: Mapping[str, float] = field(default_factory=dict)
    """US dollars a call, by provider."""
    clock: Clock = now


def compose(settings: FetchSettings) -> FetchParts:
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
        http=GuardedHttp(user_agent=user_agent(secrets, settings.providers_secret_arn)),
        prices=read_prices(settings.provider_prices),
    )


def user_agent(secrets: Secrets, arn: str) -> str:
    """How fetchers introduce themselves: `user_agent` of the providers' secret (some providers ask for a
    contact), or the product's own."""
    try:
        told = secrets.values(arn).get("user_agent")
    except Problem as fault:
        logger.warning("the providers' secret could not be read", **describe_fault(fault))
        told = None
    usable = isinstance(told, str) and told.isascii() and told.isprintable() and 0 < len(told) <= 200
    return str(told) if usable else USER_AGENT


def fetch(
    parts: FetchParts, providers: Callable[[FetchParts], Sequence[Provider]], seconds: float
) -> dict[str, Any]:
    """One round over all targets; gives what to log. A target that fails is told, and fails nobody else."""
    began = time.perf_counter()
    new_batch_id = MonotonicUlids()

    def submit(kind: Kind, items: Sequence[msgspec.Raw], submitted_by: str) -> IngestAnswer:
        return parts.ingest(
            kind=kind,
            items=items,
            batch_id=new_batch_id(),
            submitted_by=submitted_by,
            received_at=parts.clock(),
        )

    done = poll(providers(parts), parts.lake, submit, at=parts.clock(), seconds=seconds)
    count(parts, done)
    failing = [health for health in done.health if health.state == "failing"]
    for health in failing[:MOST_TOLD]:
        logger.warning(
            "a provider fails", provider=health.provider, code=health.code, failures=health.failures
        )
    record(ItemsAccepted=done.accepted, ItemsDuplicate=done.duplicates)
    tell(spent(done.health, parts.prices))
    return {
        "targets": len(done.health) + len(done.put_off),
        "failing": len(failing),
        "put_off": len(done.put_off),
        "fetched": done.fetched,
        "accepted": done.accepted,
        "duplicates": done.duplicates,
        "milliseconds": round((time.perf_counter() - began) * 1000),
    }


def count(parts: FetchParts, done: Round) -> None:
    """Adds to the counters the dashboard shows by provider; losing them must not repeat the fetch."""
    counts = Counter[str]()
    for health in done.health:
        labels = f'provider="{health.provider}"'
        counts[f'bellwether_provider_fetches_total{{{labels},state="{health.state}"}}'] += 1
        counts[f"bellwether_provider_items_total{{{labels}}}"] += health.items
    told = {name: float(value) for name, value in counts.items() if value}
    for provider, (_, _, dollars) in spent(done.health, parts.prices).items():
        if dollars:
            told[f'bellwether_provider_dollars_total{{provider="{provider}"}}'] = dollars
    try:
        parts.ingest.counts.add(told)
    except Problem as fault:
        logger.warning("the counters do not answer", **describe_fault(fault))


def names_of(records: Sequence[Mapping[str, Any]], field: str) -> list[str]:
    """One field of tracked entities, in order, each value once; records without it are passed over."""
    return list(dict.fromkeys(str(record[field]) for record in records if record.get(field)))
