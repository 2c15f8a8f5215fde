"""Prices, texts, feeds and events as large as the desk takes them; see `function_inputs.py`.

Prices are a seeded random walk and texts are words put together: only the amount of work matters.
"""

import http.server
import json
import random
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlsplit

SYMBOLS = ["Q" + "".join(letters) for letters in product("ABCDEFGHIJ", repeat=3)][:500]
DAYS, POSITIONS, ORDERS, ITEMS, BATCHES, LETTERS = 520, 100, 1_000, 500, 5, 9_000
CONNECTIONS, CHANGES, FEEDS, FEED_BYTES = 100, 100, 10, 4_800_000
WORDS = (
    "beats", "misses", "estimates", "record", "profit", "loss", "shares", "jump", "fall", "guidance",
    "raised", "cut", "analysts", "expect", "quarter", "revenue", "growth", "slows", "strong", "weak",
    "demand", "margin", "outlook", "company", "said", "on", "Tuesday",
)  # fmt: skip


def walk() -> str:
    """Two years of daily bars of every asset."""
    chance = random.Random(1)
    last = datetime.now(UTC).date() - timedelta(days=1)
    days = [day for back in range(DAYS * 7 // 5, -1, -1) if (day := last - timedelta(back)).weekday() < 5]
    lines = ["symbol,date,open,high,low,close,volume"]
    for symbol in SYMBOLS:
        close = 100.0
        for day in days:
            close *= 1 + chance.gauss(0, 0.01)
            lines.append(bar(symbol, day, close))
    return "\n".join(lines)


def bar(symbol: str, day: date, close: float) -> str:
    return f"{symbol},{day},{close:.2f},{close * 1.01:.2f},{close * 0.99:.2f},{close:.2f},1000000"


def posts(count: int = ITEMS) -> list[dict[str, Any]]:
    """Items as large as a request's body allows, each about a few assets."""
    now = datetime.now(UTC).isoformat()
    chance = random.Random(uuid.uuid4().int)
    made = []
    for _ in range(count):
        text = " ".join(f"${chance.choice(SYMBOLS)}" for _ in range(3))
        while len(text) < LETTERS:
            text += " " + chance.choice(WORDS)
        name = uuid.uuid4().hex
        made.append(
            {
                "source": "x",
                "source_id": name,
                "published_at": now,
                "author": name[:8],
                "text": text[:LETTERS],
            }
        )
    return made


def rest(
    method: str, route: str, body: Any = None, roles: str = "analyst", headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """A REST event as the gateway sends it."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    who = {"username": f"measured-{roles}", "roles": roles, "principalId": f"measured-{roles}"}
    return {
        "resource": f"/v1{route}",
        "path": f"/v1{route}",
        "httpMethod": method,
        "headers": sent,
        "queryStringParameters": None,
        "requestContext": {
            "resourcePath": f"/v1{route}",
            "httpMethod": method,
            "stage": "v1",
            "requestId": str(uuid.uuid4()),
            "authorizer": who,
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def messages(bodies: Sequence[str]) -> dict[str, Any]:
    """An SQS event."""
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": "measured",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
            for body in bodies
        ]
    }


@contextmanager
def feeds() -> Iterator[str]:
    """A peer on this machine that answers every path with a feed as large as one is read."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = feed(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@contextmanager
def bars_of_stooq() -> Iterator[str]:
    """A peer on this machine that tells the bars of any symbol as Stooq does, at half of what `walk` has."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            first, last = asked["d1"][0], asked["d2"][0]
            content = stooq_table(asked["s"][0].removesuffix(".us").upper(), first, last)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@lru_cache(maxsize=1)
def walked() -> dict[str, list[str]]:
    """The lines of `walk` by symbol, prices halved, without the symbol."""
    found: dict[str, list[str]] = {}
    for line in walk().splitlines()[1:]:
        symbol, day, *prices, volume = line.split(",")
        halved = ",".join(f"{float(price) / 2:.4f}" for price in prices)
        found.setdefault(symbol, []).append(f"{day},{halved},{volume}")
    return found


def stooq_table(symbol: str, first: str, last: str) -> bytes:
    """Stooq's CSV between two days as it writes them (`20240131`)."""
    rows = [row for row in walked().get(symbol, []) if first <= row[:10].replace("-", "") <= last]
    return "\r\n".join(["Date,Open,High,Low,Close,Volume", *rows, ""]).encode()


def feed(path: str) -> bytes:
    """An RSS document of `FEED_BYTES` at most."""
    at = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    parts: list[str] = []
    size = 200
    for number in range(100_000):
        text = f"${SYMBOLS[number % 500]} " + " ".join(WORDS[(number + n) % len(WORDS)] for n in range(120))
        item = (
            f"<item><title>{text[:80]}</title><guid>{path}/{number}</guid>"
            f"<description>{text}</description><pubDate>{at}</pubDate></item>"
        )
        size += len(item)
        if size > FEED_BYTES:
            break
        parts.append(item)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{"".join(parts)}</channel></rss>'.encode()
