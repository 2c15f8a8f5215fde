"""Alpha Vantage's daily bars as traded, with the splits and dividends to adjust them by. Needs a key."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

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
from bellwether.adapters.providers.prices.rows import with_adjusted
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.corporate_actions import Dividend, Split

ADDRESS = "https://www.alphavantage.co"
MINUTE = timedelta(minutes=1)
COMPACT = "Alpha Vantage gives the last 100 days of a symbol without a paid plan."
_SERIES = "Time Series (Daily)"
_FIELDS = {
    "open": "1. open",
    "high": "2. high",
    "low": "3. low",
    "close": "4. close",
    "volume": "5. volume",
}

T = TypeVar("T")


class AlphaVantage:
    """The last 100 bars as traded; `adj_close` is made here from the splits and dividends it tells, because
    its own adjusted bars are paid for. Three calls a symbol, of 25 a day without a plan.

    The key has no other place than the address, which is therefore neither logged nor shown.
    """

    name = "alphavantage"

    def __init__(self, key: str, sources: Sources, *, patience: float) -> None:
        self._key = usable_key(key)
        self._asking = Asking(sources, self.name, patience=patience, secret=key)
        self._address = sources.address(self.name, ADDRESS)

    def fetch(self, symbol: str, first: date, last: date) -> DailyRows:
        """The bars of a symbol, both days included, of the last 100. Raises `Refused` (`unknown_symbol`,
        `no_bars`, `key_refused`, `used_up`, `not_in_plan`, `bad_answer`, `too_many_requests`, or what the
        connection came to)."""
        ticker = symbol.replace(".", "-")
        series = self._ask(ticker, "TIME_SERIES_DAILY", _series, outputsize="compact")
        bars = [_bar(symbol, day, told) for day, told in series.items()]
        if not bars:
            raise self._asking.nothing_between(symbol, first, last)
        splits = self._ask(ticker, "SPLITS", _list_of(_split))
        dividends = self._ask(ticker, "DIVIDENDS", _list_of(_dividend))
        adjusted = with_adjusted(symbol, bars, splits, dividends)
        asked_for = [bar for bar in adjusted if (day := day_of(bar["date"])) is None or first <= day <= last]
        if not asked_for:
            raise self._asking.nothing_between(symbol, first, last)
        return DailyRows(
            bars=asked_for,
            notes=[COMPACT] if first.isoformat() < min(str(bar["date"]) for bar in bars) else [],
            splits=[split for split in splits if first <= split.date],
            dividends=[dividend for dividend in dividends if first <= dividend.date],
            tells_actions=True,
        )

    def _ask(self, ticker: str, function: str, read: Callable[[dict[str, Any]], T | None], **more: str) -> T:
        asked = {"function": function, "symbol": ticker, **more, "apikey": self._key}

        def answer(response: Response) -> T:
            found = read(self._document(response, ticker))
            if found is None:
                raise Refused("bad_answer", f"Alpha Vantage's answer is not one to {function}")
            return found

        return self._asking.get(f"{self._address}/query?{urlencode(asked)}", answer)

    def _document(self, response: Response, ticker: str) -> dict[str, Any]:
        if response.status in {401, 403}:
            raise Refused("key_refused", "Alpha Vantage refuses the key")
        if response.status != 200:
            raise self._asking.unexpected(response.status)
        document = self._asking.document(response.content)
        if not isinstance(document, dict):
            raise Refused("bad_answer", "Alpha Vantage's answer is not an object")
        self._refuse_words(document, ticker)
        return document

    def _refuse_words(self, document: Mapping[str, Any], ticker: str) -> None:
        """What goes wrong is told in words, with status 200."""
        told = next(
            (document[name] for name in ("Information", "Note", "Error Message") if name in document), None
        )
        if told is None:
            return
        words = str(told).lower()
        if any(sign in words for sign in ("per second", "per minute", "call frequency")):
            # this one names the day's limit as well
            raise self._asking.says("too_many_requests", told, wait=MINUTE)
        if "per day" in words or "rate limit" in words:
            raise self._asking.says("used_up", told, wait=USED_UP)
        if "premium" in words:
            raise self._asking.says("not_in_plan", told, about_all=False)
        if "apikey" in words or "api key" in words:
            raise self._asking.says("key_refused", told)
        if "Error Message" in document:
            raise self._asking.unknown(ticker)
        raise self._asking.says("bad_answer", told)


def _series(document: dict[str, Any]) -> dict[str, Any] | None:
    series = document.get(_SERIES)
    return series if isinstance(series, dict) else None


def _bar(symbol: str, day: str, told: object) -> dict[str, Any]:
    cells = told if isinstance(told, dict) else {}
    return {"symbol": symbol, "date": day, **{name: cell(cells.get(of)) for name, of in _FIELDS.items()}}


def _list_of(read: Callable[[dict[str, Any]], T | None]) -> Callable[[dict[str, Any]], list[T] | None]:
    def listed(document: dict[str, Any]) -> list[T] | None:
        data = document.get("data")
        if not isinstance(data, list):
            return None
        return [one for told in data if isinstance(told, dict) and (one := read(told)) is not None]

    return listed


def _split(told: dict[str, Any]) -> Split | None:
    day, ratio = day_of(told.get("effective_date")), figure(told.get("split_factor"))
    return Split(date=day, ratio=ratio) if day and ratio and ratio > 0 else None


def _dividend(told: dict[str, Any]) -> Dividend | None:
    day, cash = day_of(told.get("ex_dividend_date")), figure(told.get("amount"))
    return Dividend(date=day, cash=cash) if day and cash and cash > 0 else None
