"""The linker looks closely only at words that can tell; the links are those of looking at every word."""

from random import Random

import pytest

from bellwether.domain import links
from bellwether.domain.links import Linker, LinkTarget

ASSETS = [
    LinkTarget("AAPL", "Apple Inc.", ("iPhone maker",)),
    LinkTarget("S", "Sprint Corporation"),
    LinkTarget("T", "AT&T Inc."),
    LinkTarget("BRK-B", "Berkshire Hathaway"),
    LinkTarget("WMT", "Wal-Mart Stores, Inc."),
    LinkTarget("HD", "The Home Depot"),
    LinkTarget("WWW", "Wolverine World Wide"),
    LinkTarget("AW", "Awwwards"),
    LinkTarget("MCD", "McDonald's"),
    LinkTarget("700", "Http Holdings", ("$TCEHY",)),
]
PIECES = (
    *(
        "Apple",
        "apple",
        "APPLE",
        "Apple's",
        "iPhone maker",
        "AAPL",
        "$AAPL",
        "#AAPL",
        "@Apple",
        "@FOO'S",
        "S",
    ),
    *(
        "Apple’s",
        "Apple'swww",
        "Apple'shttp://x",
        "@http://HD",
        "#_http://HD",
        "www.",
        "http",
        "awwwards",
        "&amp;",
    ),
    *(
        "Awwwards",
        "awwwardshttp://x",
        "(https://AAPL.co",
        "McDonald's",
        "é",
        "—",
        "🚀",
        "\x00",
        "\x1c",
        "\ud800",
    ),
    *("Sprint", "Sprints", "shares", "stock", "AT&T", "AT&amp;T", "T", "$T", "Berkshire", "Hathaway", "BRK"),
    *(
        "BRK-B",
        "$BRK.B",
        "Wal-Mart",
        "Walmart",
        "Home Depot",
        "HD",
        "WWW",
        "www.apple.com",
        "http://AAPL.co/HD",
    ),
    *(
        "https://t.co/T",
        "Applehttp://x",
        "NYSE: T",
        "(NYSE:S)",
        "the",
        "and",
        "İ",
        "ſ",
        "…",
        "_",
        "a_HD",
        "rose",
    ),
)
GLUE = (" ", " ", " ", "", "", "$", "@", ",", ", ", "-", "'", ".", ". ", "\n", "_", "/")


class Everything:
    """Holds any word."""

    def __contains__(self, word: object) -> bool:
        return True


def texts_of(seed: int, number: int) -> list[str]:
    random = Random(seed)
    return [
        "".join(random.choice(PIECES) + random.choice(GLUE) for _ in range(random.randrange(1, 14)))
        for _ in range(number)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_no_word_that_tells_is_missed(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = texts_of(seed, 400)
    linker, thorough = Linker(ASSETS), Linker(ASSETS)
    monkeypatch.setattr(thorough, "_telling", lambda _: Everything())
    found = [linker.link(text) for text in texts]
    assert found == [thorough.link(text) for text in texts]
    assert found == [linker.link(text) for text in texts]
    assert sum(map(bool, found)) > 100


@pytest.mark.parametrize("seed", range(3))
def test_what_is_remembered_of_other_texts_changes_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = texts_of(seed, 200)
    alone = [Linker(ASSETS).link(text) for text in texts]
    linker = Linker(ASSETS)
    assert [linker.link(text) for text in texts] == alone
    monkeypatch.setattr(links, "_MOST_SEEN", 3)
    monkeypatch.setattr(links, "_LONGEST_SEEN", 4)
    forgetful = Linker(ASSETS)
    assert [forgetful.link(text) for text in texts] == alone
    assert len(forgetful._cashtag_of) == len(forgetful._bright) == len(forgetful._dull) == 3
