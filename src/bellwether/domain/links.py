"""Entity linking: which tracked assets a post or headline is about.

One pass over the text: cashtags by their own grammar, company names through a trie of words, bare tickers
through a dictionary. The cost does not depend on how many entities are tracked.
"""

import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from itertools import filterfalse
from typing import Any, Literal

import msgspec

from bellwether.domain.link_runs import runs_of, words_of_run
from bellwether.domain.link_words import (
    ABBREVIATIONS,
    COMMON_WORDS,
    COMPANY_VERBS,
    FINANCE,
    LEGAL_FORMS,
    SHARE_WORDS,
    SUFFIXES,
)

LinkKind = Literal["cashtag", "ticker", "name", "alias"]


_CASHTAG = re.compile(
    # as platforms read it: not inside a word, letters (then digits, as some exchanges' symbols have), an
    # optional class or exchange after a dot; an ellipsis means the post was cut and the symbol may be longer;
    # what comes before the sign is looked at last, so that the search can go from sign to sign
    r"\$(?<![\w$@#&]\$)([A-Za-z](?:[A-Za-z]{0,5}|[A-Za-z0-9]{0,11}))(?:([._/-])([A-Za-z]{1,2})(?!\w))?(?![\w\ufffd\u2026])"
)
_HASHTAG = re.compile(r"#(?<![\w&#]#)([^\W\d_]{3,20})(?![\w\ufffd\u2026])")
_WORD = re.compile(r"[^\W_]+(?:['’][sS]\b)?")
# alternatives that begin with a plain character each, so that the search need not try every place in the text
_NOT_WORDS = re.compile(r"https?://\S*|www\.\S*|@[^\W_]\w*|#[^\W_]\w*|\$[^\W_]\w*")
_AMPERSAND = "&" + 4 * "\x00"
"""`&amp;` in place: as long as it was, so that offsets stay true."""
_GAP = frozenset(
    {" ", "  ", "-", "&", " & ", _AMPERSAND, f" {_AMPERSAND} ", ".", ", ", "'", "’", " + ", " (", "/"}
)
"""What may stand between the words of one name."""
_EXCHANGE = re.compile(r"(?:NYSE|NASDAQ|Nasdaq|AMEX|LSE|OTC|OTCQB|TSX|ASX|NSE|BSE)\s?:\s?\$?$")
_CONTEXT_REACH = 6
_POSSESSIVE = ("'s", "’s", "'S", "’S")
_MOST_SEEN, _LONGEST_SEEN = 50_000, 24
"""Words remembered as such that tell or do not: a few megabytes."""


class LinkTarget(msgspec.Struct, frozen=True):
    """An asset to link to: ticker (`BRK-A`, a leading `$` is ignored), company name, other names."""

    symbol: str
    name: str = ""
    aliases: tuple[str, ...] = ()


class Link(msgspec.Struct, frozen=True):
    """A mention of a tracked asset: where it is (offsets into the text), how it was written, how sure we are.

    `confidence` 0..1 orders the evidence: a cashtag, a full name, an unmistakable ticker, a name that needed
    context, a name several assets share.
    """

    symbol: str
    confidence: float
    start: int
    end: int
    surface: str
    kind: LinkKind


class _Entry(msgspec.Struct, frozen=True):
    symbol: str
    kind: LinkKind
    ambiguous: bool


class _Letters(dict[int, int]):
    """Each letter without what sets it apart from the plain one: `é`, `ａ` and `𝐚` are `e`, `a` and `a`.

    A letter that has no single plain one stays, so that offsets stay true.
    """

    def __missing__(self, code: int) -> int:
        parts = [part for part in unicodedata.normalize("NFKD", chr(code)) if not unicodedata.combining(part)]
        self[code] = plain = ord(parts[0]) if len(parts) == 1 else code
        return plain


_LETTERS = _Letters()
_NOT_PLAIN = re.compile(r"[^\x00-\x7f]").findall


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    # the few characters that are not plain mostly stay as they are: seen sooner than all is translated
    others = "".join(_NOT_PLAIN(text))
    return text if others.translate(_LETTERS) == others else text.translate(_LETTERS)


