"""Many texts read at once: the same readings as one by one, whatever the texts, their order and number."""

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.agents.text import SentimentModel, many
from bellwether.agents.text.lexicon import CLASS_OF, CLAUSE_BREAKS, word_list
from bellwether.agents.text.many import Asked, ManyReader
from bellwether.agents.text.observations import Vocabulary
from bellwether.agents.text.tokens import END, ENTITY, HERE, START, split_piece
from bellwether.agents.text.vocabulary_columns import VocabularyColumns

pytestmark = pytest.mark.req("A4")

MODEL = SentimentModel.load()
READER = ManyReader(MODEL)

NAMES = ["acme", "$ACME", "Acme Steel", "Angel Broking", "İstanbul’s Bank", "at"]
TURNING = [
    "losses narrow",
    "not",
    "less bad",
    "less than",
    "debts",
    "bad",
    "cut its loss",
    "lay off",
    "fails to meet",
]
ADDRESSES = [
    "http://t.co/x",
    "https://",
    "www.x.com",
    "(http://t.co/x",
    "xhttp://t.co",
    "see:www.x",
    "http:/",
]
MARKS = [
    "…", "http://t.co/x…", "profit…", "\x01", "\x02", "\x02\x02", "^", "$", "(", ")", "~", "-", "–", "—",
    "'s", "it’s", "“up”", "\x1c", "\x85", "\n\n", ". The", "😀", "🚀🚀", "\ud83d",
]  # fmt: skip
AMOUNTS = ["1.2 mn from 0.9 mn", "12% (8%)", "profit against a loss", "from 3 to 5", "0,000"]
OTHERS = [
    "$xyz", "@who", "(AAPL)", "é", "ß", "Σας", "profit\u3000falls", "profits at", "sales rise at", "ab",
    "abc", "_x", "x.y", "l'é", "a" * 70, "é" * 40, "word" * 30, "x" * 63, "x" * 64, "x" * 65,
]  # fmt: skip
ODD = [*ADDRESSES, *MARKS, *AMOUNTS, *OTHERS]
WORDS = sorted(set(CLASS_OF) | CLAUSE_BREAKS | word_list("performance"))

fragments = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(NAMES),
    st.sampled_from(TURNING),
    st.sampled_from(ODD),
    st.text(max_size=5),
)
gaps = st.sampled_from([" ", " ", " ", "", "\n", "\t "])
sides = st.lists(st.tuples(fragments, gaps), max_size=24).map(lambda parts: "".join(map("".join, parts)))
names_of_one = st.lists(st.sampled_from([*NAMES, "", " ", "\x01", "Nobody"]), max_size=4)


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """A text with its mention marked, or with names to look for, or to be read as a whole."""
    before, name, after = draw(sides), draw(st.sampled_from([*NAMES, "x", "..."])), draw(sides)
    repeat = draw(st.sampled_from([1, 1, 1, 4, 40]))
    owned = draw(st.sampled_from(["", " sales rise at ", " at "]))
    before = before * draw(st.sampled_from([1, repeat])) + owned
    after = after * repeat + draw(st.sampled_from(["", " aga…", " profit…\n"]))
    span = (len(before), len(before) + len(name)) if draw(st.booleans()) else None
    return before + name + after, tuple(draw(names_of_one)), span


def one_by_one(rows: Sequence[Asked]) -> list[list[float]]:
    found = [MODEL.read(text, names=names, span=span) for text, names, span in rows]
    return [[one.p_negative, one.p_neutral, one.p_positive, float(one.about_entity)] for one in found]


def at_once(rows: Sequence[Asked], reader: ManyReader = READER) -> list[list[float]]:
    found: list[list[float]] = np.column_stack(reader.read(rows)).tolist()
    return found


def assert_same(rows: Sequence[Asked]) -> None:
    expected = one_by_one(rows)
    found = at_once(rows)
    assert len(found) == len(expected)
    if rows:
        assert np.abs(np.subtract(found, expected)).max() <= 1e-12


def about(text: str, name: str = "Acme") -> Asked:
    start = text.index(name)
    return text, (name,), (start, start + len(name))


@settings(max_examples=400)
@given(st.lists(asked(), max_size=5))
def test_it_reads_as_one_by_one(rows: list[Asked]) -> None:
    assert_same(rows)


