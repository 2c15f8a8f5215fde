"""Every five minutes: reads what feeds, news services and registers have that is new."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.adapters.providers import alphavantage, edgar, feeds, finnhub, gdelt, newsapi
from bellwether.handlers.fetching import FetchParts, FetchSettings, Makers, fetch
from bellwether.handlers.fetching import compose as compose_fetcher
from bellwether.handlers.scheduled_function import ScheduledFunction

MAKERS: Makers = {
    "rss": feeds.targets,
    "gdelt": gdelt.targets,
    "edgar": edgar.targets,
    "newsapi": newsapi.targets,
    "finnhub": finnhub.targets,
    "alphavantage": alphavantage.targets,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FetchSettings):
    news_secret_arn: str


def compose(settings: Settings) -> FetchParts:
    return compose_fetcher(settings, {"news": settings.news_secret_arn})


def work(_event: Mapping[str, Any], parts: FetchParts, seconds: float) -> dict[str, Any]:
    return fetch(parts, MAKERS, seconds)


handler = ScheduledFunction(Settings, compose, work)
