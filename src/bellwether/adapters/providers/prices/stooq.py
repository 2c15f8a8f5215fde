"""Stooq's daily bars as CSV. Needs no key, though Stooq may ask for one and then gives no prices."""

import time
from datetime import date
from typing import Any
from urllib.parse import urlencode

from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.adapters.providers.prices.asking import (
    Clock,
    DailyRows,
    Sleep,
    ask,
    nothing_between,
    unexpected,
    utc_now,
)

ADDRESS = "https://stooq.com"
COLUMNS = ("Date", "Open", "High", "Low", "Close", "Volume")
ADJUSTED = "Stooq's prices are already adjusted for splits and dividends: adj_close is the close."
_MARKETS = frozenset({"us", "uk", "de", "jp", "hk", "hu"})


class Stooq:
    """Bars whose prices are already adjusted for splits and dividends, back to the first day.

    So `adj_close` is the same figure as `close`, returns over either are total returns, and `close` of a day
    before a split or dividend is not what was paid on that day.
    """

    name = "stooq"

    def __init__(
        self,
        http: GuardedHttp,
        *,
        address: str = ADDRESS,
        sleep: Sleep = time.sleep,
        clock: Clock = utc_now,
    ) -> None:
        self._http = http
        self._address = address
        self._sleep = sleep
        self._clock = clock

    def fetch(self, symbol: str, first: date, last: date) -> DailyRows:
        """The bars of a symbol, both days included. Raises `Refused` (`no_bars`, which is also what Stooq
        says of a symbol it does not know, `key_needed`, `used_up`, `bad_answer`, `cut_short`,
        `too_many_requests`, or what the connection came to)."""
        asked = {"s": stooq_symbol(symbol), "i": "d", "d1": f"{first:%Y%m%d}", "d2": f"{last:%Y%m%d}"}
        response = ask(
            self._http,
            f"{self._address}/q/d/l/?{urlencode(asked)}",
            sleep=self._sleep,
            clock=self._clock,
        )
        if response.status == 404:
            raise nothing_between("Stooq", symbol, first, last)
        if response.status != 200:
            raise unexpected("Stooq", response.status)
        bars = [_bar(symbol, cells) for cells in _table(response)]
        if not bars:
            raise nothing_between("Stooq", symbol, first, last)
        return DailyRows(bars=bars, notes=[ADJUSTED])


def stooq_symbol(symbol: str) -> str:
    """A symbol as Stooq writes it: `aapl.us`, `brk-b.us`; `VOD.UK` has its market and `^SPX` needs none."""
    plain = symbol.lower()
    stem, _, market = plain.rpartition(".")
    if plain.startswith("^") or (stem and market in _MARKETS):
        return plain
    return f"{plain.replace('.', '-')}.us"


def _table(response: Response) -> list[list[str]]:
    """The rows under the header. Raises `Refused` for every body that is no table of prices."""
    text = response.content.decode("utf-8-sig", errors="replace")
    _refuse_words(text.lstrip()[:4_000].lower())
    # days and figures are never quoted
    rows = [line.split(",") for line in text.splitlines()]
    if not rows:
        return []
    if tuple(cell.strip() for cell in rows[0]) != COLUMNS:
        raise Refused("bad_answer", f"Stooq's answer has no table of {', '.join(COLUMNS)}")
    told_its_end = "content-length" in response.headers or "transfer-encoding" in response.headers
    if not told_its_end and not text.endswith("\n"):
        raise Refused("cut_short", "the answer ended within a row")
    return [cells for cells in rows[1:] if any(cells)]


def _refuse_words(begin: str) -> None:
    if begin.startswith("get your apikey") or "get_apikey" in begin:
        raise Refused("key_needed", "Stooq asks for a key of its own and gave no prices")
    if begin.startswith("exceeded the daily hits limit"):
        raise Refused("used_up", "Stooq's number of requests a day is used up")
    if begin.startswith("no data"):
        raise Refused("no_bars", "Stooq has no data for this symbol and these days")
    if begin.startswith("<"):
        raise Refused("bad_answer", "Stooq answered with a web page, not with prices")


def _bar(symbol: str, cells: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = dict(zip((name.lower() for name in COLUMNS), cells, strict=False))
    return {"symbol": symbol, **told, "adj_close": told.get("close")}
