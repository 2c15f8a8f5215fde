"""Finnhub, company news of each tracked American symbol. https://finnhub.io/docs/api/company-news

One call gives the news of a range of days, newest first and not more than about 250.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bellwether.adapters.providers.api_item import Told, api_item
from bellwether.adapters.providers.api_target import ApiTarget, Got, Read
from bellwether.adapters.providers.asset_names import american_symbols
from bellwether.adapters.providers.calling import Calls, Judge
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.json_answer import members, read_entries, read_json, refuse_pages
from bellwether.adapters.providers.provider import Cursor, Provider
from bellwether.adapters.providers.showable import showable
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.waiting import number, until_epoch
from bellwether.domain.items import Item

TITLE = "Finnhub"
ADDRESS = "https://finnhub.io/api/v1"
EVERY = timedelta(minutes=9, seconds=30)
FIRST_DAYS, OVERLAP_DAYS, MOST_DAYS = 2, 1, 7
FULL = 250
"""Articles a call gives at most, as users found."""
_NO_ACCESS = timedelta(hours=24)
_AGAIN = timedelta(hours=1)


class _Article(Struct, frozen=True):
    id: int
    headline: str | None = None
    summary: str | None = None
    datetime: float | None = None
    source: str | None = None
    url: str | None = None


def targets(sources: Sources) -> list[Provider]:
    """A target for each tracked symbol of an American market; none without a key."""
    key = sources.key("finnhub", "finnhub_key")
    if key is None:
        return []
    client = sources.client("finnhub", judge_of(key))
    address = sources.address("finnhub", ADDRESS)
    symbols = american_symbols(sources.entities.assets())
    return [
        ApiTarget(client, _read(address, key, symbol), target=symbol, kind="news", every=EVERY)
        for symbol in symbols
    ]


def judge_of(key: str) -> Judge:
    """401 is about the key, 403 about the plan; `X-Ratelimit-Reset` says when there are calls again."""

    def judge(response: Response, at: datetime) -> timedelta | None:
        reset = until_epoch(response.headers.get("x-ratelimit-reset"), at)
        if response.status == 429:
            return reset
        if response.status == 401:
            raise Refused("key_refused", f"{TITLE} does not take the key", wait=_AGAIN)
        if response.status == 403:
            detail = f"{TITLE}'s plan does not include this symbol"
            raise Refused("plan_limit", detail, about_all=False, wait=_NO_ACCESS)
        if response.status != 200:
            raise Refused(f"http_{response.status}", f"{TITLE} answered {response.status}")
        refuse_pages(response.content, TITLE)
        if "error" in (told := members(response.content)):
            said = showable(str(told["error"]), key)
            raise Refused("bad_query", f"{TITLE} says: {said}", about_all=False, wait=_AGAIN)
        left = number(response.headers.get("x-ratelimit-remaining"))
        return reset if left is not None and left < 1 else None

    return judge


def _read(address: str, key: str, symbol: str) -> Read:
    def read(calls: Calls, cursor: Cursor, at: datetime) -> Got:
        first, note = _first_day(cursor, at)
        query = {
            # a share class is written after a dot here
            "symbol": symbol.replace("-", "."),
            "from": f"{first:%Y-%m-%d}",
            # days are not everywhere the same day
            "to": f"{at + timedelta(days=1):%Y-%m-%d}",
        }
        response = calls.get(f"{address}/company-news?{urlencode(query)}", {"X-Finnhub-Token": key})
        told = read_json(response.content, list[msgspec.Raw], TITLE)
        articles, refused = read_entries(told, _Article)
        items = [item for article in articles if (item := _item(article, at))]
        if len(told) >= FULL:
            note = f"{len(told)} articles in one answer: there may have been more"
        after = replace(cursor, since=at)
        return Got(items=items, cursor=after, refused=refused + len(articles) - len(items), note=note)

    return read


def _first_day(cursor: Cursor, at: datetime) -> tuple[datetime, str | None]:
    if cursor.since is None:
        return at - timedelta(days=FIRST_DAYS), None
    first, earliest = cursor.since - timedelta(days=OVERLAP_DAYS), at - timedelta(days=MOST_DAYS)
    if first >= earliest:
        return first, None
    return earliest, f"news before {earliest:%Y-%m-%d} are left out"


def _item(article: _Article, at: datetime) -> Item | None:
    told = Told(
        source_id=str(article.id),
        published=_time(article.datetime),
        title=article.headline,
        text=article.summary,
        url=article.url,
        author=article.source,
        lang="en",
        html=True,
    )
    return api_item(told, "finnhub", at)


def _time(seconds: float | None) -> datetime | None:
    """0 is what an article without a date has."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None
