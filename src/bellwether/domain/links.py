"""Entity linking: which tracked assets a post or headline is about.

One pass over the text: cashtags by their own grammar, company names through a trie of words, bare tickers
through a dictionary. The cost does not depend on how many entities are tracked.
"""

import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from typing import Any, Literal

import msgspec

LinkKind = Literal["cashtag", "ticker", "name", "alias"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON_WORDS = _words("""
    a ab act add ag ago agri aim ain air aka al alaska all alot alphabet am amazon american amp an ante
    any aon app apple appreciate apps ar arch are aren arena arm array as ash atlantic au aurora b ba back
    ball band bar base bc be beat best beyond big bill bio bird bit bite block blue bn boil bold booking
    boom boot both box bro by c calm camp can canopy capital car card care carnival cars case cash cast
    cat catalyst caterpillar cc cent central charter chase cheer chef citizens city cl clear coach coffee
    coin cold comfort comp compass concord conduit constellation construction cook cool core corn corner
    cost cr crane crown crypto cube cue customers cuz d dan day db de deck defense delta digital discovery
    dish dma do dollar dominion door drop drug duke dull dynamics e ea eagle earn eastern eat echo eclipse
    eco edge eg eh el element else em emerald energy eod es ese esp esta et eve ever exp express eye f
    farm fast fat fate federal financial first fit five fix flex fly fold for ford fork form fossil four
    free freedom freight fro frontier frontline fun fund g gain game gap garrison gate gear gen gene
    general genesis genius glad glimpse global gm go gold good grab grid group grow gt guess gulf gut h ha
    haha harmony harvest has he health healthcare hear heat hello heritage hero hes hi home honest hope
    horizon hour hp hr hub huge hunter ibex ice icon if imo imperial independence industries inn innovate
    insight integrity intelligent interface intersect iron it jack jan job joint journey joy june k key
    keys kids kind kraft l lab lake lamb lancaster land landmark lands law le lee leg legacy liberty life
    limelight lincoln link live ll loan loop lot love low lung m ma main man maps marathon marine mark mas
    mass match math matter max me med medallion meds merchants mercury meridian met meta mi min mind mo
    mod mojo momo monarch monster mosaic move mtg na national ne net news next nice nine northern note
    nova now nuance nxt o oasis ocean odd oil om omega on one onto op open opp opt or oracle orange origin
    orion out pace pacific pack paid palace pandora par para paragon park path patriot pay pays pct peak
    pegasus pen perfect pets phoenix pilot pinnacle pioneer plains planet play plug plus pm pool popular
    por port post power pr pre precision preferred premier prime principal pro progress progressive prop
    pros prudential pt pump pure quad quantum quest r race rail rally ramp ran range ranger rapid rare
    rave raven reach reading ready real regal regions reliability reliance renew rent repay republic res
    resolute resources rev rich rig road rock royal ruby run rush ryder s sa safe safeguard sag saga sage
    sapphire save say science scores scripps se sea sealed sears seat see seed self seneca service ses
    shake shell shift ship shop shot sierra signature signet silver simply site sits six skin sky slam
    smart snap snow snowflake so soar solar son song sonic sound source southern southwest sparks spec
    spectrum spirit spot spring sprint spy square st stag standard star stellar stem step sterling stk
    stks stone su sum summit sun sunrise sup superior supreme surge swan sync t talk tandem tap tapestry
    target team tech tell tempo terra tgt th tho thor tide tiger til toast top tops total tour track trade
    travelers tree trex tribune trinity trip triumph true trust tu turn tv twin twist two tx u union unit
    united unity universal university up ups urban us v vale valley value vanguard vector venture veritas
    vertex very via victory view viking virtu visa visionary vista vital voyager vs w walker warm wash
    water waters wave weed well wells western wh when whirlpool win windstream winners wish wk wolf wonder
    wor world worlds wow wrap www x yield you z za zest zone zoom
""")
"""Everyday words that are also tickers or company names: alone they mean the word, not the company.

Words written in lower case at least three times in news and posts that are also a ticker or the whole
one-word name of a company on the SEC's list, and a few more of the kind added by hand.
"""

_ABBREVIATIONS = _words("""
    ai api ath atm bid bps bull call ceo cfo cio cnbc coo cpi cto ecb eod eps er etf eu eur fbi fda fed
    fomc fx gaap gbp gdp hft hq imf imho inc ipo irs it jpy llc lol ltd ma macd mtd nasa nfl nyc nyse opec
    otc pc pe pmi pr put qe qoq rip roi rsi rt sec spx tbh tv uk un usa usd vix wsj wti yoy ytd
""")
"""Capitals that are finance talk or proper names of something else before they are a ticker."""

_SUFFIXES = _words("""
    inc incorporated corp corporation co company companies ltd limited plc llc lp nv sa ag se ab asa oyj
    spa kgaa group holding holdings adr ads reit stores
""")
_LEGAL_FORMS = (("p.l.c.", "plc"), ("l.p.", "lp"), ("n.v.", "nv"), ("s.a.", "sa"), ("l.l.c.", "llc"))

_SHARE_WORDS = _words("""
    share shares stock stocks inc corp corporation plc ltd earnings revenue revenues profit profits sales
    ceo cfo dividend results calls puts bulls bears investors shareholders holders options guidance
    forecast ipo bonds estimates quarterly quarter valuation chart
""")
"""Next to an ambiguous name they make it a company: `Apple shares`."""

_COMPANY_VERBS = _words("""
    says said reports reported posts posted announces announced unveils unveiled launches launched beats
    misses acquires acquired buys sells sues sued hires plans expects raises raised cuts cut names
    appoints upgraded downgraded falls fell rises rose jumps jumped surges surged slumps slumped slides
    slid drops dropped gains gained tumbles tumbled rallies rallied climbs soars soared plunges plunged
    trades trading agrees recalls recalled warns warned wins won faces seeks eyes shuts files settles pays
    invests partners lifts lifted halts halted sold bought slashes slashed delays delayed
""")
"""What a company does: after a capitalised ambiguous name they make it one."""

_FINANCE = _SHARE_WORDS | _words("""
    nasdaq nyse market markets trader traders trading analyst analysts upgrade downgrade upgraded
    downgraded buy sell bullish bearish q1 q2 q3 q4 eps rating outperform underperform billion million
    company merger takeover acquisition deal stake smartphone chip chips oil bank banks barclays goldman
    citi jpmorgan credit
""")

_CASHTAG = re.compile(
    # as platforms read it: not inside a word, letters (then digits, as some exchanges' symbols have), an
    # optional class or exchange after a dot; an ellipsis means the post was cut and the symbol may be longer;
    # what comes before the sign is looked at last, so that the search can go from sign to sign
    r"\$(?<![\w$@#&]\$)([A-Za-z](?:[A-Za-z]{0,5}|[A-Za-z0-9]{0,11}))(?:([._/-])([A-Za-z]{1,2})(?!\w))?(?![\w\ufffd\u2026])"
)
_HASHTAG = re.compile(r"(?<![\w&#])#([^\W\d_]{3,20})(?![\w\ufffd\u2026])")
_WORD = re.compile(r"[^\W_]+(?:['’][sS]\b)?")
_ROUGH_WORD = re.compile(r"[@#$][^\W_]+|([^\W_]+(?:['’][sS]\b)?)")
"""Every word of a text that is not a tag, those in links too, as long as no link is glued to a word."""
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
_MOST_DULL, _LONGEST_DULL = 50_000, 10
"""Words remembered as no part of any name: a few megabytes, and none of the random ones links are made of."""


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


def _unaccented(text: str) -> str:
    return text if text.isascii() else text.translate(_LETTERS)


def _keys(name: str) -> list[str]:
    """The words of a name as the trie spells them: lower case, no accent, no possessive, no `and`."""
    lowered = _unaccented(name).lower()
    for form, plain in _LEGAL_FORMS:
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
        ambiguous = len(keys) == 1 and (keys[0] in _COMMON_WORDS or len(keys[0]) < 3)
        yield tuple(keys), ambiguous
        if len(keys) == 1 or keys[-1] not in _SUFFIXES:
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
        self._dull: set[str] = set()
        for asset in assets:
            self._add(asset)

    def _add(self, asset: LinkTarget) -> None:
        symbol = _bare_symbol(asset.symbol)
        if not symbol:
            return
        self._tags.setdefault(_tag_key(symbol), symbol)
        lowered = symbol.lower()
        self._tickers[symbol] = len(symbol) < 3 or lowered in _COMMON_WORDS or lowered in _ABBREVIATIONS
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
        found = sorted(best.values(), key=lambda link: (link.start, link.symbol))
        return [_as_written(link, text) for link in found]

    def _cashtags(self, text: str) -> Iterable[Link]:
        for match in _CASHTAG.finditer(text):
            body, mark, share_class = match.groups()
            symbol = self._tags.get(f"{body}.{share_class}".lower() if mark else body.lower())
            start, end = match.span()
            if symbol is None and mark in ("-", "/"):
                # "$C-suite" is no share class, but "$AAPL/$MSFT" and "$AAPL-me" still name the share
                symbol, end = self._tags.get(body.lower()), start + 1 + len(body)
            if symbol is not None:
                yield Link(symbol, 0.97 if len(body) == 1 else 0.99, start, end, text[start:end], "cashtag")

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
        apart = text.replace("http://", " http://").replace("https://", " https://").replace("www.", " www.")
        return {word for word in set(_ROUGH_WORD.findall(apart)) - self._dull if self._tells(word)}

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

    def _tells(self, word: str) -> bool:
        """Whether a name may begin with a word or it may be a ticker; most words are neither: remembered."""
        if self._node(_key(word)) is not None or (word.isupper() and word in self._tickers):
            return True
        if len(self._dull) < _MOST_DULL and len(word) < _LONGEST_DULL:
            self._dull.add(word)
        return False

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
    if after in _SHARE_WORDS:
        return 0.85 if capitalised else 0.7
    if not capitalised:
        return 0.0
    if after in _COMPANY_VERBS:
        return 0.8
    if matches[last].group().endswith(_POSSESSIVE):
        return 0.7
    around = range(max(0, first - _CONTEXT_REACH), min(len(matches), last + 1 + _CONTEXT_REACH))
    words = {_key(matches[near].group()) for near in around if near < first or near > last}
    return 0.7 if words & _FINANCE else 0.0
