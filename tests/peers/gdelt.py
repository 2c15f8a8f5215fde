"""GDELT DOC 2.0 on loopback: its query rules, its 250 articles, its sentences with status 200, its pace.

Written from https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/ and from answers people recorded.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.peers.web import Asked, Said, Site

PATH = "/api/v2/doc/doc"
SLOW_DOWN = (
    "Please limit requests to one every 5 seconds or contact kalev.leetaru5@gmail.com for larger queries."
)
TOO_LONG = "Your query was too short or too long."


def sentence(text: str, status: int = 200) -> Said:
    """What GDELT says instead of an answer."""
    return Said(status, f"{text}\n".encode(), {"Content-Type": "text/html; charset=utf-8"})


def article(title: str, seen: datetime, **members: Any) -> dict[str, Any]:
    """An entry as GDELT writes it."""
    url = f"https://news.example/{re.sub('[^a-z0-9]+', '-', title.lower())}"
    return {
        "url": url,
        "url_mobile": "",
        "title": title,
        "seendate": f"{seen:%Y%m%dT%H%M%SZ}",
        "socialimage": "",
        "domain": "news.example",
        "language": "English",
        "sourcecountry": "United States",
        **members,
    }


@dataclass
class Gdelt:
    """The service. `articles` all match every query; `clock` makes it keep its pace."""

    site: Site
    articles: list[dict[str, Any]] = field(default_factory=list)
    clock: Callable[[], datetime] | None = None
    queries: list[str] = field(default_factory=list)
    _last: datetime | None = None

    def __post_init__(self) -> None:
        self.site.route("GET", PATH, self.answer)

    def answer(self, asked: Asked) -> Said:
        if self._too_soon():
            return sentence(SLOW_DOWN, 429)
        query = asked.one("query") or ""
        self.queries.append(query)
        refusal = refusal_of(query)
        if refusal:
            return sentence(refusal)
        if (asked.one("mode"), asked.one("format")) != ("artlist", "json"):
            return sentence("Invalid mode.")
        most = int(asked.one("maxrecords") or 75)
        if most > 250:
            return sentence("Your requested maxrecords was too large.")
        start, end = (moment(asked.one(name)) for name in ("startdatetime", "enddatetime"))
        if start is None or end is None or start >= end:
            return sentence("Invalid query start date.")
        if (asked.one("sort") or "").lower() not in {"", "datedesc", "dateasc"}:
            return sentence("Invalid sort.")
        found = [one for one in self.articles if _in(one, start, end)]
        found.sort(key=lambda one: str(one["seendate"]), reverse=asked.one("sort") != "dateasc")
        told = {"articles": found[:most]} if found else {}
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return Said(200, json.dumps(told, ensure_ascii=False).encode(), headers)

    def _too_soon(self) -> bool:
        if self.clock is None:
            return False
        now, last = self.clock(), self._last
        self._last = now
        return last is not None and now - last < timedelta(seconds=5)


def refusal_of(query: str) -> str | None:
    """What GDELT has against a query."""
    if not 3 <= len(query) <= 250:
        return TOO_LONG
    words = re.sub(r"sourcelang:\w+", "", query)
    if " OR " in words and not re.fullmatch(r"\s*\([^()]+\)\s*", words):
        return "Queries containing OR'd terms must be surrounded by ()."
    if " OR " not in words and "(" in words:
        return "Parentheses may only be used around OR'd statements."
    if any(len(phrase) < 5 for phrase in re.findall(r'"([^"]*)"', words)):
        return "The specified phrase is too short."
    bare = re.sub(r'"[^"]*"|[()]', " ", words).replace(" OR ", " ").split()
    if any(len(word) < 3 for word in bare):
        return "One or more of your keywords were too short."
    if any(not word.isalnum() for word in bare):
        return "One or more of your keywords contained illegal characters."
    return None


def moment(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _in(one: dict[str, Any], start: datetime, end: datetime) -> bool:
    try:
        seen = datetime.strptime(str(one["seendate"]), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return True
    return start <= seen <= end or seen.year > 2090
