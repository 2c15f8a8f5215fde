"""Polygon (Massive) on loopback: aggregates, splits and dividends in pages, its statuses and refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.peers.web import Asked, Route, Said, Site, said

KEY = "pK0123456789abcdefghijklmnopqrstu"
NEW_YORK = ZoneInfo("America/New_York")


def aggregate(day: str, close: Any = 60.0, **figures: Any) -> dict[str, Any]:
    """A bar as the aggregates have it: `t` is midnight in New York."""
    at = datetime.combine(date.fromisoformat(day), datetime.min.time(), NEW_YORK)
    plain = {"v": 1_000.0, "vw": 60.1, "o": 60.0, "c": close, "h": 61.0, "l": 59.0, "n": 10}
    return {**plain, "t": round(at.timestamp() * 1_000), **figures}


@dataclass
class Polygon:
    """What it knows of each ticker. `page` results are given at a time."""

    site: Site
    bars: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    splits: list[dict[str, Any]] = field(default_factory=list)
    dividends: list[dict[str, Any]] = field(default_factory=list)
    page: int = 1_000
    next_host: str | None = None
    oldest: date = date(2000, 1, 1)

    def __post_init__(self) -> None:
        self.site.route("GET", "/v2/aggs/ticker/*", self._keyed(self._aggregates))
        self.site.route("GET", "/v3/reference/splits", self._keyed(self._splits))
        self.site.route("GET", "/v3/reference/dividends", self._keyed(self._dividends))

    def _keyed(self, route: Route) -> Route:
        def answer(asked: Asked) -> Said:
            if asked.headers.get("authorization") != f"Bearer {KEY}":
                return said({"status": "ERROR", "request_id": "r", "error": "Unknown API Key"}, 401)
            return route(asked)

        return answer

    def _aggregates(self, asked: Asked) -> Said:
        _, _, _, _, ticker, word, one, unit, first, last = asked.path.split("/")
        assert (word, one, unit, asked.one("adjusted")) == ("range", "1", "day", "false")
        assert int(str(asked.one("limit"))) <= 50_000
        if date.fromisoformat(first) < self.oldest:
            message = "Your plan doesn't include this data timeframe. Please upgrade your plan."
            return said({"status": "NOT_AUTHORIZED", "request_id": "r", "message": message}, 403)
        found = [bar for bar in self.bars.get(ticker, []) if first <= _day(bar) <= last]
        told: dict[str, Any] = {"ticker": ticker, "adjusted": False, "status": "DELAYED", "request_id": "r"}
        return self._paged(asked, found, told | {"queryCount": len(found), "resultsCount": len(found)})

    def _splits(self, asked: Asked) -> Said:
        return self._actions(asked, self.splits, "execution_date")

    def _dividends(self, asked: Asked) -> Said:
        return self._actions(asked, self.dividends, "ex_dividend_date")

    def _actions(self, asked: Asked, all_of: Sequence[Mapping[str, Any]], day: str) -> Said:
        since = str(asked.one(f"{day}.gte"))
        found = [one for one in all_of if one["ticker"] == asked.one("ticker") and str(one[day]) >= since]
        return self._paged(asked, found, {"status": "OK", "request_id": "r"})

    def _paged(self, asked: Asked, found: Sequence[Any], told: dict[str, Any]) -> Said:
        start = int(asked.one("cursor") or 0)
        rest = found[start : start + self.page]
        if rest:
            told["results"] = rest
        if start + self.page < len(found):
            query = "&".join(f"{k}={v[0]}" for k, v in asked.query.items() if k != "cursor")
            base = self.next_host or self.site.address
            told["next_url"] = f"{base}{asked.path}?{query}&cursor={start + self.page}"
        return said(told)


def split(ticker: str, day: str, old: float, new: float) -> dict[str, Any]:
    return {"ticker": ticker, "execution_date": day, "split_from": old, "split_to": new}


def dividend(ticker: str, day: str, cash: Any) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "ex_dividend_date": day,
        "cash_amount": cash,
        "currency": "USD",
        "dividend_type": "CD",
        "frequency": 4,
        "pay_date": day,
    }


def _day(bar: Mapping[str, Any]) -> str:
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=bar["t"])
    return at.astimezone(NEW_YORK).date().isoformat()
