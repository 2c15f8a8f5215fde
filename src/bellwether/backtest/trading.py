"""What trading on the forecasts would have made, after costs, against holding everything.

Every day each asset whose probability is far enough from its base rate is bought or sold with an equal part
of the capital, from open to open over the horizon, each position opened and closed at full cost: what could
be saved by keeping a position from one day to the next is not counted. Over several days a part of the
capital as large as one over the horizon is committed each day.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from statistics import fmean

from msgspec import Struct

from bellwether.backtest.records import Resolved, Settings
from bellwether.domain.prices import History
from bellwether.domain.sharpe import annualised, deflated_sharpe, expected_best, probabilistic_sharpe, sharpe
from bellwether.domain.trading_cost import expected_cost

VOLUME_DAYS = 20
VOLATILITY_DAYS = 60
LEAST_POSITIONS = 10
"""No position is larger than a tenth of a day's part of the capital."""
_FALLBACK_VOLATILITY = 0.02

Forecast = Callable[[Resolved], float | None]


class DayOfTrading(Struct, frozen=True, kw_only=True):
    """One day's result, as decimals of the capital, at the day the positions were closed."""

    day: date
    gross: float
    cost: float
    benchmark: float
    positions: int

    @property
    def net(self) -> float:
        """After costs."""
        return self.gross - self.cost


class Strategy(Struct, frozen=True, kw_only=True):
    """One configuration's results. Ratios are annualised; the probabilities are of the ratio being real."""

    name: str
    trades: int
    gross_return: float
    costs: float
    net_return: float
    benchmark_return: float
    sharpe: float | None
    benchmark_sharpe: float | None
    probabilistic_sharpe: float | None
    deflated_sharpe: float | None
    max_drawdown: float


class Trading(Struct, frozen=True, kw_only=True):
    """All configurations tried, the fused forecast first, and its days."""

    strategies: list[Strategy]
    expected_best_sharpe: float
    days: list[DayOfTrading]


class Market:
    """Volume and volatility known when an order is made, each computed once."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        self._histories = histories
        self._known: dict[tuple[str, date], tuple[float | None, float]] = {}

    def at(self, outcome: Resolved) -> tuple[float | None, float]:
        """Average daily volume in money over 20 days (`None` without any) and daily volatility over 60."""
        forecast = outcome.forecast
        key = (forecast.asset, forecast.day)
        if key not in self._known:
            history = self._histories[forecast.asset]
            volume = history.average_volume(forecast.as_of, VOLUME_DAYS)
            quote = history.last_known(forecast.as_of)
            returns = history.returns(forecast.as_of, days=VOLATILITY_DAYS)
            volatility = _deviation(returns) if len(returns) > 1 else _FALLBACK_VOLATILITY
            money = volume * quote.close if volume and quote else None
            self._known[key] = money, volatility
        return self._known[key]


def _deviation(values: Sequence[float]) -> float:
    """Sample standard deviation; the library's, in exact fractions, would take most of the report's time."""
    mean = fmean(values)
    return math.sqrt(sum([(value - mean) ** 2 for value in values]) / (len(values) - 1))


def trading(resolved: Sequence[Resolved], histories: Mapping[str, History], settings: Settings) -> Trading:
    """The fused forecast and each agent on its own, as so many configurations tried."""
    market = Market(histories)
    agents = sorted({part.agent_id for outcome in resolved for part in outcome.forecast.parts})
    tried: dict[str, list[DayOfTrading]] = {"fused": _days(resolved, _fused, market, settings)}
    for agent in agents:
        tried[agent] = _days(resolved, _alone(agent), market, settings)
    ratios = [ratio for days in tried.values() if (ratio := sharpe([d.net for d in days])) is not None]
    return Trading(
        strategies=[_strategy(name, days, ratios) for name, days in tried.items()],
        expected_best_sharpe=annualised(expected_best(ratios)) or 0.0,
        days=tried["fused"],
    )


def _fused(outcome: Resolved) -> float | None:
    return outcome.forecast.p_up


def _alone(agent: str) -> Forecast:
    def forecast(outcome: Resolved) -> float | None:
        return next((part.p_up for part in outcome.forecast.parts if part.agent_id == agent), None)

    return forecast


def _days(
    resolved: Sequence[Resolved], forecast: Forecast, market: Market, settings: Settings
) -> list[DayOfTrading]:
    by_day: dict[date, list[Resolved]] = defaultdict(list)
    for outcome in resolved:
        by_day[outcome.forecast.day].append(outcome)
    return [_day(by_day[day], forecast, market, settings) for day in sorted(by_day)]


def _day(
    outcomes: Sequence[Resolved], forecast: Forecast, market: Market, settings: Settings
) -> DayOfTrading:
    orders = []
    for outcome in outcomes:
        p = forecast(outcome)
        if p is not None and abs(p - outcome.forecast.base_rate) >= settings.least_edge:
            orders.append((outcome, p > outcome.forecast.base_rate))
    share = 1 / max(LEAST_POSITIONS, len(orders)) / settings.horizon
    notional = settings.capital * share
    gross = cost = 0.0
    for outcome, long in orders:
        volume, volatility = market.at(outcome)
        gross += share * (outcome.value if long else -outcome.value)
        cost += expected_cost(
            settings.costs,
            side="buy" if long else "sell",
            horizon=settings.horizon,
            notional=notional,
            volume_share=notional / volume if volume else None,
            daily_volatility=volatility,
        )
    held = [outcome.benchmark for outcome in outcomes if outcome.benchmark is not None]
    return DayOfTrading(
        day=max(outcome.leave for outcome in outcomes),
        gross=gross,
        cost=cost / settings.capital,
        benchmark=fmean(held) / settings.horizon if held else 0.0,
        positions=len(orders),
    )


def compounded(returns: Sequence[float]) -> list[float]:
    """What one unit of capital grows to, day by day."""
    value, grown = 1.0, []
    for change in returns:
        value *= 1 + change
        grown.append(value)
    return grown


def drawdowns(equity: Sequence[float]) -> list[float]:
    """How far below its highest so far, as decimals at or above 0."""
    highest, below = 1.0, []
    for value in equity:
        highest = max(highest, value)
        below.append(1 - value / highest)
    return below


def _strategy(name: str, days: Sequence[DayOfTrading], ratios: Sequence[float]) -> Strategy:
    net = [day.net for day in days]
    equity = compounded(net)
    held = [day.benchmark for day in days]
    return Strategy(
        name=name,
        trades=sum(day.positions for day in days),
        gross_return=_growth([day.gross for day in days]),
        costs=sum(day.cost for day in days),
        net_return=_growth(net),
        benchmark_return=_growth(held),
        sharpe=annualised(sharpe(net)),
        benchmark_sharpe=annualised(sharpe(held)),
        probabilistic_sharpe=probabilistic_sharpe(net),
        deflated_sharpe=deflated_sharpe(net, ratios) if len(ratios) > 1 else None,
        max_drawdown=max(drawdowns(equity), default=0.0),
    )


def _growth(returns: Sequence[float]) -> float:
    return compounded(returns)[-1] - 1 if returns else 0.0
