"""Items, assets and price bars the end-to-end tests make themselves."""

import csv
import math
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any


def unique(prefix: str) -> str:
    """An id no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def post(symbol: str, words: str, *, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    """A post about `$symbol`, published now unless `at` says otherwise."""
    return {
        "source": "x",
        "source_id": unique("post"),
        "published_at": (at or datetime.now(UTC)).isoformat(),
        "author": unique("author"),
        "text": f"${symbol} {words}",
        **fields,
    }


GOOD_NEWS = (
    "beats estimates and raises its full-year guidance after record profit",
    "shares jump as quarterly revenue surges past forecasts",
    "upgraded to buy, analysts see strong growth and higher margins",
    "wins a large contract, stock rallies to a record high",
    "profit doubles and the dividend is raised, outlook strong",
)


def good_posts(symbol: str, count: int) -> list[dict[str, Any]]:
    """Posts of different authors that all speak well of an asset, each in words of its own."""
    return [post(symbol, f"{GOOD_NEWS[n % len(GOOD_NEWS)]}, {_own_words(n)}") for n in range(count)]


def _own_words(number: int) -> str:
    """Words without a digit: many texts that only a number tells apart are copies."""
    own = str(number).translate(str.maketrans("0123456789", "klmnopqrst"))
    return f"floor{own} desk{own} room{own} house{own}"


def trading_days(last: date, count: int) -> list[date]:
    """The last `count` weekdays up to and including `last`, ascending."""
    days: list[date] = []
    day = last
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]


def write_bars(path: Path, symbols: Sequence[str], *, last: date, count: int = 320) -> Path:
    """Daily bars as `prices import` takes them: a gentle trend with a wave, different for each symbol."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"])
        for rank, symbol in enumerate(symbols):
            for n, day in enumerate(trading_days(last, count)):
                close = (40 + 5 * rank) * math.exp(0.0004 * n + 0.015 * math.sin(n * (0.7 + 0.05 * rank)))
                rows.writerow(
                    [
                        symbol,
                        day.isoformat(),
                        close * 0.998,
                        close * 1.01,
                        close * 0.99,
                        close,
                        close,
                        2_000_000,
                    ]
                )
    return path
