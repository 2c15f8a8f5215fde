"""X: posts of the last seven days that speak of tracked assets, or match tracked words.

A read walks from the newest post back to the newest of the last read, a hundred posts a page, a few pages a
round; the next round goes on where it left. Each post is charged, and each author that comes with it like two
posts; X charges what is read again on the same UTC day once, which is not counted on here: the desk's figures
are an upper bound.
"""

import hashlib
from datetime import datetime, timedelta
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from bellwether.adapters.providers.api_target import ApiTarget, Got, Read
from bellwether.adapters.providers.calling import Calls, Waiting
from bellwether.adapters.providers.guarded_http import Refused
from bellwether.adapters.providers.provider import Cursor, Provider
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.x_answers import Page, judged, page_of
from bellwether.adapters.providers.x_posts import authors_of, is_id, item_of, made_at, posts_of
from bellwether.adapters.providers.x_queries import LONGEST, asset_queries, length, tracked_query
from bellwether.domain.items import Item

NAME = "x"
ADDRESS = "https://api.x.com"
SEARCH = "/2/tweets/search/recent"
PAGE_SIZES = (100, 10)
"""Posts a page; the small one is for what is left of a budget."""
MOST_PAGES = 3
"""Pages of one target a round."""
MOST_PAGES_BACK = 20
"""Pages of one walk back, over all rounds: what is older is left out."""
FIRST_LOOK = timedelta(hours=1)
"""How far back the first read of a target goes: what is older costs as much and says less."""
FURTHEST = timedelta(days=7) - timedelta(minutes=30)
"""How far back X searches, less what a slow clock and a slow round may take."""
NEWEST = timedelta(seconds=30)
"""Posts are found half a minute after they were made at the earliest."""
AUTHOR_IN_POSTS = 2
"""An author costs 0.010 dollars where a post costs 0.005 (docs.x.com, pricing, 2026-11)."""
FIELDS = {
    "tweet.fields": (
        "author_id,created_at,edit_history_tweet_ids,lang,note_tweet,public_metrics,referenced_tweets"
    ),
    "expansions": "author_id",
    "user.fields": "created_at,public_metrics",
    "sort_order": "recency",
}


class Walk(Struct, frozen=True, kw_only=True):
    """A read from the newest post back to `since_id` or, without one, to `since`."""

    since_id: str | None
    since: datetime
    token: str | None = None
    first_id: str | None = None
    pages: int = 0


def targets(sources: Sources) -> list[Provider]:
    """A target for each query it takes to find all tracked assets, and one for each tracked query."""
    key = sources.key(NAME, "bearer_token")
    if key is None:
        return []
    client = sources.client(NAME, judged(key))
    address = sources.address(NAME, ADDRESS)
    queries = {
        f"assets {number}": query
        for number, query in enumerate(asset_queries(sources.entities.assets()), start=1)
    }
    for record in sources.entities.records("query"):
        if text := str(record.get("text") or "").strip():
            queries.setdefault(f"search: {text}", tracked_query(text))
    return [
        ApiTarget(client, search(query, key, address), target=target, kind="social")
        for target, query in queries.items()
    ]


def search(query: str, key: str, address: str = ADDRESS) -> Read:
    """Reads what is new of one query."""
    headers = {"Authorization": f"Bearer {key}"}
    mark = hashlib.sha256(query.encode()).hexdigest()[:8]

    def read(calls: Calls, cursor: Cursor, at: datetime) -> Got:
        if length(query) > LONGEST:
            detail = f"X takes queries of {LONGEST} characters, this one has {length(query)}"
            raise Refused("query_too_long", detail, wait=timedelta(hours=1), about_all=False)
        walk, items, refused, mended = begun(cursor, mark, at), list[Item](), 0, set[str]()
        for _ in range(MOST_PAGES):
            try:
                page = _page(calls, address, headers, query, walk, at)
            except Refused as fault:
                other = _mended(walk, fault, at)
                if other is None or fault.code in mended:
                    return Got(items=items, cursor=kept(walk, cursor, mark), refused=refused, fault=fault)
                walk = other
                mended.add(fault.code)
                continue
            found, bad = _items(page, at)
            items += found
            refused += bad
            walk = _further(walk, page)
            if walk.token is None or walk.pages >= MOST_PAGES_BACK:
                cut = None if walk.token is None else _left_out()
                return Got(items=items, cursor=ended(walk, cursor, at), refused=refused, fault=cut)
        return Got(items=items, cursor=kept(walk, cursor, mark), refused=refused)

    return read


