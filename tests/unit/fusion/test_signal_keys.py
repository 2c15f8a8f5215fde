"""Days and keys of signals, to the letter: stored rows are found by them."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from bellwether.domain.signals import day_before, day_of, sort_key
from tests.unit.fusion.signals_made import START, signal

pytestmark = pytest.mark.req("D1")


def test_a_day_is_that_of_utc() -> None:
    assert day_of(START) == "20261120"
    assert day_of(datetime.fromisoformat("2026-11-20T00:30:00+01:00")) == "20261119"


@pytest.mark.parametrize(
    ("day", "before"),
    [("20261121", "20261120"), ("20270101", "20261231"), ("20280301", "20280229"), ("20270301", "20270228")],
)
def test_the_day_before_is_one_day_back(day: str, before: str) -> None:
    assert day_before(day) == before


def test_a_key_is_time_agent_and_item() -> None:
    made = signal(90, name="x-1")
    assert sort_key(made) == "2026-11-20T01:30:00.000000Z#sentiment#x-1"
    assert made.signal_id == "BEACON#20261120#2026-11-20T01:30:00.000000Z#sentiment#x-1"
    elsewhere = replace(made, observed_time=datetime.fromisoformat("2026-11-20T02:30:00+01:00"))
    assert sort_key(elsewhere) == sort_key(made)
    finer = replace(made, observed_time=made.observed_time + timedelta(microseconds=7))
    assert sort_key(finer) == "2026-11-20T01:30:00.000007Z#sentiment#x-1"


def test_without_an_item_the_key_is_of_what_it_was_made_from() -> None:
    view = replace(signal(0), item_ids=(), input_hash="0123456789abcdef" * 4)
    assert sort_key(view).endswith("#sentiment#0123456789abcdef")
