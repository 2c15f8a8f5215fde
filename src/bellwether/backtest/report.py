"""The account of a replay: figures, agents, trading, counts; the same bytes from the same seed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct, to_builtins

from bellwether.agents.registry import DEFAULTS, ON_REQUEST, default_config
from bellwether.backtest.figures import Figures, figures
from bellwether.backtest.records import Replayed, Resolved, Settings
from bellwether.backtest.trading import Trading, trading
from bellwether.domain.outcomes import AgentTrackRecord
from bellwether.domain.prices import History
from bellwether.domain.track_record import Forecast, track_record


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
    forecast_days = [outcome.forecast.day for outcome in resolved]
    return Report(
        settings=settings,
        first=min(forecast_days, default=None),
        last=max(forecast_days, default=None),
        days=len(set(forecast_days)),
        assets=len({outcome.forecast.asset for outcome in resolved}),
        figures=figures(resolved, settings),
        agents=_agents(replayed, settings),
        trading=trading(resolved, histories, settings),
        weights=_weights(resolved),
        counts=to_builtins(replayed.counts),
    )


def _agents(replayed: Replayed, settings: Settings) -> list[AgentTrackRecord]:
    by_agent: dict[str, list[Forecast]] = {agent: [] for agent in DEFAULTS if agent not in ON_REQUEST}
    for outcome in replayed.resolved:
        made, value, market = outcome.forecast, outcome.value, outcome.benchmark
        relative = None if market is None else value - market
        # as `domain.evaluation.attributed` shares out a return
        moved = sum([abs(part.moved) for part in made.parts])
        for part in made.parts:
            by_agent.setdefault(part.agent_id, []).append(
                Forecast(
                    asset=made.asset,
                    day=made.day,
                    horizon=settings.horizon,
                    agent_version=part.version,
                    p_up=part.p_up,
                    base_rate=made.base_rate,
                    went_up=outcome.went_up,
                    forward_return=value,
                    relative_return=relative,
                    return_share=value * part.moved / moved if moved else 0.0,
                )
            )
    records = []
    for agent, forecasts in sorted(by_agent.items()):
        versions = replayed.versions.get(agent)
        config = versions[-1] if versions else default_config(agent)
        records.append(track_record(config, forecasts, settings.costs))
    return records


def _weights(resolved: Sequence[Resolved]) -> list[DayOfWeights]:
    sums: dict[date, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    made: dict[date, int] = defaultdict(int)
    for outcome in resolved:
        made[outcome.forecast.day] += 1
        for part in outcome.forecast.parts:
            sums[outcome.forecast.day][part.agent_id] += part.weight
    return [
        DayOfWeights(day, {agent: total / made[day] for agent, total in sorted(sums[day].items())})
        for day in sorted(made)
    ]
