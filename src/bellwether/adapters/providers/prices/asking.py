"""What providers of daily bars have in common: what they give, and how they are asked."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from bellwether.adapters.providers.calling import Waiting
from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.corporate_actions import Dividend, Split

LARGEST_ANSWER = 20_000_000
"""Bytes. Sixty years of one symbol in Tiingo's JSON are some 6 MB."""
MOST_SECONDS = 30.0
MOST_TOLD = 200
"""Characters of what a provider says that are shown."""

USED_UP = timedelta(hours=1)
"""How long a provider is left alone that says its quota is used up."""

REFUSES_ALL = frozenset({"key_refused", "key_needed", "used_up"})
"""Codes of a provider that will refuse the next symbol for the same reason."""
_TIMELY = frozenset({"quota", "asked_to_wait", "too_many_requests"})

_ROUNDING = 0.001
"""Seconds that are waited more, so that it is not a moment too early."""

T = TypeVar("T")


class DailyRows(Struct, frozen=True, kw_only=True):
    """What a provider has of one symbol, in its own order.

    `bars` holds one mapping a day with the keys `symbol`, `date`, `open`, `high`, `low`, `close`,
    `adj_close` and `volume`, cells as they came (text, a number or nothing): nothing is checked yet.
    `tells_actions` says whether `splits` and `dividends` are all there were between the first day asked for
    and the last. `notes` are sentences on how to read the bars.
    """

    bars: list[dict[str, Any]]
    notes: list[str] = []
    splits: list[Split] = []
    dividends: list[Dividend] = []
    tells_actions: bool = False


class PriceProvider(Protocol):
    """Daily bars of one provider."""

    @property
    def name(self) -> str:
        """The provider, in the words of the command line: `stooq`, `tiingo`."""

    def fetch(self, symbol: str, first: date, last: date) -> DailyRows:
        """The bars of a symbol from `first` to `last`, both included. Raises `Refused`; its `about_all` says
        whether the next symbol would be refused as well."""


def price_http() -> GuardedHttp:
    """A client with room for decades of bars."""
    return GuardedHttp(seconds=MOST_SECONDS, largest=LARGEST_ANSWER)


class Asking:
    """Requests to one provider within its quotas.

    A pause of at most `patience` seconds that the quotas or the provider ask for is waited, more than once
    only where it was the quotas; a longer one raises `Refused`. What must not be shown is a `secret`.
    """

    def __init__(self, sources: Sources, name: str, *, patience: float, secret: str = "") -> None:
        # waited for here alone, and told when it is not
        self._sources = replace(sources, patience=0.0)
        self._name = name
        self._patience = patience
        self._secret = secret
        self.title = sources.terms[name].title

    def get(self, url: str, read: Callable[[Response], T], headers: Mapping[str, str] | None = None) -> T:
        """What `read` makes of the answer; it raises `Refused` for one that is none."""
        waited, warned = 0.0, False
        while True:
            try:
                return self._once(url, read, headers)
            except Refused as fault:
                pause = _pause(fault)
                again = pause is not None and waited + pause <= self._patience
                if pause is None or not again or (warned and not isinstance(fault, Waiting)):
                    raise _too_many(fault) from None
                warned = warned or not isinstance(fault, Waiting)
                waited += pause
                self._sources.sleep(pause + _ROUNDING)

    def _once(self, url: str, read: Callable[[Response], T], headers: Mapping[str, str] | None) -> T:
        made: list[T] = []

        def judge(response: Response, _at: datetime) -> timedelta | None:
            made.append(read(response))
            return None

        self._sources.client(self._name, judge).calls().get(url, headers)
        return made[0]

    def unexpected(self, status: int) -> Refused:
        """For a status that says nothing about the symbol."""
        return Refused(f"http_{status}", f"{self.title} answered {status}")

    def nothing_between(self, symbol: str, first: date, last: date) -> Refused:
        """For an answer that is fine and empty."""
        return Refused(
            "no_bars", f"{self.title} has no bars of {symbol} from {first} to {last}", about_all=False
        )

    def unknown(self, ticker: str) -> Refused:
        """For a symbol the provider does not have."""
        return Refused("unknown_symbol", f"{self.title} knows no ticker {ticker}", about_all=False)

    def document(self, content: bytes) -> Any:
        """The JSON of an answer, whole numbers as floats. Raises `Refused`."""
        try:
            # NaN is read as the number it stands for, so that it costs its row and not the whole answer
            return json.loads(content, parse_int=float)
        except (ValueError, RecursionError):
            raise Refused("bad_answer", f"{self.title}'s answer is not JSON to its end") from None

    def says(
        self, code: str, told: object, *, about_all: bool = True, wait: timedelta | None = None
    ) -> Refused:
        """For an answer that is a sentence of the provider's own."""
        return Refused(code, f"{self.title} says: {self.shown(told)}", about_all=about_all, wait=wait)

    def shown(self, told: object) -> str:
        """What a provider said, without the key and whatever a terminal would make something of."""
        text = str(told)
        if self._secret:
            text = text.replace(self._secret, "…")
        return "".join(sign for sign in text if sign.isprintable())[:MOST_TOLD]


def usable_key(key: str) -> str:
    """The key. Raises `Refused` for what is none, before anything is sent."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise Refused("key_refused", "the key is not one: it holds blanks or signs no key has")
    return key


def cell(told: object) -> str | float | None:
    """A cell as the check of bars takes it."""
    return told if told is None or isinstance(told, str | float) else str(told)


def figure(told: object) -> float | None:
    """A finite number, from text as well; `None` for anything else."""
    try:
        value = float(told) if isinstance(told, str | float | int) and not isinstance(told, bool) else None
    except ValueError:
        return None
    return value if value is not None and abs(value) < 1e300 else None


def day_of(told: object) -> date | None:
    """The day a text begins with."""
    try:
        return date.fromisoformat(told[:10]) if isinstance(told, str) else None
    except ValueError:
        return None


def _pause(fault: Refused) -> float | None:
    """Seconds after which the same request may be made, when time alone mends it."""
    if fault.code not in _TIMELY or fault.wait is None:
        return None
    return max(fault.wait.total_seconds(), 0.0)


def _too_many(fault: Refused) -> Refused:
    if fault.code != "too_many_requests" or fault.wait is None:
        return fault
    when = f"in {fault.wait.total_seconds():,.0f} seconds"
    return Refused(fault.code, f"the provider was asked too often; try again {when}", wait=fault.wait)
