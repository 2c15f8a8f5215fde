"""Folding signals into a day: equal to the explicit decayed sums, whatever the order, and bounded."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.day_sums import fold, sums_key
from bellwether.domain.decay import decay
from bellwether.domain.evidence import first_live_day, gather, live_days
from bellwether.domain.signals import Signal
from bellwether.domain.state import MOST_AUTHORS, MOST_CLUSTERS, MOST_TOP_SIGNALS, AssetDay
from tests.unit.fusion.signals_made import DAY, START, signal

pytestmark = pytest.mark.req("A4")

EMPTY = AssetDay(asset="BEACON", day=DAY)
SIGNALS = st.lists(
    st.builds(
        lambda minute, p_up, quality, age, author, abstained, copy: signal(
            minute,
            p_up=p_up,
            quality=quality,
            age_hours=age,
            author=author,
            abstained=abstained,
            copy=copy,
        ),
        st.integers(0, 1439),
        st.floats(0.02, 0.98),
        st.floats(0.0, 1.0),
        st.floats(0.0, 60.0),
        st.sampled_from([None, "ann", "bob", "cem"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=25,
    unique_by=lambda made: made.observed_time,
)


@given(signals=SIGNALS, hours=st.floats(24.0, 100.0))
def test_the_sums_are_the_explicit_decayed_sums(signals: list[Signal], hours: float) -> None:
    as_of = START + timedelta(hours=hours)
    state, weighed = fold(EMPTY, signals)
    found = gather([state], "sentiment", as_of)
    u = [s.evidence * decay(s.event_time, as_of, s.half_life) for s in weighed]
    views = [math.log(s.p_up / (1 - s.p_up)) for s in weighed]
    assert found.signals == len(signals)
    assert found.mass == pytest.approx(sum(u), rel=1e-9, abs=1e-12)
    if sum(u) > 1e-9:
        mean = sum(x * v for x, v in zip(u, views, strict=True)) / sum(u)
        spread = sum(x * (v - mean) ** 2 for x, v in zip(u, views, strict=True)) / sum(u)
        assert found.mean == pytest.approx(mean, rel=1e-9, abs=1e-9)
        assert found.spread == pytest.approx(spread, rel=1e-6, abs=1e-9)
        assert found.independent == pytest.approx(sum(u) ** 2 / sum(x * x for x in u), rel=1e-9)


@given(signals=SIGNALS, data=st.data())
def test_the_order_within_a_call_does_not_matter(signals: list[Signal], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(signals))
    assert fold(EMPTY, signals) == fold(EMPTY, shuffled)


@given(signals=SIGNALS, cut=st.integers(0, 25))
def test_folding_in_two_calls_in_order_is_folding_in_one(signals: list[Signal], cut: int) -> None:
    ordered = sorted(signals, key=lambda made: made.observed_time)
    once, weighed = fold(EMPTY, ordered)
    first, early = fold(EMPTY, ordered[:cut])
    twice, late = fold(first, ordered[cut:])
    assert (twice.agents, twice.authors, twice.top) == (once.agents, once.authors, once.top)
    assert early + late == weighed
    assert twice.version == 2


@given(signals=SIGNALS, data=st.data())
def test_calls_in_any_order_add_up_when_every_author_speaks_once(
    signals: list[Signal], data: st.DataObject
) -> None:
    alone = [signal(n, author=None, p_up=s.p_up, quality=s.quality) for n, s in enumerate(signals)]
    shuffled = data.draw(st.permutations(alone))
    forward, backward = EMPTY, EMPTY
    for one, other in zip(alone, shuffled, strict=True):
        forward, backward = fold(forward, [one])[0], fold(backward, [other])[0]
    as_of = START + timedelta(hours=24)
    one_way, other_way = gather([forward], "sentiment", as_of), gather([backward], "sentiment", as_of)
    assert one_way.mass == pytest.approx(other_way.mass)
    assert one_way.mean == pytest.approx(other_way.mean)
    assert (forward.top, forward.mentions_by_hour) == (backward.top, backward.mentions_by_hour)


def test_an_authors_clusters_count_less_and_less() -> None:
    _, weighed = fold(EMPTY, [signal(n, author="ann", quality=0.8) for n in range(4)])
    assert [made.evidence for made in weighed] == pytest.approx([0.8, 0.4, 0.8 / 3, 0.2])


@given(loud=st.integers(1, 200), others=st.integers(1, 60))
def test_one_author_cannot_dominate(loud: int, others: int) -> None:
    """An author's n posts are worth the harmonic number of n, against 1 for each other author."""
    signals = [signal(n / 10, author="loud", p_up=0.9) for n in range(loud)]
    signals += [signal(700 + n, p_up=0.1) for n in range(others)]
    state, weighed = fold(EMPTY, signals)
    spent = sum(made.evidence for made in weighed if made.author == "loud")
    assert spent == pytest.approx(sum(1 / k for k in range(1, loud + 1)))
    assert spent <= 1 + math.log(loud)
    assert state.authors["loud"] == loud


