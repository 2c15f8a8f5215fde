"""Campaigns at the edges of the days and hours they are looked for in."""

from datetime import timedelta

import pytest

from bellwether.agents.copies import sketch_of
from bellwether.domain.campaigns import burst, repeated_text
from tests.unit.fusion.signals_made import START, signal
from tests.unit.risk.test_campaigns import RUMOUR, pushed, rephrased, state

pytestmark = pytest.mark.req("A6")

TOMORROW, NEXT = START + timedelta(days=1), "20261121"


def test_days_that_are_not_yet_are_passed_over_and_do_not_end_the_search() -> None:
    today = state([*pushed(40, young=40), *rephrased(30, young=True, minute=700)])
    later = state(
        [*pushed(50, young=50, minute=1_440 + 60), *rephrased(45, young=True, minute=1_440 + 120)], day=NEXT
    )
    as_of = START + timedelta(hours=20)
    assert repeated_text([later], as_of) is None
    assert burst([later], as_of) is None
    assert repeated_text([later, today], as_of) == repeated_text([today], as_of) is not None
    assert burst([later, today], as_of) == burst([today], as_of) is not None


def test_what_became_known_with_the_day_is_seen_at_that_moment() -> None:
    midnight = state([signal(0, sketch=sketch_of(RUMOUR), young_author=True)])
    found = repeated_text([midnight], START)
    assert found is not None
    assert (found.items, found.accounts, found.young_share, found.last) == (1, 1, 1.0, START)
    together = burst([midnight], START)
    assert together is not None
    assert (together.start, together.texts) == (START, 1)


@pytest.mark.parametrize(("accounts", "found"), [(1, False), (2, True)])
def test_a_text_of_grown_accounts_is_repeated_from_the_second_on(accounts: int, found: bool) -> None:
    """And one account that says it twice is one account."""
    as_of = START + timedelta(hours=20)
    assert (repeated_text([state(pushed(accounts, young=0))], as_of) is not None) is found
    twice = [signal(600 + n, sketch=sketch_of(RUMOUR), author="ann") for n in range(2)]
    alone = repeated_text([state(twice)], as_of)
    assert alone is not None
    assert (alone.items, alone.accounts, alone.hours) == (2, 1, 0.0167)


def test_a_burst_late_in_the_day_ends_with_what_is_known() -> None:
    found = burst([state(rephrased(30, young=True, minute=22 * 60))], TOMORROW)
    assert found is not None
    assert (found.start, found.texts) == (START + timedelta(hours=22), 30)
