"""RSS, Atom and JSON feeds over HTTP, asked for politely: only when changed, and later when they say so."""

import hashlib
import time
from datetime import datetime, timedelta

from bellwether.adapters.providers.feed_items import ParsedFeed, parse_feed
from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused, Response
from bellwether.adapters.providers.provider import Cost, Cursor, Fetched, Health, State
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.waiting import retry_after
from bellwether.domain.items import Item, Kind, Source

MOST_SEEN = 1_000
FIRST_WAIT = timedelta(minutes=1)


class FeedProvider:
    """One feed. Two feeds are the same when their addresses are."""

    def __init__(
        self,
        url: str,
        http: GuardedHttp,
        *,
        name: str = "rss",
        target: str | None = None,
        kind: Kind = "news",
        source: Source = "rss",
    ) -> None:
        self._url = url
        self._http = http
        self._source = source
        self.name = name
        self.target = target or url
        self.kind = kind

    def fetch(self, cursor: Cursor, at: datetime) -> Fetched:
        """Fetches what is new since the cursor; `at` is when (UTC), and is what items are observed at."""
        if cursor.not_before is not None and at < cursor.not_before:
            return self._without_items(
                cursor, at, "waiting", code="waiting", detail="asked to come back later"
            )
        began = time.perf_counter()
        try:
            response = self._http.get(self._url, conditions(cursor))
        except Refused as fault:
            return self._failure(cursor, at, began, fault.code, fault.detail)
        if response.status == 304:
            kept = Cursor(etag=cursor.etag, last_modified=cursor.last_modified, seen=cursor.seen)
            return self._without_items(kept, at, "unchanged", began=began)
        if response.status != 200:
            wait = retry_after(response.headers, at)
            detail = f"the provider answered {response.status}"
            return self._failure(cursor, at, began, f"http_{response.status}", detail, wait)
        return self._read(cursor, at, began, response)

    def _read(self, cursor: Cursor, at: datetime, began: float, response: Response) -> Fetched:
        parsed = parse_feed(response.content, url=response.url, observed_at=at, source=self._source)
        if broken := next((r for r in parsed.refused if r.index is None and not parsed.items), None):
            return self._failure(cursor, at, began, broken.code, broken.detail)
        items, seen = new_items(parsed, cursor)
        return Fetched(
            items=items,
            cursor=Cursor(
                etag=_header(response, "etag"), last_modified=_header(response, "last-modified"), seen=seen
            ),
            health=self._health("ok", at, began, items=len(items), refused=len(parsed.refused)),
            cost=Cost(calls=1),
        )

    def _failure(
        self,
        cursor: Cursor,
        at: datetime,
        began: float,
        code: str,
        detail: str,
        wait: timedelta | None = None,
    ) -> Fetched:
        failures = cursor.failures + 1
        # twice as long after each failure, so that what is broken for days is not asked every minute
        pause = wait or min(FIRST_WAIT * 2 ** min(failures - 1, 6), timedelta(hours=1))
        return Fetched(
            items=[],
            cursor=Cursor(
                etag=cursor.etag,
                last_modified=cursor.last_modified,
                seen=cursor.seen,
                not_before=at + pause,
                failures=failures,
            ),
            health=self._health("failing", at, began, code=code, detail=detail, failures=failures),
            cost=Cost(calls=1),
        )

    def _without_items(
        self,
        cursor: Cursor,
        at: datetime,
        state: State,
        *,
        began: float | None = None,
        code: str | None = None,
        detail: str | None = None,
    ) -> Fetched:
        health = self._health(state, at, began, code=code, detail=detail, failures=cursor.failures)
        return Fetched(items=[], cursor=cursor, health=health, cost=Cost(calls=int(began is not None)))

    def _health(
        self,
        state: State,
        at: datetime,
        began: float | None,
        *,
        code: str | None = None,
        detail: str | None = None,
        items: int = 0,
        refused: int = 0,
        failures: int = 0,
    ) -> Health:
        took = round((time.perf_counter() - began) * 1000, 1) if began is not None else 0.0
        return Health(
            provider=self.name,
            target=self.target,
            state=state,
            checked_at=at,
            code=code,
            detail=detail,
            items=items,
            refused=refused,
            failures=failures,
            milliseconds=took,
        )


def targets(sources: Sources) -> list[FeedProvider]:
    """The tracked feeds."""
    urls = dict.fromkeys(str(r["url"]) for r in sources.entities.records("feed") if r.get("url"))
    return [FeedProvider(url, sources.http) for url in urls]


def conditions(cursor: Cursor) -> dict[str, str]:
    """Headers of a conditional GET: both validators, since servers differ in which one they look at."""
    told = {"If-None-Match": cursor.etag, "If-Modified-Since": cursor.last_modified}
    return {name: value for name, value in told.items() if value}


def new_items(parsed: ParsedFeed, cursor: Cursor) -> tuple[list[Item], tuple[str, ...]]:
    """The items whose id the last document did not have, and the digests of this one."""
    digests = [_digest(item) for item in parsed.items]
    before = set(cursor.seen)
    fresh = [item for item, digest in zip(parsed.items, digests, strict=True) if digest not in before]
    return fresh, tuple(digests[:MOST_SEEN])


def _digest(item: Item) -> str:
    return hashlib.sha256(item.source_id.encode("utf-8", errors="replace")).hexdigest()[:16]


def _header(response: Response, name: str) -> str | None:
    """A validator to send back; one that is too long or not plain is not worth keeping."""
    value = response.headers.get(name, "")
    return value if 0 < len(value) <= 512 and value.isascii() and value.isprintable() else None