def _keys(name: str) -> list[str]:
    """The words of a name as the trie spells them: lower case, no accent, no possessive, no `and`."""
    lowered = _unaccented(name).lower()
    for form, plain in LEGAL_FORMS:
        lowered = lowered.replace(form, plain)
    return [key for match in _WORD.finditer(lowered) if (key := _key(match.group())) != "and"]


def _key(word: str) -> str:
    lowered = word.lower()
    return lowered[:-2] if lowered.endswith(_POSSESSIVE) else lowered


def _spellings(name: str) -> Iterable[tuple[tuple[str, ...], bool]]:
    """Each way a name is written, and whether it needs context: in full, then suffix by suffix shorter."""
    keys = _keys(name)
    if len(keys) > 1 and keys[0] == "the":
        keys = keys[1:]
    while keys:
        ambiguous = len(keys) == 1 and (keys[0] in COMMON_WORDS or len(keys[0]) < 3)
        yield tuple(keys), ambiguous
        if len(keys) == 1 or keys[-1] not in SUFFIXES:
            break
        keys = keys[:-1]
    if len(keys) == 2 and all(len(key) <= 4 for key in keys) and "-" in name:
        # "Wal-Mart" is also written "Walmart"; the other way round is covered by the gap between words
        yield ("".join(keys),), False


def _plain(text: str) -> str:
    """The text with what holds no words blanked, not cut out: offsets must stay true."""
    if "&amp;" in text:
        text = text.replace("&amp;", _AMPERSAND)
    if "$" in text or "@" in text or "#" in text or "://" in text or "www." in text:
        text = _NOT_WORDS.sub(_blank, text)
    return text


def _blank(match: re.Match[str]) -> str:
    return "\x00" * (match.end() - match.start())


def _bare_symbol(symbol: str) -> str:
    return symbol.strip().lstrip("$").upper()


def _tag_key(symbol: str) -> str:
    """Lower-case cashtag: a share class is written after a dot, a hyphen, a slash or an underscore."""
    return re.sub(r"[._/-]", ".", symbol.lower())


