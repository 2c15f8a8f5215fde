"""Space-Saving: the bounds its authors prove, on streams made to break them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.heavy_hitters import at_least, count_in

pytestmark = pytest.mark.req("A4")

STREAMS = st.lists(st.sampled_from("abcdefghijklmnop"), max_size=300)


@given(stream=STREAMS, slots=st.integers(2, 6))
def test_counts_stay_within_the_bounds(stream: list[str], slots: int) -> None:
    counts: dict[str, int] = {}
    for key in stream:
        count_in(counts, key, slots)
    truth = Counter(stream)
    assert len(counts) <= slots
    assert sum(counts.values()) == len(stream)
    for key, count in counts.items():
        assert truth[key] <= count <= truth[key] + len(stream) / slots
        assert at_least(counts, key, slots) <= truth[key]
    for key, count in truth.items():
        if count > len(stream) / slots:
            assert key in counts


@given(stream=st.lists(st.sampled_from("abcd"), max_size=50))
def test_counts_are_exact_while_there_is_room(stream: list[str]) -> None:
    counts: dict[str, int] = {}
    for key in stream:
        count_in(counts, key, 5)
    assert counts == Counter(stream)
    assert all(at_least(counts, key, 5) == stream.count(key) for key in "abcdz")


@given(stream=STREAMS, slots=st.integers(1, 6))
def test_the_rarest_gives_its_slot_and_of_several_the_first_by_name(stream: list[str], slots: int) -> None:
    counts: dict[str, int] = {}
    plain: dict[str, int] = {}
    for key in stream:
        count_in(counts, key, slots)
        if key not in plain and len(plain) == slots:
            rarest = min(plain, key=lambda known: (plain[known], known))
            plain[key] = plain.pop(rarest)
        plain[key] = plain.get(key, 0) + 1
        assert list(counts.items()) == list(plain.items())
