"""Posts of Reddit as items, and whether one is still there."""

from datetime import UTC, datetime

from msgspec import Struct

from bellwether.adapters.providers.api_item import Told, api_item
from bellwether.domain.items import EARLIEST, Item

SITE = "https://www.reddit.com"
_GONE_WORDS = {
    "[deleted]",
    "[removed]",
    "[deleted by user]",
    "[ removed by moderator ]",
    "[ removed by reddit ]",
}


class Post(Struct, frozen=True):
    """The `data` of a thing of kind t3. `name` is its id everywhere on Reddit (`t3_…`), in feeds as well."""

    name: str
    title: str | None = None
    selftext: str | None = None
    author: str | None = None
    created_utc: float | None = None
    permalink: str | None = None
    ups: float | None = None
    num_comments: float | None = None
    num_crossposts: float | None = None
    removed_by_category: str | None = None
    crosspost_parent: str | None = None

    @property
    def made(self) -> datetime | None:
        """When it was made, as it says."""
        try:
            made = datetime.fromtimestamp(self.created_utc or 0.0, UTC)
        except (OverflowError, OSError, ValueError):
            return None
        return made if self.created_utc and made > EARLIEST else None

    @property
    def gone(self) -> str | None:
        """Why it is no post any more: taken back by who wrote it, or taken away. `None` for one that stands.

        A post whose account was deleted keeps its words on Reddit; the desk, which must forget the account,
        forgets the post.
        """
        if self.removed_by_category:
            by_author = self.removed_by_category in {"deleted", "author"}
            return "deleted" if by_author else "removed"
        words = {(self.title or "").strip().lower(), (self.selftext or "").strip().lower()}
        if "[removed]" in words or {"[ removed by moderator ]", "[ removed by reddit ]"} & words:
            return "removed"
        return "deleted" if words & _GONE_WORDS or self.author == "[deleted]" else None


def is_fullname(told: str) -> bool:
    """Whether this is the id of a post: `t3_` and a number to the base 36."""
    return told.startswith("t3_") and 3 < len(told) <= 16 and told.isascii() and told[3:].isalnum()


def item_of(post: Post, at: datetime) -> Item | None:
    """The post as read at `at`; `None` for one that is gone or has no words.

    The author is told as feeds tell it (`/u/name`), so that both make the same hash.
    """
    if post.gone or not is_fullname(post.name):
        return None
    permalink = post.permalink or ""
    told = Told(
        source_id=post.name,
        published=post.made,
        title=post.title,
        text=post.selftext,
        url=SITE + permalink if permalink.startswith("/r/") else None,
        author=f"/u/{post.author}" if post.author else None,
        repost_of=post.crosspost_parent,
        engagement={"likes": post.ups, "replies": post.num_comments, "reposts": post.num_crossposts},
    )
    return api_item(told, "reddit", at)