class Linker:
    """Finds mentions of a fixed set of assets, in time linear in the text however many they are."""

    def __init__(self, assets: Iterable[LinkTarget]) -> None:
        self._tags: dict[str, str] = {}
        self._tickers: dict[str, bool] = {}
        self._trie: dict[str, Any] = {}
        self._cashtag_of: dict[str, tuple[str, int, float] | None] = {}
        self._bright: dict[bytes, tuple[str, ...]] = {}
        self._dull: set[bytes] = set()
        for asset in assets:
            self._add(asset)

    def _add(self, asset: LinkTarget) -> None:
        symbol = _bare_symbol(asset.symbol)
        if not symbol:
            return
        self._tags.setdefault(_tag_key(symbol), symbol)
        lowered = symbol.lower()
        self._tickers[symbol] = len(symbol) < 3 or lowered in COMMON_WORDS or lowered in ABBREVIATIONS
        self._add_name(symbol, asset.name, "name")
        for alias in asset.aliases:
            if alias.startswith("$"):
                self._tags.setdefault(_bare_symbol(alias).lower(), symbol)
            else:
                self._add_name(symbol, alias, "alias")

    def _add_name(self, symbol: str, name: str, kind: LinkKind) -> None:
        for keys, ambiguous in _spellings(name):
            node = self._trie
            for key in keys:
                node = node.setdefault(key, {})
            entries: list[_Entry] = node.setdefault("", [])
            if all(entry.symbol != symbol for entry in entries):
                entries.append(_Entry(symbol, kind, ambiguous))
                node[""] = _without_preferred(entries)

    def link(self, text: str) -> list[Link]:
        """The assets `text` is about in text order, each by its surest mention (the earliest of equals).

        Never raises on any text; an empty list means nobody we track is mentioned with enough certainty.
        """
        best: dict[str, Link] = {}
        folded = _unaccented(text)
        if "$" in folded:
            for link in self._cashtags(folded):
                _keep(best, link)
        if "#" in folded:
            for link in self._hashtags(folded):
                _keep(best, link)
        if telling := self._telling(folded):
            for link in self._words(_plain(folded), telling):
                _keep(best, link)
        found = list(best.values())
        if len(found) > 1:
            found.sort(key=lambda link: (link.start, link.symbol))
        return [_as_written(link, text) for link in found]

    def _cashtags(self, text: str) -> Iterable[Link]:
        known = self._cashtag_of
        for match in _CASHTAG.finditer(text):
            written = match.group()
            found = known[written] if written in known else self._cashtag(match)
            if found is not None:
                symbol, size, confidence = found
                start = match.start()
                yield Link(symbol, confidence, start, start + size, written[:size], "cashtag")

    def _cashtag(self, match: re.Match[str]) -> tuple[str, int, float] | None:
        """Whose symbol a cashtag is, how many characters of it, and how sure that is; remembered."""
        body, mark, share_class = match.groups()
        symbol = self._tags.get(f"{body}.{share_class}".lower() if mark else body.lower())
        size = len(match.group())
        if symbol is None and mark in ("-", "/"):
            # "$C-suite" is no share class, but "$AAPL/$MSFT" and "$AAPL-me" still name the share
            symbol, size = self._tags.get(body.lower()), 1 + len(body)
        found = None if symbol is None else (symbol, size, 0.97 if len(body) == 1 else 0.99)
        if len(self._cashtag_of) < _MOST_SEEN:
            self._cashtag_of[match.group()] = found
        return found

    def _hashtags(self, text: str) -> Iterable[Link]:
        """`#AAPL` and `#Microsoft`, where the ticker or the name means nothing else."""
        for match in _HASHTAG.finditer(text):
            tag, start, end = match[1], match.start(), match.end()
            if tag.isupper() and not self._tickers.get(tag, True):
                yield Link(tag, 0.9, start, end, match.group(), "ticker")
            for entry in (self._trie.get(tag.lower()) or {}).get("", ()):
                if not entry.ambiguous:
                    yield Link(entry.symbol, 0.9, start, end, match.group(), entry.kind)

    def _telling(self, text: str) -> set[str]:
        """The words of a text a name may begin with or that may be a ticker, and perhaps a few more."""
        telling: set[str] = set()
        for run in filterfalse(self._dull.__contains__, runs_of(text)):
            telling.update(self._bright.get(run) or self._telling_of(run))
        return telling

    def _words(self, text: str, telling: Container[str]) -> Iterable[Link]:
        matches = list(_WORD.finditer(text))
        after = 0
        for position, match in enumerate(matches):
            word = match.group()
            if position < after or word not in telling:
                continue
            node = self._node(_key(word))
            if node is not None:
                size, entries = _longest(text, matches, position, node)
                if entries:
                    links = list(self._named(text, matches, position, size, entries))
                    yield from links
                    after = position + size if links else 0
            if word.isupper() and word in self._tickers and (link := self._ticker(text, matches, position)):
                yield link

    def _telling_of(self, run: bytes) -> tuple[str, ...]:
        """The same for a run of characters without a gap; remembered, but for who is spoken to."""
        text = run.decode("utf-8", "surrogatepass")
        telling = tuple([word for word in words_of_run(text) if self._tells(word)])
        if len(run) <= _LONGEST_SEEN and text[0] != "@":
            if not telling and len(self._dull) < _MOST_SEEN:
                self._dull.add(run)
            if telling and len(self._bright) < _MOST_SEEN:
                self._bright[run] = telling
        return telling

    def _tells(self, word: str) -> bool:
        """Whether a name may begin with a word or it may be a ticker."""
        return word in self._tickers or self._node(_key(word)) is not None

    def _node(self, key: str) -> dict[str, Any] | None:
        node = self._trie.get(key)
        if node is None and len(key) > 4 and key[-1] == "s":
            node = self._trie.get(key[:-1])
        return node

    def _named(
        self, text: str, matches: Sequence[re.Match[str]], first: int, size: int, entries: Sequence[_Entry]
    ) -> Iterable[Link]:
        start, end = matches[first].start(), matches[first + size - 1].end()
        surface = text[start:end]
        if surface.endswith(_POSSESSIVE):
            end, surface = end - 2, surface[:-2]
        sure = None
        for entry in entries:
            confidence = 0.95
            if entry.ambiguous:
                if sure is None:
                    sure = _context(text, matches, first, size)
                confidence = sure
            if confidence:
                # one name of several share classes or companies: any of them may be meant
                shared = confidence / len(entries) ** 0.5
                yield Link(entry.symbol, round(shared, 4), start, end, surface, entry.kind)

    def _ticker(self, text: str, matches: Sequence[re.Match[str]], position: int) -> Link | None:
        match = matches[position]
        symbol, (start, end) = match.group(), match.span()
        if _EXCHANGE.search(text, max(0, start - 10), start):
            confidence = 0.97
        elif self._tickers[symbol]:
            after = matches[position + 1].group().lower() if position + 1 < len(matches) else ""
            beside = after in ("shares", "stock") and text[end : end + 1] == " "
            confidence = 0.8 if beside and not _shouted(text) else 0.0
        else:
            confidence = 0.0 if _shouted(text) else 0.9
        return Link(symbol, confidence, start, end, symbol, "ticker") if confidence else None