def begun(cursor: Cursor, mark: str, at: datetime) -> Walk:
    """Where a read begins: at the page it left at, if it still asks the same, or else at the top."""
    oldest = at - FURTHEST
    since_id = cursor.since_id
    if since_id is not None and not (is_id(since_id) and made_at(since_id) >= oldest):
        return Walk(since_id=None, since=oldest)
    since = cursor.since or at - FIRST_LOOK
    walk = Walk(since_id=since_id, since=max(since, oldest))
    before, _, token = (cursor.page or "").partition(":")
    if before != mark or not token or (since_id is None and since < oldest):
        return walk
    return replace(walk, token=token, first_id=cursor.first_id, pages=cursor.pages)


def kept(walk: Walk, cursor: Cursor, mark: str) -> Cursor:
    """The cursor of a walk that goes on another time."""
    return replace(
        cursor,
        since_id=walk.since_id,
        since=None if walk.since_id else walk.since,
        page=f"{mark}:{walk.token}" if walk.token else None,
        first_id=walk.first_id,
        pages=walk.pages,
    )


def ended(walk: Walk, cursor: Cursor, at: datetime) -> Cursor:
    """The cursor of a walk that is through: only now does it move to the newest post of its first page."""
    newest = walk.first_id or walk.since_id
    since = None if newest else at - 2 * NEWEST
    return replace(cursor, since_id=newest, since=since, page=None, first_id=None, pages=0)


def _page(calls: Calls, address: str, headers: dict[str, str], query: str, walk: Walk, at: datetime) -> Page:
    asked = {"query": query, **FIELDS}
    if walk.since_id:
        asked["since_id"] = walk.since_id
    else:
        asked["start_time"] = f"{min(walk.since, at - NEWEST):%Y-%m-%dT%H:%M:%SZ}"
    if walk.token:
        asked["next_token"] = walk.token
    for size in PAGE_SIZES:
        reserved = size * (1 + AUTHOR_IN_POSTS)
        url = f"{address}{SEARCH}?{urlencode({**asked, 'max_results': size})}"
        try:
            response = calls.get(url, headers, most_items=reserved)
        except Waiting as wait:
            if size == PAGE_SIZES[-1] or wait.code not in {"daily_budget", "monthly_budget"}:
                raise
            continue
        page = page_of(response)
        calls.delivered(len(page.posts) + AUTHOR_IN_POSTS * len(page.users), reserved)
        return page
    raise AssertionError("the last size either answers or raises")


def _items(page: Page, at: datetime) -> tuple[list[Item], int]:
    posts, refused = posts_of(page.posts)
    authors = authors_of(page.users)
    found = [item_of(post, authors, at) for post in posts]
    items = [item for item in found if item is not None]
    return items, refused + len(found) - len(items)


def _further(walk: Walk, page: Page) -> Walk:
    first = walk.first_id if walk.pages else page.newest_id
    return replace(walk, token=page.next_token, first_id=first, pages=walk.pages + 1)


def _left_out() -> Refused:
    most = MOST_PAGES_BACK * PAGE_SIZES[0]
    detail = f"there were more than {most:,} posts since the last read; the oldest are left out"
    return Refused("left_out", detail, about_all=False)


def _mended(walk: Walk, fault: Refused, at: datetime) -> Walk | None:
    """Another way to ask for the same, when X says that this one has grown too old."""
    if fault.code == "since_id_too_old" and walk.since_id:
        return Walk(since_id=None, since=at - FURTHEST)
    if fault.code == "page_expired" and walk.token:
        return Walk(since_id=walk.since_id, since=walk.since)
    return None
