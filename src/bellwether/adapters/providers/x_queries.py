"""What X is searched for: tracked assets and words, packed into as few queries as fit.

Retweets are left out (`-is:retweet`): each is charged like a post, repeats words the desk has, and their
number comes with the original (`reposts`). Quotes and replies, which say something, are read. Posts are
asked for in English, the language the desk's model reads. Words somebody tracks are sent as they are written;
what they say of language or retweets themselves is left to them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from bellwether.domain.entities import Asset
from bellwether.domain.link_words import ABBREVIATIONS, COMMON_WORDS, SUFFIXES

LONGEST = 512
"""Characters of a query (self-serve access)."""
MOST_NAMES = 3
"""Names of an asset that are searched for, beside its cashtag."""
LANGUAGE = "lang:en"
NO_RETWEETS = "-is:retweet"
_CASHTAG = re.compile(r"[A-Z]{1,6}(?:\.[A-Z]{1,2})?")
_OPERATOR = re.compile(r"(?<![\w\"])-?(lang|is:retweet)\b")


def asset_queries(assets: Iterable[Asset]) -> list[str]:
    """Queries that together find every asset, each at most 512 characters, assets in their order."""
    around = len(f"() {LANGUAGE} {NO_RETWEETS}")
    packed: list[list[str]] = []
    room = 0
    for term in _unique(term for asset in assets for term in terms(asset)):
        size = length(term) + len(" OR ")
        if size > room:
            packed.append([])
            room = LONGEST - around + len(" OR ")
        packed[-1].append(term)
        room -= size
    return [f"({' OR '.join(found)}) {LANGUAGE} {NO_RETWEETS}" for found in packed]


def tracked_query(text: str) -> str:
    """Words somebody tracks as a query of X; it may be longer than is allowed."""
    said = {match[1] for match in _OPERATOR.finditer(text)}
    more = [word for word, name in ((LANGUAGE, "lang"), (NO_RETWEETS, "is:retweet")) if name not in said]
    return " ".join([f"({' '.join(text.split())})", *more])


def terms(asset: Asset) -> list[str]:
    """An asset's cashtag and those of its names that mean nothing else."""
    names = _unique(name for name in map(_phrase, (asset.name, *asset.aliases)) if name)
    tag = _cashtag(asset.symbol)
    return [*([tag] if tag else []), *names[:MOST_NAMES]]


def length(query: str) -> int:
    """How long a query is at the most, as X counts: what is not Latin counts twice."""
    return sum(1 if ord(character) < 0x1100 else 2 for character in query)


def _cashtag(symbol: str) -> str | None:
    """`KO` → `$KO`, `BRK-B` → `$BRK.B`, `BTC-USD` → `$BTC`; an index (`^GSPC`) or a number has none."""
    plain = symbol.removesuffix("-USD").replace("-", ".")
    return f"${plain}" if _CASHTAG.fullmatch(plain) else None


def _phrase(name: str) -> str | None:
    """A name as a phrase, without what only lawyers write; `None` for one that is an everyday word."""
    words = re.sub(r"[\"“”()$#@:*]", " ", name).split()
    while len(words) > 1 and re.sub(r"\W", "", words[-1]).lower() in SUFFIXES:
        words.pop()
    if words and words[0].lower() == "the":
        words = words[1:]
    phrase = " ".join(words).strip(" ,.&-")
    known = phrase.lower()
    if len(phrase) < 4 or known in COMMON_WORDS or known in ABBREVIATIONS or length(phrase) > 100:
        return None
    return f'"{phrase}"'


def _unique(terms: Iterable[str] | Iterator[str]) -> Sequence[str]:
    """Each once, whatever its case."""
    return list({term.casefold(): term for term in reversed(list(terms))}.values())[::-1]
