"""The texts a day remembers: copies are counted to the first of them, in bounded room."""

import math
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bellwether.agents.copies import sketch_of
from bellwether.domain.near_duplicates import hashes_of, near, resemble, says_otherwise
from bellwether.domain.seen_texts import (
    KEPT_ACCOUNTS,
    MOST_TEXTS,
    MOST_VARIANTS,
    SeenText,
    SeenTexts,
    account_bit,
    account_count,
)

pytestmark = pytest.mark.req("A4")

WORDS = "Beacon will be bought out next week at a large premium say people"


def sketch(text: str) -> bytes:
    made = sketch_of(text)
    assert made is not None
    return made


def see(texts: SeenTexts, name: str, text: str = WORDS, **fields: object) -> SeenText | None:
    values = {"author": f"by {name}", "young": False, "copy": False, "hour": 1.0, **fields}
    return texts.see(item_id=name, sketch=sketch(text), **values)  # type: ignore[arg-type]


def again(texts: SeenTexts, name: str, text: str = WORDS, **fields: object) -> SeenText:
    """What is seen repeats a text: this one."""
    known = see(texts, name, text, **fields)
    assert known is not None
    return known


def other(n: int) -> str:
    own = f"{n:03d}".translate(str.maketrans("0123456789", "klmnopqrst"))
    return " ".join(f"w{own}{letter}" for letter in "abcdefgh")


def test_a_copy_is_counted_to_the_first() -> None:
    texts = SeenTexts(())
    assert see(texts, "x-1") is None
    known = again(texts, "x-2", WORDS + " today", young=True, hour=3.5)
    assert (known.item_id, known.counted, known.items) == ("x-1", True, 1)
    (text,) = texts.record()
    assert (text.item_id, text.items, text.young, text.first, text.last) == ("x-1", 2, 1, 1.0, 3.5)
    assert account_count(text.accounts, text.items) == 2


@pytest.mark.parametrize(("words", "copied"), [(19, True), (20, False), (9, True), (8, False)])
def test_a_copy_has_two_thirds_of_all_words_in_common(words: int, copied: bool) -> None:
    """With what it copies, of thirteen words, whichever came first."""
    longer = f"{WORDS} alpha bravo charlie delta echo foxtrot golf"
    edited = " ".join(longer.split()[:words])
    for first, second in ((WORDS, edited), (edited, WORDS)):
        texts = SeenTexts(())
        see(texts, "x-1", first)
        assert (see(texts, "x-2", second) is not None) is copied


def test_a_copy_that_comes_before_what_it_copies_is_no_evidence_of_it() -> None:
    texts = SeenTexts(())
    assert see(texts, "x-2", copy=True) is None
    assert not again(texts, "x-1").counted
    assert again(texts, "x-3").counted


def test_copies_join_the_day_before_and_begin_their_counts_anew() -> None:
    yesterday = SeenTexts(())
    see(yesterday, "x-1", hour=23.5)
    today = SeenTexts((), yesterday.record())
    joined = again(today, "x-2", hour=0.25)
    assert (joined.item_id, joined.counted, joined.items) == ("x-1", True, 0)
    (text,) = today.record()
    assert (text.item_id, text.items, text.first, text.last) == ("x-1", 1, 0.25, 0.25)
    assert again(SeenTexts(today.record(), yesterday.record()), "x-3").items == 1


def test_a_text_that_joined_and_left_joins_again_whatever_was_stored_between() -> None:
    """What a score sees must not depend on where a batch ended."""
    yesterday = SeenTexts(())
    see(yesterday, "x-1", hour=23.5)
    texts = SeenTexts((), yesterday.record())
    see(texts, "x-2", hour=0.1)
    texts = SeenTexts(texts.record(), yesterday.record())
    for n in range(MOST_TEXTS):
        see(texts, f"other-{n}", other(n), hour=1 + n / 100)
    assert "x-1" not in {text.item_id for text in texts.record()}
    late = again(texts, "x-3", hour=3.0)
    assert (late.item_id, late.counted) == ("x-1", True)


@pytest.mark.parametrize(
    "variant",
    [
        lambda n: f"{WORDS} {n}",
        lambda n: WORDS.replace("large", f"{20 + n / 10:.1f}%"),
        lambda n: f"{WORDS} {('soars', 'jumps', 'falls', 'rallies', 'gains', 'slumps', 'surges')[n % 7]}",
    ],
)
def test_a_text_with_something_to_tell_its_copies_apart_counts_a_few_times(
    variant: Callable[[int], str],
) -> None:
    texts = SeenTexts(())
    news = sum(see(texts, f"x-{n}", variant(n), hour=n / 100) is None for n in range(300))
    assert news == MOST_VARIANTS
    first = max(texts.record(), key=lambda text: text.items)
    assert first.item_id == "x-0"
    assert first.items >= 100


def test_two_figures_and_their_opposite_are_three_sentences() -> None:
    texts = SeenTexts(())
    for n, words in enumerate(("beats by 3", "beats by 5", "misses by 3")):
        assert see(texts, f"x-{n}", f"Beacon {words} cents this quarter") is None


def test_room_is_made_by_those_that_went_longest_without_a_copy() -> None:
    texts = SeenTexts(())
    for n in range(MOST_TEXTS):
        see(texts, f"x-{n}", other(n), hour=n / 100)
    see(texts, "again", other(0), hour=2.0)
    see(texts, "new", other(MOST_TEXTS), hour=2.0)
    names = {text.item_id for text in texts.record()}
    assert len(names) == MOST_TEXTS
    assert "x-0" in names
    assert "x-1" not in names
    assert see(texts, "late", other(1)) is None


