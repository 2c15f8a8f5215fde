"""GDELT DOC 2.0: articles of the world's news that mention a tracked asset by name. No key.

The interface gives at most 250 articles and no pages, so it is asked for windows of time: one that comes
back full is halved until it fits. https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/
"""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from msgspec.structs import replace

from bellwether.adapters.providers.api_item import Told, address_id, api_item
from bellwether.adapters.providers.api_target import ApiTarget, Got
from bellwether.adapters.providers.asset_names import OR, Group, groups
from bellwether.adapters.providers.calling import Calls, Waiting
from bellwether.adapters.providers.gdelt_answer import (
    TITLE,
    Article,
    Articles,
    judge,
    read_articles,
    seen_at,
    tidy_title,
)
from bellwether.adapters.providers.guarded_http import Refused
from bellwether.adapters.providers.newest_first import moment
from bellwether.adapters.providers.provider import Cursor, Provider
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.items import Item

ADDRESS = "https://api.gdeltproject.org"
LONGEST_QUERY = 240
"""Characters; GDELT refuses queries of about 250 and says that they are too short or too long."""
LANGUAGE = "sourcelang:eng"
MOST_ARTICLES = 250
EVERY = timedelta(minutes=14, seconds=30)
"""GDELT's own index is renewed every quarter of an hour; a round does not begin to the second."""
FIRST_WINDOW = timedelta(hours=12)
OVERLAP = timedelta(hours=1)
"""Read once more each time: articles enter the index late."""
LONGEST_AWAY = timedelta(days=3)
SHORTEST_WINDOW = timedelta(minutes=15)
MOST_CALLS = 3
"""A read; each has to wait five seconds for the one before."""
_STAMP = "%Y%m%d%H%M%S"


def targets(sources: Sources) -> list[Provider]:
    """A target for as many tracked assets as fit one query."""
    client = sources.client("gdelt", judge)
    found = groups(sources.entities.assets(), LONGEST_QUERY - len(LANGUAGE) - len("() "))
    address = sources.address("gdelt", ADDRESS)
    return [
        ApiTarget(client, _Windows(address, group).read, target=group.name, kind="news", every=EVERY)
        for group in found
    ]


class _Windows:
    """Reads the windows of one query, the oldest first: what lies before `since` is through."""

    def __init__(self, address: str, group: Group) -> None:
        self._address = address
        self._query = query_of(group)
        self._signs = [name for term in group.query.split(OR) if set(name := term.strip('"')) & set("-&")]

    def read(self, calls: Calls, cursor: Cursor, at: datetime) -> Got:
        """Reads on; `cursor.page` is where the window to try next ends, when a read was not finished."""
        start, note = begin(cursor, at)
        end = min(max(moment(cursor.page) or at, start), at)
        items: list[Item] = []
        refused = 0
        for tried in range(MOST_CALLS):
            try:
                found = self._articles(calls, start, end)
            except Refused as fault:
                if tried == 0:
                    raise
                # what was read counts, and having to wait for one's turn is no failure
                ended_by = None if isinstance(fault, Waiting) else fault
                stopped = _stopped(cursor, start, end)
                return Got(items=items, cursor=stopped, refused=refused, fault=ended_by, note=note)
            taken = [item for article in found.articles if (item := self._item(article, at))]
            items += taken
            count = len(found.articles) + found.refused
            refused += count - len(taken)
            if found.cut_short:
                ended_by = Refused("cut_short", f"{TITLE}'s answer ended early", about_all=False)
                stopped = _stopped(cursor, start, end)
                return Got(items=items, cursor=stopped, refused=refused, fault=ended_by, note=note)
            if count >= MOST_ARTICLES:
                if end - start > SHORTEST_WINDOW:
                    end = start + (end - start) / 2
                    continue
                note = f"more than {MOST_ARTICLES} articles at once: some of {start:%Y-%m-%d %H:%M} left out"
            if end >= at:
                return Got(
                    items=items, cursor=replace(cursor, since=at, page=None), refused=refused, note=note
                )
            start, end = end, at
        return Got(items=items, cursor=_stopped(cursor, start, end), refused=refused, note=note)

    def _articles(self, calls: Calls, start: datetime, end: datetime) -> Articles:
        asked = {
            "query": self._query,
            "mode": "artlist",
            "format": "json",
            "maxrecords": MOST_ARTICLES,
            "sort": "dateasc",
            "startdatetime": f"{start:{_STAMP}}",
            "enddatetime": f"{end:{_STAMP}}",
        }
        return read_articles(calls.get(f"{self._address}/api/v2/doc/doc?{urlencode(asked)}").content)

    def _item(self, article: Article, at: datetime) -> Item | None:
        url = article.url.strip()
        told = Told(
            source_id=address_id(url),
            published=seen_at(article),
            title=tidy_title(article.title, self._signs),
            url=url,
            author=article.domain or None,
            lang="en",
        )
        return api_item(told, "gdelt", at)


def query_of(group: Group) -> str:
    """The query: terms with OR have to stand in parentheses, a single one must not."""
    terms = f"({group.query})" if OR in group.query else group.query
    return f"{terms} {LANGUAGE}"


def begin(cursor: Cursor, at: datetime) -> tuple[datetime, str | None]:
    """Where to begin reading, and what is left out before it."""
    if cursor.since is None:
        return at - FIRST_WINDOW, None
    start = cursor.since if cursor.page else cursor.since - OVERLAP
    earliest = at - LONGEST_AWAY
    if start >= earliest:
        return min(start, at - SHORTEST_WINDOW), None
    return earliest, f"articles before {earliest:%Y-%m-%d %H:%M} are left out"


def _stopped(cursor: Cursor, start: datetime, end: datetime) -> Cursor:
    """Where to go on: everything before `start` was read."""
    return replace(cursor, since=start, page=end.isoformat())
