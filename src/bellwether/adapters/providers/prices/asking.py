"""What providers of daily bars have in common: what they give, and how they are asked."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct

from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.adapters.providers.waiting import retry_after

LONGEST_PAUSE = timedelta(seconds=60)
LARGEST_ANSWER = 20_000_000
"""Bytes. Sixty years of one symbol in Tiingo's JSON are some 6 MB."""
MOST_SECONDS = 30.0

REFUSES_ALL = frozenset({"key_refused", "key_needed", "used_up"})
"""Codes of a provider that will refuse the next symbol for the same reason."""

Sleep = Callable[[float], None]
Clock = Callable[[], datetime]


class DailyRows(Struct, frozen=True, kw_only=True):
    """What a provider has of one symbol, in its own order.

    `bars` holds one mapping a day with the keys `symbol`, `date`, `open`, `high`, `low`, `close`,
    `adj_close` and `volume`, cells as they came (text, a number or nothing): nothing is checked yet.
    `notes` are sentences on how to read them.
    """

    bars: list[dict[str, Any]]
    notes: list[str]


class PriceProvider(Protocol):
    """Daily bars of one provider."""

    @property
    def name(self) -> str:
        """The provider, in the words of the command line: `stooq`, `tiingo`."""

    def fetch(self, symbol: str, first: date, last: date) -> DailyRows:
        """The bars of a symbol from `first` to `last`, both included. Raises `Refused`."""


def price_http() -> GuardedHttp:
    """A client with room for decades of bars."""
    return GuardedHttp(seconds=MOST_SECONDS, largest=LARGEST_ANSWER)


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def ask(
    http: GuardedHttp,
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    sleep: Sleep = time.sleep,
    clock: Clock = utc_now,
) -> Response:
    """One GET. A 429 that says when to come back, within a minute, is waited for once; any other 429, and
    the second one, raises `Refused`. Other statuses are the caller's to judge."""
    response = http.get(url, headers)
    if response.status != 429:
        return response
    pause = retry_after(response.headers, clock())
    if pause is None or pause > LONGEST_PAUSE:
        raise _too_many(pause)
    sleep(pause.total_seconds())
    response = http.get(url, headers)
    if response.status == 429:
        raise _too_many(retry_after(response.headers, clock()))
    return response


def unexpected(provider: str, status: int) -> Refused:
    """For a status that says nothing about the symbol."""
    return Refused(f"http_{status}", f"{provider} answered {status}")


def nothing_between(provider: str, symbol: str, first: date, last: date) -> Refused:
    """For an answer that is fine and empty."""
    return Refused("no_bars", f"{provider} has no bars of {symbol} from {first} to {last}")


def _too_many(pause: timedelta | None) -> Refused:
    when = f"in {pause.total_seconds():,.0f} seconds" if pause is not None else "later"
    return Refused("too_many_requests", f"the provider was asked too often; try again {when}")