def test_what_many_accounts_repeated_stays() -> None:
    texts = SeenTexts(())
    for n in range(3 * KEPT_ACCOUNTS):
        see(texts, f"pushed-{n}", hour=0.0)
    for n in range(2 * MOST_TEXTS):
        see(texts, f"x-{n}", other(n), hour=1 + n / 100)
    assert "pushed-0" in {text.item_id for text in texts.record()}


def test_one_account_is_one_account_and_the_unnamed_are_each_their_own() -> None:
    texts = SeenTexts(())
    for n in range(30):
        see(texts, f"x-{n}", author="loud")
    (text,) = texts.record()
    assert account_count(text.accounts, text.items) == 1
    unnamed = SeenTexts(())
    for n in range(12):
        see(unnamed, f"x-{n}", author=None)
    (text,) = unnamed.record()
    assert account_count(text.accounts, text.items) >= 10


@pytest.mark.parametrize("accounts", [5, 20, 60, 120])
def test_accounts_are_counted_within_the_error_of_linear_counting(accounts: int) -> None:
    """Whang et al. 1990, equation 8: the standard error is √(m(eᵗ − t − 1))/n with t = n/m, m = 64."""
    load = accounts / 64
    error = math.sqrt(64 * (math.exp(load) - load - 1))
    counts = []
    for run in range(40):
        bitmap = 0
        for n in range(accounts):
            bitmap |= account_bit(f"account {run} {n}")
        counts.append(account_count(bitmap, 10_000))
    assert abs(sum(counts) / len(counts) - accounts) < 1 + error / 2
    assert account_count(2**64 - 1, 500) == 500
    assert account_count(0, 3) == 0


class PlainTexts:
    """What `SeenTexts` does, word for word: all texts compared with all, the least of all looked for."""

    def __init__(self, texts: Iterable[SeenText], earlier: Iterable[SeenText]) -> None:
        self.texts, self.earlier = {text.item_id: text for text in texts}, list(earlier)

    def see(self, name: str, words: bytes, author: str, young: bool, copy: bool, hour: float) -> str | None:
        known = self.known(words)
        name = known.item_id if known else name
        text = SeenText(
            item_id=name, sketch=words, items=0, accounts=0, young=0, first=hour, last=hour, counted=False
        )
        if known:
            text = known if name in self.texts else replace(text, sketch=known.sketch, counted=known.counted)
        bit = account_bit(author)
        while name not in self.texts and len(self.texts) >= MOST_TEXTS:
            del self.texts[min(self.texts.values(), key=self.standing).item_id]
        self.texts[name] = replace(
            text,
            items=text.items + 1,
            accounts=text.accounts | bit,
            young=text.young + young,
            last=max(text.last, hour),
            counted=text.counted or not copy,
            young_accounts=text.young_accounts | (bit if young else 0),
        )
        return known.item_id if known else None

    def known(self, words: bytes) -> SeenText | None:
        hashes, today = hashes_of(words), list(self.texts.values())[::-1]
        alike = [text for text in today if resemble(hashes_of(text.sketch), hashes)]
        same = [text for text in alike if not says_otherwise(hashes_of(text.sketch), hashes)]
        same += [text for text in self.earlier if near(hashes_of(text.sketch), hashes)]
        if same:
            return same[0]
        return alike[-1] if len(alike) >= MOST_VARIANTS else None

    @staticmethod
    def standing(text: SeenText) -> tuple[int, float, str]:
        accounts = account_count(text.accounts, text.items)
        return accounts if accounts >= KEPT_ACCOUNTS else 0, text.last, text.item_id


STORIES = [WORDS, "Beacon beats by 3 cents this quarter", "Бикон растёт сегодня 🚀", "$BEACON up", "a" * 700]
EDITS = ["", " today", " 7", " falls", " not", " say people at the bank", " say people there", "\x00\u200b"]
SEEN = st.tuples(
    st.one_of(
        st.builds(str.__add__, st.sampled_from(STORIES), st.sampled_from(EDITS)),
        st.integers(0, 99).map(other),
        st.integers(100, 105).map(other),
        st.text(min_size=1),
    ),
    st.sampled_from([f"account {n}" for n in range(12)]),
    st.booleans(),
    st.booleans(),
)


@given(days=st.lists(st.lists(SEEN, max_size=30), min_size=1, max_size=3), full=st.booleans())
def test_texts_are_joined_and_leave_as_the_plain_definition_says(
    days: list[list[tuple[str, str, bool, bool]]], full: bool
) -> None:
    """Each list is what a call or a day is given after the one before; half of them begin with no room."""
    texts, plain = SeenTexts(()), PlainTexts((), ())
    before: tuple[SeenText, ...] = ()
    fill = [(other(100 + n), f"account {n % 9}", False, False) for n in range(MOST_TEXTS if full else 0)]
    number = 0
    for turn, day in enumerate(days):
        for text, author, young, copy in [*fill, *day]:
            number += 1
            words, name, hour = sketch_of(text), f"x-{number * 37 % 1009:04d}", number / 10
            if words is None:
                continue
            known = texts.see(item_id=name, sketch=words, author=author, young=young, copy=copy, hour=hour)
            expected = plain.see(name, words, author, young, copy, hour)
            assert (known and known.item_id) == expected
            assert texts.record() == tuple(plain.texts.values())
        kept = texts.record() if turn % 2 else ()
        before = before if turn % 2 else texts.record()
        texts, plain = SeenTexts(kept, before), PlainTexts(kept, before)


def test_an_account_s_bit_is_the_same_after_more_accounts_than_are_remembered() -> None:
    bits = [account_bit(f"a{n}") for n in range(20_000)]
    assert [account_bit(f"a{n}") for n in range(20_000)] == bits
