"""Every hour: asks X and Reddit which of the posts the desk holds are gone, and forgets their words."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from bellwether.adapters.composition import Composition
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.reddit_compliance import reddit_posts
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.terms import TERMS
from bellwether.adapters.providers.x_compliance import x_posts
from bellwether.domain.provider_terms import Terms
from bellwether.handlers.clock import now
from bellwether.handlers.logs import logger
from bellwether.handlers.provider_keys import read_keys
from bellwether.handlers.provider_terms import read_terms
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.comply import Comply
from bellwether.usecases.ports import (
    Clock,
    Entities,
    Lake,
    PostSource,
    ProviderRecords,
    RawBatches,
    SignalStore,
)

PATIENCE = 20.0
"""Seconds a call waits for its place in a quota: nobody waits for this function."""
LARGEST_RESULT = 50_000_000
"""Bytes: a line of 150 for each of 300,000 posts that are gone."""
MAKERS: Mapping[str, Callable[[Sources], PostSource | None]] = {"x": x_posts, "reddit": reddit_posts}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    lake_bucket: str
    lake_copy_arn: str
    lake_copy_region: str
    signals_table_prefix: str
    events_table: str
    tracked_entities_table: str
    providers_secret_arn: str
    x_secret_arn: str
    reddit_secret_arn: str
    provider_terms: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    raw: RawBatches
    lake: Lake
    signals: SignalStore
    entities: Entities
    records: ProviderRecords
    http: GuardedHttp
    keys: Callable[[], Mapping[str, Mapping[str, str]]] = dict
    terms: Mapping[str, Terms] = field(default_factory=lambda: TERMS)
    addresses: Mapping[str, str] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    arns = {
        "providers": settings.providers_secret_arn,
        "x": settings.x_secret_arn,
        "reddit": settings.reddit_secret_arn,
    }
    return Parts(
        raw=make.raw_batches(
            settings.lake_bucket, copy=settings.lake_copy_arn, region=settings.lake_copy_region
        ),
        lake=make.lake(settings.lake_bucket),
        signals=make.signals(settings.signals_table_prefix),
        entities=make.entities(settings.tracked_entities_table),
        records=make.provider_records(settings.events_table),
        http=GuardedHttp(seconds=60.0, largest=LARGEST_RESULT),
        keys=partial(read_keys, make.secrets(), arns),
        terms=read_terms(settings.provider_terms),
    )


def work(_event: Mapping[str, Any], parts: Parts, seconds: float) -> dict[str, Any]:
    """One run. A source without a key, or switched off, is asked all the same about what it gave before, as
    long as it has the key: what is deleted there does not wait until it is switched on again."""
    until = time.monotonic() + seconds
    sources = Sources(
        entities=parts.entities,
        http=parts.http,
        records=parts.records,
        clock=parts.clock,
        keys=parts.keys(),
        terms=parts.terms,
        addresses=parts.addresses,
        sleep=parts.sleep,
        patience=PATIENCE,
    )
    asked = [source for make in MAKERS.values() if (source := make(sources)) is not None]
    comply = Comply(
        raw=parts.raw, lake=parts.lake, signals=parts.signals, entities=parts.entities, sources=asked
    )
    done = comply(now=parts.clock(), out_of_time=lambda: time.monotonic() > until)
    for name, code in done.faults.items():
        logger.warning("a source could not be asked about its posts", provider=name, code=code)
    for name, posts in done.overdue.items():
        logger.warning("posts were not asked about for a day", provider=name, posts=posts)
    told: dict[str, Any] = msgspec.to_builtins(done)
    return told


handler = ScheduledFunction(Settings, compose, work)
