"""Copies with light edits are known for copies, other sentences of the same words are not."""

import re
import unicodedata
from array import array
from zlib import crc32

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bellwether.agents.copies import DIRECTIONS, TURNS, sketch_of
from bellwether.domain import near_duplicates
from bellwether.domain.near_duplicates import (
    FEWEST_WORDS,
    LEAST_RESEMBLANCE,
    MOST_HASHES,
    Sketcher,
    hashes_of,
    near,
    probe,
    resemblance,
    resemble,
    words_of,
)

pytestmark = pytest.mark.req("A4")

RUMOUR = (
    "Heard from a friend at the bank that Beacon Industries will be bought out next week at a huge premium"
)


def copies(one: str, other: str) -> bool:
    first, second = sketch_of(one), sketch_of(other)
    return first is not None and second is not None and near(hashes_of(first), hashes_of(second))


@pytest.mark.parametrize(
    "edited",
    [
        f"RT @trader99: {RUMOUR}",
        f"{RUMOUR} http://t.co/abc $BEACON #stocks",
        RUMOUR.upper() + "!!!",
        RUMOUR.replace("huge", "big"),
        RUMOUR.replace("Heard from", "Just heard from"),
        RUMOUR.replace(" at a huge premium", ""),
        RUMOUR[:80] + "…",
        RUMOUR.replace("Beacon Industries", "$BEACON"),
        RUMOUR.replace(" ", "   ").replace("friend", "“friend”"),
        RUMOUR.translate({ord("e"): "e\u200b", ord("a"): "\u2060a", ord("i"): "i\u00ad"}),
        RUMOUR.translate({ord("a"): "\u0430", ord("e"): "\u0435", ord("o"): "\u043e", ord("H"): "\u041d"}),
        RUMOUR.translate({ord("e"): "\u00e9", ord("a"): "a\u0336", ord("o"): "\u03bf"}),
        "ＲＴ " + RUMOUR.translate({ord("e"): "ｅ"}),
    ],
)
def test_light_edits_leave_a_copy(edited: str) -> None:
    assert copies(RUMOUR, edited)
    assert copies(edited, RUMOUR)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beacon beats estimates by 3 cents this quarter", "Beacon misses estimates by 3 cents this quarter"),
        ("Beacon closes at 110.25 after a quiet day", "Beacon closes at 112.50 after a quiet day"),
        ("Beacon will raise its dividend next year", "Beacon will not raise its dividend next year"),
        ("Analysts say buy Beacon before Friday", "Analysts say sell Beacon before Friday"),
        ("Record profit at Beacon, says the chief", "Record loss at Beacon, says the chief"),
        (RUMOUR, "Beacon Industries opens a plant in the north and hires two hundred people there"),
        ("one two three four five six", "one two three four seven eight nine"),
    ],
)
def test_another_sentence_is_no_copy(one: str, other: str) -> None:
    assert not copies(one, other)
    assert not copies(other, one)


def test_a_direction_behind_lookalikes_and_unseen_characters_is_one() -> None:
    beats, misses = (
        "Beacon be\u200b\u0430ts estimates by 3 cents",
        "Beacon mi\u00ad\u0455ses estimates by 3 cents",
    )
    assert not copies(beats, misses)
    assert sketch_of(beats) == sketch_of("Beacon beats estimates by 3 cents")


def test_other_scripts_keep_their_words() -> None:
    """Marks that spell a word in other scripts stay."""
    assert words_of("\u0430\u043a\u0446\u0438\u0438 \u0440\u0430\u0441\u0442\u0443\u0442") != words_of(
        "\u0430\u043a\u0446\u0438\u0438 \u043f\u0430\u0434\u0430\u044e\u0442"
    )
    assert words_of("\u30d0\u30d6\u30eb \ud55c\uad6d") == {"\u30d0\u30d6\u30eb", "\ud55c\uad6d"}
    assert len(words_of("\u682a\u4fa1 \u304c \u4e0a\u6607 \u3057\u305f")) == 4


def test_few_words_are_copies_when_they_are_the_same() -> None:
    assert sketch_of("$BEACON $HARBOR http://t.co/x @you ...") is None
    assert sketch_of("") is None
    assert copies("$BEACON profit soars", "RT @you: Profit SOARS! $BEACON http://t.co/x")
    assert not copies("$BEACON profit soars", "$BEACON profit soars again")
    assert not copies("profit soars", "profit")
    assert not copies("up we go now", "up we go")
    assert len(words_of("up we go now")) == FEWEST_WORDS


def test_words_are_what_copies_keep() -> None:
    text = "RT @ann: Don’t miss 1,250.5 &amp; $KO via @bob https://x.yz/a?b www.x.yz tru…"
    assert words_of(text) == {"don't", "miss", "1,250.5"}


def test_resemblance_is_the_share_of_common_words() -> None:
    """Jaccard by hand: 4 common of 6 in all."""
    assert resemblance(frozenset({1, 2, 3, 4, 5}), frozenset({1, 2, 3, 4, 6})) == pytest.approx(4 / 6)
    assert resemblance(frozenset(), frozenset()) == 0.0
    assert near(
        frozenset({4, 8, 12, 16}), frozenset({4, 8, 12, 16, 20, 24})
    )  # 4 of 6, words that say nothing
    assert not near(frozenset({4, 8, 12, 16}), frozenset({4, 8, 12, 20, 24}))  # 3 of 6
    assert pytest.approx(4 / 6) == LEAST_RESEMBLANCE


