"""Returns that could be had, against the market, agent by agent, without a look ahead."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.evaluation import (
    ForwardReturn,
    attributed,
    equal_weight,
    forward_return,
    resolve_proposal,
    resolve_score,
)
from bellwether.domain.outcomes import Outcome, Resolved, outcome_id, outcomes_of
from bellwether.domain.prices import History
from bellwether.domain.scores import Contribution
from tests.unit.trading import NOW, desk, score, weekdays

pytestmark = pytest.mark.req("A8")

DAYS = weekdays(date(2026, 3, 31), 20)
LONG_AFTER = datetime(2026, 6, 1, tzinfo=UTC)


def history(opens: list[float], symbol: str = "ACME") -> History:
    """Bars that close a tenth above their open."""
    closes = [o * 1.1 for o in opens]
    return History(symbol, DAYS[: len(opens)], opens, closes, opens, closes, closes, [1e6] * len(opens))


RISING = history([100.0 + n for n in range(20)])


@pytest.mark.parametrize(("time", "entry"), [("00:00", 3), ("00:01", 4), ("15:00", 4), ("23:59", 4)])
def test_the_entry_is_the_first_open_that_can_still_be_traded(time: str, entry: int) -> None:
    as_of = datetime.fromisoformat(f"{DAYS[3].isoformat()}T{time}:00+00:00")
    found = forward_return(RISING, as_of, 2, now=LONG_AFTER)
    assert isinstance(found, ForwardReturn)
    assert (found.entry_date, found.exit_date) == (DAYS[entry], DAYS[entry + 2])
    assert found.value == pytest.approx((100 + entry + 2) / (100 + entry) - 1)


def test_opens_are_put_on_the_scale_of_the_adjusted_closes() -> None:
    """A split in two between entry and exit is no loss."""
    split = History(
        "ACME",
        DAYS[:3],
        [100, 100, 50],
        [100, 100, 50],
        [100, 100, 50],
        [100, 100, 50],
        [50, 50, 50],
        [1, 1, 1],
    )
    found = forward_return(
        split, datetime(DAYS[0].year, DAYS[0].month, DAYS[0].day, 15, tzinfo=UTC), 1, now=LONG_AFTER
    )
    assert isinstance(found, ForwardReturn)
    assert found.value == pytest.approx(0.0)


def test_a_horizon_is_over_when_its_last_bar_is_complete() -> None:
    as_of = datetime(DAYS[3].year, DAYS[3].month, DAYS[3].day, tzinfo=UTC)
    end = datetime(DAYS[5].year, DAYS[5].month, DAYS[5].day, tzinfo=UTC)
    assert forward_return(RISING, as_of, 2, now=end + timedelta(hours=23)) == "waiting"
    assert isinstance(forward_return(RISING, as_of, 2, now=end + timedelta(hours=24)), ForwardReturn)


def test_bars_that_do_not_come_are_missing_after_a_while() -> None:
    as_of = datetime(DAYS[-1].year, DAYS[-1].month, DAYS[-1].day, 15, tzinfo=UTC)
    assert forward_return(RISING, as_of, 1, now=as_of + timedelta(days=3)) == "waiting"
    assert forward_return(RISING, as_of, 1, now=as_of + timedelta(days=30)) == "no_entry_price"
    before = as_of - timedelta(days=1, hours=15)
    assert forward_return(RISING, before, 5, now=before + timedelta(days=16)) == "waiting"
    assert forward_return(RISING, before, 5, now=before + timedelta(days=18)) == "no_exit_price"
    assert forward_return(History("ACME"), as_of, 1, now=LONG_AFTER) == "no_entry_price"


prices = st.lists(st.floats(1, 1000), min_size=20, max_size=20)


@given(
    opens=prices,
    later=prices,
    day=st.integers(0, 19),
    hour=st.integers(0, 23),
    horizon=st.integers(1, 8),
    start=st.integers(0, 15),
)
def test_no_bar_after_now_changes_anything(
    opens: list[float], later: list[float], day: int, hour: int, horizon: int, start: int
) -> None:
    now = datetime(DAYS[day].year, DAYS[day].month, DAYS[day].day, hour, tzinfo=UTC)
    as_of = datetime(DAYS[start].year, DAYS[start].month, DAYS[start].day, 15, tzinfo=UTC)
    changed = opens[:day] + later[day:]
    one, two = history(opens), history(changed)
    assert forward_return(one, as_of, horizon, now=now) == forward_return(two, as_of, horizon, now=now)
    found = forward_return(one, as_of, horizon, now=now)
    if isinstance(found, ForwardReturn):
        assert as_of.date() < found.entry_date < found.exit_date < now.date()


def test_the_benchmark_is_the_mean_of_all_assets_with_both_bars() -> None:
    flat = history([100.0] * 20, "FLAT")
    short = history([100.0, 200.0], "SHORT")
    benchmark = equal_weight({"ACME": RISING, "FLAT": flat, "SHORT": short})
    assert benchmark(DAYS[4], DAYS[5]) == pytest.approx((105 / 104 - 1) / 2)
    assert benchmark(DAYS[0], DAYS[1]) == pytest.approx((101 / 100 - 1 + 0 + 1) / 3)
    assert equal_weight({"ACME": RISING})(DAYS[0], DAYS[1]) is None


def part(agent: str, share: float, log_odds: float, **more: Any) -> Contribution:
    values: dict[str, Any] = {"weight": 0.2, "evidence": 1.0, "reliability": 0.3, "agent_version": 2}
    return Contribution(agent_id=agent, share=share, log_odds=log_odds, **{**values, **more})


def test_each_agent_is_judged_by_its_own_forecast_and_pull() -> None:
    parts = attributed(
        (
            part("bull", 0.3, 0.4),
            part("bear", -0.1, -0.2),
            part("mute", 0.0, 0.0, abstained="nothing new"),
            part("faded", 0.0, 0.5, evidence=0.0),
        ),
        0.5,
        0.02,
    )
    assert [p.agent_id for p in parts] == ["bull", "bear"]
    bull, bear = parts
    assert bull.p_up == pytest.approx(1 / (1 + 2.718281828**-0.4))
    assert bull.brier == pytest.approx((bull.p_up - 1) ** 2)
    assert [bull.return_share, bear.return_share] == pytest.approx([0.015, -0.005])


def test_the_outcome_of_a_score() -> None:
    realised = ForwardReturn(DAYS[0], DAYS[1], 0.03)
    outcome = resolve_score(score(p_up=0.6), realised, lambda *_: 0.01, now=LONG_AFTER)
    assert outcome.brier == pytest.approx(0.16)
    assert (outcome.hit, outcome.went_up, outcome.scope, outcome.status) == (True, True, "score", None)
    assert outcome.relative_return == pytest.approx(0.02)
    assert resolve_score(score(p_up=0.4), realised, lambda *_: None, now=LONG_AFTER).hit is False
    assert resolve_score(score(), realised, lambda *_: None, now=LONG_AFTER).relative_return is None
    still = resolve_score(
        score(p_up=0.6), ForwardReturn(DAYS[0], DAYS[1], 0.0), lambda *_: None, now=LONG_AFTER
    )
    assert (still.went_up, still.hit) == (False, False)
    with pytest.raises(ValueError, match="abstains"):
        resolve_score(score(p_up=None), realised, lambda *_: None, now=LONG_AFTER)


def test_the_outcome_of_a_proposal_is_what_its_side_made_after_costs() -> None:
    made = desk()
    made.scores["ACME"] = score(p_up=0.40, edge=-0.11, interval=(0.34, 0.46))
    proposal = made.proposed()
    fell = resolve_proposal(proposal, ForwardReturn(DAYS[0], DAYS[1], -0.02), lambda *_: 0.0, now=LONG_AFTER)
    assert (fell.side, fell.hit, fell.status) == ("sell", True, "pending")
    assert fell.profit == pytest.approx(0.02 * proposal.notional - proposal.expected_cost)
    rose = resolve_proposal(proposal, ForwardReturn(DAYS[0], DAYS[1], 0.02), lambda *_: 0.0, now=LONG_AFTER)
    assert rose.hit is False
    assert rose.outcome_id == fell.outcome_id == outcome_id("proposal", proposal.proposal_id)


def test_an_entry_of_the_ledger_holds_one_outcome_or_several() -> None:
    one = resolve_score(score(), ForwardReturn(DAYS[0], DAYS[1], 0.03), lambda *_: 0.01, now=NOW)
    assert outcomes_of(msgspec.to_builtins(one)) == [one]
    both: tuple[Outcome, ...] = (one, one)
    assert outcomes_of(msgspec.to_builtins(Resolved(outcomes=both))) == [one, one]
