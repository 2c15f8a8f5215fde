"""Alpha Vantage's NEWS_SENTIMENT on loopback: a key in the address, and every error with status 200.

Written from https://www.alphavantage.co/documentation/#news-sentiment and from answers people recorded.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.peers.web import Asked, Said, Site, said

PATH = "/query"
NO_KEY = (
    "the parameter apikey is invalid or missing. Please claim your free API key on "
    "(https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds."
)
TOO_QUICK = (
    "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more sparingly "
    "(1 request per second). You may subscribe to any of the premium plans at "
    "https://www.alphavantage.co/premium/ to lift the free key rate limit (25 requests per day)."
)
OLD_NOTE = (
    "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and 500 calls "
    "per day."
)
PREMIUM = (
    "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the premium "
    "plans at https://www.alphavantage.co/premium/ to instantly unlock all premium endpoints"
)


def used_up(key: str) -> str:
    """The sentence of a day that is used up; it repeats the key."""
    return (
        f"We have detected your API key as {key} and our standard API rate limit is 25 requests per day. "
        "Please subscribe to any of the premium plans at https://www.alphavantage.co/premium/"
    )


def article(title: str, at: datetime, *tickers: str, **members: Any) -> dict[str, Any]:
    """An article as Alpha Vantage writes it: numbers as text."""
    slug = re.sub("[^a-z0-9]+", "-", title.lower())
    return {
        "title": title,
        "url": f"https://news.example/{slug}",
        "time_published": f"{at:%Y%m%dT%H%M%S}",
        "authors": ["A. Writer"],
        "summary": f"More about {title}.",
        "banner_image": None,
        "source": "Example News",
        "topics": [{"topic": "Earnings", "relevance_score": "0.9"}],
        "overall_sentiment_score": 0.2,
        "overall_sentiment_label": "Somewhat-Bullish",
        "ticker_sentiment": [
            {
                "ticker": ticker,
                "relevance_score": "0.5",
                "ticker_sentiment_score": "0.1",
                "ticker_sentiment_label": "Neutral",
            }
            for ticker in tickers
        ],
        **members,
    }


@dataclass
class AlphaVantage:
    """The service; `allowed` calls are left of the day."""

    site: Site
    key: str
    articles: list[dict[str, Any]] = field(default_factory=list)
    allowed: int = 25

    def __post_init__(self) -> None:
        self.site.route("GET", PATH, self.answer)

    def answer(self, asked: Asked) -> Said:
        if asked.one("apikey") != self.key:
            return said({"Error Message": NO_KEY})
        if self.allowed <= 0:
            return said({"Information": used_up(self.key)})
        self.allowed -= 1
        start = moment(asked.one("time_from"))
        end = moment(asked.one("time_to")) if asked.query.get("time_to") else datetime.max.replace(tzinfo=UTC)
        limit = int(asked.one("limit") or 50)
        if asked.one("function") != "NEWS_SENTIMENT" or start is None or end is None or limit > 1_000:
            return said({"Information": "Invalid inputs. Please refer to the API documentation."})
        found = [one for one in self.articles if _within(one, start, end)]
        found.sort(key=lambda one: str(one["time_published"]), reverse=True)
        feed = found[:limit]
        return said({"items": str(len(feed)), "sentiment_score_definition": "x", "feed": feed})


def moment(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def _within(one: dict[str, Any], start: datetime, end: datetime) -> bool:
    at = moment(str(one["time_published"])[:13])
    return at is None or start <= at <= end or at.year > 2090
