"""NewsAPI's `everything` on loopback: key, parameters, pages newest first, and its plan's limits.

Written from https://newsapi.org/docs/endpoints/everything and https://newsapi.org/docs/errors.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.peers.web import Asked, Said, Site, said

PATH = "/v2/everything"
INVALID_KEY = (
    "Your API key is invalid or incorrect. Check your key, or go to https://newsapi.org to create one."
)
DEPTH = 100


def error(status: int, code: str, message: str) -> Said:
    return said({"status": "error", "code": code, "message": message}, status)


def article(title: str | None, published: datetime, **members: Any) -> dict[str, Any]:
    """An article as NewsAPI writes it."""
    slug = re.sub("[^a-z0-9]+", "-", str(title).lower())
    return {
        "source": {"id": None, "name": "Example News"},
        "author": "A. Writer",
        "title": title,
        "description": f"What became of {title}.",
        "url": f"https://news.example/{slug}",
        "urlToImage": None,
        "publishedAt": f"{published:%Y-%m-%dT%H:%M:%SZ}",
        "content": f"What became of {title}… [+1234 chars]",
        **members,
    }


@dataclass
class NewsApi:
    """The service. Every article matches every query; `depth` is how many results the plan allows."""

    site: Site
    key: str
    articles: list[dict[str, Any]] = field(default_factory=list)
    depth: int = DEPTH
    earliest: datetime = datetime(2026, 10, 24, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.site.route("GET", PATH, self.answer)

    def answer(self, asked: Asked) -> Said:
        if asked.headers.get("x-api-key") != self.key:
            return error(401, "apiKeyInvalid", INVALID_KEY)
        query, size = asked.one("q") or "", int(asked.one("pageSize") or 100)
        if not 0 < len(query) <= 500 or not 1 <= size <= 100 or asked.one("sortBy") != "publishedAt":
            return error(400, "parameterInvalid", "One of your parameters is invalid.")
        page = int(asked.one("page") or 1)
        if page * size > self.depth:
            return error(426, "maximumResultsReached", "You have requested too many results.")
        start, end = (datetime.fromisoformat(f"{asked.one(n)}+00:00") if asked.one(n) else None
                      for n in ("from", "to"))  # fmt: skip
        if start is None or start < self.earliest:
            return error(426, "parameterInvalid", "You are trying to request results too far in the past.")
        found = [one for one in self.articles if _within(one, start, end)]
        found.sort(key=lambda one: str(one["publishedAt"]), reverse=True)
        return said(
            {"status": "ok", "totalResults": len(found), "articles": found[(page - 1) * size : page * size]}
        )


def _within(one: dict[str, Any], start: datetime, end: datetime | None) -> bool:
    try:
        at = datetime.fromisoformat(str(one["publishedAt"]))
    except ValueError:
        return True
    return start <= at and (end is None or at <= end or at.year > 2090)
