"""What trading on the forecasts would have made, after costs, against holding everything.

Every day each asset whose probability is far enough from its base rate is bought or sold with an equal part
of the capital, from open to open over the horizon, each position opened and closed at full cost: what could
be saved by keeping a position from one day to the next is not counted. Over several days a part of the
capital as large as one over the horizon is committed each day.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from msgspec import Struct

from bellwether.backtest.by_day import ByDay
from bellwether.backtest.cluster_bootstrap import bootstrap, percentile_interval
from bellwether.backtest.columns import Flags, Floats, Ints, distinct
from bellwether.backtest.figures import Figure
from bellwether.backtest.forecasts import Outcomes
from bellwether.backtest.records import Settings
from bellwether.backtest.resolving import ordinals
from bellwether.domain.limits import CostModel
from bellwether.domain.prices import History
from bellwether.domain.sharpe import annualised, deflated_sharpe, expected_best, probabilistic_sharpe, sharpe
from bellwether.domain.trading_cost import TRADING_DAYS, fixed_round_trip

VOLUME_DAYS = 20
VOLATILITY_DAYS = 60
LEAST_POSITIONS = 10
"""No position is larger than a tenth of a day's part of the capital."""
_FALLBACK_VOLATILITY = 0.02

FUSED = "fused"


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
    """One configuration's results. Ratios are annualised; the probabilities are of the ratio being real.

    `over_benchmark` is the mean daily return after costs less that of holding all assets, times 252, with
    the interval that drawing whole days gives it.
    """

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
    over_benchmark: Figure


class Trading(Struct, frozen=True, kw_only=True):
    """All configurations tried, the fused forecast first, and its days."""

    strategies: list[Strategy]
    expected_best_sharpe: float
    days: list[DayOfTrading]


def market_known(resolved: Outcomes, histories: Mapping[str, History]) -> tuple[Floats, Floats]:
    """What was known of each asset when a forecast was made, at the end of a day that has a bar.

    Average daily volume in money over 20 days (0 without any), and daily volatility over 60.
    """
    made = resolved.forecasts
    volume, volatility = np.zeros(len(resolved)), np.zeros(len(resolved))
    for place in distinct(made.asset):
        own, history = made.asset == place, histories[made.assets[place]]
        known = np.searchsorted(ordinals(history), made.day[own], side="right")
        volume[own] = _volumes(history, known)
        volatility[own] = _volatilities(history, known)
    return volume, volatility


