"""Which company of EDGAR a symbol is: the SEC's own list, kept for a day."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.json_answer import read_entries, read_json

KEPT_FOR = timedelta(hours=24)


class _Row(Struct, frozen=True):
    cik_str: int
    ticker: str


class Tickers:
    """The list, fetched by whoever needs it first; the others wait for that one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, tuple[datetime, dict[str, int]]] = {}

    def cik(self, symbol: str, fetch: Callable[[], Response], name: str, at: datetime) -> int:
        """The company's number on the list of that name, which `fetch` fetches. Raises `Refused`:
        `unknown_symbol` for one that is not on the list."""
        with self._lock:
            until, numbers = self._known.get(name, (at, {}))
            if at >= until:
                numbers = _numbers(fetch().content)
                self._known[name] = (at + KEPT_FOR, numbers)
        number = numbers.get(symbol)
        if number is None:
            detail = f"the SEC's list of companies has no {symbol}"
            raise Refused("unknown_symbol", detail, about_all=False, wait=KEPT_FOR)
        return number


def _numbers(content: bytes) -> dict[str, int]:
    told = read_json(content, dict[str, msgspec.Raw], "SEC EDGAR")
    rows, _ = read_entries(list(told.values()), _Row)
    if not rows:
        raise Refused("bad_answer", "the SEC's list of companies is empty", about_all=False)
    return {row.ticker.upper(): row.cik_str for row in rows if 0 < row.cik_str < 10**10}


Numbers = Callable[[str, Callable[[], Response], str, datetime], int]
"""`Tickers.cik`."""
