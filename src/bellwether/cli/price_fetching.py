"""`bellwether prices fetch`: from a provider, symbol by symbol, through the checks of an import."""

import os
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import typer
from msgspec import Struct

from bellwether.adapters.providers.guarded_http import Refused as NotFetched
from bellwether.adapters.providers.prices.asking import (
    REFUSES_ALL,
    DailyRows,
    PriceProvider,
    price_http,
)
from bellwether.adapters.providers.prices.stooq import Stooq
from bellwether.adapters.providers.prices.tiingo import Tiingo
from bellwether.cli.asset_files import clean_symbol
from bellwether.cli.bar_files import gather
from bellwether.cli.failures import NOT_RUNNING, Failure, Refused, WrongUse
from bellwether.cli.output import Output
from bellwether.cli.progress import progress
from bellwether.domain.entities import Symbol
from bellwether.domain.prices import History
from bellwether.domain.problems import NotFound
from bellwether.domain.provider_record import UNREACHABLE
from bellwether.usecases.ports import Prices

KEY_VARIABLE = "TIINGO_API_KEY"
KEY_NAME = "tiingo_api_key"
YEARS = 5
MOST_UNREACHABLE = 3
"""After so many symbols in a row for which nobody answered, the others are not asked for."""
MOST_SHOWN = 10
_SAME_SCALE = 1e-3


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
    held_back: list[dict[str, Any]] = []
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
    if name == "stooq":
        return Stooq(price_http())
    if name == "tiingo":
        try:
            return Tiingo(tiingo_key(ports), price_http())
        except NotFetched as fault:
            raise Refused(fault.detail, title="No usable key for Tiingo", hint=_how_to_set()) from None
    raise WrongUse(f"--provider is stooq or tiingo, not {name}")


def tiingo_key(ports: Any) -> str:
    """The key from the environment, else from the stage's providers' secret. Raises `Refused` without one."""
    if told := os.environ.get(KEY_VARIABLE, "").strip():
        return told
    try:
        kept = ports.provider_keys().get(KEY_NAME)
    except NotFound:
        kept = None
    except msgspec.DecodeError:
        raise Failure("the stage's providers' secret is not a JSON object", hint=_how_to_set()) from None
    if isinstance(kept, str) and kept.strip():
        return kept.strip()
    raise Refused("Tiingo gives prices only for a key.", title="No key for Tiingo", hint=_how_to_set())


def _how_to_set() -> str:
    return (
        f"set {KEY_VARIABLE}, or {KEY_NAME} in the stage's providers' secret (keys: api.tiingo.com), "
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
        if one.code in REFUSES_ALL:
            return one
    for start in range(len(results) - MOST_UNREACHABLE + 1):
        if all(one.code in UNREACHABLE for one in results[start : start + MOST_UNREACHABLE]):
            return results[start]
    return None


def fetch_one(symbol: str, days: Days, source: PriceProvider, prices: Prices) -> Fetched:
    """One symbol: fetched, checked, merged."""
    try:
        msgspec.convert(symbol, Symbol)
        told = source.fetch(symbol, days.first, days.last)
    except msgspec.ValidationError:
        return Fetched(symbol=symbol, code="no_symbol", detail="that is no symbol")
    except NotFetched as fault:
        return Fetched(symbol=symbol, code=fault.code, detail=fault.detail)
    return _merged(symbol, told, days, prices)


def _merged(symbol: str, told: DailyRows, days: Days, prices: Prices) -> Fetched:
    found = gather(told.bars, today=days.last)
    result = Fetched(
        symbol=symbol,
        without_trade=found.without_trade,
        held_back_total=found.held,
        held_back=found.held_back,
        notes=list(told.notes),
    )
    history = next(found.histories(), None)
    if history is None:
        result.code, result.detail = "no_bars", f"none of the {found.read:,} rows is a bar"
        return result
    if broken := seam(prices.history(symbol), history):
        result.notes.append(broken)
    result.bars = len(history.dates)
    result.changed = prices.merge(history)
    result.first, result.last = history.dates[0], history.dates[-1]
    return result


def seam(known: History, fetched: History) -> str | None:
    """What to say when bars outside the fetched days stay on another scale of adjusted closes.

    A split or dividend, or another provider, moves all adjusted closes before it; if only a part of a history
    is replaced, a return across the seam is one that never was. Told from the days both have.
    """
    if not known.dates:
        return None
    rows = ((row, known.row_of(day)) for row, day in enumerate(fetched.dates))
    ratios = [fetched.adj_close[row] / known.adj_close[old] for row, old in rows if old is not None]
    if all(abs(ratio - 1) <= _SAME_SCALE for ratio in ratios):
        return None
    outside = bisect_left(known.dates, fetched.dates[0])
    if outside == 0 and known.dates[-1] <= fetched.dates[-1]:
        return None
    first, last = known.dates[0], max(known.dates[-1], fetched.dates[-1])
    return (
        f"{fetched.symbol}: kept bars of other days are on another scale of adjusted closes; "
        f"fetch {first} to {last} again to have one scale"
    )


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
    lines += [escape(f"  held back: {t['symbol']} {t['date']}: {t['detail']}") for t in held[:MOST_SHOWN]]
    lines.append(
        f"[bold]{document['bars']:,}[/bold] bars of {len(document['symbols'])} symbols, "
        f"{document['changed']:,} of them new or changed; {document['held_back_total']:,} rows held back."
    )
    lines += [f"[dim]{escape(note)}[/dim]" for note in document["notes"]]
    if any(one.code == "key_needed" for one in results):
        lines.append("Go on with --provider tiingo, or with a file: bellwether prices import FILE")
    if any(one.code == "key_refused" for one in results):
        lines.append(f"Check the key: {_how_to_set()}")
    if document["untracked"]:
        some = ", ".join(document["untracked"][:MOST_SHOWN])
        lines.append(f"[dim]not tracked (bellwether track add): {escape(some)}[/dim]")
    return lines


def _line(one: Fetched) -> str:
    from rich.markup import escape

    if not one.bars:
        return f"  [red]{escape(one.symbol)}[/red]: {escape(str(one.detail))}"
    return f"  {escape(one.symbol)}: {one.bars:,} bars, {one.first} to {one.last}, {one.changed:,} changed"
