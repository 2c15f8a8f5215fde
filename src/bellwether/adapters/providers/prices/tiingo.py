"""Tiingo's end-of-day bars: as traded, and adjusted for splits and dividends. Needs a key."""

import json
import time
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused
from bellwether.adapters.providers.prices.asking import (
    Clock,
    DailyRows,
    Sleep,
    ask,
    nothing_between,
    unexpected,
    utc_now,
)

ADDRESS = "https://api.tiingo.com"
MOST_TOLD = 200
_FIELDS = {
    "date": "date",
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "adj_close": "adjClose",
    "volume": "volume",
}


class Tiingo:
    """Bars as traded; `adj_close` is Tiingo's `adjClose`, which takes splits and dividends into account.

    The key travels in a header, never in an address, and is taken out of whatever Tiingo says.
    """

    name = "tiingo"

    def __init__(
        self,
        key: str,
        http: GuardedHttp,
        *,
        address: str = ADDRESS,
        sleep: Sleep = time.sleep,
        clock: Clock = utc_now,
    ) -> None:
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise Refused("key_refused", "the key is not one: it holds blanks or signs no key has")
        self._key = key
        self._http = http
        self._address = address
        self._sleep = sleep
        self._clock = clock

    def fetch(self, symbol: str, first: date, last: date) -> DailyRows:
        """The bars of a symbol, both days included. Raises `Refused` (`unknown_symbol`, `key_refused`,
        `no_bars`, `bad_answer`, `too_many_requests`, or what the connection came to)."""
        asked = {"startDate": first.isoformat(), "endDate": last.isoformat(), "format": "json"}
        response = ask(
            self._http,
            f"{self._address}/tiingo/daily/{quote(ticker_of(symbol), safe='')}/prices?{urlencode(asked)}",
            {"Authorization": f"Token {self._key}"},
            sleep=self._sleep,
            clock=self._clock,
        )
        if response.status == 404:
            raise Refused("unknown_symbol", f"Tiingo knows no ticker {ticker_of(symbol)}")
        if response.status in {401, 403}:
            raise Refused("key_refused", "Tiingo refuses the key")
        if response.status != 200:
            raise unexpected("Tiingo", response.status)
        bars = [_bar(symbol, told) for told in self._records(response.content)]
        if not bars:
            raise nothing_between("Tiingo", symbol, first, last)
        return DailyRows(bars=bars, notes=[])

    def _records(self, content: bytes) -> list[dict[str, Any]]:
        try:
            # NaN is read as the number it stands for, so that it costs its row and not the whole answer
            document = json.loads(content, parse_int=float)
        except (ValueError, RecursionError):
            raise Refused("bad_answer", "Tiingo's answer is not JSON to its end") from None
        if isinstance(document, dict) and isinstance(told := document.get("detail"), str):
            raise Refused("bad_answer", f"Tiingo says: {self._safe(told)}")
        if not isinstance(document, list) or not all(isinstance(one, dict) for one in document):
            raise Refused("bad_answer", "Tiingo's answer is not a list of bars")
        return document

    def _safe(self, told: str) -> str:
        plain = "".join(sign for sign in told.replace(self._key, "…") if sign.isprintable())
        return plain[:MOST_TOLD]


def ticker_of(symbol: str) -> str:
    """Tiingo writes share classes with a dash: `BRK-B`."""
    return symbol.replace(".", "-")


def _bar(symbol: str, told: dict[str, Any]) -> dict[str, Any]:
    cells = {name: told.get(field) for name, field in _FIELDS.items()}
    # A missing adjusted close holds the row back: the close would stand for it, on another scale.
    if cells["adj_close"] is None:
        cells["adj_close"] = ""
    plain = {name: cell if _is_cell(cell) else str(cell) for name, cell in cells.items()}
    return {"symbol": symbol, **plain}


def _is_cell(cell: object) -> bool:
    return cell is None or isinstance(cell, str | float)