def test_long_texts_are_compared_by_a_sample_that_estimates_their_resemblance() -> None:
    words = [f"word{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}" for n in range(60)]
    plain = Sketcher()
    base = plain(" ".join(words))
    assert base is not None
    assert len(base) == 2 * MOST_HASHES
    off = []
    for changed in range(0, 60, 6):
        other = plain(" ".join([*(f"else{w}" for w in words[:changed]), *words[changed:]]))
        assert other is not None
        exact = (60 - changed) / (60 + changed)
        off.append(resemblance(hashes_of(base), hashes_of(other)) - exact)
    # a share of 24 drawn hashes has a standard error of 0.1 at the most
    assert max(map(abs, off)) < 0.3
    assert abs(sum(off) / len(off)) < 0.1


@given(st.text(max_size=300))
def test_any_text_has_a_sketch_of_its_size_and_is_its_own_copy(text: str) -> None:
    sketch = sketch_of(text)
    if sketch is None:
        assert not words_of(text)
    else:
        assert 2 <= len(sketch) <= 2 * MOST_HASHES
        assert near(hashes_of(sketch), hashes_of(sketch))
        assert sketch_of(f"RT @someone: {text}"[:600]) is not None


@given(st.frozensets(st.integers(0, 65_535), max_size=24), st.frozensets(st.integers(0, 65_535), max_size=24))
def test_resemblance_and_nearness_are_symmetric(one: frozenset[int], other: frozenset[int]) -> None:
    assert resemblance(one, other) == resemblance(other, one)
    assert near(one, other) == near(other, one)
    assert 0.0 <= resemblance(one, other) <= 1.0


SETS = st.frozensets(st.integers(0, 30), max_size=24)


@given(SETS, SETS)
def test_whatever_resembles_a_text_has_one_of_its_probe(one: frozenset[int], other: frozenset[int]) -> None:
    if one and resemble(one, other):
        assert not other.isdisjoint(probe(one))
        assert not one.isdisjoint(probe(other))
    assert probe(one) <= one
    assert len(probe(one)) <= len(one) // 3 + 1


def test_the_cache_of_words_is_bounded() -> None:
    sketcher = Sketcher(["up"])
    before = sketcher("up we go now")
    for n in range(6_000):
        sketcher(f"a{n:x}x b{n:x}y c{n:x}z d{n:x}w")
    assert sketcher("up we go now") == before


PIECES = (
    *("http://t.co/x", "HTTPS://t.co/(y-z)", "www.a.com", "www.", "http", "https://", "://", "ftp://x/b"),
    *("$KO", "$A_B", "abc$DEF", "$9", "@ann", "@_x", "@ann:", "&amp;", "&gt", "&", ";"),
    *(
        "don't",
        "don’t",
        "'",
        "'s",
        "1,250.5",
        "3.",
        ".5",
        "16th",
        "q4",
        "x_y",
        "_",
        "12...",
        "tru...",
        "tru…",
    ),
    *("rt", "MT", "via", "up", "NOT", "beats", "é", "\u0430up", "株価", "٣", "ß", "ſ", "\u0301", "\u200b"),
    *("\ud800", "\x00", "\x1c", "\xa0", "\u2028", "🚀", "...", "…", "-", "(", "!", ":", "/"),
)
TEXTS = st.lists(
    st.sampled_from(PIECES) | st.sampled_from((" ", " ", "\n", "  ")) | st.text(max_size=4), max_size=24
).map("".join)


def sketch_by_pattern(text: str) -> bytes | None:
    """The words of the whole text by one pattern, each hashed by itself."""
    text = unicodedata.normalize("NFKD", text[:600])
    text = unicodedata.normalize("NFC", near_duplicates._UNSEEN.sub("", text)).casefold()
    text = text.translate(near_duplicates._LOOKALIKES)
    cut = r"|\w+\.\.\." if "..." in text else ""
    words = re.findall(
        rf"https?://\S*|www\.\S+|[@$][^\W\d]\w*|&\w+;{cut}|(\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?)", text
    )
    hashes = set()
    for word in set(words) - {"", "rt", "mt", "via"}:
        kind = 1 if word[0].isdigit() else 3 if word in TURNS else 2 if word in DIRECTIONS else 0
        hashes.add(crc32(word.encode("utf-8", "surrogatepass")) >> 18 << 2 | kind)
    return array("H", sorted(hashes)[:24]).tobytes() if hashes else None


@settings(max_examples=500)
@given(TEXTS | st.text(max_size=40))
@example("(http://a.b/c-d up")
@example("uphttp://a.b/c-d")
@example("don'thttp://a.b")
@example("@ahttps://b.c up")
@example("www.http://b.c up")
@example("up " * 199 + "forever")
@example("x" * 700)
@example("")
def test_a_text_is_sketched_as_the_pattern_says(text: str) -> None:
    assert sketch_of(text) == sketch_by_pattern(text)
    assert sketch_of(text) == sketch_by_pattern(text)


def test_what_is_remembered_is_what_was_found() -> None:
    """A full memory is emptied; a word longer than what is remembered is found every time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "_CACHED_WORDS", 8)
        patch.setattr(near_duplicates, "_CACHED_RUNS", 8)
        patch.setattr(near_duplicates, "_LONGEST_CACHED", 6)
        sketcher = Sketcher(DIRECTIONS, TURNS)
        for n in range(40):
            text = f"up{n} 16th {'a' * n} not {n % 7}th, $KO word{n % 3}"
            assert sketcher(text) == sketch_by_pattern(text)
        hashes = near_duplicates._Hashes({})
        of_runs = near_duplicates._HashesOfRuns(hashes.__getitem__)
        assert {of_runs[f"a{chr(n)}".encode()] for n in range(ord("a"), ord("z"))} > {of_runs[b"aa"]}
        assert of_runs[b"abcdefg"] == hashes["abcdefg"]
        assert 0 < len(hashes) <= 8
        assert 0 < len(of_runs) <= 8
        assert not {"abcdefg", b"abcdefg"} & {*hashes, *of_runs}
