"""Nothing after a forecast changes it; an agent that peeks is caught by the same check."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

import pytest

from bellwether.adapters.memory import MemoryAgentConfigs
from bellwether.agents.registry import DEFAULTS
from bellwether.agents.text import SentimentModel
from bellwether.agents.views import AgentView, view_of
from bellwether.backtest.figures import figures
from bellwether.backtest.forecasting import ViewOf
from bellwether.backtest.forecasts import Replayed
from bellwether.backtest.intake import in_order
from bellwether.backtest.look_ahead import Histories, Replayer, altered, ended, looking_ahead
from bellwether.backtest.records import Counts, Settings
from bellwether.backtest.replay import Replay
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.fusion import View
from bellwether.domain.items import StoredItem
from bellwether.domain.prices import History, known_from
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions
from bellwether.usecases.score import score_of
from tests.unit.backtest.history import ASSETS, market, posts, replay, weekdays

DAYS = weekdays(330)
CUT = 305
AS_OF = known_from(DAYS[CUT])
ITEMS = posts(DAYS[270], 80)


Views = Mapping[str, ViewOf]


def replaying(instead: Views, seen: list[Replayed] | None = None) -> Replayer:
    """Fresh replays of stored items."""

    def run(items: Sequence[StoredItem], histories: Histories) -> Replayed:
        settings, model = Settings(replicates=200), SentimentModel.load()
        again = Replay(settings=settings, assets=ASSETS, histories=histories, model=model, instead=instead)
        found = again(items)
        if seen is not None:
            seen.append(found)
        return found

    return run


def peeking(
    config: AgentConfig, *, days: Sequence[AssetDay], history: History, as_of: datetime, horizon: int
) -> AgentView:
    """An agent that reads the next close."""
    row = history.known_rows(as_of)
    if row + 1 >= len(history.close):
        return view_of(config, days=days, history=history, as_of=as_of, horizon=horizon)
    rises = history.close[row + 1] > history.open[row]
    view = View(agent_id=config.agent_id, log_odds=2.0 if rises else -2.0, evidence=50.0, reliability=1.0)
    return AgentView(config=config, view=view)


def silent_before_falls(
    config: AgentConfig, *, days: Sequence[AssetDay], history: History, as_of: datetime, horizon: int
) -> AgentView:
    """An agent that leaks by what it does not say."""
    row = history.known_rows(as_of)
    if row + 1 < len(history.close) and history.close[row + 1] < history.open[row]:
        return AgentView(config=config, abstained="nothing to say")
    return view_of(config, days=days, history=history, as_of=as_of, horizon=horizon)


STORED = in_order(ITEMS, Counts())


@pytest.mark.parametrize("seed", range(6))
def test_nothing_after_a_day_changes_what_was_forecast_until_then(seed: int) -> None:
    """Other prices, volumes, texts, authors, or none: at any day, with the agents as they are."""
    day = DAYS[Random(seed).randrange(285, 326)]
    seen: list[Replayed] = []
    assert looking_ahead(replaying({}, seen), STORED, market(330, seed), day, seed=seed) == []
    made = [part for found in seen for part in (found.open, found.resolved.forecasts)]
    assert sum(int((part.day <= day.toordinal()).sum()) for part in made) > 100


def test_without_the_shortcuts_it_holds_as_well() -> None:
    assert looking_ahead(replaying(dict.fromkeys(DEFAULTS, view_of)), STORED, market(), DAYS[CUT]) == []


@pytest.mark.parametrize("agent", ["momentum", "sentiment"])
@pytest.mark.parametrize("leak", [peeking, silent_before_falls])
def test_an_agent_that_peeks_is_caught_and_named(agent: str, leak: ViewOf) -> None:
    assert looking_ahead(replaying({agent: leak}), STORED, market(), DAYS[CUT]) == ["fused", agent]


def test_the_check_sees_a_peek_of_a_single_day() -> None:
    """The last forecast before what is changed is the only one that an honest day's delay hides."""
    found = altered(STORED, market(), DAYS[CUT], seed=1)[1]["BEACON"]
    honest = market()["BEACON"]
    assert found.close[: CUT + 1] == honest.close[: CUT + 1]
    assert all(a != b for a, b in zip(found.close[CUT + 1 :], honest.close[CUT + 1 :], strict=True))
    assert len(ended(STORED, market(), DAYS[CUT])[1]["BEACON"].dates) == CUT + 1


def test_what_peeking_would_claim_is_a_positive_edge() -> None:
    """So good a result is what the check is for."""
    found = replaying({"momentum": peeking})(STORED, market())
    assert figures(found.resolved, Settings(replicates=200)).edge == "positive"


def test_what_the_agents_learned_was_known_before() -> None:
    found = replay(ITEMS, market())
    told, histories = altered(STORED, market(), DAYS[CUT], seed=3)
    other = replaying({})(told, histories)
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
    compared = list(found.resolved.forecasts.records())[::17]
    assert compared
    for made in compared:
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
