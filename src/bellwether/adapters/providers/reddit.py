"""Subreddits by their public feeds, which need no key."""

from urllib.parse import quote

from bellwether.adapters.providers.feeds import FeedProvider
from bellwether.adapters.providers.guarded_http import GuardedHttp

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
