"""A link to the last field: whom it names, how sure it is, where it stands and how it is written there."""

import pytest

from bellwether.domain.links import Link, Linker, LinkTarget

pytestmark = pytest.mark.req("A2")

TARGETS = [
    LinkTarget("AAPL", "Apple Inc."),
    LinkTarget("T", "AT&T Inc."),
    LinkTarget("TSLA", "Tesla, Inc.", ("Tesla Motors",)),
    LinkTarget("C", "Citigroup Inc.", ("Citi", "Citibank")),
    LinkTarget("GE", "General Electric Company"),
    LinkTarget("MCD", "McDonald's Corporation"),
    LinkTarget("WMT", "Wal-Mart Stores Inc."),
    LinkTarget("BHP", "BHP Billiton Limited"),
    LinkTarget("BBL", "BHP Billiton plc"),
    LinkTarget("NESN", "Nestlé S.A."),
    LinkTarget("DIS", "The Walt Disney Company"),
    LinkTarget("GPS", "The Gap, Inc."),
]


def links(text: str) -> list[Link]:
    return Linker(TARGETS).link(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$AAPL rises", Link("AAPL", 0.99, 0, 5, "$AAPL", "cashtag")),
        ("up: $T", Link("T", 0.97, 4, 6, "$T", "cashtag")),
        ("so $aapl-me too", Link("AAPL", 0.99, 3, 8, "$aapl", "cashtag")),
        ("a $C-suite", Link("C", 0.97, 2, 4, "$C", "cashtag")),
        ("$TSLA/5 days", Link("TSLA", 0.99, 0, 5, "$TSLA", "cashtag")),
        ("on #TSLA now", Link("TSLA", 0.9, 3, 8, "#TSLA", "ticker")),
        ("on #Tesla now", Link("TSLA", 0.9, 3, 9, "#Tesla", "name")),
        ("my #citibank", Link("C", 0.9, 3, 12, "#citibank", "alias")),
        ("the TSLA chart", Link("TSLA", 0.9, 4, 8, "TSLA", "ticker")),
        ("(NYSE: GE) rose", Link("GE", 0.97, 7, 9, "GE", "ticker")),
        ("NYSE:GE rose", Link("GE", 0.97, 5, 7, "GE", "ticker")),
        ("of Tesla's cars", Link("TSLA", 0.95, 3, 8, "Tesla", "name")),
        ("two Teslas here", Link("TSLA", 0.95, 4, 10, "Teslas", "name")),
        ("at McDonalds today", Link("MCD", 0.95, 3, 12, "McDonalds", "name")),
        ("by Tesla Motors", Link("TSLA", 0.95, 3, 15, "Tesla Motors", "alias")),
        ("see Walmart stores", Link("WMT", 0.95, 4, 11, "Walmart", "name")),
        ("eat Nestle bars", Link("NESN", 0.95, 4, 10, "Nestle", "name")),
        ("eat Nestlé bars", Link("NESN", 0.95, 4, 10, "Nestlé", "name")),
        ("see ＴＳＬＡ here", Link("TSLA", 0.9, 4, 8, "ＴＳＬＡ", "ticker")),
        ("a Walt Disney film", Link("DIS", 0.95, 2, 13, "Walt Disney", "name")),
        ("see http://x.co then Tesla", Link("TSLA", 0.95, 21, 26, "Tesla", "name")),
        ("AT&amp;T calls", Link("T", 0.95, 0, 8, "AT&amp;T", "name")),
    ],
)
def test_one_mention_to_the_last_field(text: str, expected: Link) -> None:
    assert links(text) == [expected]


def test_a_name_of_two_is_shared_between_them() -> None:
    """0.95/√2 each."""
    shared = [(link.symbol, link.confidence, link.start, link.end) for link in links("with BHP Billiton")]
    assert ("BBL", 0.6718, 5, 17) in shared
    assert [symbol for symbol, *_ in shared] == ["BBL", "BHP"]


@pytest.mark.parametrize(
    "text",
    [
        "as @Tesla said",
        "look at http://example.com/Tesla",
        "look at www.example.com/Tesla",
        "look at https://Tesla.example.com",
        "a gap in the road",
    ],
)
def test_what_names_nobody(text: str) -> None:
    assert links(text) == []
