"""One round over tracked symbols: the least recently looked at first, each from the first provider that can.

What a round did not reach is first in the next one. Where it stopped is kept in one object of the lake; the
bars themselves are merged symbol by symbol, so a round that dies has lost nothing.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.calling import Waiting
from bellwether.adapters.providers.guarded_http import Refused
from bellwether.adapters.providers.prices.asking import REFUSES_ALL, PriceProvider
from bellwether.adapters.providers.prices.rows import actions_of, history_of
from bellwether.domain.items import Instant
from bellwether.domain.market_days import last_session, market_of
from bellwether.domain.price_quality import HeldBar
from bellwether.usecases.ports import Lake, Prices
from bellwether.usecases.take_prices import Answer, Taken, TakePrices

CHECKED = "curated-data/price-checks/checked.json"
OVERLAP = timedelta(days=10)
"""Days before the last stored one that are read again: corrections, and adjusted closes that have moved."""
YEARS = timedelta(days=1_826)
"""How far back a symbol without bars is read, five years."""
SHORT_PLAN = timedelta(days=700)
"""How far back plans of two years go for sure."""
SESSIONS_OVER = 22
"""Hour of a UTC day from which on the bars of that day are complete: New York closes at 21 at the latest."""
MOST_IN_A_ROW = 3
"""Failures of a provider, one symbol after the other, after which it is not asked again in the round."""
LONGEST_SYMBOL = 150.0
"""Seconds one symbol may take: three calls, each with a wait before it."""
KEPT_EVERY = 25
UNREADABLE = "kept_unreadable"
"""Code of a symbol whose own bars in the lake are not a document."""
_OF_TODAY = frozenset({"too_many_requests", "contended"})


class Checked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a symbol was left. `through` is the last session there is nothing more to ask about; `code` why
    there was nothing."""

    at: Instant
    provider: str | None = None
    through: date | None = None
    code: str | None = None
    held: int = 0


class Round(Struct, kw_only=True):
    """What a round did. `failures` are symbols by code; `calls` (answers and failures, one a symbol) and
    `failing` are by provider, `errors` by provider and code. `out` are providers nothing more was asked of.
    """

    symbols: int = 0
    current: int = 0
    updated: int = 0
    put_off: int = 0
    bars: int = 0
    held: list[HeldBar] = []
    failures: Counter[str] = msgspec.field(default_factory=Counter)
    calls: Counter[str] = msgspec.field(default_factory=Counter)
    failing: Counter[str] = msgspec.field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    out: dict[str, str] = {}


