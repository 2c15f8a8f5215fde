"""Finnhub's company news on loopback: token in a header, days, 250 articles, its rate-limit headers.

Written from https://finnhub.io/docs/api/company-news and from answers people recorded.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from tests.peers.web import Asked, Said, Site, said

PATH = "/company-news"
MOST = 250


def article(number: int, headline: str, at: datetime, **members: Any) -> dict[str, Any]:
    """An article as Finnhub writes it."""
    return {
        "category": "company",
        "datetime": int(at.timestamp()),
        "headline": headline,
        "id": number,
        "image": "",
        "related": "AAPL",
        "source": "Yahoo",
        "summary": f"More about &quot;{headline}&quot;.",
        "url": f"https://finnhub.io/api/news?id={number}",
        **members,
    }


@dataclass
class Finnhub:
    """The service. `articles` are of every symbol but those in `closed`, which the plan does not include."""

    site: Site
    key: str
    articles: list[dict[str, Any]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.site.route("GET", PATH, self.answer)

    def answer(self, asked: Asked) -> Said:
        token = asked.headers.get("x-finnhub-token")
        if not token:
            return said({"error": "Please use an API key."}, 401)
        if token != self.key:
            return said({"error": f"Invalid API key {token}"}, 401)
        symbol = asked.one("symbol") or ""
        if not re.fullmatch(r"[A-Z]{1,5}(\.[A-Z])?", symbol):
            return said({"error": "Symbol not supported."}, 422)
        if symbol in self.closed:
            return said({"error": "You don't have access to this resource."}, 403)
        try:
            first, last = (date.fromisoformat(asked.one(name) or "") for name in ("from", "to"))
        except ValueError:
            return said({"error": "Wrong date."}, 422)
        found = [one for one in self.articles if _within(one, first, last)]
        return said(found[:MOST], 200, **self.headers)


def _within(one: dict[str, Any], first: date, last: date) -> bool:
    told = one.get("datetime")
    if not isinstance(told, int) or told <= 0 or told > 4_000_000_000:
        return True
    return first <= datetime.fromtimestamp(told, UTC).date() <= last
