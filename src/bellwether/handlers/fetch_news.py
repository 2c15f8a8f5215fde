"""Every five minutes: reads the tracked RSS, Atom and JSON feeds."""

from collections.abc import Mapping, Sequence
from typing import Any

from bellwether.adapters.providers.feeds import FeedProvider
from bellwether.adapters.providers.provider import Provider
from bellwether.handlers.fetching import FetchParts, FetchSettings, compose, fetch, names_of
from bellwether.handlers.scheduled_function import ScheduledFunction

Settings = FetchSettings


def providers(parts: FetchParts) -> Sequence[Provider]:
    return [FeedProvider(url, parts.http) for url in names_of(parts.entities.records("feed"), "url")]


def work(_event: Mapping[str, Any], parts: FetchParts, seconds: float) -> dict[str, Any]:
    return fetch(parts, providers, seconds)


handler = ScheduledFunction(Settings, compose, work)
