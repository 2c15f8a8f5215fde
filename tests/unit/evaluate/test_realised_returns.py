"""Realised returns, outcomes and attributions at their boundaries."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from bellwether.domain.evaluation import (
    ForwardReturn,
    attributed,
    equal_weight,
    forward_return,
    resolve_proposal,
    resolve_score,
    subject_key,
)
from bellwether.domain.outcomes import outcome_id
from bellwether.domain.prices import History
from bellwether.domain.scores import Contribution
from tests.unit.trading import NOW, desk, score, weekdays

pytestmark = pytest.mark.req("A8")

DAYS = weekdays(date(2026, 3, 31), 20)
LONG_AFTER = datetime(2026, 6, 1, tzinfo=UTC)


def history(days: list[date], level: float = 100.0) -> History:
    opens = [level + n for n in range(len(days))]
    return History("ACME", days, opens, opens, opens, opens, opens, [1e6] * len(days))


def test_a_bar_is_called_missing_just_after_its_patience() -> None:
    """Ten days for the entry; for the exit 7/5 of the horizon on top."""
    start = datetime(DAYS[-1].year, DAYS[-1].month, DAYS[-1].day, 15, tzinfo=UTC)
    nothing, second = history(DAYS), timedelta(seconds=1)
    assert forward_return(nothing, start, 1, now=start + timedelta(days=10)) == "waiting"
    assert forward_return(nothing, start, 1, now=start + timedelta(days=10) + second) == "no_entry_price"
    earlier = start - timedelta(days=1)
    assert forward_return(nothing, earlier, 5, now=earlier + timedelta(days=17)) == "waiting"
    assert forward_return(nothing, earlier, 5, now=earlier + timedelta(days=17) + second) == "no_exit_price"


def test_the_benchmark_takes_assets_with_both_bars_only() -> None:
    """One asset lacks the entry, one the exit; of the two left the mean is that of 1 % and 2 %."""
    whole, other = history(DAYS), history(DAYS, 50.0)
    late, early = history(DAYS[1:]), history(DAYS[:5])
    benchmark = equal_weight({"A": whole, "B": other, "C": late, "D": early})
    assert benchmark(DAYS[0], DAYS[9]) == pytest.approx((9 / 100 + 9 / 50) / 2)
    assert benchmark(DAYS[1], DAYS[9]) == pytest.approx((8 / 101 + 8 / 51 + 8 / 100) / 3)
    alone = equal_weight({"A": whole, "C": late, "D": early})
    assert alone(DAYS[0], DAYS[9]) is None


def test_an_answer_is_remembered() -> None:
    assets = {"A": history(DAYS), "B": history(DAYS, 50.0)}
    benchmark = equal_weight(assets)
    first = benchmark(DAYS[0], DAYS[1])
    assets.clear()
    assert benchmark(DAYS[0], DAYS[1]) == first


@pytest.mark.parametrize(
    ("p_up", "value", "up", "hit"),
    [
        (0.51, 0.01, True, True),
        (0.51, 0.0, False, False),
        (0.50, 0.01, True, False),
        (0.50, -0.01, False, True),
        (0.49, 0.0, False, True),
    ],
)
def test_a_forecast_is_right_on_its_side_of_a_half(p_up: float, value: float, up: bool, hit: bool) -> None:
    """No rise is a fall: a price that did not move did not go up."""
    made = resolve_score(
        score(p_up=p_up, base_rate=0.53),
        ForwardReturn(DAYS[0], DAYS[1], value),
        lambda *_: 0.004,
        now=NOW,
    )
    assert (made.went_up, made.hit) == (up, hit)
    assert made.brier == pytest.approx((p_up - up) ** 2)
    assert (made.base_rate, made.raw_return, made.benchmark_return) == (0.53, value, 0.004)
    assert made.relative_return == pytest.approx(value - 0.004)
    assert (made.scope, made.subject, made.status, made.profit) == ("score", "score:ACME", None, None)
    assert (made.entry_date, made.exit_date, made.evaluated_at) == (DAYS[0], DAYS[1], NOW)


@pytest.mark.parametrize(
    ("side", "value", "hit"),
    [
        ("buy", 0.03, True),
        ("buy", -0.03, False),
        ("sell", -0.03, True),
        ("sell", 0.03, False),
        ("buy", 0.0, False),
    ],
)
def test_a_proposal_is_right_when_its_side_made_money(side: Any, value: float, hit: bool) -> None:
    proposal = structs.replace(desk().proposed(), side=side, notional=1_000.0, expected_cost=2.5)
    made = resolve_proposal(proposal, ForwardReturn(DAYS[0], DAYS[1], value), lambda *_: None, now=NOW)
    sign = 1 if side == "buy" else -1
    assert (made.hit, made.side, made.scope) == (hit, side, "proposal")
    assert made.profit == pytest.approx(sign * value * 1_000 - 2.5)
    assert (made.benchmark_return, made.relative_return) == (None, None)


def test_an_abstention_cannot_be_resolved() -> None:
    with pytest.raises(ValueError, match="nothing to resolve"):
        resolve_score(score(p_up=None), ForwardReturn(DAYS[0], DAYS[1], 0.1), lambda *_: None, now=NOW)


def part(agent: str, share: float, **more: Any) -> Contribution:
    values = {"agent_version": 3, "weight": 0.2, "log_odds": 0.4, "evidence": 2.0, "reliability": 0.3, **more}
    return Contribution(agent_id=agent, share=share, **values)


def test_a_return_is_shared_by_what_each_agent_moved() -> None:
    """Shares .3 and −.1 of a fall of 4 %: −3 % for who pulled up, +1 % for who pulled down."""
    made = attributed(
        [
            part("up", 0.3),
            part("down", -0.1, log_odds=-0.2, weight=0.7),
            part("silent", 5.0, abstained="no signal"),
            part("faded", 5.0, evidence=0.0),
        ],
        0.5,
        -0.04,
    )
    assert [one.agent_id for one in made] == ["up", "down"]
    assert [one.return_share for one in made] == pytest.approx([-0.03, 0.01])
    assert made[0].p_up == pytest.approx(0.598687660112452)  # σ(0.4)
    assert made[0].brier == pytest.approx(0.598687660112452**2)
    assert (made[1].weight, made[1].agent_version) == (0.7, 3)


def test_agents_that_moved_nothing_share_nothing() -> None:
    (only,) = attributed([part("a", 0.0)], 0.5, 0.1)
    assert only.return_share == 0.0
    assert attributed([], 0.5, 0.1) == ()


def test_what_makes_two_forecasts_the_same() -> None:
    assert subject_key(score(horizon=5)) == "ACME:20260304:5"
    assert outcome_id("score", "ACME:20260304:5").startswith("o-")
    assert outcome_id("score", "x") != outcome_id("proposal", "x")
    assert len(outcome_id("score", "x")) == 26
