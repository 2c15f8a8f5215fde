"""From an agent's raw reading to a view that can be pooled."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from bellwether.agents.registry import ATTENTION, DEFAULTS, MOMENTUM, SENTIMENT, default_config, with_defaults
from bellwether.agents.views import AgentView, view_of
from bellwether.domain.day_sums import fold
from bellwether.domain.log_odds import log_odds
from bellwether.domain.prices import History
from bellwether.domain.state import AssetDay
from tests.unit.fusion.signals_made import DAY, START, signal

pytestmark = pytest.mark.req("A4")

NOON = START + timedelta(hours=12)
NO_PRICES = History("BEACON")


def view(name: str, days: list[AssetDay], *, horizon: int = 1, **changes: object) -> AgentView:
    config = msgspec.structs.replace(DEFAULTS[name], **changes)
    return view_of(config, days=days, history=NO_PRICES, as_of=NOON, horizon=horizon)


def loud_days() -> list[AssetDay]:
    days = [
        AssetDay(asset="BEACON", day=f"{START - timedelta(days=n):%Y%m%d}", mentions_by_hour=(2,) * 24)
        for n in range(20, 0, -1)
    ]
    return [*days, AssetDay(asset="BEACON", day=DAY, mentions_by_hour=(20,) * 12 + (0,) * 12)]


def test_signals_become_a_view_with_their_strongest_named() -> None:
    day, weighed = fold(AssetDay(asset="BEACON", day=DAY), [signal(n, p_up=0.5 + n / 100) for n in range(9)])
    made = view(SENTIMENT, [day])
    assert made.view is not None
    assert made.view.log_odds == pytest.approx(sum(log_odds(0.5 + n / 100) for n in range(9)) / 9, rel=1e-3)
    assert made.view.evidence == pytest.approx(9 * 2 ** (-12 / 24), rel=0.01)
    assert made.signal_ids[0] == max(weighed, key=lambda one: one.p_up).signal_id
    assert (made.signals, len(made.signal_ids)) == (9, 5)


def test_another_horizon_weakens_the_view_and_its_error_alike() -> None:
    day, _ = fold(AssetDay(asset="BEACON", day=DAY), [signal(1, p_up=0.6)])
    near, far = view(SENTIMENT, [day]).view, view(SENTIMENT, [day], horizon=4).view
    assert near is not None
    assert far is not None
    assert far.log_odds == pytest.approx(near.log_odds / 2)
    assert far.error == pytest.approx(near.error / 2)


def test_every_agent_says_why_it_abstains() -> None:
    for name in DEFAULTS:
        made = view(name, [])
        assert made.view is None
        assert made.abstained


def test_signals_that_all_abstained_are_not_a_neutral_view() -> None:
    day, _ = fold(AssetDay(asset="BEACON", day=DAY), [signal(1, abstained=True, p_up=0.5)])
    made = view(SENTIMENT, [day])
    assert (made.view, made.signals) == (None, 1)
    assert made.abstained is not None
    assert "none of its 1 signals" in made.abstained


def test_an_agent_that_is_switched_off_has_no_view() -> None:
    day, _ = fold(AssetDay(asset="BEACON", day=DAY), [signal(1)])
    assert view(SENTIMENT, [day], enabled=False).abstained == "the agent is switched off"


def test_attention_without_a_direction_is_no_view() -> None:
    heard = view(ATTENTION, loud_days())
    assert heard.view is not None
    assert heard.view.log_odds == pytest.approx(5.0 * DEFAULTS[ATTENTION].prior_slope)
    silent = view(ATTENTION, loud_days(), prior_slope=0.0)
    assert silent.view is None
    assert silent.abstained is not None
    assert "direction" in silent.abstained


def test_momentum_becomes_a_view() -> None:
    closes = [100 * 1.001**n * (1.01 if n % 2 else 1.0) for n in range(300)]
    dates = [date(2026, 11, 19) - timedelta(days=n) for n in range(299, -1, -1)]
    history = History("BEACON", dates, closes, closes, closes, closes, closes, [1e6] * 300)
    made = view_of(DEFAULTS[MOMENTUM], days=[], history=history, as_of=NOON, horizon=1)
    assert made.view is not None
    assert made.view.evidence == pytest.approx(12 * 2 ** (-12 / 120))


def test_the_built_in_agents_fill_in_what_the_table_lacks() -> None:
    own = msgspec.structs.replace(DEFAULTS[SENTIMENT], version=3)
    configs = with_defaults({SENTIMENT: own})
    assert configs[SENTIMENT].version == 3
    assert set(configs) == {SENTIMENT, ATTENTION, MOMENTUM, "llm"}
    assert default_config("llm").prior_reliability == 0.05
    assert default_config("llm").created_at < datetime(1980, 1, 1, tzinfo=UTC)


def test_no_prior_claims_more_than_the_best_published_accuracy() -> None:
    """StockNet's 58.2 % is log-odds 0.331, for a wholly positive reading at full weight."""
    assert DEFAULTS[SENTIMENT].prior_slope <= log_odds(0.582)
    assert all(config.prior_reliability <= 0.3 for config in DEFAULTS.values())