def test_a_crowd_is_not_taken_for_one_author_when_the_sketch_is_full() -> None:
    _, weighed = fold(EMPTY, [signal(n / 10) for n in range(5 * MOST_AUTHORS)])
    assert {made.evidence for made in weighed} == {1.0}


def test_a_copy_counts_as_an_item_and_nothing_else() -> None:
    first = signal(1, cluster_id="w-same", author="ann")
    copies = [signal(n, cluster_id="w-same", author=f"bot {n}", copy=True) for n in range(2, 9)]
    state, weighed = fold(EMPTY, [first, *copies])
    assert [made.evidence for made in weighed] == [1.0] + [0.0] * 7
    assert (state.items, state.mentions, sum(state.mentions_by_hour)) == (8, 1, 1)
    assert state.clusters == {"w-same": 8}
    assert state.authors == {"ann": 1}


def test_an_abstention_is_counted_and_weighs_nothing() -> None:
    state, (weighed,) = fold(EMPTY, [signal(1, abstained=True, p_up=0.9)])
    sums = state.agents[sums_key(weighed)]
    assert (weighed.evidence, sums.signals, sums.clusters, sums.weight) == (0.0, 1, 0, 0.0)
    assert state.mentions == 1


def test_an_item_two_agents_read_counts_once() -> None:
    pair = [signal(5, name="x-1", agent_id=agent) for agent in ("llm", "sentiment")]
    state, weighed = fold(EMPTY, pair)
    assert (state.items, state.mentions, state.author_items) == (1, 1, 1)
    assert [made.evidence for made in weighed] == [1.0, 1.0]


def test_mentions_fall_into_the_hour_they_were_known_in() -> None:
    state, _ = fold(EMPTY, [signal(59.9), signal(60), signal(61), signal(1439)])
    assert [(hour, n) for hour, n in enumerate(state.mentions_by_hour) if n] == [(0, 1), (1, 2), (23, 1)]


def test_a_day_stays_small_whatever_is_folded_into_it() -> None:
    state, _ = fold(EMPTY, [signal(n / 10, p_up=0.5 + (n % 37) / 100) for n in range(3_000)])
    assert len(state.authors) == MOST_AUTHORS
    assert len(state.clusters) == MOST_CLUSTERS
    assert len(state.top) == MOST_TOP_SIGNALS
    assert [top.p_up for top in state.top] == [0.86] * MOST_TOP_SIGNALS


def test_a_changed_half_life_starts_its_own_sum() -> None:
    state, _ = fold(EMPTY, [signal(0, half_life=24.0), signal(1, half_life=48.0)])
    assert set(state.agents) == {"sentiment@24.0", "sentiment@48.0"}
    as_of = START + timedelta(hours=48)
    expected = 2 ** -(48 / 24) + 2 ** -((48 - 1 / 60) / 48)
    assert gather([state], "sentiment", as_of).mass == pytest.approx(expected)


def test_a_days_sums_are_dropped_when_their_newest_event_has_faded() -> None:
    state, _ = fold(EMPTY, [signal(0), signal(600)])
    last = START + timedelta(minutes=600) + timedelta(hours=24 * math.log2(100))
    before, after = last - timedelta(minutes=1), last + timedelta(minutes=1)
    assert gather([state], "sentiment", before).mass > 0.01
    assert gather([state], "sentiment", after) == gather([], "sentiment", after)
    assert live_days([state], before) == [state]
    assert live_days([state], after) == []


def test_a_score_reads_thirty_days() -> None:
    assert first_live_day(START) == "20261022"


def test_another_agents_sums_are_not_mixed_in() -> None:
    state, _ = fold(EMPTY, [signal(0, agent_id="llm"), signal(1)])
    assert gather([state], "sentiment", START + timedelta(hours=1)).signals == 1