def _running(values: Floats) -> Floats:
    """Sums of what comes before each place and the end."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _volumes(history: History, known: Ints) -> Floats:
    """Average daily volume in money of the last 20 of `known` bars."""
    sums, days = _running(np.array(history.volume)), np.minimum(known, VOLUME_DAYS)
    average: Floats = (sums[known] - sums[known - days]) / days
    money: Floats = np.maximum(average, 0.0) * np.array(history.close)[known - 1]
    return money


def _volatilities(history: History, known: Ints) -> Floats:
    """Sample standard deviation of the last 60 returns between `known` bars."""
    closes = np.array(history.adj_close)
    returns = closes[1:] / closes[:-1] - 1
    sums, squares = _running(returns), _running(returns * returns)
    last, n = known - 1, np.minimum(known - 1, VOLATILITY_DAYS)
    total, square = sums[last] - sums[last - n], squares[last] - squares[last - n]
    variance = (square - total * total / np.maximum(n, 1)) / np.maximum(n - 1, 1)
    return np.where(n < 2, _FALLBACK_VOLATILITY, np.sqrt(np.maximum(variance, 0.0)))


def expected_costs(
    costs: CostModel,
    *,
    long: Flags,
    horizon: int,
    notional: Floats,
    volume: Floats,
    volatility: Floats,
) -> Floats:
    """`domain.trading_cost.expected_cost` of each order; `volume` in money (0 where it is not known)."""
    buying, selling = (fixed_round_trip(costs, side, horizon) for side in ("buy", "sell"))
    share = np.divide(notional, volume, out=np.zeros(len(volume)), where=volume > 0)
    impact = costs.impact * volatility * np.sqrt(share)
    commission = 2 * np.maximum(0.0, costs.minimum_commission - costs.commission * notional)
    paid: Floats = notional * (np.where(long, buying, selling) + 2 * impact) + commission
    return paid


def trading(resolved: Outcomes, histories: Mapping[str, History], settings: Settings) -> Trading:
    """The fused forecast and each agent on its own, as so many configurations tried."""
    made = resolved.forecasts
    orders = _Orders(resolved, histories, settings)
    tried = {FUSED: orders.days(made.p_up)}
    for agent, own in zip(made.agents, made.agent_p_up, strict=True):
        if not np.isnan(own).all():
            tried[agent] = orders.days(own)
    ratios = [ratio for days in tried.values() if (ratio := sharpe([d.net for d in days])) is not None]
    over = _over_benchmark(list(tried.values()), settings)
    return Trading(
        strategies=[
            _strategy(name, days, ratios, beyond)
            for (name, days), beyond in zip(tried.items(), over, strict=True)
        ],
        expected_best_sharpe=annualised(expected_best(ratios)) or 0.0,
        days=tried[FUSED],
    )


def _over_benchmark(tried: Sequence[Sequence[DayOfTrading]], settings: Settings) -> list[Figure]:
    columns = [[day.net - day.benchmark for day in days] for days in tried]
    size = len(columns[0])

    def a_year(totals: Sequence[float]) -> list[float | None]:
        return [total / size * TRADING_DAYS for total in totals]

    drawn = bootstrap(
        columns, a_year, seed=settings.seed, replicates=settings.replicates, block=settings.horizon
    )
    values = a_year([sum(column) for column in columns]) if size else [None] * len(columns)
    intervals = [percentile_interval(found) for found in drawn] or [None] * len(columns)
    return [Figure(value, interval) for value, interval in zip(values, intervals, strict=True)]


class _Orders:
    """The orders made on forecasts; what they have in common whoever made the forecast."""

    def __init__(self, resolved: Outcomes, histories: Mapping[str, History], settings: Settings) -> None:
        self._resolved = resolved
        self._settings = settings
        self._volume, self._volatility = market_known(resolved, histories)
        self._by_day = ByDay(resolved.forecasts.day)
        self._closed = self._by_day.largest(resolved.leave)
        known = ~np.isnan(resolved.benchmark)
        held = self._by_day.sums(np.where(known, resolved.benchmark, 0.0))
        self._held = held / np.maximum(self._by_day.sums(known), 1) / settings.horizon

    def days(self, p_up: Floats) -> list[DayOfTrading]:
        """Each day's result of trading on probabilities, NaN where there is none."""
        settings, base = self._settings, self._resolved.forecasts.base_rate
        placed = np.abs(p_up - base) >= settings.least_edge
        long = p_up > base
        positions = self._by_day.sums(placed)
        share = 1 / np.maximum(LEAST_POSITIONS, positions) / settings.horizon
        each = self._by_day.spread(share)
        cost = expected_costs(
            settings.costs,
            long=long,
            horizon=settings.horizon,
            notional=settings.capital * each,
            volume=self._volume,
            volatility=self._volatility,
        )
        gain = np.where(long, self._resolved.value, -self._resolved.value) * each
        columns = (
            self._closed.tolist(),
            self._by_day.sums(np.where(placed, gain, 0.0)).tolist(),
            (self._by_day.sums(np.where(placed, cost, 0.0)) / settings.capital).tolist(),
            self._held.tolist(),
            positions.astype(np.int64).tolist(),
        )
        return [
            DayOfTrading(day=date.fromordinal(day), gross=gross, cost=paid, benchmark=held, positions=made)
            for day, gross, paid, held, made in zip(*columns, strict=True)
        ]


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


def _strategy(
    name: str, days: Sequence[DayOfTrading], ratios: Sequence[float], over_benchmark: Figure
) -> Strategy:
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
        over_benchmark=over_benchmark,
    )


def _growth(returns: Sequence[float]) -> float:
    return compounded(returns)[-1] - 1 if returns else 0.0