@pytest.mark.parametrize(
    "text",
    [
        "Acme",
        "Acme profit rises",
        "profit rises Acme",
        "profit falls but sales rise at Acme, and Acme gains",
        "sales at Acme",
        "at Acme",
        "profit at at Acme",
        "profit, rises at Acme",
        "Acme losses narrow, costs fall; Acme is not good",
        "Acme profit rises aga…",
        "see www.x.com: Acme … ",
        "Acme (fell to 0.9 mn from 1.2 mn)",
        "profit " * 60 + "Acme " + "loss " * 60,
        "profit " * 48 + "Acme " + "loss " * 48,
        "profit " * 49 + "Acme",
        "Acme" + " loss" * 49,
        "Acme" + " not" * 30 + " rises" * 30,
        "cut " + "the " * 40 + "sales rise at Acme " + "the " * 40,
        "A loss of sales. Acme gains on orders. The market falls. " + "And so it goes on. " * 20,
        "word " * 3_000 + "Acme gains " + "word " * 3_000,
        "http://t.co/x " * 300 + "Acme gains " + "http://t.co/x " * 300,
        "😀 " * 12_000 + "Acme slumps",
    ],
)
def test_awkward_places_of_the_entity(text: str) -> None:
    assert_same([about(text), (text, ("Acme",), None), (text, (), None), about(text)])


def test_odd_pieces_around_the_entity() -> None:
    assert_same([about(f"{piece} profit Acme {piece} rises {piece}") for piece in [*ODD, *TURNING]])
    assert_same([about(f"{' '.join(ODD[:n])} Acme rises") for n in range(len(ODD))])


def test_a_text_that_is_longer_than_those_trained_on_is_averaged() -> None:
    assert_same([("profit rises " * count, (), None) for count in (0, 1, 47, 48, 49, 2_000)])


@pytest.fixture(scope="module")
def rows() -> list[Asked]:
    chosen = random.Random(5)
    parts = [*WORDS, *TURNING, *ODD, "Acme", "Acme"]
    texts = [" ".join(chosen.choices(parts, k=chosen.randint(0, 30))) for _ in range(300)]
    return [about(f"{text} Acme {text}") if chosen.random() < 0.7 else (text, (), None) for text in texts]


def test_neither_the_order_nor_the_company_changes_a_reading(rows: list[Asked]) -> None:
    expected = at_once(rows)
    assert at_once(rows[::-1]) == expected[::-1]
    assert [at_once([row])[0] for row in rows] == expected
    assert_same(rows)


def test_neither_does_the_size_of_what_is_read_together_nor_an_outgrown_cache(
    rows: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = at_once(rows)
    for name, value in (("AT_ONCE", 7), ("CHARACTERS_AT_ONCE", 500), ("MOST_PIECES", 60), ("MOST_WORDS", 50)):
        monkeypatch.setattr(many, name, value)
        assert at_once(rows, ManyReader(MODEL)) == expected


def test_it_keeps_no_more_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "AT_ONCE", 2)
    monkeypatch.setattr(many, "MOST_PIECES", 100)
    monkeypatch.setattr(many, "MOST_WORDS", 100)
    reader = ManyReader(MODEL)
    reader.read(
        (f"Acme sells one{chr(97 + n % 26)}{n // 26 * 'x'} {'y' * (65 + n)}", (), None) for n in range(900)
    )
    reader.read(about(f"One{n} gains", f"One{n}") for n in range(300))
    assert len(reader._names) < 110
    assert len(reader._pieces) < 110
    assert len(reader._words.tokens) < 110
    assert max(map(len, (*reader._pieces, *reader._words, *reader._words.tokens))) <= 64


def test_nothing_is_read_of_nothing() -> None:
    assert [len(column) for column in READER.read(iter(()))] == [0, 0, 0, 0]


def tokens(pieces: Sequence[str]) -> Iterator[str]:
    for piece in pieces:
        # no text keeps the mark of the entity's own place
        yield from (token for token in split_piece(piece) if token != HERE)


@given(st.lists(st.one_of(fragments, st.text(min_size=1, max_size=80)), min_size=1, max_size=20))
def test_a_word_weighs_what_it_weighs_by_itself(pieces: list[str]) -> None:
    columns, vocabulary = VocabularyColumns(MODEL), Vocabulary(MODEL.rows.weigh)
    numbers = {token: columns[token] for token in [*tokens(pieces), ENTITY]}
    columns.learn()
    for token, number in numbers.items():
        word = vocabulary[token]
        assert columns.weights[number].tolist() == [
            word.whole, word.left, word.right, word.far_left, word.far_right
        ]  # fmt: skip
        assert (columns.first[number], columns.second[number]) == (word.first, word.second)
    for token, number in ((START, columns.start), (END, columns.end), (ENTITY, columns.here)):
        assert not columns.weights[number].any()
        assert (columns.first[number], columns.second[number]) == (
            vocabulary[token].first,
            vocabulary[token].second,
        )
