"""Entity linking: cashtags, tickers, names and aliases, and what must not be linked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.domain.links import Linker, LinkTarget

TARGETS = [
    LinkTarget("AAPL", "Apple Inc."),
    LinkTarget("$T", "AT&T Inc."),
    LinkTarget("TSLA", "Tesla, Inc.", ("Tesla Motors",)),
    LinkTarget("C", "Citigroup Inc.", ("Citi", "Citibank")),
    LinkTarget("V", "Visa Inc."),
    LinkTarget("D", "Dominion Energy Inc."),
    LinkTarget("ALL", "Allstate Corp"),
    LinkTarget("IT", "Gartner Inc"),
    LinkTarget("GE", "General Electric Company"),
    LinkTarget("JNJ", "Johnson & Johnson"),
    LinkTarget("MCD", "McDonald's Corporation"),
    LinkTarget("WMT", "Wal-Mart Stores Inc."),
    LinkTarget("BRK-A", "Berkshire Hathaway Inc."),
    LinkTarget("BHP", "BHP Billiton Limited"),
    LinkTarget("BBL", "BHP Billiton plc"),
    LinkTarget("NESN", "Nestlé S.A.", ("Nestle",)),
    LinkTarget("DIS", "The Walt Disney Company"),
]


def linker() -> Linker:
    """Made anew for each text: what making one does wrong is found here too."""
    return Linker(TARGETS)


def symbols(text: str) -> list[str]:
    return [link.symbol for link in linker().link(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$AAPL and $tsla", ["AAPL", "TSLA"]),
        ("$T is not $TSLA", ["T", "TSLA"]),
        ("$TSLA", ["TSLA"]),
        ("$C up", ["C"]),
        ("$5 or $CAD or US$C or C$5", []),
        ("long $D, $V!", ["D", "V"]),
        ("($AAPL)", ["AAPL"]),
        ("$AAPL's day", ["AAPL"]),
        ("trending $SPY $T…", []),
        ("$BRK.A $BRK-A", ["BRK-A"]),
        ("$T.CA in Toronto", []),
        ("foo$AAPL http://x.co/$AAPL2", []),
        ("", []),
    ],
)
def test_cashtags(text: str, expected: list[str]) -> None:
    assert symbols(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TSLA and JNJ early movers", ["TSLA", "JNJ"]),
        ("plan C and vitamin D, all of it", []),
        ("IT IS ALL WE KNOW", []),
        ("Upgrades across IT firms", []),
        ("(NYSE: T) and (NYSE:GE)", ["T", "GE"]),
        ("GE shares drop", ["GE"]),
        ("WHY EVERYONE LOVES TSLA SO MUCH", []),
        ("tsla", []),
    ],
)
def test_bare_tickers(text: str, expected: list[str]) -> None:
    assert symbols(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Apple shares slip", ["AAPL"]),
        ("apple stock slips", ["AAPL"]),
        ("Apple unveils a phone", ["AAPL"]),
        ("Apple Inc. said", ["AAPL"]),
        ("Grandma's apple pie", []),
        ("Apple pie for dessert", []),
        ("My visa was denied", []),
        ("Visa's quarterly profit", ["V"]),
        ("AT&T to buy", ["T"]),
        ("AT&amp;T to buy", ["T"]),
        ("Johnson & Johnson, Johnson and Johnson", ["JNJ"]),
        ("Johnson met Johnson's aunt", []),
        ("McDonald's and McDonalds", ["MCD"]),
        ("Wal-Mart", ["WMT"]),
        ("Walmart", ["WMT"]),
        ("Nestlé cuts", ["NESN"]),
        ("NESTLE cuts", ["NESN"]),
        ("walt disney parks", ["DIS"]),
        ("BHP Billiton digs", ["BBL", "BHP"]),
        ("Citi says buy; Citibank too", ["C"]),
        ("Tesla Motors", ["TSLA"]),
        ("General. Electric cars", []),
        ("the generals", []),
    ],
)
def test_names(text: str, expected: list[str]) -> None:
    assert symbols(text) == expected


def test_a_link_says_where_and_how_sure() -> None:
    text = "Why Citigroup's bonds? $C"
    (link,) = linker().link(text)
    assert (link.kind, link.surface, text[link.start : link.end]) == ("cashtag", "$C", "$C")
    (link,) = linker().link("Why Citigroup's bonds?")
    assert (link.kind, link.surface, link.start, link.end) == ("name", "Citigroup", 4, 13)
    assert linker().link("AT&amp;T falls")[0].surface == "AT&amp;T"
    (alias,) = linker().link("Citibank")
    assert alias.kind == "alias"


def test_confidence_orders_the_evidence() -> None:
    def sure(text: str) -> float:
        return linker().link(text)[0].confidence

    assert sure("$AAPL") > sure("Apple Inc.") > sure("Apple shares") > sure("apple shares")
    assert sure("BHP Billiton") < sure("Tesla")


def test_ordinary_shares_win_over_preferred_ones() -> None:
    linker = Linker([LinkTarget("T", "AT&T Inc"), LinkTarget("T-PA", "AT&T Inc")])
    assert [link.symbol for link in linker.link("AT&T falls")] == ["T"]


def test_targets_without_a_symbol_or_name() -> None:
    linker = Linker([LinkTarget("", "Nobody"), LinkTarget("ZZZQ"), LinkTarget("X1", "", ("$OLDX", ""))])
    assert [link.symbol for link in linker.link("Nobody $ZZZQ $OLDX")] == ["ZZZQ", "X1"]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.text("AT&amp;$ .TSLAaple's", max_size=80)))
def test_any_text_gives_valid_links(text: str) -> None:
    known = {target.symbol.lstrip("$") for target in TARGETS}
    links = linker().link(text)
    assert [link.start for link in links] == sorted(link.start for link in links)
    assert len({link.symbol for link in links}) == len(links)
    for link in links:
        assert link.symbol in known
        assert 0.0 < link.confidence <= 1.0
        assert text[link.start : link.end] == link.surface


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["Tesla", "$C", "pie", "Johnson & Johnson", "GE", "…", "Apple"]), max_size=8))
def test_more_text_never_unlinks_a_cashtag(words: list[str]) -> None:
    assert "TSLA" in symbols(" ".join([*words, "$TSLA"]))


@settings(max_examples=50, deadline=None)
@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6))
def test_every_symbol_is_found_by_its_cashtag_and_only_whole(symbol: str) -> None:
    linker = Linker([LinkTarget(symbol.upper(), "")])
    assert [link.symbol for link in linker.link(f"buy ${symbol} now")] == [symbol.upper()]
    assert linker.link(f"buy ${symbol}x now") == []


def test_ten_thousand_entities() -> None:
    linker = Linker(LinkTarget(f"Q{n}", f"Quux{n} Widgets Inc") for n in range(10_000))
    assert [link.symbol for link in linker.link("Quux77 Widgets beats Quux9999")] == ["Q77"]


def test_symbols_with_digits_are_linked_by_their_cashtag() -> None:
    linker = Linker([LinkTarget("SP500X", "Some Fund"), LinkTarget("A", "Agilent Technologies")])
    assert [link.symbol for link in linker.link("bought $SP500X and $sp500x, paid $500")] == ["SP500X"]
    assert [link.symbol for link in linker.link("$A1 is another symbol, $A is this one")] == ["A"]
    assert linker.link("$SP500Xtra") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Apple's new phone", ["AAPL"]),
        ("an apple's core", []),
        ("AN APPLE'S CORE AND NOTHING ELSE", []),
        ("Nestlé lifts, Nestle cuts", ["NESN"]),
        ("NESTLÉ lifts", ["NESN"]),
        ("𝐀𝐩𝐩𝐥𝐞 shares soar", ["AAPL"]),
        ("＄AAPL and ＴＳＬＡ", ["AAPL", "TSLA"]),
        ("#TSLA #stocks", ["TSLA"]),
        ("#tsla #T #IT #ALL #C", []),
        ("#tesla and #citibank", ["TSLA", "C"]),
        ("#apple #visa pay", []),
        ("a#TSLA &#TSLA; #TSLAQ #TSLA2 #TSLA…", []),
        ("Visa wins in court", ["V"]),
        ("a visa wins nothing", []),
    ],
)
def test_hashtags_possessives_and_letters_of_other_kinds(text: str, expected: list[str]) -> None:
    assert symbols(text) == expected


def test_a_link_says_what_was_written_where() -> None:
    for text, surface in (
        ("⇒ 𝐀𝐩𝐩𝐥𝐞 shares soar", "𝐀𝐩𝐩𝐥𝐞"),
        ("é NESTLÉ lifts", "NESTLÉ"),
        ("ﬁrst ＄AAPL", "＄AAPL"),
        ("a #TSLA b", "#TSLA"),
    ):
        (link,) = linker().link(text)
        assert (link.surface, text[link.start : link.end]) == (surface, surface)
