"""Tiingo's end-of-day bars: as traded, and adjusted for splits and dividends. Needs a key."""

from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.prices.asking import (
    USED_UP,
    Asking,
    DailyRows,
    cell,
    day_of,
    figure,
    usable_key,
)
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.corporate_actions import Dividend, Split

ADDRESS = "https://api.tiingo.com"
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

    `divCash` and `splitFactor` of an ex-date are its corporate actions. The key travels in a header, never
    in an address, and is taken out of whatever Tiingo says.
    """

    name = "tiingo"

    def __init__(self, key: str, sources: Sources, *, patience: float) -> None:
        self._key = usable_key(key)
        self._asking = Asking(sources, self.name, patience=patience, secret=key)
        self._address = sources.address(self.name, ADDRESS)

    def fetch(self, symbol: str, first: date, last: date) -> DailyRows:
        """The bars of a symbol, both days included. Raises `Refused` (`unknown_symbol`, `key_refused`,
        `no_bars`, `bad_answer`, `used_up`, `too_many_requests`, or what the connection came to)."""
        asked = {"startDate": first.isoformat(), "endDate": last.isoformat(), "format": "json"}
        ticker = ticker_of(symbol)
        records = self._asking.get(
            f"{self._address}/tiingo/daily/{quote(ticker, safe='')}/prices?{urlencode(asked)}",
            lambda response: self._records(response, ticker),
            {"Authorization": f"Token {self._key}"},
        )
        if not records:
            raise self._asking.nothing_between(symbol, first, last)
        return DailyRows(
            bars=[_bar(symbol, told) for told in records],
            splits=[split for told in records if (split := _split(told))],
            dividends=[dividend for told in records if (dividend := _dividend(told))],
            tells_actions=True,
        )

    def _records(self, response: Response, ticker: str) -> list[dict[str, Any]]:
        if response.status == 404:
            raise self._asking.unknown(ticker)
        if response.status in {401, 403}:
            raise Refused("key_refused", "Tiingo refuses the key")
        if response.status != 200:
            raise self._asking.unexpected(response.status)
        document = self._asking.document(response.content)
        if isinstance(document, dict) and isinstance(told := document.get("detail"), str):
            limit = _is_limit(told)
            code, wait = ("used_up", USED_UP) if limit else ("bad_answer", None)
            raise self._asking.says(code, told, wait=wait)
        if not isinstance(document, list) or not all(isinstance(one, dict) for one in document):
            raise Refused("bad_answer", "Tiingo's answer is not a list of bars")
        return document


def ticker_of(symbol: str) -> str:
    """Tiingo writes share classes with a dash: `BRK-B`."""
    return symbol.replace(".", "-")


def _is_limit(told: str) -> bool:
    """Tiingo tells a plan's limits with status 200 as well: symbols a month, requests an hour or a day."""
    words = told.lower()
    return "limit" in words or "allocation" in words


def _bar(symbol: str, told: dict[str, Any]) -> dict[str, Any]:
    cells = {name: told.get(field) for name, field in _FIELDS.items()}
    # A missing adjusted close holds the row back: the close would stand for it, on another scale.
    if cells["adj_close"] is None:
        cells["adj_close"] = ""
    return {"symbol": symbol, **{name: cell(value) for name, value in cells.items()}}


def _split(told: dict[str, Any]) -> Split | None:
    day, ratio = day_of(told.get("date")), figure(told.get("splitFactor"))
    return Split(date=day, ratio=ratio) if day and ratio and ratio > 0 and ratio != 1 else None


def _dividend(told: dict[str, Any]) -> Dividend | None:
    day, cash = day_of(told.get("date")), figure(told.get("divCash"))
    return Dividend(date=day, cash=cash) if day and cash and cash > 0 else None
