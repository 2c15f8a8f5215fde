"""The account of a replay: figures, agents, trading, counts; the same bytes from the same seed."""

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct, to_builtins

from bellwether.agents.registry import DEFAULTS, ON_REQUEST, default_config
from bellwether.backtest.agent_records import agent_record
from bellwether.backtest.by_day import ByDay
from bellwether.backtest.columns import distinct
from bellwether.backtest.figures import Figures, figures
from bellwether.backtest.forecasts import Outcomes, Replayed
from bellwether.backtest.records import Settings
from bellwether.backtest.trading import Trading, trading
from bellwether.domain.outcomes import AgentTrackRecord
from bellwether.domain.prices import History


class DayOfWeights(Struct, frozen=True):
    """The agents' mean weight in one day's forecasts."""

    day: date
    weights: dict[str, float]


class Report(Struct, frozen=True, kw_only=True):
    """Everything the files are made of."""

    settings: Settings
    first: date | None
    last: date | None
    days: int
    assets: int
    figures: Figures
    agents: list[AgentTrackRecord]
    trading: Trading
    weights: list[DayOfWeights]
    counts: dict[str, int]

    def document(self) -> dict[str, object]:
        """As JSON: the figures on top, the rest beside them."""
        told = to_builtins(self.figures)
        headline = ("n", "accuracy", "mcc", "ic", "brier", "ece")
        return {
            **{name: told[name] for name in headline},
            "edge": told["edge"],
            "edge_reason": told["edge_reason"],
            "base_rate": told["base_rate"],
            "accuracy_over_majority": told["accuracy_over_majority"],
            "brier_skill": told["brier_skill"],
            "period": to_builtins(
                {"first": self.first, "last": self.last, "days": self.days, "assets": self.assets}
            ),
            "agents": to_builtins(self.agents),
            "trading": {
                "strategies": to_builtins(self.trading.strategies),
                "expected_best_sharpe": self.trading.expected_best_sharpe,
            },
            "calibration": told["calibration"],
            "calibration_curve": told["curve"],
            "counts": self.counts,
            "settings": to_builtins(self.settings),
        }


def report_of(replayed: Replayed, histories: Mapping[str, History], settings: Settings) -> Report:
    """Measures a replay."""
    resolved = replayed.resolved
    days = [date.fromordinal(day) for day in distinct(resolved.forecasts.day)]
    return Report(
        settings=settings,
        first=days[0] if days else None,
        last=days[-1] if days else None,
        days=len(days),
        assets=len(distinct(resolved.forecasts.asset)),
        figures=figures(resolved, settings),
        agents=_agents(replayed, settings),
        trading=trading(resolved, histories, settings),
        weights=_weights(resolved),
        counts=to_builtins(replayed.counts),
    )


def _agents(replayed: Replayed, settings: Settings) -> list[AgentTrackRecord]:
    silent = {agent for agent in DEFAULTS if agent not in ON_REQUEST}
    records = []
    for agent in sorted(silent | {*_speaking(replayed.resolved)}):
        versions = replayed.versions.get(agent)
        config = versions[-1] if versions else default_config(agent)
        records.append(agent_record(config, replayed.resolved, settings))
    return records


def _speaking(resolved: Outcomes) -> Sequence[str]:
    """The agents that made a forecast."""
    pairs = zip(resolved.forecasts.agents, resolved.forecasts.spoke, strict=True)
    return [agent for agent, spoke in pairs if spoke.any()]


def _weights(resolved: Outcomes) -> list[DayOfWeights]:
    by_day = ByDay(resolved.forecasts.day)
    speaking = _speaking(resolved)
    means = {
        agent: (by_day.sums(weight) / by_day.counts, by_day.sums(spoke) > 0)
        for agent, weight, spoke in zip(
            resolved.forecasts.agents, resolved.forecasts.weight, resolved.forecasts.spoke, strict=True
        )
        if agent in speaking
    }
    return [
        DayOfWeights(
            date.fromordinal(day),
            {agent: float(mean[place]) for agent, (mean, spoke) in means.items() if spoke[place]},
        )
        for place, day in enumerate(by_day.days.tolist())
    ]
