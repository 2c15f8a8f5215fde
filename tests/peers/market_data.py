"""Tiingo and Stooq on loopback, as their own pages describe them: addresses, headers, bodies, refusals."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bellwether.adapters.memory import MemoryEntities, MemoryProviderRecords
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.prices.choosing import SECRET
from bellwether.adapters.providers.sources import Sources
from tests.peers.feeds import Peer, answer

KEY = "0123456789abcdef0123456789abcdef01234567"
STOOQ_HEADER = "Date,Open,High,Low,Close,Volume"
STOOQ_KEY_PAGE = (
    b"Get your apikey:\r\n\r\n1. Open https://stooq.com/q/d/?s=aapl.us&get_apikey\r\n2. Enter the code\r\n"
)


NAMES = ("tiingo", "polygon", "alphavantage", "stooq")


@dataclass
class Waits:
    """A clock that stands still but while somebody waits, and what was waited."""

    now: datetime = datetime(2024, 2, 1, tzinfo=UTC)
    told: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.told.append(round(seconds, 1))
        self.now += timedelta(seconds=seconds)

    def clock(self) -> datetime:
        return self.now


def price_sources(
    address: str,
    trusted: Iterable[str],
    waits: Waits | None = None,
    *,
    http: GuardedHttp | None = None,
    records: MemoryProviderRecords | None = None,
    keys: Mapping[str, str] | None = None,
) -> Sources:
    """All providers of prices at one address."""
    waits = waits or Waits()
    return Sources(
        entities=MemoryEntities(),
        http=http or GuardedHttp(trusted=trusted, seconds=10, largest=100_000),
        records=records or MemoryProviderRecords(),
        clock=waits.clock,
        sleep=waits.sleep,
        jitter=lambda: 0.0,
        keys={SECRET: keys or {}},
        addresses=dict.fromkeys(NAMES, address),
    )


def tiingo_bar(day: str, close: Any = 60.0, **figures: Any) -> dict[str, Any]:
    """A record of Tiingo's answer, with all the fields it has."""
    plain = {"open": 60.0, "high": 61.0, "low": 59.0, "close": close, "volume": 1_000}
    adjusted = {"adjOpen": 30.0, "adjHigh": 30.5, "adjLow": 29.5, "adjClose": 30.0, "adjVolume": 2_000}
    extra = {"divCash": 0.0, "splitFactor": 1.0}
    return {"date": f"{day}T00:00:00.000Z", **plain, **adjusted, **extra, **figures}


def serve_tiingo(
    peer: Peer, ticker: str, first: date, last: date, bars: Sequence[Mapping[str, Any]], key: str = KEY
) -> str:
    """Answers for one ticker and these days, to whoever has the key; gives the path with its query."""
    path = f"/tiingo/daily/{ticker}/prices?startDate={first}&endDate={last}&format=json"

    def page(request: BaseHTTPRequestHandler) -> None:
        known = request.headers.get("Authorization") == f"Token {key}"
        body = json.dumps(list(bars) if known else {"detail": "Invalid token."}).encode()
        answer(request, 200 if known else 401, body, {"Content-Type": "application/json"})

    peer.pages[path] = page
    return path


def stooq_path(symbol: str, first: date, last: date) -> str:
    """The address Stooq gives the CSV of a symbol at."""
    return f"/q/d/l/?s={symbol}&i=d&d1={first:%Y%m%d}&d2={last:%Y%m%d}"


def stooq_table(*rows: str) -> bytes:
    """Stooq's CSV, with the line ends it has."""
    return "".join(f"{row}\r\n" for row in (STOOQ_HEADER, *rows)).encode()


def serve_in_turn(peer: Peer, path: str, *answers: tuple[int, bytes, dict[str, str]]) -> None:
    """A page that gives these answers one after the other, then the last one for ever."""
    left = list(answers)

    def page(request: BaseHTTPRequestHandler) -> None:
        status, body, headers = left.pop(0) if len(left) > 1 else left[0]
        answer(request, status, body, headers)

    peer.pages[path] = page


def serve_without_end_mark(peer: Peer, path: str, body: bytes) -> None:
    """An answer that is over when the connection is: how long it should have been nobody knows."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
        request.close_connection = True

    peer.pages[path] = page


def asked(peer: Peer) -> list[tuple[str, dict[str, list[str]]]]:
    """What the peer was asked: paths and queries."""
    return [(urlsplit(path).path, parse_qs(urlsplit(path).query)) for path, _ in peer.requests]