class PriceRound:
    """`providers` in the order they are asked in; `seconds` is what the round may take."""

    def __init__(
        self,
        providers: Sequence[PriceProvider],
        prices: Prices,
        lake: Lake,
        *,
        clock: Callable[[], datetime],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._providers = providers
        self._prices = prices
        self._take = TakePrices(prices)
        self._lake = lake
        self._clock = clock
        self._timer = timer
        self._in_a_row = Counter[str]()
        self._done = Round()

    def __call__(self, symbols: Iterable[str], seconds: float) -> Round:
        """Fetches what is not current yet. Raises what the desk's own ports raise, nothing of providers."""
        last = last_complete_day(self._clock())
        checked = _read(self._lake)
        wanted = sorted(set(symbols), key=lambda symbol: (_looked_at(checked, symbol), symbol))
        due = [symbol for symbol in wanted if not _is_current(checked.get(symbol), symbol, last)]
        done = self._done
        done.symbols, done.current = len(wanted), len(wanted) - len(due)
        until = self._timer() + seconds - min(LONGEST_SYMBOL, seconds / 4)
        reached = 0
        for symbol in due:
            if self._timer() >= until or not next(self._usable(), None):
                break
            result = self._symbol(symbol, last)
            if result is None:
                continue
            checked[symbol] = result
            reached += 1
            if reached % KEPT_EVERY == 0:
                _write(self._lake, checked, wanted)
        done.put_off = len(due) - reached
        if reached:
            _write(self._lake, checked, wanted)
        return done

    def _usable(self) -> Iterator[PriceProvider]:
        return (provider for provider in self._providers if provider.name not in self._done.out)

    def _symbol(self, symbol: str, last: date) -> Checked | None:
        """What became of a symbol; `None` when nobody could be asked to the end."""
        try:
            known = self._prices.history(symbol)
        except msgspec.DecodeError:
            self._done.failures[UNREADABLE] += 1
            return Checked(at=self._clock(), code=UNREADABLE)
        first = known.dates[-1] - OVERLAP if known.dates else last - YEARS
        fault: Refused | None = None
        for provider in list(self._usable()):
            try:
                taken = self._from(provider, symbol, min(first, last), last)
            except Refused as refused:
                self._refused(provider.name, refused)
                fault = refused
                continue
            self._in_a_row[provider.name] = 0
            self._done.calls[provider.name] += 1
            return self._taken(provider.name, taken, last)
        if fault is None or (fault.about_all and next(self._usable(), None) is None):
            return None
        self._done.failures[fault.code] += 1
        return Checked(at=self._clock(), code=fault.code)

    def _from(self, provider: PriceProvider, symbol: str, first: date, last: date) -> Taken:
        def ask(since: date) -> Answer:
            try:
                told = provider.fetch(symbol, since, last)
            except Refused as fault:
                if fault.code != "not_in_plan" or since >= last - SHORT_PLAN:
                    raise
                since = last - SHORT_PLAN
                told = provider.fetch(symbol, since, last)
            history, refused = history_of(symbol, told, since, last)
            return Answer(
                history=history,
                refused=refused,
                actions=actions_of(symbol, told),
                tells_actions=told.tells_actions,
            )

        return self._take(ask(first), last=last, again=ask)

    def _taken(self, provider: str, taken: Taken, last: date) -> Checked:
        self._done.updated += 1
        self._done.bars += taken.changed
        self._done.held += taken.held
        market = market_of(taken.symbol)
        complete = taken.last is not None and taken.last >= last_session(last, market)
        return Checked(
            at=self._clock(),
            provider=provider,
            through=last_session(last, market) if complete else None,
            held=len(taken.held),
        )

    def _refused(self, provider: str, fault: Refused) -> None:
        done = self._done
        if not isinstance(fault, Waiting):
            done.calls[provider] += 1
            done.errors[provider, fault.code] += 1
        if not fault.about_all:
            return
        self._in_a_row[provider] += 1
        for_all = isinstance(fault, Waiting) or fault.code in REFUSES_ALL | _OF_TODAY
        if for_all or self._in_a_row[provider] >= MOST_IN_A_ROW:
            done.out[provider] = fault.code
            done.failing[provider] += not isinstance(fault, Waiting)


def last_complete_day(at: datetime) -> date:
    """The last day all sessions of which are over: a UTC day is from 22 o'clock on."""
    at = at.astimezone(UTC)
    return at.date() if at.hour >= SESSIONS_OVER else at.date() - timedelta(days=1)


def _is_current(known: Checked | None, symbol: str, last: date) -> bool:
    return (
        known is not None
        and known.through is not None
        and known.through >= last_session(last, market_of(symbol))
    )


def _looked_at(checked: dict[str, Checked], symbol: str) -> datetime:
    known = checked.get(symbol)
    return known.at if known else datetime.min.replace(tzinfo=UTC)


def _read(lake: Lake) -> dict[str, Checked]:
    """What is kept; nothing when it cannot be read, which costs calls and no bar."""
    kept = lake.get(CHECKED)
    try:
        return msgspec.json.decode(kept, type=dict[str, Checked]) if kept else {}
    except msgspec.DecodeError:
        return {}


def _write(lake: Lake, checked: dict[str, Checked], wanted: Sequence[str]) -> None:
    kept = {symbol: checked[symbol] for symbol in sorted(wanted) if symbol in checked}
    lake.put(CHECKED, msgspec.json.encode(kept))
