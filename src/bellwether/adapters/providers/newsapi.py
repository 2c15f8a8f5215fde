"""NewsAPI (newsapi.org), `everything`: English articles that mention a tracked asset by name.

The list comes newest first, at most 100 deep on the developer plan (where articles also come 24 hours late),
so it is read backwards in time: see `newest_first`. https://newsapi.org/docs/endpoints/everything
"""

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.api_item import Told, address_id, api_item
from bellwether.adapters.providers.api_target import ApiTarget, Got, Read
from bellwether.adapters.providers.asset_names import Group, groups
from bellwether.adapters.providers.calling import Calls, Judge
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.json_answer import members, read_entries, read_json, refuse_pages
from bellwether.adapters.providers.newest_first import Reach, moment, read_on, window
from bellwether.adapters.providers.provider import Cursor, Provider
from bellwether.adapters.providers.showable import showable
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.items import Item

TITLE = "NewsAPI"
ADDRESS = "https://newsapi.org"
LONGEST_QUERY = 480
"""Characters; 500 are allowed."""
PAGE = 100
EVERY = timedelta(minutes=30)
"""The quota of the plan makes it more when there are many assets."""
REACH = Reach(first=timedelta(days=2), most=timedelta(days=25), overlap=timedelta(hours=2), pages=5)
"""The developer plan goes back one month."""
LANGUAGE = "en"
REMOVED = "[Removed]"
"""The title of an article that NewsAPI had to take down."""
_KEY_FAULTS = {"apiKeyDisabled", "apiKeyInvalid", "apiKeyMissing"}
_AGAIN = timedelta(hours=1)
_CUT = re.compile(r"(?:…|\.\.\.)?\s*\[\+?\d+ chars\]\s*$")


class _Publisher(Struct, frozen=True):
    name: str | None = None


class _Article(Struct, frozen=True, rename="camel"):
    url: str
    title: str | None = None
    description: str | None = None
    content: str | None = None
    published_at: str | None = None
    source: _Publisher | None = None


class _Page(Struct, frozen=True, rename="camel"):
    articles: list[msgspec.Raw] | None = None
    total_results: int = 0


def targets(sources: Sources) -> list[Provider]:
    """A target for as many tracked assets as fit one query; none without a key."""
    key = sources.key("newsapi", "newsapi_key")
    if key is None:
        return []
    client = sources.client("newsapi", judge_of(key))
    address = sources.address("newsapi", ADDRESS)
    found = groups(sources.entities.assets(), LONGEST_QUERY)
    return [
        ApiTarget(client, _read(address, key, group), target=group.name, kind="news", every=EVERY)
        for group in found
    ]


def judge_of(key: str) -> Judge:
    """Refuses errors, which are documents with `status`, `code` and `message` whatever the HTTP status."""

    def judge(response: Response, _at: datetime) -> timedelta | None:
        if response.status == 200:
            refuse_pages(response.content, TITLE)
        told = members(response.content) if response.status != 200 or b'"error"' in response.content else {}
        if response.status == 200 and told.get("status") != "error":
            return None
        code, said = str(told.get("code")), showable(str(told.get("message") or ""), key)
        if code in {"apiKeyExhausted", "rateLimited"}:
            raise Refused("used_up", f"{TITLE}: the plan's requests are used up", wait=_AGAIN)
        if code in _KEY_FAULTS or response.status == 401:
            raise Refused("key_refused", f"{TITLE} does not take the key", wait=_AGAIN)
        if code == "maximumResultsReached" or response.status == 426:
            raise Refused("plan_limit", f"{TITLE} says: {said}", about_all=False, wait=_AGAIN)
        if response.status in {200, 400} and told:
            raise Refused("bad_query", f"{TITLE} says: {said}", about_all=False, wait=_AGAIN)
        raise Refused(f"http_{response.status}", f"{TITLE} answered {response.status}")

    return judge


def _read(address: str, key: str, group: Group) -> Read:
    def read(calls: Calls, cursor: Cursor, at: datetime) -> Got:
        asked = window(cursor, at, REACH)
        query = {
            "q": group.query,
            "language": LANGUAGE,
            "sortBy": "publishedAt",
            "pageSize": PAGE,
            "from": f"{asked.start:%Y-%m-%dT%H:%M:%S}",
            **({"to": f"{asked.end:%Y-%m-%dT%H:%M:%S}"} if asked.end else {}),
        }
        response = calls.get(f"{address}/v2/everything?{urlencode(query)}", {"X-Api-Key": key})
        page = read_json(response.content, _Page, TITLE)
        articles, refused = read_entries(page.articles, _Article)
        items = [item for article in articles if (item := _item(article, at))]
        full = len(articles) + refused >= PAGE
        times = [moment(article.published_at) for article in articles]
        after, note = read_on(cursor, asked, times, at, REACH, full=full)
        refused += len(articles) - len(items)
        return Got(items=items, cursor=after, refused=refused, note=note)

    return read


def _item(article: _Article, at: datetime) -> Item | None:
    if article.title == REMOVED:
        return None
    told = Told(
        source_id=address_id(article.url.strip()),
        published=moment(article.published_at),
        title=article.title,
        text=article.description or _CUT.sub("", article.content or ""),
        url=article.url,
        author=article.source.name if article.source else None,
        lang=LANGUAGE,
        html=True,
    )
    return api_item(told, "newsapi", at)
