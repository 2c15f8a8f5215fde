"""Reading a listing of Reddit: from the newest post back to what the last read had.

`before` is not used: a listing before a post that was deleted is empty, for ever. Posts a moderator lets
through later appear among older ones, so each read overlaps the last by a while; what comes twice is known by
its id. Listings end after about a thousand posts.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from bellwether.adapters.providers.api_target import Got, Read
from bellwether.adapters.providers.calling import Calls
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.provider import Cursor
from bellwether.adapters.providers.reddit_access import GONE_WAIT, KEY_WAIT, Access
from bellwether.adapters.providers.reddit_posts import Post, is_fullname, item_of
from bellwether.domain.items import Item

PAGE = 100
MOST_PAGES = 3
"""Pages of one target a round."""
MOST_PAGES_BACK = 10
"""Pages of one walk back, over all rounds: as deep as a listing goes."""
OVERLAP = timedelta(minutes=10)


class _Thing(Struct, frozen=True):
    kind: str
    data: Raw


class _Children(Struct, frozen=True):
    children: list[_Thing]
    after: str | None = None


class _Listing(Struct, frozen=True):
    data: _Children


class Page(Struct, frozen=True, kw_only=True):
    """Posts of a page, how many of its entries were none, and the post the next page comes after."""

    posts: list[Post]
    refused: int
    after: str | None


class Walk(Struct, frozen=True, kw_only=True):
    """A read back to `since`, or of one page where nothing was read before. `newest` is the first page's."""

    since: datetime | None
    after: str | None = None
    first_id: str | None = None
    newest: datetime | None = None
    pages: int = 0


def listing(access: Access, address: str, path: str, parameters: Mapping[str, str]) -> Read:
    """Reads what is new of one listing."""

    def read(calls: Calls, cursor: Cursor, at: datetime) -> Got:
        walk, items, refused = begun(cursor), list[Item](), 0
        for _ in range(MOST_PAGES):
            asked = {**parameters, "limit": PAGE, "raw_json": 1, "count": walk.pages * PAGE}
            if walk.after:
                asked["after"] = walk.after
            try:
                page = page_of(authorised(calls, access, f"{address}{path}?{urlencode(asked)}"))
            except Refused as fault:
                return Got(items=items, cursor=kept(walk, cursor), refused=refused, fault=fault)
            found = [item_of(post, at) for post in page.posts]
            items += [item for item in found if item is not None]
            refused += page.refused + sum(
                item is None and not post.gone for item, post in zip(found, page.posts, strict=True)
            )
            walk = _further(walk, page, at)
            if _through(walk, page):
                cut = _left_out() if _cut(walk, page) else None
                return Got(items=items, cursor=ended(walk, cursor), refused=refused, fault=cut)
        return Got(items=items, cursor=kept(walk, cursor), refused=refused)

    return read


def authorised(calls: Calls, access: Access, url: str) -> Response:
    """One GET with a token; with a new one, once, when the one there is has ended."""
    headers = access.headers(calls)
    try:
        return calls.get(url, headers)
    except Refused as fault:
        if fault.code != "key_expired":
            raise
    access.refused(headers)
    try:
        return calls.get(url, access.headers(calls))
    except Refused as fault:
        if fault.code == "key_expired":
            detail = "Reddit does not accept a new token either"
            raise Refused("key_refused", detail, wait=KEY_WAIT, about_all=False) from None
        raise


def page_of(response: Response) -> Page:
    """The posts of a listing. Raises `Refused` for what is none."""
    try:
        data = msgspec.json.decode(response.content, type=_Listing).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("bad_answer", "the answer is not a listing") from None
    posts: list[Post] = []
    refused = 0
    for child in data.children:
        if child.kind == "t5":
            # asked for a subreddit that is not there, Reddit leads to a search for subreddits
            raise Refused("not_found", "there is no such subreddit", wait=GONE_WAIT, about_all=False)
        try:
            posts.append(msgspec.json.decode(child.data, type=Post))
        except msgspec.DecodeError:
            refused += 1
    after = data.after if data.after and is_fullname(data.after) else None
    return Page(posts=posts, refused=refused, after=after)


def begun(cursor: Cursor) -> Walk:
    """Where a read begins: after the page it left at, or at the top."""
    newest, _, after = (cursor.page or "").partition(":")
    if not is_fullname(after) or not newest.isdigit() or len(newest) > 11:
        return Walk(since=cursor.since)
    return Walk(
        since=cursor.since,
        after=after,
        first_id=cursor.first_id,
        newest=datetime.fromtimestamp(int(newest), UTC),
        pages=cursor.pages,
    )


def kept(walk: Walk, cursor: Cursor) -> Cursor:
    """The cursor of a walk that goes on another time."""
    page = f"{int(walk.newest.timestamp())}:{walk.after}" if walk.after and walk.newest else None
    return replace(cursor, page=page, first_id=walk.first_id, pages=walk.pages if page else 0)


def ended(walk: Walk, cursor: Cursor) -> Cursor:
    """The cursor of a walk that is through: what is read next is newer than its first page."""
    return replace(
        cursor,
        since=walk.newest or cursor.since,
        since_id=walk.first_id or cursor.since_id,
        page=None,
        first_id=None,
        pages=0,
    )


def _further(walk: Walk, page: Page, at: datetime) -> Walk:
    walk = replace(walk, after=page.after, pages=walk.pages + 1)
    dated = [(made, post.name) for post in page.posts if (made := post.made) is not None and made <= at]
    if walk.newest is not None or not dated:
        return walk
    newest, name = max(dated)
    return replace(walk, newest=newest, first_id=name)


def _through(walk: Walk, page: Page) -> bool:
    return walk.since is None or page.after is None or _reached(walk, page) or walk.pages >= MOST_PAGES_BACK


def _reached(walk: Walk, page: Page) -> bool:
    """Whether the page ends before what the last read had; undated posts say nothing."""
    last = next((made for post in reversed(page.posts) if (made := post.made) is not None), None)
    return last is not None and walk.since is not None and last < walk.since - OVERLAP


def _cut(walk: Walk, page: Page) -> bool:
    return walk.since is not None and walk.pages >= MOST_PAGES_BACK and not _reached(walk, page)


def _left_out() -> Refused:
    detail = (
        f"there were more than {MOST_PAGES_BACK * PAGE:,} posts since the last read; the oldest are left out"
    )
    return Refused("left_out", detail, about_all=False)
