"""What tracked assets are searched for by: symbols as American markets write them, names as news do."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from bellwether.domain.entities import Asset
from bellwether.domain.link_words import COMMON_WORDS, LEGAL_FORMS, SUFFIXES

MOST_TERMS = 4
"""Names an asset is searched for by; the first is its own."""
LONGEST_TERM = 60
SHORTEST_PHRASE, SHORTEST_WORD = 5, 3
"""Characters: search engines refuse shorter ones, and shorter ones mean anything."""
OR = " OR "
_AMERICAN = re.compile(r"[A-Z]{1,5}(?:\.[ABC]|-[A-Z])?")
_STRANGE = re.compile(r"[^\w&'’\- ]+|_+")


class Group(Struct, frozen=True, kw_only=True):
    """Assets one query asks for together. `query` is their terms with OR between them."""

    symbols: tuple[str, ...]
    query: str

    @property
    def name(self) -> str:
        """What the group is shown and remembered as."""
        return ", ".join(self.symbols)


def american(symbol: str) -> str | None:
    """The symbol with a hyphen before a share class (`BRK-B`), `None` for one of another market."""
    return symbol.replace(".", "-") if _AMERICAN.fullmatch(symbol) else None


def american_symbols(assets: Iterable[Asset]) -> list[str]:
    """The symbols of American markets among the assets, each once, in order."""
    return list(dict.fromkeys(found for asset in assets if (found := american(asset.symbol))))


def groups(assets: Sequence[Asset], longest: int) -> list[Group]:
    """All assets that have a name to search for, in queries of at most `longest` characters."""
    packed: list[Group] = []
    for asset in assets:
        query = _query(asset, longest)
        if not query:
            continue
        last = packed[-1] if packed else None
        if last is not None and len(last.query) + len(OR) + len(query) <= longest:
            packed[-1] = Group(symbols=(*last.symbols, asset.symbol), query=f"{last.query}{OR}{query}")
        else:
            packed.append(Group(symbols=(asset.symbol,), query=query))
    return packed


def terms_of(asset: Asset) -> tuple[str, ...]:
    """What to search for, ready for a query: phrases in quotes, short words without, at most four."""
    names = (_shortest(asset.name), *(_plain(alias) for alias in asset.aliases))
    found = dict.fromkeys(term for name in names if name and (term := _term(name)))
    return tuple(found)[:MOST_TERMS]


def _query(asset: Asset, longest: int) -> str:
    terms = list(terms_of(asset))
    while len(OR.join(terms)) > longest:
        terms.pop()
    return OR.join(terms)


def _term(name: str) -> str | None:
    """The name in quotes; a short one as a word, for phrases that short are refused. `None` for neither."""
    if SHORTEST_PHRASE <= len(name) <= LONGEST_TERM:
        return f'"{name}"'
    return name if len(name) >= SHORTEST_WORD and name.isalnum() else None


def _shortest(name: str) -> str | None:
    """The name without its legal form, unless what is left is an everyday word or too short to search."""
    words = _plain(name).split()
    if len(words) > 1 and words[0].lower() == "the":
        words = words[1:]
    best = " ".join(words)
    while len(words) > 1 and words[-1].lower() in SUFFIXES:
        words = words[:-1]
        shorter = " ".join(words)
        if _term(shorter) is None or (len(words) == 1 and shorter.lower() in COMMON_WORDS):
            break
        best = shorter
    return best or None


def _plain(name: str) -> str:
    for form, plain in LEGAL_FORMS:
        name = re.sub(re.escape(form), plain, name, flags=re.IGNORECASE)
    name = re.sub(r"\.(?=\s|$)", "", name)
    return " ".join(_STRANGE.sub(" ", name).split()).strip("-&'’ ")
