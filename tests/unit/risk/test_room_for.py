"""How much of an order a limit leaves room for, against the definition on a grid of sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.exposure_checks import room_for

pytestmark = pytest.mark.req("A6")

AMOUNTS = st.integers(0, 40)


@given(limit=AMOUNTS, other=AMOUNTS, value=st.integers(-20, 20), sign=st.sampled_from([-1, 1]))
def test_it_is_the_largest_order_within_the_limit_or_the_whole_reduction(
    limit: int, other: int, value: int, sign: int
) -> None:
    """Every half unit up to 100: total − |value| + |value + sign·x| ≤ limit, or x only shrinks the value."""
    total = other + abs(value)
    sizes = [n / 2 for n in range(201)]
    fitting = [x for x in sizes if other + abs(value + sign * x) <= limit or x <= -sign * value]
    found = room_for(limit, total, value, sign)
    if max(fitting, default=0.0) > 0:
        assert found == max(fitting)
    else:
        assert found <= 0 or not fitting


@pytest.mark.parametrize(
    ("limit", "total", "value", "sign", "room"),
    [
        (5, 0, 0, 1, 5),  # nothing held
        (5, 3, 3, 1, 2),  # more of a long
        (5, 3, -3, -1, 2),  # more of a short
        (5, 3, 3, -1, 8),  # through zero: sell 3, then short 5
        (5, 9, 9, -1, 14),  # through zero from above the limit
        (5, 20, 3, -1, 3),  # others take the limit: only the reduction
        (5, 9, 9, 1, -4),  # too much already
    ],
)
def test_by_hand(limit: float, total: float, value: float, sign: int, room: float) -> None:
    assert room_for(limit, total, value, sign) == room
