"""Every minute: reads what the tracked social sources have that is new."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.adapters.providers import reddit, x
from bellwether.handlers.fetching import FetchParts, FetchSettings, Makers, fetch
from bellwether.handlers.fetching import compose as compose_fetcher
from bellwether.handlers.scheduled_function import ScheduledFunction

MAKERS: Makers = {"reddit": reddit.targets, "x": x.targets}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FetchSettings):
    x_secret_arn: str
    reddit_secret_arn: str


def compose(settings: Settings) -> FetchParts:
    return compose_fetcher(settings, {"x": settings.x_secret_arn, "reddit": settings.reddit_secret_arn})


def work(_event: Mapping[str, Any], parts: FetchParts, seconds: float) -> dict[str, Any]:
    return fetch(parts, MAKERS, seconds)


handler = ScheduledFunction(Settings, compose, work)