def _as_written(link: Link, text: str) -> Link:
    written = text[link.start : link.end]
    return link if written == link.surface else msgspec.structs.replace(link, surface=written)


def _without_preferred(entries: Sequence[_Entry]) -> list[_Entry]:
    """Without classes such as `T-PA` when the ordinary share `T` has the same name: the name means `T`."""
    symbols = {entry.symbol for entry in entries}
    return [entry for entry in entries if entry.symbol.partition("-")[0] not in symbols - {entry.symbol}]


def _keep(best: dict[str, Link], link: Link) -> None:
    known = best.get(link.symbol)
    if known is None or (link.confidence, -link.start) > (known.confidence, -known.start):
        best[link.symbol] = link


def _longest(
    text: str, matches: Sequence[re.Match[str]], first: int, node: dict[str, Any]
) -> tuple[int, Sequence[_Entry]]:
    """The longest name that starts at word `first`: how many words it spans and whose it is."""
    size, entries = 1, node.get("", ())
    position = first
    while position + 1 < len(matches):
        end = matches[position].end()
        gap = text[end : matches[position + 1].start()]
        if gap not in _GAP and not (gap == ". " and end - matches[position].start() < 4):
            break
        position += 1
        key = _key(matches[position].group())
        if key == "and":
            continue
        child = node.get(key) or (node.get(key[:-1]) if len(key) > 4 and key[-1] == "s" else None)
        if child is None:
            break
        node = child
        if "" in node:
            size, entries = position - first + 1, node[""]
    return size, entries


def _shouted(text: str) -> bool:
    """Whether so much is in capitals that capitals mean nothing."""
    upper = sum(map(str.isupper, text))
    return upper > 12 and upper > 0.6 * sum(map(str.isalpha, text))


def _context(text: str, matches: Sequence[re.Match[str]], first: int, size: int) -> float:
    """Confidence that an ambiguous name means the company, from its spelling and neighbours; 0 if not."""
    last = first + size - 1
    after = _key(matches[last + 1].group()) if last + 1 < len(matches) else ""
    capitalised = text[matches[first].start()].isupper() and not _shouted(text)
    if after in SHARE_WORDS:
        return 0.85 if capitalised else 0.7
    if not capitalised:
        return 0.0
    if after in COMPANY_VERBS:
        return 0.8
    if matches[last].group().endswith(_POSSESSIVE):
        return 0.7
    around = range(max(0, first - _CONTEXT_REACH), min(len(matches), last + 1 + _CONTEXT_REACH))
    words = {_key(matches[near].group()) for near in around if near < first or near > last}
    return 0.7 if words & FINANCE else 0.0
