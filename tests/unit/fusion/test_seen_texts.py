"""The texts a day remembers: copies are counted to the first of them, in bounded room."""

import math
from collections.abc import Callable

import pytest

from bellwether.agents.copies import sketch_of
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


def see(texts: SeenTexts, name: str, text: str = WORDS, **fields: object) -> SeenText:
    values = {"author": f"by {name}", "young": False, "copy": False, "hour": 1.0, **fields}
    return texts.see(item_id=name, sketch=sketch(text), **values)  # type: ignore[arg-type]


def other(n: int) -> str:
    own = f"{n:03d}".translate(str.maketrans("0123456789", "klmnopqrst"))
    return " ".join(f"w{own}{letter}" for letter in "abcdefgh")


def test_a_copy_is_counted_to_the_first() -> None:
    texts = SeenTexts(())
    assert not see(texts, "x-1").counted
    again = see(texts, "x-2", WORDS + " today", young=True, hour=3.5)
    assert (again.item_id, again.counted, again.items) == ("x-1", True, 1)
    (text,) = texts.record()
    assert (text.item_id, text.items, text.young, text.first, text.last) == ("x-1", 2, 1, 1.0, 3.5)
    assert account_count(text.accounts, text.items) == 2


def test_a_copy_that_comes_before_what_it_copies_is_no_evidence_of_it() -> None:
    texts = SeenTexts(())
    assert not see(texts, "x-2", copy=True).counted
    assert not see(texts, "x-1").counted
    assert see(texts, "x-3").counted


def test_copies_join_the_day_before_and_begin_their_counts_anew() -> None:
    yesterday = SeenTexts(())
    see(yesterday, "x-1", hour=23.5)
    today = SeenTexts((), yesterday.record())
    joined = see(today, "x-2", hour=0.25)
    assert (joined.item_id, joined.counted, joined.items) == ("x-1", True, 0)
    (text,) = today.record()
    assert (text.item_id, text.items, text.first, text.last) == ("x-1", 1, 0.25, 0.25)
    assert see(SeenTexts(today.record(), yesterday.record()), "x-3").items == 1


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
    late = see(texts, "x-3", hour=3.0)
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
    news = sum(not see(texts, f"x-{n}", variant(n), hour=n / 100).counted for n in range(300))
    assert news == MOST_VARIANTS
    first = max(texts.record(), key=lambda text: text.items)
    assert first.item_id == "x-0"
    assert first.items >= 100


def test_two_figures_and_their_opposite_are_three_sentences() -> None:
    texts = SeenTexts(())
    for n, words in enumerate(("beats by 3", "beats by 5", "misses by 3")):
        assert not see(texts, f"x-{n}", f"Beacon {words} cents this quarter").counted


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
    assert see(texts, "late", other(1)).items == 0


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
