"""What each agent thinks of an asset at a moment: signals, mentions or prices as a view to be pooled."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from bellwether.agents.attention import attention
from bellwether.agents.momentum import momentum
from bellwether.agents.readings import Stance
from bellwether.agents.registry import ATTENTION, MOMENTUM
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.decay import day_start, decay, hours_between
from bellwether.domain.evidence import gather, live_at
from bellwether.domain.fusion import View, for_horizon, view_error
from bellwether.domain.prices import History
from bellwether.domain.reliability import log_odds_from, reliability_of, slope_of
from bellwether.domain.state import MOST_TOP_SIGNALS, AssetDay


class AgentView(Struct, frozen=True, kw_only=True):
    """An agent's view, or why it has none. `signal_ids` names the signals that moved it most."""

    config: AgentConfig
    view: View | None = None
    signals: int = 0
    signal_ids: tuple[str, ...] = ()
    rationale: str | None = None
    abstained: str | None = None


def view_of(
    config: AgentConfig, *, days: Sequence[AssetDay], history: History, as_of: datetime, horizon: int
) -> AgentView:
    """The agent's view at `as_of` for `horizon` trading days; reads nothing that was not known then."""
    if not config.enabled:
        return AgentView(config=config, abstained="the agent is switched off")
    if config.agent_id == ATTENTION:
        return _from_stance(config, attention(days, as_of), horizon)
    if config.agent_id == MOMENTUM:
        return _from_stance(config, momentum(history, as_of, config.half_life), horizon)
    return _from_signals(config, days, as_of, horizon)


def _from_stance(config: AgentConfig, stance: Stance, horizon: int) -> AgentView:
    abstained = stance.abstained
    if abstained is None and slope_of(config) == 0:
        abstained = "its slope is 0: nothing is known of the direction yet"
    if abstained is not None:
        return AgentView(config=config, abstained=abstained)
    log_odds = log_odds_from(config, stance.raw)
    view = _view(config, log_odds, stance.evidence, spread=0.0, independent=1.0, horizon=horizon)
    return AgentView(config=config, view=view, rationale=stance.rationale)


def _from_signals(config: AgentConfig, days: Sequence[AssetDay], as_of: datetime, horizon: int) -> AgentView:
    evidence = gather(days, config.agent_id, as_of)
    if evidence.mass <= 0:
        said = f"none of its {evidence.signals} signals carries evidence" if evidence.signals else "no signal"
        return AgentView(config=config, signals=evidence.signals, abstained=f"{said} in the last days")
    return AgentView(
        config=config,
        view=_view(
            config,
            evidence.mean,
            evidence.mass,
            spread=evidence.spread,
            independent=evidence.independent,
            horizon=horizon,
        ),
        signals=evidence.signals,
        signal_ids=_strongest(days, config, as_of),
        rationale=f"{evidence.clusters} clusters in {evidence.signals} signals, faded to {evidence.mass:.2f}",
    )


def _view(
    config: AgentConfig, log_odds: float, mass: float, *, spread: float, independent: float, horizon: int
) -> View:
    error = view_error(
        log_odds=log_odds,
        spread=spread,
        independent=independent,
        slope=slope_of(config),
        trust=config.resolved / (config.resolved + config.shrinkage),
    )
    return View(
        agent_id=config.agent_id,
        log_odds=for_horizon(log_odds, config.horizon, horizon),
        evidence=mass,
        reliability=reliability_of(config),
        error=for_horizon(error, config.horizon, horizon),
    )


def _strongest(days: Sequence[AssetDay], config: AgentConfig, as_of: datetime) -> tuple[str, ...]:
    """The signals with the largest pull, each faded by the age of its day."""
    pulls: list[tuple[float, str]] = []
    for day in days:
        start = day_start(day.day)
        age = hours_between(start, as_of)
        if not any(live_at(sums, age) for sums in day.agents.values()):
            continue
        sums = [s for key, s in day.agents.items() if key.rpartition("@")[0] == config.agent_id]
        if not any(live_at(one, age) for one in sums):
            continue
        faded = decay(start, as_of, max(one.half_life for one in sums))
        pulls += [(-top.pull * faded, top.signal_id) for top in day.top if top.agent_id == config.agent_id]
    return tuple(signal_id for _, signal_id in sorted(pulls)[:MOST_TOP_SIGNALS])
