"""`bellwether prices fetch`: from a provider, symbol by symbol, judged before anything is merged."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import typer
from msgspec import Struct

from bellwether.adapters.providers.guarded_http import Refused as NotFetched
from bellwether.adapters.providers.prices.asking import REFUSES_ALL, PriceProvider, price_http
from bellwether.adapters.providers.prices.choosing import KEY_MEMBERS, SECRET, price_provider
from bellwether.adapters.providers.prices.rows import actions_of, history_of
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.terms import TERMS
from bellwether.cli.asset_files import clean_symbol
from bellwether.cli.failures import NOT_RUNNING, Failure, Refused, WrongUse
from bellwether.cli.output import Output
from bellwether.cli.progress import progress
from bellwether.domain.entities import Symbol
from bellwether.domain.price_quality import HeldBar
from bellwether.domain.problems import NotFound
from bellwether.domain.provider_record import UNREACHABLE
from bellwether.usecases.ports import Prices
from bellwether.usecases.take_prices import Answer, TakePrices

KEY_VARIABLES: Mapping[str, str] = {
    "tiingo": "TIINGO_API_KEY",
    "polygon": "POLYGON_API_KEY",
    "alphavantage": "ALPHAVANTAGE_API_KEY",
    "stooq": "STOOQ_API_KEY",
}
PATIENCE = 60.0
"""Seconds that are waited at most when a provider's quotas, or the provider, ask for it."""
YEARS = 5
MOST_UNREACHABLE = 3
"""After so many symbols in a row for which nobody answered, the others are not asked for."""
MOST_SHOWN = 10
MOST_LISTED = 1_000
_FOR_ALL = REFUSES_ALL | {"quota", "asked_to_wait"}


class Days(Struct, frozen=True):
    """The first and the last day asked for, both included."""

    first: date
    last: date


class Fetched(Struct, kw_only=True):
    """What became of one symbol; `code` and `detail` say why there is nothing."""

    symbol: str
    bars: int = 0
    changed: int = 0
    first: date | None = None
    last: date | None = None
    without_trade: int = 0
    held_back_total: int = 0
    held_back: list[HeldBar] = []
    notes: list[str] = []
    code: str | None = None
    detail: str | None = None


def days_of(first: str | None, last: str | None, *, now: datetime | None = None) -> Days:
    """The days between two options. A day that is not over (UTC) has no complete bar: yesterday is the
    last one. Raises `WrongUse`."""
    yesterday = (now or datetime.now(UTC)).astimezone(UTC).date() - timedelta(days=1)
    end = min(_day(last, "--to") or yesterday, yesterday)
    begin = _day(first, "--from") or end - timedelta(days=round(365.25 * YEARS))
    if begin > end:
        raise WrongUse(f"--from {begin} is after {end}, the last day there can be bars of")
    return Days(begin, end)


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text else None
    except ValueError:
        raise WrongUse(f"{option} is a day such as 2024-01-31, not {text}") from None


def source_of(name: str, ports: Any) -> PriceProvider:
    """The provider of that name, with its key where it needs one. Raises `WrongUse`, `Refused`."""
    if name not in KEY_VARIABLES:
        raise WrongUse(f"--provider is one of {', '.join(KEY_VARIABLES)}, not {name}")
    title = TERMS[name].title
    try:
        source = price_provider(
            name, sources_of(ports, {KEY_MEMBERS[name]: key_of(name, ports)}), patience=PATIENCE
        )
    except NotFetched as fault:
        raise Refused(fault.detail, title=f"No usable key for {title}", hint=_how_to_set(name)) from None
    if source is None:
        raise Refused(
            f"{title} gives prices only for a key.", title=f"No key for {title}", hint=_how_to_set(name)
        )
    return source


def sources_of(ports: Any, keys: Mapping[str, str]) -> Sources:
    """What a provider is made from; its calls count toward the quotas of the stage's functions too."""
    return Sources(
        entities=ports.entities,
        http=price_http(),
        records=ports.providers,
        clock=lambda: datetime.now(UTC),
        keys={SECRET: keys},
        terms=ports.provider_terms(),
    )


def key_of(name: str, ports: Any) -> str:
    """The key from the environment, else from the stage's secret; empty without one. Raises `Failure`."""
    if told := os.environ.get(KEY_VARIABLES[name], "").strip():
        return told
    if not TERMS[name].needs:
        # whose key is optional is asked without one rather than to need the stage's secret
        return ""
    try:
        kept = ports.provider_keys().get(KEY_MEMBERS[name])
    except NotFound:
        kept = None
    except msgspec.DecodeError:
        raise Failure("the stage's secret prices is not a JSON object", hint=_how_to_set(name)) from None
    return kept.strip() if isinstance(kept, str) else ""


def _how_to_set(name: str) -> str:
    return (
        f"set {KEY_VARIABLES[name]}, or {KEY_MEMBERS[name]} in the stage's secret prices, "
        "or use --provider stooq"
    )


