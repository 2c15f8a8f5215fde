"""The X API on loopback: recent search, post lookup and batch compliance, as docs.x.com specifies them.

What is checked: the bearer token, each parameter's name, range and length, that `since_id` and `start_time`
lie within seven days and are not sent together, that a token is used with the query it was given for. What is
answered: the fields that were asked for and no others, newest first, edited posts in their last version.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.peers.web import Asked, Said, Site, said

KEY = "AAAAAAAAAAAAAAAAAAAAAbearer-of-the-peer"
EPOCH = 1_288_834_974_657
SEVEN_DAYS = timedelta(days=7)
_FIELDS = {
    "author_id", "created_at", "edit_history_tweet_ids", "id", "lang", "note_tweet", "public_metrics",
    "referenced_tweets", "text",
}  # fmt: skip
_PARAMETERS = {
    "query", "max_results", "since_id", "until_id", "start_time", "end_time", "next_token", "tweet.fields",
    "expansions", "user.fields", "sort_order",
}  # fmt: skip


def snowflake(at: datetime, sequence: int = 0) -> str:
    """The id of a post made at that moment."""
    return str((int(at.timestamp() * 1000) - EPOCH << 22) + sequence)


def moment(post_id: str) -> datetime:
    return datetime.fromtimestamp(((int(post_id) >> 22) + EPOCH) / 1000, UTC)


@dataclass
class XPeer:
    """`posts` are complete entries; `now` is the server's clock, `left` what is left of the window."""

    site: Site
    now: datetime
    posts: list[dict[str, Any]] = field(default_factory=list)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    """When and why, by the id of the first version."""
    left: int = 450
    history: str = "edit_history_tweet_ids"
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, list[str]] = field(default_factory=dict)
    polls_until_complete: int = 1
    may_run_jobs: bool = True
    tokens: dict[str, tuple[tuple[str | None, ...], int]] = field(default_factory=dict)
    posts_read: int = 0
    users_read: int = 0

    def __post_init__(self) -> None:
        self.site.route("GET", "/2/tweets/search/recent", self._guarded(self.search))
        self.site.route("GET", "/2/tweets", self._guarded(self.lookup))
        self.site.route("POST", "/2/compliance/jobs", self._guarded(self.create_job))
        self.site.route("GET", "/2/compliance/jobs", self._guarded(self.list_jobs))
        self.site.route("GET", "/2/compliance/jobs/*", self._guarded(self.job))
        self.site.route("PUT", "/upload/*", self.upload)
        self.site.route("GET", "/download/*", self.download)

    def add(self, text: str, at: datetime, *, author: str = "2244994945", **more: Any) -> str:
        """A post; its id, which counts up within a millisecond."""
        post_id = snowflake(at, len(self.posts))
        self.users.setdefault(
            author,
            {
                "id": author,
                "name": "A",
                "username": f"u{author}",
                "created_at": "2013-12-14T04:35:55.000Z",
                "public_metrics": {"followers_count": 583_423, "following_count": 2, "tweet_count": 14},
            },
        )
        metrics = {
            "retweet_count": 3, "reply_count": 4, "like_count": 27, "quote_count": 1, "bookmark_count": 0,
            "impression_count": 1_234,
        }  # fmt: skip
        self.posts.append(
            {
                "id": post_id,
                "text": text,
                "author_id": author,
                "created_at": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
                "lang": "en",
                "public_metrics": metrics,
                "edit_history_tweet_ids": [post_id],
                **more,
            }
        )
        return post_id

    def edit(self, post_id: str, text: str, at: datetime) -> str:
        """A new version under a new id; the old one is found no more."""
        old = next(post for post in self.posts if post["id"] == post_id)
        self.posts.remove(old)
        new_id = snowflake(at, 4_000)
        chain = [*old["edit_history_tweet_ids"], new_id]
        created = f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
        self.posts.append(
            {**old, "id": new_id, "text": text, "created_at": created, "edit_history_tweet_ids": chain}
        )
        return new_id

    def delete(self, post_id: str, reason: str = "deleted") -> None:
        """Deletes the whole chain of versions."""
        gone = next(post for post in self.posts if post_id in post["edit_history_tweet_ids"])
        self.posts.remove(gone)
        for version in gone["edit_history_tweet_ids"]:
            self.deleted[version] = (self.now, reason)

    def _guarded(self, route: Any) -> Any:
        def answer(asked: Asked) -> Said:
            if asked.headers.get("authorization") != f"Bearer {KEY}":
                problem = {"title": "Unauthorized", "type": "about:blank", "status": 401}
                return said({**problem, "detail": "Unauthorized"}, 401)
            self.left -= 1
            reset = str(int((self.now + timedelta(minutes=10)).timestamp()))
            window = {"x_rate_limit_limit": "450", "x_rate_limit_reset": reset}
            window["x_rate_limit_remaining"] = str(max(self.left, 0))
            if self.left < 0:
                problem = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank"}
                return said({**problem, "status": 429}, 429, **window)
            told: Said = route(asked)
            headers = {name.replace("_", "-"): value for name, value in window.items()}
            return Said(told.status, told.body, {**told.headers, **headers})

        return answer

    def search(self, asked: Asked) -> Said:
        fault = self._fault(asked)
        if fault is not None:
            return fault
        found = self._found(asked)
        size = int(asked.one("max_results") or "10")
        binding = (asked.one("query"), asked.one("since_id"), asked.one("start_time"))
        start = 0
        if token := asked.one("next_token"):
            if self.tokens.get(token, (None, 0))[0] != binding:
                return _bad(
                    "Invalid 'next_token':['" + token + "']. The token is not valid", next_token=token
                )
            start = self.tokens[token][1]
        page = found[start : start + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]}
        if start + size < len(found):
            token = f"b26v89c19zqg8o3f{len(self.tokens):06d}"
            self.tokens[token] = (binding, start + size)
            meta["next_token"] = token
        if not page:
            return said({"meta": meta})
        self.posts_read += len(page)
        document: dict[str, Any] = {"data": [self._shown(post, asked) for post in page], "meta": meta}
        if asked.one("expansions") == "author_id":
            document["includes"] = {"users": self._users(page, asked)}
        return said(document)

    def lookup(self, asked: Asked) -> Said:
        ids = (asked.one("ids") or "").split(",")
        if not 1 <= len(ids) <= 100 or not all(re.fullmatch(r"\d{1,19}", one) for one in ids):
            return _bad("The number of values in the `ids` query parameter list is not between 1 and 100")
        found = [
            post
            for one in ids
            for post in self.posts
            if one in post["edit_history_tweet_ids"] and one not in self.deleted
        ]
        known = {version for post in found for version in post["edit_history_tweet_ids"]}
        errors = [
            {
                "value": one,
                "detail": f"Could not find tweet with ids: [{one}].",
                "title": "Not Found Error",
                "resource_type": "tweet",
                "parameter": "ids",
                "resource_id": one,
                "type": "https://api.twitter.com/2/problems/resource-not-found",
            }
            for one in ids
            if one not in known
        ]
        self.posts_read += len(found)
        document: dict[str, Any] = {}
        if found:
            document["data"] = [self._shown(post, asked) for post in found]
        return said({**document, "errors": errors} if errors else document)

    def create_job(self, asked: Asked) -> Said:
        if not self.may_run_jobs:
            problem = {
                "title": "Client Forbidden",
                "detail": "This request must be made using an approved developer account that is enrolled.",
                "type": "https://api.twitter.com/2/problems/client-forbidden",
                "reason": "client-not-enrolled",
                "client_id": "1",
            }
            return said(problem, 403)
        told = json.loads(asked.body)
        if told.get("type") not in {"tweets", "users"} or set(told) - {"type", "name", "resumable"}:
            return _bad("the request body is not valid")
        for job in self.jobs.values():
            if job["status"] == "created" and self.now > moment(job["id"]) + timedelta(minutes=15):
                job["status"] = "expired"
            if job["status"] == "in_progress" and self.now > moment(job["id"]) + timedelta(hours=1):
                job["status"] = "complete"
        if any(job["status"] in {"created", "in_progress"} for job in self.jobs.values()):
            return said(
                {
                    "title": "Invalid Request",
                    "detail": "One or more parameters to your request was invalid.",
                    "errors": [{"message": "You can only have 1 job of this type running at a time."}],
                },
                409,
            )
        job_id = snowflake(self.now, len(self.jobs))
        self.jobs[job_id] = {
            "id": job_id,
            "type": told["type"],
            "name": told.get("name"),
            "status": "created",
            "resumable": False,
            "created_at": f"{self.now:%Y-%m-%dT%H:%M:%S}.000Z",
            "upload_url": f"{self.site.address}/upload/{job_id}?X-Goog-Signature=abc",
            "upload_expires_at": f"{self.now + timedelta(minutes=15):%Y-%m-%dT%H:%M:%S}.000Z",
            "download_url": f"{self.site.address}/download/{job_id}?X-Goog-Signature=def",
            "download_expires_at": f"{self.now + timedelta(days=7):%Y-%m-%dT%H:%M:%S}.000Z",
            "polls": 0,
        }
        return said({"data": self._job(job_id)})

    def list_jobs(self, asked: Asked) -> Said:
        if asked.one("type") not in {"tweets", "users"}:
            return _bad("The `type` query parameter can not be empty")
        return said({"data": [self._job(job_id) for job_id in self.jobs]})

    def job(self, asked: Asked) -> Said:
        job = self.jobs.get(asked.path.rsplit("/", 1)[-1])
        if job is None:
            return said({"title": "Not Found Error", "status": 404}, 404)
        if job["status"] == "in_progress":
            job["polls"] += 1
            if job["polls"] >= self.polls_until_complete:
                job["status"] = "complete"
        return said({"data": self._job(job["id"])})

    def upload(self, asked: Asked) -> Said:
        """Google Cloud Storage: the signature is in the address, a key would be none of its business."""
        job = self.jobs.get(asked.path.rsplit("/", 1)[-1])
        if job is None or asked.one("X-Goog-Signature") != "abc" or "authorization" in asked.headers:
            return Said(403)
        if asked.headers.get("content-type") != "text/plain":
            return Said(400)
        self.uploads[job["id"]] = asked.body.decode().split()
        job["status"] = "in_progress"
        return Said(200)

    def download(self, asked: Asked) -> Said:
        job = self.jobs.get(asked.path.rsplit("/", 1)[-1])
        if job is None or asked.one("X-Goog-Signature") != "def" or "authorization" in asked.headers:
            return Said(403)
        if job["status"] != "complete":
            return Said(404)
        lines = [
            {
                "id": one,
                "action": "delete",
                "created_at": f"{moment(one):%Y-%m-%dT%H:%M:%S}.000Z",
                "redacted_at": f"{self.deleted[one][0]:%Y-%m-%dT%H:%M:%S}.000Z",
                "reason": self.deleted[one][1],
            }
            for one in self.uploads[job["id"]]
            if one in self.deleted
        ]
        return Said(200, "".join(json.dumps(line) + "\n" for line in lines).encode())

    def _job(self, job_id: str) -> dict[str, Any]:
        return {name: value for name, value in self.jobs[job_id].items() if name != "polls"}

    def _fault(self, asked: Asked) -> Said | None:
        unknown = set(asked.query) - _PARAMETERS
        if unknown:
            return _bad(f"The query parameter [{min(unknown)}] is not one of {sorted(_PARAMETERS)}")
        query = asked.one("query") or ""
        if not 1 <= len(query) <= 512:
            message = f"The `query` query parameter value is not between 1 and 512 ({len(query)})"
            return _bad(message, query=query)
        if query.count("(") != query.count(")") or "subreddit:" in query:
            return _bad(f"no viable alternative at input '{query[:20]}' (at position 1)", query=query)
        size = asked.one("max_results") or "10"
        if not size.isdigit() or not 10 <= int(size) <= 100:
            message = f"The `max_results` query parameter value [{size}] is not between 10 and 100"
            return _bad(message, max_results=size)
        if set((asked.one("tweet.fields") or "id").split(",")) - _FIELDS:
            return _bad("The `tweet.fields` query parameter value is not one of the allowed")
        return self._fault_of_times(asked)

    def _fault_of_times(self, asked: Asked) -> Said | None:
        oldest = self.now - SEVEN_DAYS
        since_id, start = asked.one("since_id"), asked.one("start_time")
        if since_id and start:
            return _bad("Invalid use of 'since_id' with 'start_time' or 'end_time'", since_id=since_id)
        if since_id and moment(since_id) < oldest:
            message = (
                f"'since_id' must be a tweet id created after {oldest:%Y-%m-%dT%H:%M}Z. Please use a "
                f"'since_id' that is larger than {snowflake(oldest)}"
            )
            return _bad(message, since_id=since_id)
        if start and not oldest <= datetime.fromisoformat(start) <= self.now - timedelta(seconds=10):
            message = (
                f"Invalid 'start_time':'{start}'. 'start_time' must be on or after {oldest:%Y-%m-%dT%H:%M}Z."
            )
            return _bad(message, start_time=start)
        return None

    def _found(self, asked: Asked) -> list[dict[str, Any]]:
        query = asked.one("query") or ""
        wanted = query[query.index("(") + 1 : query.rindex(")")] if "(" in query else query
        terms = [term.strip().strip('"').casefold() for term in wanted.split(" OR ")]
        since_id, start = asked.one("since_id"), asked.one("start_time")
        floor = int(since_id) if since_id else int(snowflake(datetime.fromisoformat(start or ""))) - 1
        found = [
            post
            for post in self.posts
            if any(term in post["text"].casefold() for term in terms)
            and int(post["id"]) > floor
            and ("lang:en" not in query or post["lang"] == "en")
            and ("-is:retweet" not in query or not _is_retweet(post))
            and moment(post["id"]) <= self.now - timedelta(seconds=30)
        ]
        return sorted(found, key=lambda post: int(post["id"]), reverse=True)

    def _shown(self, post: dict[str, Any], asked: Asked) -> dict[str, Any]:
        wanted = {"id", "text", "edit_history_tweet_ids", *(asked.one("tweet.fields") or "").split(",")}
        shown = {name: value for name, value in post.items() if name in wanted or name not in _FIELDS}
        shown[self.history] = shown.pop("edit_history_tweet_ids")
        return shown

    def _users(self, page: Iterable[dict[str, Any]], asked: Asked) -> list[dict[str, Any]]:
        wanted = {"id", "name", "username", *(asked.one("user.fields") or "").split(",")}
        ids = dict.fromkeys(post["author_id"] for post in page)
        self.users_read += len(ids)
        return [{name: value for name, value in self.users[one].items() if name in wanted} for one in ids]


def _is_retweet(post: dict[str, Any]) -> bool:
    return any(other["type"] == "retweeted" for other in post.get("referenced_tweets", ()))


def _bad(message: str, **parameters: str) -> Said:
    return said(
        {
            "errors": [
                {"parameters": {name: [value] for name, value in parameters.items()}, "message": message}
            ],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": "https://api.twitter.com/2/problems/invalid-request",
        },
        400,
    )
