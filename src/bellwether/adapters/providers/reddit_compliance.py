"""Which posts of Reddit are gone: a hundred at a time by their ids."""

from collections.abc import Callable, Sequence

from bellwether.adapters.providers.calling import Calls, ProviderClient
from bellwether.adapters.providers.guarded_http import Refused
from bellwether.adapters.providers.reddit import API, NAME, access_of
from bellwether.adapters.providers.reddit_access import Access, judge
from bellwether.adapters.providers.reddit_listing import authorised, page_of
from bellwether.adapters.providers.sources import Sources
from bellwether.usecases.ports import PostAnswer

AT_ONCE = 100
NEVER_ALL = 10
"""So many posts do not vanish without a trace at once: an answer that says so is not believed."""


class RedditPosts:
    """`PostSource` of Reddit."""

    name = NAME

    def __init__(self, client: ProviderClient, access: Access, *, address: str = API) -> None:
        self._client = client
        self._access = access
        self._address = address

    def ask(self, ids: Sequence[str], pending: str | None, out_of_time: Callable[[], bool]) -> PostAnswer:  # noqa: ARG002
        calls = self._client.calls()
        gone: dict[str, str] = {}
        for start in range(0, len(ids), AT_ONCE):
            if out_of_time():
                return PostAnswer(gone=gone, answered=start)
            try:
                gone |= self._gone(calls, ids[start : start + AT_ONCE])
            except Refused as fault:
                return PostAnswer(gone=gone, answered=start, code=fault.code, detail=fault.detail)
        return PostAnswer(gone=gone, answered=len(ids))

    def _gone(self, calls: Calls, ids: Sequence[str]) -> dict[str, str]:
        url = f"{self._address}/api/info?id={','.join(ids)}&raw_json=1"
        page = page_of(authorised(calls, self._access, url))
        found = {post.name: post.gone for post in page.posts}
        if page.refused or (not found and len(ids) > NEVER_ALL):
            raise Refused("bad_answer", "Reddit's answer about posts is not to be believed")
        told = {one: found.get(one, "removed") for one in ids}
        return {one: because for one, because in told.items() if because}


def reddit_posts(sources: Sources) -> RedditPosts | None:
    """Reddit as a source to ask about posts; `None` without a key: public feeds do not tell of deletions."""
    access = access_of(sources)
    if access is None:
        return None
    return RedditPosts(sources.client(NAME, judge), access, address=sources.address(NAME, API))