def fetch_all(
    symbols: Sequence[str], days: Days, source: PriceProvider, prices: Prices, output: Output
) -> list[Fetched]:
    """One result a symbol, each symbol once, in the order given. Nobody else is asked after a provider that
    refuses everybody or answers nobody: the rest fail with the same reason."""
    wanted = list(dict.fromkeys(clean_symbol(symbol) for symbol in symbols))
    results: list[Fetched] = []
    with progress(output.err, f"Fetching from {source.name}", "symbols", len(wanted)) as shown:
        for symbol in wanted:
            hopeless = _hopeless(results)
            results.append(
                Fetched(symbol=symbol, code=hopeless.code, detail=f"not asked for: {hopeless.detail}")
                if hopeless
                else fetch_one(symbol, days, source, prices)
            )
            shown.advance(what=f"Fetching {symbol}")
    return results


def _hopeless(results: list[Fetched]) -> Fetched | None:
    """The failure that will be everybody's, if there is one."""
    for one in results:
        if one.code in _FOR_ALL:
            return one
    for start in range(len(results) - MOST_UNREACHABLE + 1):
        if all(one.code in UNREACHABLE for one in results[start : start + MOST_UNREACHABLE]):
            return results[start]
    return None


def fetch_one(symbol: str, days: Days, source: PriceProvider, prices: Prices) -> Fetched:
    """One symbol: fetched, judged, merged."""
    notes: list[str] = []

    def ask(first: date) -> Answer:
        told = source.fetch(symbol, first, days.last)
        notes.extend(told.notes)
        history, refused = history_of(symbol, told, first, days.last)
        return Answer(
            history=history,
            refused=refused,
            actions=actions_of(symbol, told),
            tells_actions=told.tells_actions,
        )

    try:
        msgspec.convert(symbol, Symbol)
        return _taken(symbol, ask, days, prices, notes)
    except msgspec.ValidationError:
        return Fetched(symbol=symbol, code="no_symbol", detail="that is no symbol")
    except NotFetched as fault:
        return Fetched(symbol=symbol, code=fault.code, detail=fault.detail)


def _taken(
    symbol: str, ask: Callable[[date], Answer], days: Days, prices: Prices, notes: list[str]
) -> Fetched:
    taken = TakePrices(prices)(ask(days.first), last=days.last, again=ask)
    if taken.refetched:
        notes.append(f"{symbol}: adjusted closes have moved, so its whole history was fetched again")
    if taken.rescaled:
        notes.append(f"{symbol}: {taken.rescaled:,} older bars were put on the scale of the new ones")
    result = Fetched(
        symbol=symbol,
        bars=taken.bars,
        changed=taken.changed,
        first=taken.first,
        last=taken.last,
        without_trade=taken.without_trade,
        held_back_total=len(taken.held),
        held_back=taken.held[:MOST_LISTED],
        notes=list(dict.fromkeys(notes)),
    )
    if not taken.bars:
        result.code, result.detail = "no_bars", f"none of {len(taken.held):,} rows is a bar to believe"
    return result


def answer(
    source: PriceProvider, days: Days, results: list[Fetched], tracked: set[str], output: Output
) -> None:
    """Shows what there is. Exit code 1 when no symbol worked; raises `Failure` (3) when none was reached."""
    worked = [one for one in results if one.bars]
    document = {
        "provider": source.name,
        "from": days.first,
        "to": days.last,
        "bars": sum(one.bars for one in results),
        "changed": sum(one.changed for one in results),
        "held_back_total": sum(one.held_back_total for one in results),
        "without_trade": sum(one.without_trade for one in results),
        "symbols": [one.symbol for one in worked],
        "untracked": [one.symbol for one in worked if one.symbol not in tracked],
        "notes": list(dict.fromkeys(note for one in results for note in one.notes)),
        "results": results,
    }
    if results and all(one.code in UNREACHABLE for one in results):
        failure = Failure(
            f"{source.name} does not answer: {results[0].detail}.",
            title="The provider cannot be reached",
            hint="check the network, or read a file: bellwether prices import FILE",
            exit_code=NOT_RUNNING,
        )
        failure.members = {"results": results}
        raise failure
    output.answer(document, *_shown(document, results))
    if not worked:
        raise typer.Exit(1)


def _shown(document: dict[str, Any], results: list[Fetched]) -> list[str]:
    from rich.markup import escape

    lines = [_line(one) for one in results]
    held = [told for one in results for told in one.held_back]
    lines += [escape(f"  held back: {t.symbol} {t.date}: {t.code}: {t.detail}") for t in held[:MOST_SHOWN]]
    lines.append(
        f"[bold]{document['bars']:,}[/bold] bars of {len(document['symbols'])} symbols, "
        f"{document['changed']:,} of them new or changed; {document['held_back_total']:,} rows held back."
    )
    lines += [f"[dim]{escape(note)}[/dim]" for note in document["notes"]]
    if any(one.code == "key_needed" for one in results):
        lines.append("Go on with --provider tiingo, or with a file: bellwether prices import FILE")
    if any(one.code == "key_refused" for one in results):
        lines.append(f"Check the key: {_how_to_set(document['provider'])}")
    if document["untracked"]:
        some = ", ".join(document["untracked"][:MOST_SHOWN])
        lines.append(f"[dim]not tracked (bellwether track add): {escape(some)}[/dim]")
    return lines


def _line(one: Fetched) -> str:
    from rich.markup import escape

    if not one.bars:
        return f"  [red]{escape(one.symbol)}[/red]: {escape(str(one.detail))}"
    return f"  {escape(one.symbol)}: {one.bars:,} bars, {one.first} to {one.last}, {one.changed:,} changed"
