"""ULIDs: order by time, shape, and the round trip of the time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.ids import is_item_id, is_ulid, ulid, ulid_time
from bellwether.domain.items import item_id

pytestmark = pytest.mark.req("A4")

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_a_known_ulid() -> None:
    """The specification's example time, 1469918176385 ms, begins 01ARYZ6S41."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1469918176385)
    assert ulid(at, bytes(10)) == "01ARYZ6S41" + "0" * 16
    assert ulid(at, b"\xff" * 10) == "01ARYZ6S41" + "Z" * 16


@given(at=MOMENTS, randomness=st.binary(min_size=10, max_size=16))
def test_a_ulid_tells_its_time(at: datetime, randomness: bytes) -> None:
    made = ulid(at, randomness)
    assert is_ulid(made)
    assert abs(ulid_time(made) - at) <= timedelta(milliseconds=1)


@given(first=MOMENTS, later=st.timedeltas(timedelta(milliseconds=2), timedelta(days=9)))
def test_ulids_sort_by_time(first: datetime, later: timedelta) -> None:
    assert ulid(first, b"\xff" * 10) < ulid(first + later, bytes(10))


def test_what_cannot_be_a_ulid_is_refused() -> None:
    with pytest.raises(ValueError, match="randomness"):
        ulid(datetime(2026, 1, 1, tzinfo=UTC), b"short")
    with pytest.raises(ValueError, match="time"):
        ulid(datetime(1960, 1, 1, tzinfo=UTC), bytes(10))
    with pytest.raises(ValueError, match="not a ULID"):
        ulid_time("score:BEACON")
    assert not is_ulid("81ARYZ6S410000000000000000")


def test_an_item_id_is_told_from_other_ids() -> None:
    assert is_item_id(item_id("x", "1"))
    assert not is_item_id("o-" + "0" * 24)
    assert not is_item_id("BEACON#20261120#x")
