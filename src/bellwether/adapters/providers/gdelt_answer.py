"""What GDELT answers: JSON with characters JSON forbids, sentences instead of it, titles taken apart."""

import itertools
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.feed_encoding import document_text
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.json_answer import mended, read_entries, refuse_pages
from bellwether.adapters.providers.showable import showable

TITLE = "GDELT"
AGAIN_AFTER_BAD_QUERY = timedelta(hours=6)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|(.?))', re.DOTALL)
_ENTRY = re.compile(r'\{\s*"url"')
_BEFORE_SIGN = re.compile(r"\s+([,.;:!?%)\]…])")
_AFTER_SIGN = re.compile(r"([(\[$€£])\s+")
_IN_NUMBER = re.compile(r"(?<=\d)\s?(?:(\.)\s(?=\d)|(,)\s(?=\d{3}\b))")
_INITIALS = re.compile(r"\b(?:[A-Z]\s?\.\s?){2,}")
_SHORT_FORM = re.compile(r"\s+(['’])\s?(s|t|re|ve|ll|d|m)\b")
_SEEN = re.compile(r"(\d{4})(\d{2})(\d{2})T?(\d{2})(\d{2})(\d{2})Z?")


class Article(Struct, frozen=True):
    """An entry of `mode=artlist`; `seendate` is when GDELT came upon it (UTC)."""

    url: str
    title: str = ""
    seendate: str = ""
    domain: str = ""
    language: str = ""


class Articles(Struct, frozen=True, kw_only=True):
    """What an answer held: articles, how many entries are none, and whether it ended early."""

    articles: list[Article]
    refused: int
    cut_short: bool = False


class _List(Struct, frozen=True):
    articles: list[msgspec.Raw] | None = None


def judge(response: Response, _at: datetime) -> timedelta | None:
    """Refuses what is no list of articles; errors come as sentences, most of them with status 200."""
    if response.status not in {200, 429}:
        raise Refused(f"http_{response.status}", f"{TITLE} answered {response.status}")
    begin = document_text(response.content[:2_000])
    if begin.startswith("{"):
        return None
    said = showable(begin)
    if "limit requests" in said.lower():
        raise Refused("too_many_requests", f"{TITLE} was asked too often", wait=timedelta(minutes=5))
    refuse_pages(response.content, TITLE)
    raise Refused("bad_query", f"{TITLE} says: {said}", about_all=False, wait=AGAIN_AFTER_BAD_QUERY)


def read_articles(content: bytes) -> Articles:
    """The articles of an answer. Raises `Refused` when nothing can be read.

    A list that is not valid JSON even when its forbidden characters are taken out, or that ends early, is
    read entry by entry.
    """
    cut_short = False
    try:
        found = msgspec.json.decode(content, type=_List).articles
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = _BAD_ESCAPE.sub(_escape, _FORBIDDEN.sub(" ", document_text(content)))
        found = _mended(text)
        cut_short = not text.rstrip().endswith("}")
    articles, refused = read_entries(found, Article)
    return Articles(articles=articles, refused=refused, cut_short=cut_short)


def _mended(text: str) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(mended(text) or b"", type=_List).articles or []
    except msgspec.DecodeError:
        entries = _one_by_one(text)
    if not entries:
        raise Refused("bad_answer", f"{TITLE} answered with broken JSON", about_all=False)
    return entries


def _escape(found: re.Match[str]) -> str:
    """An escape JSON knows as it is, of any other the character alone."""
    return found.group() if found[1] else str(found[2] or "")


def _one_by_one(text: str) -> list[msgspec.Raw]:
    """Everything that begins and ends like an entry; whether it is one is seen when it is decoded."""
    starts = [found.start() for found in _ENTRY.finditer(text)]
    entries = []
    for start, following in itertools.pairwise([*starts, len(text)]):
        end = text.rfind("}", start, following)
        # the bracket after the last entry and what follows it are the list's
        last = text[start : end + 1].rstrip("}] \t")
        if end > start:
            entries.append(msgspec.Raw(f"{last}}}".encode("utf-8", "replace")))
    return entries


def seen_at(article: Article) -> datetime | None:
    """When GDELT came upon it, `None` for what is no date."""
    found = _SEEN.fullmatch(article.seendate.strip())
    if found is None:
        return None
    try:
        return datetime(*(int(part) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def tidy_title(title: str, names: Iterable[str] = ()) -> str:
    """The title with its punctuation where it was: GDELT sets blanks around it.

    A hyphen between blanks is a word's or a dash, nobody can tell; those of `names` are known.
    """
    title = _INITIALS.sub(lambda found: found.group().replace(" ", "") + " ", title)
    title = _IN_NUMBER.sub(lambda found: found.group().strip(), title)
    title = _SHORT_FORM.sub(r"\1\2", title)
    title = _BEFORE_SIGN.sub(r"\1", _AFTER_SIGN.sub(r"\1", title))
    title = " ".join(title.split())
    for name in names:
        title = title.replace(name.replace("-", " - ").replace("&", " & "), name)
    return title
