"""No text that resembles another is told apart by its bitmap."""

from array import array
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bellwether.domain.near_duplicates import MOST_HASHES, hashes_of, resemble
from bellwether.domain.word_bitmaps import BITS, EVERY_BIT, bitmap_of

pytestmark = pytest.mark.req("A4")

HASHES = st.sets(st.integers(0, 2**16 - 1), min_size=1, max_size=40)


def sketch(hashes: set[int]) -> bytes:
    return array("H", sorted(hashes)[:MOST_HASHES]).tobytes()


@given(
    common=HASHES,
    own=st.sets(st.integers(0, 2**16 - 1), max_size=12),
    others=st.sets(st.integers(0, 2**16 - 1), max_size=12),
)
@example(common={1, 2, 3, 4}, own={5, 6}, others=set())
@example(common=set(range(0, 64, 4)), own=set(range(64, 96, 4)), others=set())
@example(common={7}, own=set(), others=set())
def test_of_what_resembles_a_text_at_most_a_third_of_the_bits_is_missing(
    common: set[int], own: set[int], others: set[int]
) -> None:
    one, other = sketch(common | own), sketch(common | others)
    missing = (bitmap_of(one) & (EVERY_BIT ^ bitmap_of(other))).bit_count()
    assert missing <= len(one) // 2 // 3 or not resemble(hashes_of(one), hashes_of(other))


def test_texts_that_share_nothing_are_told_apart() -> None:
    """What the bitmaps are for: of texts of other words hardly any passes."""
    random = Random(1)
    texts = [sketch(set(random.sample(range(2**16), 10))) for _ in range(200)]
    passed = sum(
        (bitmap_of(one) & (EVERY_BIT ^ bitmap_of(other))).bit_count() <= len(one) // 2 // 3
        for one in texts
        for other in texts
        if one != other
    )
    assert passed < len(texts) ** 2 / 100


def test_a_bitmap_has_room_for_every_word() -> None:
    every = array("H", range(2**16)).tobytes()
    assert bitmap_of(every) == EVERY_BIT == 2**BITS - 1
    assert bitmap_of(b"") == 0


def test_a_bitmap_is_the_same_after_more_texts_than_are_remembered() -> None:
    sketches = [sketch({n, n * 7 % 2**16}) for n in range(10_000)]
    bits = list(map(bitmap_of, sketches))
    assert list(map(bitmap_of, sketches)) == bits
