"""Every minute: reads the public feeds of the tracked subreddits and searches for the tracked queries."""

from collections.abc import Mapping, Sequence
from typing import Any

from bellwether.adapters.providers.provider import Provider
from bellwether.adapters.providers.reddit import query_provider, subreddit_provider
from bellwether.handlers.fetching import FetchParts, FetchSettings, compose, fetch, names_of
from bellwether.handlers.scheduled_function import ScheduledFunction

Settings = FetchSettings


def providers(parts: FetchParts) -> Sequence[Provider]:
    subreddits = names_of(parts.entities.records("subreddit"), "name")
    queries = names_of(parts.entities.records("query"), "text")
    return [
        *(subreddit_provider(name, parts.http) for name in subreddits),
        *(query_provider(text, parts.http) for text in queries),
    ]


def work(_event: Mapping[str, Any], parts: FetchParts, seconds: float) -> dict[str, Any]:
    return fetch(parts, providers, seconds)


handler = ScheduledFunction(Settings, compose, work)
