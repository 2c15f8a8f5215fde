"""The agents' money columns of a backtest: the shares and returns the desk's own evaluation gives."""

import pytest

from bellwether.backtest.records import Settings
from bellwether.backtest.report import report_of
from bellwether.domain.evaluation import attributed
from bellwether.domain.limits import CostModel
from bellwether.domain.log_odds import log_odds
from bellwether.domain.scores import Contribution
from tests.unit.backtest.history import FIRST, Over, market, one_by_one, posts, replay

COSTS = CostModel(half_spread=0.001, commission=0.0005, borrow_per_year=0.252)


def attributed_by_the_desk(outcome: Over) -> dict[str, float]:
    """Each agent's share of one return, from what it said and weighed in the forecast."""
    made = outcome.forecast
    contributions = [
        Contribution(
            agent_id=part.agent_id,
            agent_version=part.version,
            log_odds=view,
            weight=part.weight,
            share=part.weight * view,
            evidence=1.0,
            reliability=0.5,
        )
        for part in made.parts
        for view in [log_odds(part.p_up) - log_odds(made.base_rate)]
    ]
    parts = attributed(contributions, made.base_rate, outcome.value)
    return {part.agent_id: part.return_share for part in parts}


@pytest.mark.req("A8")
def test_who_made_and_who_lost_money_is_what_the_desk_would_say() -> None:
    settings, histories = Settings(replicates=20, costs=COSTS), market()
    replayed = replay(posts(FIRST, 100), histories, settings)
    records = {one.agent_id: one for one in report_of(replayed, histories, settings).agents}
    shares = dict.fromkeys(records, 0.0)
    gains: dict[str, list[float]] = {agent: [] for agent in records}
    paid: dict[str, list[float]] = {agent: [] for agent in records}
    for outcome in one_by_one(replayed.resolved):
        for agent, share in attributed_by_the_desk(outcome).items():
            shares[agent] += share
        for part in outcome.forecast.parts:
            side = (part.p_up > outcome.forecast.base_rate) - (part.p_up < outcome.forecast.base_rate)
            if side and outcome.benchmark is not None:
                gains[part.agent_id].append(side * (outcome.value - outcome.benchmark))
                paid[part.agent_id].append(0.003 + (0.001 if side < 0 else 0.0))
    spoke = [agent for agent in records if gains[agent]]
    assert len(spoke) > 1
    for agent in spoke:
        record, n = records[agent], len(gains[agent])
        assert record.followed == n
        assert record.return_share == pytest.approx(shares[agent], abs=1e-9)
        assert record.relative_return == pytest.approx(sum(gains[agent]) / n)
        assert record.relative_return_net == pytest.approx((sum(gains[agent]) - sum(paid[agent])) / n)
        assert record.relative_return_error is not None
