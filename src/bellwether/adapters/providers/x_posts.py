"""Posts of X as items: edits, long posts, reposts, authors, counts."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.api_item import Told, api_item
from bellwether.domain.items import Instant, Item

POST = "https://x.com/i/web/status/"
FIRST_SNOWFLAKE = 1_288_834_974_657
"""Milliseconds since 1970 at which X began to count its ids in milliseconds (4 November 2010)."""
_COUNTS = {
    "like_count": "likes",
    "retweet_count": "reposts",
    "reply_count": "replies",
    "quote_count": "quotes",
    "impression_count": "views",
}


class Note(Struct, frozen=True):
    """The whole of a post of more than 280 characters."""

    text: str | None = None


class Reference(Struct, frozen=True):
    """Another post this one is about. `type`: retweeted, quoted, replied_to."""

    type: str | None = None
    id: str | None = None


class Post(Struct, frozen=True):
    """One entry of `data`."""

    id: str
    text: str | None = None
    created_at: Instant | None = None
    author_id: str | None = None
    lang: str | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None
    public_metrics: dict[str, float | None] | None = None
    referenced_tweets: list[Reference] | None = None
    referenced_posts: list[Reference] | None = None
    edit_history_tweet_ids: list[str] | None = None
    edit_history_post_ids: list[str] | None = None

    @property
    def first_id(self) -> str:
        """The id of the post as it was first written: it stays the same through edits, `id` does not."""
        history = self.edit_history_tweet_ids or self.edit_history_post_ids or ()
        return min((told for told in history if is_id(told)), key=int, default=self.id)


class Author(Struct, frozen=True):
    """One entry of `includes.users`."""

    id: str
    created_at: Instant | None = None
    public_metrics: dict[str, float | None] | None = None


def posts_of(entries: Iterable[msgspec.Raw]) -> tuple[list[Post], int]:
    """The posts among the entries, in their order, and how many entries were none."""
    posts: list[Post] = []
    refused = 0
    for entry in entries:
        try:
            post = msgspec.json.decode(entry, type=Post)
        except msgspec.DecodeError:
            refused += 1
            continue
        if is_id(post.id):
            posts.append(post)
        else:
            refused += 1
    return posts, refused


def authors_of(entries: Iterable[msgspec.Raw]) -> dict[str, Author]:
    """The authors among the entries by their ids; what is none is passed over."""
    authors = {}
    for entry in entries:
        try:
            author = msgspec.json.decode(entry, type=Author)
        except msgspec.DecodeError:
            continue
        authors[author.id] = author
    return authors


def item_of(post: Post, authors: Mapping[str, Author], at: datetime) -> Item | None:
    """The post as read at `at`; `None` for one without words.

    The author is told by the number, which stays when a handle changes. The text of the API is markup in so
    far as `&`, `<` and `>` are escaped.
    """
    note = post.note_tweet or post.note_post
    author = authors.get(post.author_id or "")
    told = Told(
        source_id=post.first_id,
        published=_written(post),
        text=_unescaped((note.text if note else None) or post.text or ""),
        url=POST + post.id,
        author=post.author_id,
        lang=post.lang,
        repost_of=_original(post),
        engagement=_engagement(post, author, at),
    )
    return api_item(told, "x", at)


def is_id(told: str) -> bool:
    """Whether this is an id of X: a number of at most 19 digits."""
    return told.isascii() and told.isdigit() and len(told) <= 19


def made_at(post_id: str) -> datetime:
    """When a post of this id was made, to the millisecond."""
    milliseconds = (int(post_id) >> 22) + FIRST_SNOWFLAKE
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _written(post: Post) -> datetime | None:
    """When it was first written: of an edited post the version that is shown carries when it was edited."""
    told = post.created_at if post.first_id == post.id else None
    return told or (made_at(post.first_id) if int(post.first_id) >> 22 else post.created_at)


def _original(post: Post) -> str | None:
    references = post.referenced_tweets or post.referenced_posts or ()
    return next((other.id for other in references if other.type in {"retweeted", "reposted"}), None)


def _engagement(post: Post, author: Author | None, at: datetime) -> dict[str, object]:
    counts: dict[str, object] = {
        name: (post.public_metrics or {}).get(told) for told, name in _COUNTS.items()
    }
    if author is not None:
        counts["author_followers"] = (author.public_metrics or {}).get("followers_count")
        if author.created_at is not None and author.created_at <= at:
            counts["author_age_days"] = float((at - author.created_at).days)
    return counts


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
