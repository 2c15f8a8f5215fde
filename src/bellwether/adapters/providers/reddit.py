"""Subreddits and searches: by Reddit's API where there is a key, else by the public feeds, which need none.

Ids are Reddit's own (`t3_…`) either way, so that a post counts once whatever brought it, also when a key
comes or goes.
"""

import threading
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from bellwether.adapters.providers.api_target import ApiTarget
from bellwether.adapters.providers.feeds import FeedProvider
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.provider import Provider
from bellwether.adapters.providers.reddit_access import Access, agent, judge
from bellwether.adapters.providers.reddit_listing import listing
from bellwether.adapters.providers.sources import Sources

NAME = "reddit"
ADDRESS = "https://www.reddit.com"
API = "https://oauth.reddit.com"

_accesses: dict[tuple[str, ...], Access] = {}
_accesses_lock = threading.Lock()


def targets(sources: Sources) -> list[Provider]:
    """A target for each tracked subreddit and each tracked query."""
    subreddits = _told(sources.entities.records("subreddit"), "name")
    queries = _told(sources.entities.records("query"), "text")
    access = access_of(sources)
    if access is None:
        address = sources.address(NAME, ADDRESS)
        return [
            *(subreddit_provider(name, sources.http, address=address) for name in subreddits),
            *(query_provider(text, sources.http, address=address) for text in queries),
        ]
    client, api = sources.client(NAME, judge), sources.address(NAME, API)
    reads = {name: listing(access, api, f"/r/{quote(name, safe='')}/new", {}) for name in subreddits} | {
        f"search: {text}": listing(access, api, "/search", {"q": text, "sort": "new", "type": "link"})
        for text in queries
    }
    return [ApiTarget(client, read, target=target, kind="social") for target, read in reads.items()]


def access_of(sources: Sources) -> Access | None:
    """The process's access with the key there is; `None` without one."""
    client_id, secret = sources.key(NAME, "client_id"), sources.key(NAME, "client_secret")
    if client_id is None or secret is None:
        return None
    address, named = sources.address(NAME, ADDRESS), agent(sources.key(NAME, "username"))
    key = (address, client_id, secret, named)
    with _accesses_lock:
        if key not in _accesses:
            _accesses.clear()
            _accesses[key] = Access(client_id, secret, address=address, agent=named)
        return _accesses[key]


def subreddit_provider(name: str, http: GuardedHttp, *, address: str = ADDRESS) -> FeedProvider:
    """The newest posts of a subreddit (about 25 a fetch) from its public feed."""
    return FeedProvider(
        f"{address}/r/{quote(name, safe='')}/new.rss",
        http,
        name=NAME,
        target=name,
        kind="social",
        source="reddit",
    )


def query_provider(text: str, http: GuardedHttp, *, address: str = ADDRESS) -> FeedProvider:
    """The newest posts anywhere on Reddit that match a search (`$KO OR "Coca-Cola"`).

    A post that a tracked subreddit brings as well has the same id there, so it counts once. No subreddit's
    name has a colon, so the targets of both kinds stay apart.
    """
    return FeedProvider(
        f"{address}/search.rss?{urlencode({'q': text, 'sort': 'new'})}",
        http,
        name=NAME,
        target=f"search: {text}",
        kind="social",
        source="reddit",
    )


def _told(records: Iterable[dict[str, object]], field: str) -> list[str]:
    return list(dict.fromkeys(str(record[field]) for record in records if record.get(field)))
