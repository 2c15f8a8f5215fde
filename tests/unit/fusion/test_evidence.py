"""An agent's evidence over several days, half-lives and agents, against sums over the signals themselves."""

import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.domain.day_sums import SHORTEST_HALF_LIFE, fold
from bellwether.domain.decay import LONGEST_LIFE, decay, live_hours
from bellwether.domain.evidence import Evidence, first_live_day, gather, live, live_at, live_days
from bellwether.domain.signals import Signal
from bellwether.domain.state import AgentSums, AssetDay
from tests.unit.fusion.signals_made import START, signal

pytestmark = pytest.mark.req("A4")

SPOKEN = st.lists(
    st.tuples(
        st.integers(0, 3 * 1_440 - 1),
        st.floats(0.02, 0.98),
        st.floats(0.05, 1.0),
        st.sampled_from([6.0, 24.0, 96.0]),
        st.sampled_from(["sentiment", "llm"]),
    ),
    max_size=20,
)


def folded(signals: list[Signal]) -> tuple[list[AssetDay], list[Signal]]:
    """Day sums of three days, and the signals with their weight."""
    days, weighed = [], []
    for back in range(3):
        start = START + timedelta(days=back)
        of_day = [s for s in signals if start <= s.observed_time < start + timedelta(days=1)]
        day, made = fold(AssetDay(asset="BEACON", day=f"{start:%Y%m%d}"), of_day)
        days.append(day)
        weighed += made
    return days, weighed


@settings(max_examples=60)
@given(SPOKEN)
def test_it_is_the_sum_over_the_signals_of_all_days_and_half_lives(
    spoken: list[tuple[int, float, float, float, str]],
) -> None:
    """As of the fourth midnight, when none of them has faded below a hundredth but those of six hours."""
    as_of = START + timedelta(days=3)
    made = [
        signal(minute, name=f"x-{n}", p_up=p, quality=q, half_life=h, agent_id=agent)
        for n, (minute, p, q, h, agent) in enumerate(spoken)
    ]
    days, weighed = folded(made)
    newest: dict[tuple[str, str, float], float] = {}
    for one in weighed:
        key = (one.agent_id, f"{one.observed_time:%d}", one.half_life)
        age = (as_of - one.event_time).total_seconds() / 3600
        newest[key] = min(newest.get(key, math.inf), age)
    read = [
        one
        for one in weighed
        if one.agent_id == "sentiment"
        and newest["sentiment", f"{one.observed_time:%d}", one.half_life] <= live_hours(one.half_life)
    ]
    u = [one.evidence * decay(one.event_time, as_of, one.half_life) for one in read]
    views = [math.log(one.p_up / (1 - one.p_up)) for one in read]
    found = gather(days, "sentiment", as_of)
    assert (found.signals, found.clusters) == (len(read), len(read))
    assert found.mass == pytest.approx(sum(u), abs=1e-12)
    if read:
        mean = sum(w * v for w, v in zip(u, views, strict=True)) / sum(u)
        spread = sum(w * (v - mean) ** 2 for w, v in zip(u, views, strict=True)) / sum(u)
        assert found.mean == pytest.approx(mean, abs=1e-9)
        assert found.spread == pytest.approx(spread, abs=1e-9)
        assert found.independent == pytest.approx(sum(u) ** 2 / sum(w * w for w in u))


def test_an_agent_whose_name_holds_an_at_sign_is_told_from_others() -> None:
    days, _ = folded([signal(1, agent_id="desk@home"), signal(2, agent_id="desk")])
    as_of = START + timedelta(hours=1)
    assert gather(days, "desk@home", as_of).signals == 1
    assert gather(days, "desk", as_of).signals == 1


def test_signals_that_weigh_nothing_are_counted_and_say_nothing() -> None:
    quiet = [signal(1, abstained=True), signal(2, quality=0.0)]
    days, _ = folded(quiet)
    found = gather(days, "sentiment", START + timedelta(hours=1))
    assert found == Evidence(signals=2)
    both = gather([*days, *days], "sentiment", START + timedelta(hours=1))
    assert both == Evidence(signals=4)


def test_sums_that_are_no_numbers_say_nothing_but_how_many() -> None:
    sums = AgentSums(half_life=24.0, weight=math.inf, squared_weight=math.inf, signals=3, clusters=2)
    day = AssetDay(asset="BEACON", day="20261120", agents={"sentiment@24.0": sums})
    assert gather([day], "sentiment", START) == Evidence(signals=3, clusters=2)


def test_weights_too_small_to_square_say_nothing() -> None:
    sums = AgentSums(half_life=24.0, weight=1e-200, squared_weight=0.0, signals=1, clusters=1, newest=0.0)
    day = AssetDay(asset="BEACON", day="20261120", agents={"sentiment@24.0": sums})
    assert gather([day], "sentiment", START) == Evidence(signals=1, clusters=1)


@pytest.mark.parametrize("newest", [None, 24.0, 6.0])
def test_a_day_is_read_until_its_newest_event_has_faded(newest: float | None) -> None:
    """Half-life 1 h: a hundredth after log₂100 = 6.64 h. With nothing known of its events, from midnight."""
    sums = AgentSums(half_life=1.0, newest=newest)
    last = (24.0 if newest is None else newest) + math.log2(100)
    assert live_at(sums, last)
    assert not live_at(sums, last + 1e-6)
    assert live(sums, START, START + timedelta(hours=last - 0.01))
    assert not live(sums, START, START + timedelta(hours=last + 0.01))


def test_a_day_is_read_while_any_of_its_agents_is() -> None:
    days, _ = folded([signal(1, half_life=1.0), signal(2, agent_id="llm", half_life=24.0)])
    assert live_days(days, START + timedelta(hours=20)) == days[:1]
    assert live_days(days, START + timedelta(days=9)) == []


def test_the_shortest_half_life_keeps_the_sums_finite() -> None:
    days, _ = folded([signal(1_439, half_life=0.001)])
    found = gather(days, "sentiment", START + timedelta(minutes=1_439))
    assert found.mass == pytest.approx(1.0)
    later = gather(days, "sentiment", START + timedelta(minutes=1_439, seconds=20))
    assert later.mass == pytest.approx(2 ** -(20 / 3600 / SHORTEST_HALF_LIFE))


def test_a_month_of_days_is_read() -> None:
    assert first_live_day(START) == "20261022"
    assert first_live_day(START + timedelta(hours=23)) == "20261022"
    assert timedelta(days=30) == LONGEST_LIFE
