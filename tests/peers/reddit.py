"""Reddit on loopback: tokens, listings, search, and posts by their ids, as its API documents them.

What is checked: Basic credentials, the form of the token request, the bearer token and its age, a User-Agent
of the form Reddit asks for, the parameters of a listing. `before` and `after` work as they do: relative to a
post that is in the listing, and with nothing to show when it is not.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from tests.peers.web import Asked, Said, Site, said

CLIENT, SECRET = "peer-client-id", "peer-client-secret-0123456789"
DEEPEST = 1_000
_AGENT = re.compile(r"^[\w.]+:[\w.-]+:v?[\d.]+( \(by /u/[\w-]+\))?$")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    told = ""
    while number:
        number, digit = divmod(number, 36)
        told = _DIGITS[digit] + told
    return told or "0"


@dataclass
class RedditPeer:
    """`posts` are complete entries, the newest last; `now` is the server's clock."""

    site: Site
    now: datetime
    posts: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, datetime] = field(default_factory=dict)
    lasts: int = 86_400
    accepts_tokens: bool = True
    left: float = 996.0
    private: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.site.route("POST", "/api/v1/access_token", self.token)
        self.site.route("GET", "/r/*", self._guarded(self.subreddit))
        self.site.route("GET", "/search", self._guarded(self.search))
        self.site.route("GET", "/api/info", self._guarded(self.info))
        self.site.route("GET", "/subreddits/search", self._guarded(self.subreddits))

    def add(self, title: str, at: datetime, *, subreddit: str = "stocks", **more: Any) -> str:
        """A post; its fullname."""
        short = base36(1_500_000_000_000 + len(self.posts))
        post = {
            "id": short,
            "name": f"t3_{short}",
            "title": title,
            "selftext": "",
            "author": "somebody",
            "author_fullname": "t2_4esadt4t",
            "subreddit": subreddit,
            "created_utc": at.timestamp(),
            "permalink": f"/r/{subreddit}/comments/{short}/words/",
            "url": f"https://www.reddit.com/r/{subreddit}/comments/{short}/words/",
            "ups": 1_659,
            "score": 1_659,
            "upvote_ratio": 0.98,
            "num_comments": 41,
            "num_crossposts": 2,
            "removed_by_category": None,
            "is_self": True,
            "edited": False,
            **more,
        }
        self.posts.append(post)
        return str(post["name"])

    def delete(self, name: str) -> None:
        """As Reddit shows a post its author has deleted: by its id it is still there, without words."""
        post = self.post(name)
        post |= {"title": "[deleted by user]", "selftext": "[removed]", "author": "[deleted]"}
        post["removed_by_category"] = "deleted"

    def remove(self, name: str) -> None:
        """As Reddit shows a post a moderator has removed: the title stays."""
        self.post(name).update(selftext="[removed]", removed_by_category="moderator")

    def post(self, name: str) -> dict[str, Any]:
        return next(post for post in self.posts if post["name"] == name)

    def token(self, asked: Asked) -> Said:
        told = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {told}":
            return said({"message": "Unauthorized", "error": 401}, 401)
        if parse_qs(asked.body.decode()).get("grant_type") != ["client_credentials"]:
            return said({"error": "unsupported_grant_type"})
        token = f"eyJ-token-{len(self.tokens)}"
        self.tokens[token] = self.now + timedelta(seconds=self.lasts)
        return said({"access_token": token, "token_type": "bearer", "expires_in": self.lasts, "scope": "*"})

    def subreddit(self, asked: Asked) -> Said:
        _, _, name, kind = asked.path.split("/")
        if name in self.private:
            return said({"reason": "private", "message": "Forbidden", "error": 403}, 403)
        there = [post for post in self.posts if post["subreddit"] == name]
        if not there:
            return Said(302, b"", {"Location": f"/subreddits/search?q={name}"})
        if kind != "new":
            return said({"message": "Not Found", "error": 404}, 404)
        return self._listing(asked, there)

    def search(self, asked: Asked) -> Said:
        words = [word.strip('"').casefold() for word in (asked.one("q") or "").split(" OR ")]
        if asked.one("sort") != "new" or not any(words):
            return said({"message": "Bad Request", "error": 400}, 400)
        found = [
            post
            for post in self.posts
            if any(word in f"{post['title']} {post['selftext']}".casefold() for word in words)
        ]
        return self._listing(asked, found)

    def subreddits(self, _: Asked) -> Said:
        return said({"kind": "Listing", "data": {"after": None, "children": [{"kind": "t5", "data": {}}]}})

    def info(self, asked: Asked) -> Said:
        names = (asked.one("id") or "").split(",")
        if len(names) > 100:
            return said({"message": "Bad Request", "error": 400}, 400)
        return said(_shown([post for post in self.posts if post["name"] in names], None))

    def _listing(self, asked: Asked, found: list[dict[str, Any]]) -> Said:
        limit = int(asked.one("limit") or "25")
        if not 1 <= limit <= 100 or asked.one("raw_json") != "1":
            return said({"message": "Bad Request", "error": 400}, 400)
        shown = sorted(found, key=lambda post: -post["created_utc"])[:DEEPEST]
        shown = [post for post in shown if post["removed_by_category"] is None]
        names = [post["name"] for post in shown]
        start = 0
        if after := asked.one("after"):
            if after not in names:
                return said(_shown([], None))
            start = names.index(after) + 1
        if before := asked.one("before"):
            end = names.index(before) if before in names else 0
            shown = shown[:end]
        page = shown[start : start + limit]
        more = start + limit < len(shown)
        return said(_shown(page, page[-1]["name"] if page and more else None))

    def _guarded(self, route: Any) -> Any:
        def answer(asked: Asked) -> Said:
            if not _AGENT.match(asked.headers.get("user-agent", "")):
                return Said(403, b"<html>whoa there, pardner!</html>", {"Content-Type": "text/html"})
            token = asked.headers.get("authorization", "").removeprefix("Bearer ")
            if (
                not self.accepts_tokens
                or self.tokens.get(token, datetime.min.replace(tzinfo=self.now.tzinfo)) <= self.now
            ):
                return said({"message": "Unauthorized", "error": 401}, 401)
            self.left -= 1
            window = {"x-ratelimit-used": "4", "x-ratelimit-reset": "287"}
            window["x-ratelimit-remaining"] = f"{max(self.left, 0):.1f}"
            if self.left < 0:
                return Said(429, b'{"message": "Too Many Requests", "error": 429}', window)
            told: Said = route(asked)
            return Said(told.status, told.body, {**told.headers, **window})

        return answer


def _shown(posts: list[dict[str, Any]], after: str | None) -> dict[str, Any]:
    children = [{"kind": "t3", "data": post} for post in posts]
    data = {"after": after, "before": None, "dist": len(posts), "modhash": "", "geo_filter": ""}
    return {"kind": "Listing", "data": {**data, "children": children}}
