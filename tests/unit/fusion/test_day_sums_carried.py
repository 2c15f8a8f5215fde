"""Everything a day's state carries from one call to the next, and what of a signal goes where in it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bellwether.agents.copies import sketch_of
from bellwether.domain.day_sums import fold, folded
from bellwether.domain.signals import Signal
from bellwether.domain.state import AssetDay
from tests.unit.fusion.signals_made import DAY, START, signal

pytestmark = pytest.mark.req("A4")

EMPTY = AssetDay(asset="BEACON", day=DAY)
RUMOUR = "Beacon will be bought out next week at a large premium say people at the bank"


def spread_over_the_day() -> list[Signal]:
    """Old and young authors at several hours, one of them twice, and a rumour told three times."""
    made = [signal(90 * n, young_author=n % 3 == 0, age_hours=n % 2, p_up=0.6) for n in range(14)]
    made[7] = replace(made[7], author=made[2].author)
    for n, ending in ((3, ""), (6, " wow"), (11, " !!!")):
        made[n] = replace(made[n], sketch=sketch_of(RUMOUR + ending))
    return made


@pytest.mark.parametrize("cut", [1, 5, 13])
def test_a_day_folded_in_two_calls_is_the_day_folded_in_one(cut: int) -> None:
    signals = spread_over_the_day()
    once, weighed = fold(EMPTY, signals)
    first, early = fold(EMPTY, signals[:cut])
    twice, late = fold(first, signals[cut:])
    assert replace(twice, version=1) == once
    assert early + late == weighed


def test_a_state_counts_what_it_was_given() -> None:
    state, _ = fold(EMPTY, spread_over_the_day())
    assert (state.items, state.mentions, state.young_items, state.author_items) == (14, 12, 5, 12)
    assert (len(state.mentions_by_hour), sum(state.mentions_by_hour)) == (24, 12)
    assert (len(state.young_by_hour), sum(state.young_by_hour)) == (24, state.young_mentions)
    assert len(state.young_accounts_by_hour) == 24


@pytest.mark.parametrize("late", [0.0, 30.0])
def test_the_last_event_is_the_newest_of_all_calls(late: float) -> None:
    """Whichever call it came in: news of yesterday that arrives later does not turn it back."""
    first, _ = fold(EMPTY, [signal(60)])
    second, _ = fold(first, [signal(90, age_hours=late)])
    newest = START + timedelta(minutes=60 if late else 90)
    assert second.last_event == newest.isoformat()


def test_the_sums_alone_are_those_of_the_fold_on_the_same_days() -> None:
    """The replay's way: nothing is named, everything else is the same, of the state and of the day before."""
    before, _ = fold(
        AssetDay(asset="BEACON", day="20261119"), [signal(-30, sketch=sketch_of(RUMOUR), name="yesterday")]
    )
    signals = spread_over_the_day()
    state, _ = fold(EMPTY, signals[:3], earlier=before)
    whole, _ = fold(state, signals[3:], earlier=before)
    sums = folded(state, signals[3:], earlier=before)
    assert sums == replace(whole, top=state.top)
    assert sums.top != whole.top
    assert folded(state, signals[3:]) != sums, "the rumour of the day before is no copy without it"


def test_nothing_without_weight_or_direction_moved_the_day() -> None:
    """A copy has a direction and no weight, a neutral view has weight and no direction."""
    state, weighed = fold(EMPTY, [signal(1, p_up=0.9, copy=True), signal(2, p_up=0.5)])
    assert [made.evidence for made in weighed] == [0.0, 1.0]
    assert state.top == ()


def test_what_moved_the_day_is_told_with_its_evidence() -> None:
    state, _ = fold(EMPTY, [signal(n, author="ann", p_up=0.9, quality=0.8) for n in range(3)])
    assert [top.evidence for top in state.top] == pytest.approx([0.8, 0.4, 0.8 / 3])
    assert [top.item_id for top in state.top] == [f"x-{n:09.3f}" for n in range(3)]


def test_edited_copies_are_one_cluster_by_their_first_item() -> None:
    """Word for word each is a cluster of its own; what they repeat is one text."""
    signals = [signal(n, sketch=sketch_of(RUMOUR + end)) for n, end in enumerate(("", " wow", " !!!"))]
    state, _ = fold(EMPTY, [*signals, signal(9)])
    assert state.clusters == {signals[0].item_ids[0]: 3, "w-x-00009.000": 1}


def test_authors_nobody_knows_are_different_people() -> None:
    _, weighed = fold(EMPTY, [signal(n, author=None, quality=0.7) for n in range(3)])
    assert [made.evidence for made in weighed] == [0.7, 0.7, 0.7]
