"""Reading at its limits: outgrown caches, texts that are cut, names that overlap, years among amounts."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.agents.text import SentimentModel, amounts, model, observations
from bellwether.agents.text.features import SEQUENCES, sequence_places
from bellwether.agents.text.model import PACKAGED
from bellwether.agents.text.tokens import fold, locate, pieces, shape, split_piece, tokenise

TEXTS = [
    f"Profit of unit {n} rises while costs of line{n} fall at plant {chr(97 + n % 26)}" for n in range(40)
]


def test_a_cache_that_is_outgrown_changes_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [SentimentModel.load().read(text, "plant") for text in TEXTS]
    for module in (model, observations):
        monkeypatch.setattr(module, "CACHED_KEYS", 5)
    small = SentimentModel.load(PACKAGED)
    assert [small.read(text, "plant") for text in TEXTS] == expected
    assert [small.read(text, "plant") for text in reversed(TEXTS)] == expected[::-1]


def test_a_word_the_platform_cut_off_is_left_out() -> None:
    assert pieces("profit rises aga…") == ["profit", "rises"]
    assert pieces("…") == []
    assert tokenise("profit rises aga…") == tokenise("profit rises")


@given(st.text(st.sampled_from("09١²’‘“”–—'\"-éA😀\ud83d\x1c\u3000 \n")))
def test_digits_and_marks_are_written_plainly(text: str) -> None:
    plain = str.maketrans("123456789’‘“”–—", "000000000''\"\"--")
    assert shape(text) == text.translate(plain)
    assert fold(text) == text.lower().translate(str.maketrans("’‘", "''"))


@pytest.mark.parametrize(
    ("piece", "tokens"),
    [
        ("http://t.co/profit", []),
        ("https://", []),
        ("www.profit.com", []),
        ("http:/", ["http", ":"]),
        ("www", ["www"]),
        ("(http://t.co/profit)", ["("]),
        ("seehttp://t.co", ["see"]),
        ("profit", ["profit"]),
        ("éß", ["éß"]),
    ],
)
def test_an_address_has_no_words(piece: str, tokens: list[str]) -> None:
    assert split_piece(piece) == tokens


@given(st.text(max_size=12) | st.from_regex(r"\w+", fullmatch=True))
def test_a_word_of_letters_alone_is_one_token(piece: str) -> None:
    if piece.isalpha():
        assert split_piece(piece) == split_piece(f"{piece}~") == [piece]


_QUANTITIES = st.sampled_from(["profit", "income", "earnings", "loss", "3", "4.5 mn", "12%", "eur 5 m"])
_BETWEEN = st.sampled_from(
    [
        "from",
        "vs.",
        "versus",
        "against",
        "compared with",
        "in comparison to",
        "to",
        "(",
        "(vs",
        "of",
        "; from",
    ]
)


@given(_QUANTITIES, _BETWEEN, _QUANTITIES, st.sampled_from(["", "from "]))
def test_comparisons_are_told_by_what_they_are_looked_for_by(
    one: str, between: str, other: str, opening: str
) -> None:
    text = f"{opening}{one} {between} {other}"
    bracketed = text.replace("( ", "(")
    for said in (text, bracketed):
        if amounts._SWING.search(said):
            assert "loss" in said or "profit" in said or "income" in said
        if amounts._NOW_AND_THEN.search(said) or amounts._THEN_AND_NOW.search(said):
            assert amounts._names_two(said)


def test_folding_keeps_every_place() -> None:
    assert fold("İstanbul’s BANK") == "İstanbul's bank"
    assert len(fold("İİ")) == 2


@pytest.mark.parametrize(
    ("names", "span"),
    [
        (("acme", "acme steel"), (4, 14)),
        (("acme steel", "acme"), (4, 14)),
        (("steel", "acme"), (4, 8)),
        (("acme", "steel"), (4, 8)),
        (("", "nobody"), None),
    ],
)
def test_the_earliest_name_counts_and_of_those_the_longest(
    names: tuple[str, ...], span: tuple[int, int] | None
) -> None:
    assert locate("now acme steel rises", names) == span
    assert locate("$acme rises", ("acme",)) == (0, 5)


def test_years_are_no_amounts() -> None:
    read = SentimentModel.load().read
    rising = read("Net sales rose to EUR 14.2 mn from EUR 9.6 mn")
    falling = read("Net sales went to EUR 9.6 mn from EUR 14.2 mn")
    assert rising.p_positive > rising.p_negative
    assert falling.p_negative > falling.p_positive
    assert read("The plan runs from 2013 to 2016").label == "neutral"
    assert read("The plan runs to 2016 from 2013").label == "neutral"


def test_marks_around_a_word_are_not_part_of_what_drove_the_label() -> None:
    words = {word.word for word in SentimentModel.load().explain('"Profit" soars!!! (again) — 12%', limit=9)}
    assert {"Profit", "soars", "again", "12%"} <= words
    assert not {word for word in words if word.strip('"!()—') != word}


@pytest.mark.parametrize(
    ("table", "key", "names"),
    [
        ("classes", ("up", "gain", "down"), ["classes up gain", "classes up gain down"]),
        ("sketch", ("^", "up", ""), ["sketch ^ up"]),
        ("whole classes", ("up", "$", ""), ["classes up $", "whole classes up $"]),
        (
            "whole sketch",
            ("up", "\x01", "$"),
            ["sketch up \x01", "sketch up \x01 $", "whole sketch up \x01", "whole sketch up \x01 $"],
        ),
        ("entity", "analyst", ["entity analyst"]),
    ],
)
def test_a_run_lies_where_its_name_is_hashed_to(table: str, key: object, names: list[str]) -> None:
    assert sequence_places(table, key) == [crc32(name.encode()) % SEQUENCES for name in names]
