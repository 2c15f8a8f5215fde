"""After New York's close and before the night's evaluation: the daily bars of all tracked assets."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bellwether.adapters.composition import Composition
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.prices.asking import PriceProvider, price_http
from bellwether.adapters.providers.prices.choosing import KEY_MEMBERS, SECRET, price_providers
from bellwether.adapters.providers.prices.rounds import PriceRound, Round
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.tally import change
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.problems import Problem
from bellwether.domain.provider_record import ProviderRecord, switched_off
from bellwether.domain.provider_terms import Terms
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.logs import describe_fault, logger
from bellwether.handlers.provider_keys import read_keys, why_off
from bellwether.handlers.provider_terms import read_terms
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock, Counts, Entities, Lake, Prices, ProviderRecords

PATIENCE = 15.0
"""Seconds a quota is waited for at most: the spacing of five calls a minute, and no more of paid time."""
MOST_TOLD = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    lake_bucket: str
    events_table: str
    tracked_entities_table: str
    prices_secret_arn: str
    provider_terms: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    entities: Entities
    prices: Prices
    lake: Lake
    counts: Counts
    records: ProviderRecords
    http: GuardedHttp
    keys: Callable[[], Mapping[str, Mapping[str, str]]] = dict
    """Members of the secret with keys of price services, under its name."""
    terms: Mapping[str, Terms] = field(default_factory=lambda: TERMS)
    addresses: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = now
    sleep: Callable[[float], None] = time.sleep


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        entities=make.entities(settings.tracked_entities_table),
        prices=make.prices(settings.lake_bucket),
        lake=make.lake(settings.lake_bucket),
        counts=make.counts(settings.events_table),
        records=make.provider_records(settings.events_table),
        http=price_http(),
        keys=partial(read_keys, make.secrets(), {SECRET: settings.prices_secret_arn}),
        terms=read_terms(settings.provider_terms),
    )


def work(_event: Mapping[str, Any], parts: Parts, seconds: float) -> dict[str, Any]:
    """One round; gives what to log. A symbol that fails, and a provider that does, is told."""
    providers = asked(parts)
    round_of = PriceRound(providers, parts.prices, parts.lake, clock=parts.clock)
    done = round_of([asset.symbol for asset in parts.entities.assets()], seconds)
    tell(done)
    count(parts.counts, done)
    return {
        "providers": [provider.name for provider in providers],
        "symbols": done.symbols,
        "current": done.current,
        "updated": done.updated,
        "put_off": done.put_off,
        "bars": done.bars,
        "held_back": len(done.held),
        "failures": dict(done.failures),
        "out": done.out,
    }


def asked(parts: Parts) -> list[PriceProvider]:
    """The providers that may be asked, in order; of the others the record says why not.

    Alpha Vantage's record is that of its news, too: without a key for prices it is left as it is.
    """
    keys = parts.keys()
    records = parts.entities.records("provider")
    switched = [str(told.get("name")) for told in records if told.get("enabled") is False]
    sources = Sources(
        entities=parts.entities,
        http=parts.http,
        records=parts.records,
        clock=parts.clock,
        keys=keys,
        terms=parts.terms,
        addresses=parts.addresses,
        sleep=parts.sleep,
    )
    off = set(switched)
    for name in KEY_MEMBERS:
        why = why_off(parts.terms[name], keys, switched) if parts.terms[name].secret == SECRET else None
        if why is not None:
            off.add(name)
            change(parts.records, name, partial(_off, code=why[0], detail=why[1]))
    providers, refused = price_providers(sources, patience=PATIENCE, but=off)
    for name, fault in refused.items():
        logger.warning("a provider fails", provider=name, code=fault.code)
    return providers


def _off(record: ProviderRecord, code: str, detail: str) -> ProviderRecord:
    return switched_off(record, code, detail)


def tell(done: Round) -> None:
    """Figures of the round, and a line for some of what was held back and for each provider given up on."""
    for one in done.held[:MOST_TOLD]:
        logger.warning(
            "a bar is held back",
            symbol=one.symbol,
            day=one.date.isoformat(),
            code=one.code,
            observed=one.observed,
            allowed=one.limit,
        )
    for provider, code in done.out.items():
        logger.warning("a provider fails", provider=provider, code=code, failures=done.failing[provider])
    record(BarsHeldBack=len(done.held))
    for provider in sorted(done.calls.keys() | done.failing.keys()):
        record(
            {"provider": provider},
            ProviderCalls=done.calls[provider],
            ProviderFailures=done.failing[provider],
            ProviderDollars=0.0,
        )


def count(counts: Counts, done: Round) -> None:
    """Adds to the counters the dashboard shows; losing them must not repeat the round."""
    told = Counter[str]()
    for provider, calls in done.calls.items():
        told[f'bellwether_provider_calls_total{{provider="{provider}"}}'] += calls
    for (provider, code), times in done.errors.items():
        told[f'bellwether_provider_errors_total{{provider="{provider}",code="{code}"}}'] += times
    for one in done.held:
        told[f'bellwether_price_bars_held_back_total{{code="{one.code}"}}'] += 1
    for code, symbols in done.failures.items():
        told[f'bellwether_price_failures_total{{code="{code}"}}'] += symbols
    if done.bars:
        told["bellwether_price_bars_total"] += done.bars
    if not told:
        return
    try:
        counts.add({name: float(value) for name, value in told.items()})
    except Problem as fault:
        logger.warning("the counters do not answer", **describe_fault(fault))


handler = ScheduledFunction(Settings, compose, work)
