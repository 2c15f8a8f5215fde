"""Track records and what they change: shrunk, bounded a day, reversible."""

import math
import random
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import Fit
from bellwether.domain.clustered_error import clustered_error, trading_day
from bellwether.domain.learning import (
    CORRELATION_STEP,
    INTERCEPT_STEP,
    RELIABILITY_STEP,
    SLOPE_STEP,
    fitted,
    gone_back,
    in_force_a_day_ago,
    learned,
    raw_reading,
    switched,
)
from bellwether.domain.limits import CostModel
from bellwether.domain.log_odds import log_odds, probability
from bellwether.domain.outcomes import AgentTrackRecord, Attribution, Outcome
from bellwether.domain.problems import NotFound
from bellwether.domain.reliability import reliability_of, slope_of
from bellwether.domain.track_record import (
    Forecast,
    distinct,
    error_correlations,
    forecasts_by_agent,
    independent_count,
    track_record,
)
from tests.unit.trading import NOW

pytestmark = pytest.mark.req("A8")

BASE = AgentConfig(agent_id="a", version=4, created_at=NOW - timedelta(days=30))


def forecast(n: int, p_up: float, went_up: bool, **changes: Any) -> Forecast:
    values: dict[str, Any] = {
        "asset": f"S{n % 5}",
        "day": date(2025, 1, 1) + timedelta(days=n // 5),
        "horizon": 1,
        "agent_version": 4,
        "p_up": p_up,
        "base_rate": 0.5,
        "went_up": went_up,
        "forward_return": 0.01 if went_up else -0.01,
    }
    return Forecast(**{**values, **changes})


def skilled(count: int, seed: int = 1) -> list[Forecast]:
    """An agent that says 0.6 or 0.4 and is right that often."""
    rng = random.Random(seed)
    made = []
    for n in range(count):
        p = rng.choice([0.4, 0.6])
        made.append(forecast(n, p, rng.random() < p))
    return made


def outcome(n: int, *, scope: Any = "score", **changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "outcome_id": f"o-{scope}-{n}",
        "evaluated_at": NOW,
        "scope": scope,
        "subject": f"s{n}",
        "asset": f"S{n % 5}",
        "as_of": NOW - timedelta(days=40 - n // 5),
        "horizon": 1,
        "entry_date": date(2026, 1, 2),
        "exit_date": date(2026, 1, 5),
        "p_up": 0.6,
        "raw_return": 0.01,
        "benchmark_return": None,
        "relative_return": None,
        "went_up": True,
        "hit": True,
        "brier": 0.16,
        "status": None,
        "side": None,
        "profit": None,
        "attribution": (
            Attribution(agent_id="a", agent_version=4, p_up=0.6, weight=0.2, brier=0.16, return_share=0.01),
        ),
    }
    return Outcome(**{**values, **changes})


def test_a_track_record_worked_by_hand() -> None:
    made = [forecast(0, 0.6, True), forecast(1, 0.6, False), forecast(2, 0.4, False), forecast(3, 0.7, True)]
    record = track_record(BASE, made)
    assert record.resolved == 4
    score = (0.16 + 0.36 + 0.16 + 0.09) / 4
    assert record.brier == pytest.approx(score)
    assert record.brier_reference == pytest.approx(0.25)
    assert record.brier_skill == pytest.approx(1 - score / 0.25)
    assert record.hit_rate == pytest.approx(0.75)
    assert record.information_coefficient_dates == 1
    assert record.independent == pytest.approx(4 / 1.75)
    assert record.version == 4


def test_without_outcomes_every_figure_is_undefined() -> None:
    record = track_record(BASE, [])
    assert (record.resolved, record.brier, record.brier_skill, record.hit_rate) == (0, None, None, None)
    assert (record.ece, record.information_coefficient, record.parts) == (None, None, None)
    assert record.reliability == BASE.prior_reliability


def test_the_skill_is_measured_against_the_base_rates_known_then() -> None:
    """Saying what always happens anyway is no skill."""
    parrot = [forecast(n, 0.7, n % 10 < 7, base_rate=0.7) for n in range(100)]
    assert track_record(BASE, parrot).brier_skill == pytest.approx(0.0)


def test_a_proposal_and_its_score_are_one_forecast() -> None:
    both = [outcome(1), outcome(1, scope="proposal"), outcome(2, scope="proposal")]
    assert [o.outcome_id for o in distinct(both)] == ["o-score-1", "o-proposal-2"]
    assert len(forecasts_by_agent(both)["a"]) == 2


def test_forecasts_that_go_together_count_for_less() -> None:
    alone = [forecast(5 * n, 0.6, True) for n in range(10)]
    assert independent_count(alone) == pytest.approx(10)
    together = [forecast(n, 0.6, True, day=date(2025, 1, 1)) for n in range(5)]
    assert independent_count(together) == pytest.approx(5 / 2)
    assert independent_count([structs.replace(f, horizon=10) for f in alone]) == pytest.approx(1)


def test_identical_agents_correlate_and_independent_ones_do_not() -> None:
    mine, theirs = skilled(2000, 1), skilled(2000, 2)
    same_world = [structs.replace(t, went_up=m.went_up) for m, t in zip(mine, theirs, strict=True)]
    found = error_correlations({"a": mine, "twin": mine, "stranger": same_world, "new": mine[:29]}, "a")
    assert found["twin"] == pytest.approx(1.0)
    assert abs(found["stranger"]) < 0.1
    assert set(found) == {"twin", "stranger"}


@given(
    raw=st.floats(-3, 3),
    slope=st.floats(0.01, 1),
    intercept=st.floats(-0.2, 0.2),
    own=st.integers(1, 20),
    asked=st.integers(1, 20),
    seen=st.booleans(),
)
def test_a_raw_reading_is_recovered_from_the_forecast(
    raw: float, slope: float, intercept: float, own: int, asked: int, seen: bool
) -> None:
    version = structs.replace(
        BASE, slope=slope, prior_slope=slope, intercept=intercept, resolved=500 if seen else 0, horizon=own
    )
    carried = math.sqrt(min(own, asked) / max(own, asked))
    view = carried * ((intercept if seen else 0.0) + slope * raw)
    made = forecast(0, probability(log_odds(0.55) + view), True, horizon=asked, base_rate=0.55)
    assert raw_reading(made, version) == pytest.approx(raw, abs=1e-6)


def test_a_flat_calibration_tells_nothing_of_the_reading() -> None:
    assert raw_reading(forecast(0, 0.5, True), structs.replace(BASE, prior_slope=0.0)) is None


def test_the_fit_finds_the_slope_the_readings_really_had() -> None:
    """Readings of ±1 forecast with a prior slope of 0.1, while the world moves by 0.6."""
    rng = random.Random(5)
    made = []
    for n in range(4000):
        raw = rng.choice([-1.0, 1.0])
        made.append(forecast(n, probability(0.1 * raw), rng.random() < probability(0.6 * raw)))
    fit = fitted(made, lambda _: BASE)
    assert fit is not None
    assert fit.slope == pytest.approx(0.6, abs=0.1)
    assert abs(fit.intercept) < 0.1


def after(
    record: AgentTrackRecord, fit: Fit | None = None, before: AgentConfig = BASE, **more: Any
) -> AgentConfig:
    made = learned(BASE, before=before, record=record, fit=fit, correlations=more, at=NOW)
    assert made is not None
    return made


def test_reliability_is_shrunk_and_moves_a_step_a_day() -> None:
    record = track_record(BASE, skilled(1000))
    skill = record.brier_skill
    assert skill is not None
    n = int(record.independent)
    target = (n * skill + 200 * 0.05) / (n + 200)
    made = after(record)
    assert made.reliability == pytest.approx(min(target, 0.05 + RELIABILITY_STEP))
    assert (made.version, made.created_at, made.resolved) == (5, NOW, n)
    assert "1000 outcomes" in made.reason
    assert made.brier_skill == skill


def test_the_slope_is_shrunk_toward_its_prior() -> None:
    record = structs.replace(track_record(BASE, skilled(100)), independent=100.0)
    made = after(record, Fit(0.03, 0.2))
    assert made.slope == pytest.approx(100 / 300 * 0.2 + 200 / 300 * 0.1)
    assert made.intercept == pytest.approx(100 / 300 * 0.03)


def test_nothing_resolved_or_nothing_new_is_no_new_version() -> None:
    empty = track_record(BASE, [])
    assert learned(BASE, before=BASE, record=empty, fit=None, correlations={}, at=NOW) is None
    record = track_record(BASE, skilled(100))
    first = after(record)
    again = learned(first, before=BASE, record=record, fit=None, correlations={}, at=NOW)
    assert again is None


@given(
    skill=st.floats(-2, 1),
    independent=st.floats(1, 1e5),
    slope=st.floats(-50, 50),
    intercept=st.floats(-50, 50),
    old_slope=st.floats(-1, 1),
    old_reliability=st.floats(0, 1),
    resolved=st.integers(0, 1000),
    measured=st.floats(-1, 1),
    known=st.floats(-1, 1),
)
def test_no_day_moves_an_agent_further_than_a_step(
    skill: float,
    independent: float,
    slope: float,
    intercept: float,
    old_slope: float,
    old_reliability: float,
    resolved: int,
    measured: float,
    known: float,
) -> None:
    before = structs.replace(
        BASE, slope=old_slope, reliability=old_reliability, resolved=resolved, error_correlation={"b": known}
    )
    record = structs.replace(track_record(BASE, []), brier_skill=skill, independent=independent)
    made = after(record, Fit(intercept, slope), before, b=measured)
    assert abs(reliability_of(made) - reliability_of(before)) <= RELIABILITY_STEP + 1e-12
    assert 0 <= reliability_of(made) <= 1
    assert abs(made.slope - slope_of(before)) <= SLOPE_STEP + 1e-12
    assert abs(made.intercept - (before.intercept if resolved >= 200 else 0)) <= INTERCEPT_STEP + 1e-12
    assert abs(made.error_correlation["b"] - known) <= CORRELATION_STEP + 1e-12


def test_steps_are_measured_from_a_day_ago_however_often_it_is_evaluated() -> None:
    morning = structs.replace(BASE, version=5, created_at=NOW - timedelta(hours=5), reliability=0.1)
    noon = structs.replace(BASE, version=6, created_at=NOW - timedelta(hours=2), reliability=0.15)
    assert in_force_a_day_ago([BASE, morning, noon], NOW, BASE) == BASE
    assert in_force_a_day_ago([morning, noon], NOW, BASE) == BASE
    assert in_force_a_day_ago([BASE, morning, noon], NOW + timedelta(hours=20), BASE) == morning


def test_one_can_go_back_to_an_earlier_version() -> None:
    newer = structs.replace(BASE, version=7, slope=0.9)
    back = gone_back([BASE, newer], 4, at=NOW, reason="the feed was broken", changed_by="owner ann")
    told = {"reason": back.reason, "changed_by": "owner ann", "back_to": 4}
    assert back == structs.replace(BASE, version=8, created_at=NOW, **told)
    assert "the feed was broken" in back.reason
    with pytest.raises(NotFound):
        gone_back([BASE], 9, at=NOW, reason="")


@pytest.mark.parametrize(("enabled", "word"), [(True, "on"), (False, "off")])
def test_a_switch_is_a_version_that_says_who_and_why(enabled: bool, word: str) -> None:
    before = structs.replace(BASE, back_to=2, enabled=not enabled)
    made = switched(before, enabled=enabled, at=NOW, reason="under review", changed_by="owner ann")
    assert made == structs.replace(
        before,
        version=before.version + 1,
        created_at=NOW,
        enabled=enabled,
        reason=f"switched {word}: under review",
        changed_by="owner ann",
        back_to=None,
    )


def test_to_go_back_is_not_to_switch_on() -> None:
    newer = switched(BASE, enabled=False, at=NOW, reason="under review", changed_by="owner ann")
    assert (newer.version, newer.enabled, newer.slope) == (5, False, BASE.slope)
    assert not gone_back([BASE, newer], 4, at=NOW, reason="").enabled


def learned_on(versions: list[AgentConfig], at: datetime, record: AgentTrackRecord, fit: Fit) -> AgentConfig:
    """The newest version after an evaluation, added to `versions` when it is a new one."""
    made = learned(
        versions[-1],
        before=in_force_a_day_ago(versions, at, BASE),
        record=record,
        fit=fit,
        correlations={},
        at=at,
    )
    if made is not None:
        versions.append(made)
    return versions[-1]


def test_a_way_back_is_neither_undone_in_one_night_nor_blocked() -> None:
    """Learning led astray over ten nights; the owner goes back, and it goes on a step a day from there."""
    record = structs.replace(track_record(BASE, []), brier_skill=1.0, independent=1e6)
    fit = Fit(0.0, 2.0)
    old = structs.replace(BASE, resolved=300, reliability=0.1, slope=0.2, created_at=NOW - timedelta(days=20))
    versions = [old]
    for night in range(10):
        learned_on(versions, NOW - timedelta(days=10 - night), record, fit)
    assert reliability_of(versions[-1]) == pytest.approx(0.6)
    versions.append(gone_back(versions, old.version, at=NOW - timedelta(hours=8), reason="wrong"))

    first = learned_on(versions, NOW, record, fit)
    assert reliability_of(first) == pytest.approx(0.1 + RELIABILITY_STEP)
    assert slope_of(first) == pytest.approx(0.2 + SLOPE_STEP)
    assert (first.changed_by, first.back_to) == ("", None)
    assert learned_on(versions, NOW + timedelta(hours=3), record, fit) is first, "one step, however often"
    off = switched(first, enabled=False, at=NOW + timedelta(hours=4), reason="", changed_by="owner ann")
    versions.append(off)
    assert learned_on(versions, NOW + timedelta(hours=5), record, fit) is off, "a switch is no new start"

    second = learned_on(versions, NOW + timedelta(days=1), record, fit)
    assert reliability_of(second) == pytest.approx(0.1 + 2 * RELIABILITY_STEP)
    assert not second.enabled


@given(
    nights=st.lists(st.booleans(), min_size=1, max_size=12),
    skill=st.floats(-1, 1),
    slope=st.floats(-2, 2),
)
def test_from_night_to_night_no_step_is_longer_than_one_unless_the_owner_made_it(
    nights: list[bool], skill: float, slope: float
) -> None:
    """True is a night before which the owner went back to the first version."""
    record = structs.replace(track_record(BASE, []), brier_skill=skill, independent=1e6)
    first = structs.replace(BASE, resolved=300, reliability=0.5, slope=0.5)
    versions = [first]
    for night, back in enumerate(nights):
        at = NOW + timedelta(days=night)
        if back and len(versions) > 1:
            hours = timedelta(hours=6)
            versions.append(gone_back(versions, first.version, at=at - hours, reason=""))
        before = versions[-1]
        after = learned_on(versions, at, record, Fit(0.0, slope))
        assert abs(reliability_of(after) - reliability_of(before)) <= RELIABILITY_STEP + 1e-12
        assert abs(slope_of(after) - slope_of(before)) <= SLOPE_STEP + 1e-12


def followed_forecast(n: int, view: float, relative: float | None, **changes: Any) -> Forecast:
    return forecast(n, 0.5 + view, (relative or 0) > 0, relative_return=relative, **changes)


def test_who_made_and_who_lost_money_worked_by_hand() -> None:
    """Buys that gain 2 % and lose 1 %, a sale that gains 3 %; no side and no benchmark do not count."""
    made = [
        followed_forecast(0, 0.1, 0.02, return_share=0.01),
        followed_forecast(5, 0.1, -0.01, return_share=-0.02),
        followed_forecast(10, -0.1, -0.03, horizon=10, return_share=0.03),
        followed_forecast(15, 0.0, 0.05),
        followed_forecast(20, 0.1, None),
    ]
    costs = CostModel(half_spread=0.0001, commission=0.0002, borrow_per_year=0.0252)
    record = track_record(BASE, made, costs)
    assert record.followed == 3
    assert record.relative_return == pytest.approx(0.04 / 3)
    borrowing = 0.0252 * 10 / 252
    assert record.relative_return_net == pytest.approx((0.04 - 3 * 0.0006 - borrowing) / 3)
    assert record.return_share == pytest.approx(0.02)
    assert record.brier is not None
    assert record.brier_reference is not None
    assert record.brier_gain == pytest.approx(record.brier_reference - record.brier)
    assert (record.brier_gain_error, record.relative_return_error) == (None, None), "of three days"


def test_the_errors_are_those_of_days_that_go_together() -> None:
    rng = random.Random(2)
    made = [
        followed_forecast(5 * n + m, rng.choice([-0.1, 0.1]), rng.gauss(0, 0.01), base_rate=0.52)
        for n in range(15)
        for m in range(3)
    ]
    record = track_record(BASE, made)
    days = [trading_day(f.day) for f in made]
    money = [(f.relative_return or 0.0) * (1 if f.p_up > f.base_rate else -1) for f in made]
    gains = [(f.base_rate - f.went_up) ** 2 - (f.p_up - f.went_up) ** 2 for f in made]
    assert record.relative_return_error == clustered_error(zip(days, money, strict=True))
    assert record.brier_gain_error == clustered_error(zip(days, gains, strict=True))
    assert record.relative_return_error is not None


def test_the_side_is_taken_against_the_base_rate_not_against_one_half() -> None:
    """An asset that mostly rises: 55 % where 60 % was known is a view that it falls."""
    record = track_record(BASE, [followed_forecast(0, 0.05, -0.02, base_rate=0.6)])
    assert record.relative_return == pytest.approx(0.02)
    assert record.relative_return_error is None, "of one day there is no error"


def test_money_that_is_unknown_is_undefined() -> None:
    record = track_record(BASE, [followed_forecast(0, 0.1, None), followed_forecast(1, 0.0, 0.1)])
    assert (record.followed, record.relative_return, record.relative_return_net) == (0, None, None)
    assert record.return_share is None
    nothing = track_record(BASE, [])
    assert (nothing.brier_gain, nothing.brier_gain_error, nothing.return_share) == (None, None, None)


def test_a_record_of_an_earlier_release_reads_as_undefined() -> None:
    stored = msgspec.to_builtins(track_record(BASE, skilled(10)))
    for name in ("relative_return", "relative_return_net", "brier_gain", "return_share", "followed"):
        del stored[name]
    read = msgspec.convert(stored, AgentTrackRecord)
    assert (read.relative_return, read.brier_gain, read.followed) == (None, None, 0)


# A view in the last bit of one half has no opposite: 1 - p is rounded to one half.
VIEWS = st.floats(-0.3, 0.3).map(lambda view: round(view, 9))


@given(st.lists(st.tuples(VIEWS, st.floats(-0.2, 0.2)), min_size=1, max_size=30))
def test_the_opposite_of_every_view_makes_the_opposite(views: list[tuple[float, float]]) -> None:
    free = CostModel(half_spread=0, commission=0, borrow_per_year=0)
    made = [followed_forecast(n, view, ret) for n, (view, ret) in enumerate(views)]
    turned = [structs.replace(f, p_up=1 - f.p_up) for f in made]
    one, other = track_record(BASE, made, free), track_record(BASE, turned, free)
    if one.relative_return is None:
        assert other.relative_return is None
    else:
        assert other.relative_return == pytest.approx(-one.relative_return)
        assert one.relative_return_net == pytest.approx(one.relative_return)
