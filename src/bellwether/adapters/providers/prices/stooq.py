"""Stooq's daily bars as CSV. A key is optional; Stooq may ask for one and then gives no prices."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.prices.asking import USED_UP, Asking, DailyRows, usable_key
from bellwether.adapters.providers.sources import Sources

ADDRESS = "https://stooq.com"
COLUMNS = ("Date", "Open", "High", "Low", "Close", "Volume")
ADJUSTED = "Stooq's prices are already adjusted for splits and dividends: adj_close is the close."
_MARKETS = frozenset({"us", "uk", "de", "jp", "hk", "hu"})


class Stooq:
    """Bars whose prices are already adjusted for splits and dividends, back to the first day.

    So `adj_close` is the same figure as `close`, returns over either are total returns, and `close` of a day
    before a split or dividend is not what was paid on that day. A key goes with the address, as Stooq wants
    it (`apikey`), and is neither logged nor shown.
    """

    name = "stooq"

    def __init__(self, sources: Sources, *, patience: float, key: str | None = None) -> None:
        self._key = usable_key(key) if key else None
        self._asking = Asking(sources, self.name, patience=patience, secret=key or "")
        self._address = sources.address(self.name, ADDRESS)

    def fetch(self, symbol: str, first: date, last: date) -> DailyRows:
        """The bars of a symbol, both days included. Raises `Refused` (`no_bars`, which is also what Stooq
        says of a symbol it does not know, `key_needed`, `key_refused`, `used_up`, `bad_answer`, `cut_short`,
        `too_many_requests`, or what the connection came to)."""
        asked = {"s": stooq_symbol(symbol), "i": "d", "d1": f"{first:%Y%m%d}", "d2": f"{last:%Y%m%d}"}
        if self._key:
            asked["apikey"] = self._key
        rows = self._asking.get(f"{self._address}/q/d/l/?{urlencode(asked)}", self._table)
        if not rows:
            raise self._asking.nothing_between(symbol, first, last)
        return DailyRows(bars=[_bar(symbol, cells) for cells in rows], notes=[ADJUSTED])

    def _table(self, response: Response) -> list[list[str]]:
        """The rows under the header. Raises `Refused` for every body that is no table of prices."""
        if response.status == 404:
            raise Refused("no_bars", "Stooq has no data for this symbol and these days", about_all=False)
        if response.status in {401, 403}:
            raise Refused("key_refused" if self._key else "key_needed", "Stooq refuses to give prices")
        if response.status != 200:
            raise self._asking.unexpected(response.status)
        text = response.content.decode("utf-8-sig", errors="replace")
        self._refuse_words(text.lstrip()[:4_000].lower())
        # days and figures are never quoted
        rows = [line.split(",") for line in text.splitlines()]
        if not rows:
            return []
        if tuple(name.strip() for name in rows[0]) != COLUMNS:
            raise Refused("bad_answer", f"Stooq's answer has no table of {', '.join(COLUMNS)}")
        told_its_end = "content-length" in response.headers or "transfer-encoding" in response.headers
        if not told_its_end and not text.endswith("\n"):
            raise Refused("cut_short", "the answer ended within a row")
        return [cells for cells in rows[1:] if any(cells)]

    def _refuse_words(self, begin: str) -> None:
        if begin.startswith("get your apikey") or "get_apikey" in begin:
            if self._key:
                raise Refused("key_refused", "Stooq does not take the key and gave no prices")
            raise Refused("key_needed", "Stooq asks for a key of its own and gave no prices")
        if begin.startswith("exceeded the daily hits limit"):
            raise Refused("used_up", "Stooq's number of requests a day is used up", wait=USED_UP)
        if begin.startswith("no data"):
            raise Refused("no_bars", "Stooq has no data for this symbol and these days", about_all=False)
        if begin.startswith("<"):
            raise Refused("bad_answer", "Stooq answered with a web page, not with prices")


def stooq_symbol(symbol: str) -> str:
    """A symbol as Stooq writes it: `aapl.us`, `brk-b.us`; `VOD.UK` has its market and `^SPX` needs none."""
    plain = symbol.lower()
    stem, _, market = plain.rpartition(".")
    if plain.startswith("^") or (stem and market in _MARKETS):
        return plain
    return f"{plain.replace('.', '-')}.us"


def _bar(symbol: str, cells: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = dict(zip((name.lower() for name in COLUMNS), cells, strict=False))
    return {"symbol": symbol, **told, "adj_close": told.get("close")}
