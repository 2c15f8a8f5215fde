"""Alpha Vantage, NEWS_SENTIMENT: the market's news, of which those about a tracked symbol are taken.

Twenty-five calls a day (shared with prices) are fewer than there are assets, and several symbols in one
request mean articles about all of them. So one request asks for all news since the last one,
and the symbols the provider names with each article decide: no asset waits for another.
https://www.alphavantage.co/documentation/#news-sentiment
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.api_item import Told, address_id, api_item
from bellwether.adapters.providers.api_target import ApiTarget, Got, Read
from bellwether.adapters.providers.asset_names import american, american_symbols
from bellwether.adapters.providers.calling import Calls, Judge
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.json_answer import members, read_entries, read_json, refuse_pages
from bellwether.adapters.providers.newest_first import Reach, read_on, window
from bellwether.adapters.providers.provider import Cursor, Provider
from bellwether.adapters.providers.showable import showable
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.items import Item

TITLE = "Alpha Vantage"
ADDRESS = "https://www.alphavantage.co"
TARGET = "market news"
LIMIT = 400
"""Articles a call; 1,000 are allowed, and would not fit into what is read of one answer."""
EVERY = timedelta(hours=2, minutes=-1)
"""Twelve calls a day, so that prices have the other half."""
REACH = Reach(first=timedelta(hours=12), most=timedelta(days=7), overlap=timedelta(hours=1), pages=4)
_USED_UP = timedelta(hours=6)
"""When the day of its quota ends Alpha Vantage does not say."""
_DAY = timedelta(hours=24)
_AGAIN = timedelta(hours=1)


class _Ticker(Struct, frozen=True):
    ticker: str | None = None


class _Article(Struct, frozen=True):
    url: str
    title: str | None = None
    summary: str | None = None
    time_published: str | None = None
    source: str | None = None
    ticker_sentiment: list[_Ticker] | None = None


class _Feed(Struct, frozen=True):
    feed: list[msgspec.Raw] | None = None


def targets(sources: Sources) -> list[Provider]:
    """One target for all tracked symbols; none without a key or a symbol."""
    key = sources.key("alphavantage", "alphavantage_key")
    symbols = frozenset(american_symbols(sources.entities.assets()))
    if key is None or not symbols:
        return []
    address = sources.address("alphavantage", ADDRESS)
    client = sources.client("alphavantage", judge_of(key))
    return [ApiTarget(client, _read(address, key, symbols), target=TARGET, kind="news", every=EVERY)]


def judge_of(key: str) -> Judge:
    """Refuses errors: they come with status 200 as `Information`, `Note` or `Error Message`. The key is only
    taken as a part of the address, and the sentences repeat it: it is cut out of what is shown."""

    def judge(response: Response, _at: datetime) -> timedelta | None:
        if response.status not in {200, 429}:
            raise Refused(f"http_{response.status}", f"{TITLE} answered {response.status}")
        refuse_pages(response.content, TITLE)
        told = members(response.content) if len(response.content) < 20_000 else {}
        said = next((told[name] for name in ("Information", "Note", "Error Message") if name in told), None)
        if said is not None:
            raise fault_of(str(said), key)
        return None

    return judge


def fault_of(said: str, key: str | None) -> Refused:
    """What a sentence of the provider means."""
    lower = said.lower()
    if "spreading out" in lower or "per second" in lower:
        return Refused("too_many_requests", f"{TITLE} was asked too quickly", wait=timedelta(seconds=5))
    if "per day" in lower or "call frequency" in lower or "rate limit" in lower:
        return Refused("used_up", f"{TITLE}: the day's requests are used up", wait=_USED_UP)
    if "apikey" in lower or "api key" in lower:
        return Refused("key_refused", f"{TITLE} does not take the key", wait=_AGAIN)
    if "premium" in lower:
        return Refused("plan_limit", f"{TITLE}'s plan does not include this", about_all=False, wait=_DAY)
    return Refused("bad_query", f"{TITLE} says: {showable(said, key)}", about_all=False, wait=_AGAIN)


def _read(address: str, key: str, symbols: frozenset[str]) -> Read:
    def read(calls: Calls, cursor: Cursor, at: datetime) -> Got:
        asked = window(cursor, at, REACH)
        query = {
            "function": "NEWS_SENTIMENT",
            "sort": "LATEST",
            "limit": LIMIT,
            "time_from": f"{asked.start:%Y%m%dT%H%M}",
            **({"time_to": f"{asked.end:%Y%m%dT%H%M}"} if asked.end else {}),
            "apikey": key,
        }
        response = calls.get(f"{address}/query?{urlencode(query)}")
        told = read_json(response.content, _Feed, TITLE)
        articles, refused = read_entries(told.feed, _Article)
        about = [article for article in articles if symbols & _symbols(article)]
        items = [item for article in about if (item := _item(article, at))]
        full = len(articles) + refused >= LIMIT
        times = [published_at(article.time_published) for article in articles]
        after, note = read_on(cursor, asked, times, at, REACH, full=full)
        return Got(items=items, cursor=after, refused=refused + len(about) - len(items), note=note)

    return read


def _symbols(article: _Article) -> set[str | None]:
    return {american(told.ticker) for told in article.ticker_sentiment or () if told.ticker}


def _item(article: _Article, at: datetime) -> Item | None:
    told = Told(
        source_id=address_id(article.url.strip()),
        published=published_at(article.time_published),
        title=article.title,
        text=article.summary,
        url=article.url,
        author=article.source,
        lang="en",
        html=True,
    )
    return api_item(told, "alphavantage", at)


def published_at(text: str | None) -> datetime | None:
    """`YYYYMMDDTHHMMSS` or `YYYYMMDDTHHMM`, taken as UTC; `None` for what is no time."""
    for form in ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M"):
        try:
            return datetime.strptime(text or "", form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
