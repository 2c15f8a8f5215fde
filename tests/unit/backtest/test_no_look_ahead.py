"""Nothing after a forecast changes it; an agent that peeks is caught by the same test."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from bellwether.adapters.memory import MemoryAgentConfigs
from bellwether.agents.views import AgentView, view_of
from bellwether.backtest.forecasting import ViewOf
from bellwether.backtest.records import Prediction, Replayed
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.fusion import View
from bellwether.domain.items import Item, Kind
from bellwether.domain.prices import History, known_from
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions
from bellwether.usecases.score import score_of
from tests.unit.backtest.history import market, posts, replay, weekdays

DAYS = weekdays(330)
CUT = 305
AS_OF = known_from(DAYS[CUT])
ITEMS = posts(DAYS[270], 80)


def forecasts_until(found: Replayed, as_of: datetime) -> list[Prediction]:
    made = [*(outcome.forecast for outcome in found.resolved), *found.open]
    return sorted((f for f in made if f.as_of <= as_of), key=lambda f: (f.as_of, f.asset))


def changed_after(histories: dict[str, History], row: int) -> dict[str, History]:
    """Every bar after a row multiplied by something else each day."""

    def bent(values: list[float]) -> list[float]:
        return [v if n <= row else v * (1.5 if n % 2 else 0.6) for n, v in enumerate(values)]

    return {
        symbol: replace(
            h,
            open=bent(h.open),
            high=bent(h.high),
            low=bent(h.low),
            close=bent(h.close),
            adj_close=bent(h.adj_close),
            volume=bent(h.volume),
        )
        for symbol, h in histories.items()
    }


def items_changed_after(as_of: datetime) -> list[tuple[Item, Kind]]:
    return [
        (
            item if item.published_at < as_of else replace(item, text="$BEACON collapses, fraud, bankrupt"),
            kind,
        )
        for item, kind in ITEMS
    ]


def peeking(
    config: AgentConfig, *, days: Sequence[AssetDay], history: History, as_of: datetime, horizon: int
) -> AgentView:
    """Momentum replaced by an agent that reads the next close."""
    seen = view_of(config, days=days, history=history, as_of=as_of, horizon=horizon)
    row = history.known_rows(as_of)
    if row + 1 >= len(history.close):
        return seen
    rises = history.close[row + 1] > history.open[row]
    view = View(agent_id="momentum", log_odds=2.0 if rises else -2.0, evidence=50.0, reliability=1.0)
    return AgentView(config=config, view=view)


def future_matters(instead: Mapping[str, ViewOf]) -> bool:
    histories = market()
    before = forecasts_until(replay(ITEMS, histories, instead=instead), AS_OF)
    after = forecasts_until(replay(ITEMS, changed_after(histories, CUT), instead=instead), AS_OF)
    assert before
    return before != after


def test_prices_after_a_forecast_change_nothing_of_it() -> None:
    assert not future_matters({})


def test_an_agent_that_peeks_is_caught() -> None:
    assert future_matters({"momentum": peeking})


def test_items_after_a_forecast_change_nothing_of_it() -> None:
    histories = market()
    before = forecasts_until(replay(ITEMS, histories), AS_OF)
    assert before == forecasts_until(replay(items_changed_after(AS_OF), histories), AS_OF)
    assert before == forecasts_until(
        replay([pair for pair in ITEMS if pair[0].published_at < AS_OF], histories), AS_OF
    )


def test_what_the_agents_learned_was_known_before() -> None:
    found = replay(ITEMS, market())
    cut = changed_after(market(), CUT)
    other = replay(ITEMS, cut)
    learned = AS_OF + timedelta(hours=2)
    for agent, versions in found.versions.items():
        early = [v for v in versions if v.created_at <= learned]
        assert early
        assert early == [v for v in other.versions[agent] if v.created_at <= learned]


def test_the_forecasts_are_the_desk_s_own() -> None:
    """The same configurations, sums and prices through `score_of` give the same probability."""
    histories = market()
    captured: dict[tuple[str, datetime], list[AssetDay]] = {}

    def watching(
        config: AgentConfig, *, days: Sequence[AssetDay], history: History, as_of: datetime, horizon: int
    ) -> AgentView:
        captured[history.symbol, as_of] = list(days)
        return view_of(config, days=days, history=history, as_of=as_of, horizon=horizon)

    found = replay(ITEMS, histories, instead={"sentiment": watching})
    configs = MemoryAgentConfigs()
    for versions in found.versions.values():
        for version in versions:
            configs.put(version)
    compared = found.resolved[::17]
    assert compared
    for outcome in compared:
        made = outcome.forecast
        score = score_of(
            made.asset,
            as_of=made.as_of,
            horizon=1,
            days=captured[made.asset, made.as_of],
            history=histories[made.asset],
            versions=AgentVersions(configs),
        )
        assert made.p_up == pytest.approx(score.p_up, abs=1e-11)
        assert made.base_rate == pytest.approx(score.base_rate, abs=1e-11)
