"""Polygon's (now Massive's) daily bars as traded, with the splits and dividends to adjust them by."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.prices.asking import Asking, DailyRows, cell, day_of, figure, usable_key
from bellwether.adapters.providers.prices.rows import with_adjusted
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.corporate_actions import Dividend, Split

ADDRESS = "https://api.massive.com"
MOST_BARS = 50_000
MOST_ACTIONS = 1_000
MOST_PAGES = 20
_FIELDS = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
_GIVEN = frozenset({"OK", "DELAYED"})

T = TypeVar("T")


class Polygon:
    """Bars as traded (`adjusted=false`); `adj_close` is made here from the splits and dividends it tells,
    because its own adjusting leaves dividends out.

    Three calls a symbol, and one more for each further page. A page is followed on the same host alone: what
    is sent with it is the key.
    """

    name = "polygon"

    def __init__(self, key: str, sources: Sources, *, patience: float) -> None:
        self._headers = {"Authorization": f"Bearer {usable_key(key)}"}
        self._asking = Asking(sources, self.name, patience=patience, secret=key)
        self._address = sources.address(self.name, ADDRESS)
        self._clock = sources.clock

    def fetch(self, symbol: str, first: date, last: date) -> DailyRows:
        """The bars of a symbol, both days included. Raises `Refused` (`no_bars`, which is also what Polygon
        says of a symbol it does not know, `key_refused`, `not_in_plan`, `bad_answer`, `foreign_page`,
        `too_many_pages`, `too_many_requests`, or what the connection came to)."""
        ticker = quote(symbol.replace("-", "."), safe="")
        # up to today: what was paid since `last` is adjusted for as well
        until = max(last, self._clock().astimezone(UTC).date())
        asked = {"adjusted": "false", "sort": "asc", "limit": str(MOST_BARS)}
        span = f"{first.isoformat()}/{until.isoformat()}"
        bars = self._pages(f"/v2/aggs/ticker/{ticker}/range/1/day/{span}?{urlencode(asked)}", _bar_of(symbol))
        if not bars:
            raise self._asking.nothing_between(symbol, first, last)
        splits = self._actions("splits", "execution_date", ticker, first, _split)
        dividends = self._actions("dividends", "ex_dividend_date", ticker, first, _dividend)
        adjusted = with_adjusted(symbol, bars, splits, dividends)
        asked_for = [bar for bar in adjusted if (day := day_of(bar["date"])) is None or day <= last]
        return DailyRows(bars=asked_for, splits=splits, dividends=dividends, tells_actions=True)

    def _actions(
        self, kind: str, day: str, ticker: str, first: date, read: Callable[[dict[str, Any]], T | None]
    ) -> list[T]:
        asked = {"ticker": ticker, f"{day}.gte": first.isoformat(), "limit": str(MOST_ACTIONS)}
        return self._pages(f"/v3/reference/{kind}?{urlencode(asked)}", read)

    def _pages(self, target: str, read: Callable[[dict[str, Any]], T | None]) -> list[T]:
        """All pages from `target` on. Raises `Refused` rather than to give a part of them."""
        found: list[T] = []
        url: str | None = f"{self._address}{target}"
        for _ in range(MOST_PAGES):
            results, url = self._asking.get(str(url), self._page, self._headers)
            found += [one for told in results if (one := read(told)) is not None]
            if url is None:
                return found
        raise Refused("too_many_pages", f"Polygon's answer goes on after {MOST_PAGES} pages", about_all=False)

    def _page(self, response: Response) -> tuple[list[dict[str, Any]], str | None]:
        self._refuse(response)
        document = self._asking.document(response.content)
        if not isinstance(document, dict) or document.get("status") not in _GIVEN:
            told = document.get("error") or document.get("message") if isinstance(document, dict) else None
            raise self._asking.says("bad_answer", told or "nothing that is an answer")
        results = document.get("results") or []
        if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
            raise Refused("bad_answer", "Polygon's answer holds no list of results")
        return results, self._next(document.get("next_url"))

    def _refuse(self, response: Response) -> None:
        if response.status == 200:
            return
        if response.status == 401:
            raise Refused("key_refused", "Polygon refuses the key")
        if response.status == 403:
            # of older days than the plan has, of this symbol's kind: another symbol may be in it
            detail = "Polygon's plan for this key does not have these days"
            raise Refused("not_in_plan", detail, about_all=False)
        if response.status == 404:
            raise Refused("no_bars", "Polygon does not know this symbol", about_all=False)
        raise self._asking.unexpected(response.status)

    def _next(self, told: object) -> str | None:
        if told is None or told == "":
            return None
        if not _same_host(str(told), self._address):
            raise Refused("foreign_page", "Polygon's next page is on another host, where no key is sent")
        return str(told)


def _same_host(url: str, base: str) -> bool:
    try:
        there, here = urlsplit(url), urlsplit(base)
        same = (there.scheme, there.hostname, there.port) == (here.scheme, here.hostname, here.port)
    except ValueError:
        return False
    return same and there.username is None


def _bar_of(symbol: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def bar(told: dict[str, Any]) -> dict[str, Any]:
        cells = {name: cell(told.get(field)) for name, field in _FIELDS.items()}
        return {"symbol": symbol, "date": _day(told.get("t")), **cells}

    return bar


def _day(told: object) -> str | None:
    """A bar's `t` is midnight in New York, in milliseconds: the same calendar day in UTC."""
    milliseconds = figure(told)
    if milliseconds is None or not 0 <= milliseconds < 32_503_680_000_000:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def _split(told: dict[str, Any]) -> Split | None:
    day = day_of(told.get("execution_date"))
    old, new = figure(told.get("split_from")), figure(told.get("split_to"))
    if day is None or not old or not new or old <= 0 or new <= 0:
        return None
    return Split(date=day, ratio=new / old)


def _dividend(told: dict[str, Any]) -> Dividend | None:
    day, cash = day_of(told.get("ex_dividend_date")), figure(told.get("cash_amount"))
    return Dividend(date=day, cash=cash) if day and cash and cash > 0 else None
