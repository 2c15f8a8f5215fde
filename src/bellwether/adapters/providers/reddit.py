"""Subreddits and searches by their public feeds, which need no key."""

from urllib.parse import quote, urlencode

from bellwether.adapters.providers.feeds import FeedProvider
from bellwether.adapters.providers.guarded_http import GuardedHttp
from bellwether.adapters.providers.sources import Sources

ADDRESS = "https://www.reddit.com"


def subreddit_provider(name: str, http: GuardedHttp, *, address: str = ADDRESS) -> FeedProvider:
    """The newest posts of a subreddit (about 25 a fetch). Ids are Reddit's own (`t3_…`)."""
    return FeedProvider(
        f"{address}/r/{quote(name, safe='')}/new.rss",
        http,
        name="reddit",
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
        name="reddit",
        target=f"search: {text}",
        kind="social",
        source="reddit",
    )


def targets(sources: Sources) -> list[FeedProvider]:
    """The tracked subreddits and searches."""
    address = sources.address("reddit", ADDRESS)
    subreddits = dict.fromkeys(str(r["name"]) for r in sources.entities.records("subreddit") if r.get("name"))
    queries = dict.fromkeys(str(r["text"]) for r in sources.entities.records("query") if r.get("text"))
    return [
        *(subreddit_provider(name, sources.http, address=address) for name in subreddits),
        *(query_provider(text, sources.http, address=address) for text in queries),
    ]
