"""What trading on the forecasts would have made, after costs, against holding everything.

Every day each asset whose probability is far enough from its base rate is bought or sold with an equal part
of the capital, from open to open over the horizon, each position opened and closed at full cost: what could
be saved by keeping a position from one day to the next is not counted. Over several days a part of the
capital as large as one over the horizon is committed each day.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import accumulate, pairwise
from statistics import fmean
from typing import NamedTuple

from msgspec import Struct

from bellwether.backtest.figures import Figure
from bellwether.backtest.records import Resolved, Settings
from bellwether.domain.cluster_bootstrap import bootstrap, percentile_interval
from bellwether.domain.prices import History
from bellwether.domain.sharpe import annualised, deflated_sharpe, expected_best, probabilistic_sharpe, sharpe
from bellwether.domain.trading_cost import TRADING_DAYS, expected_cost

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


class Market:
    """Volume and volatility known when an order is made, from running sums over each asset's bars."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        self._histories = histories
        self._sums: dict[str, _Sums] = {}

    def at(self, asset: str, day: date) -> tuple[float | None, float]:
        """At the end of a day that has a bar: average daily volume in money over 20 days (`None` without
        any) and daily volatility over 60.
        """
        if asset not in self._sums:
            self._sums[asset] = _Sums(self._histories[asset])
        return self._sums[asset].at(day)


class _Sums:
    """Sums over one asset's bars up to each of them."""

    def __init__(self, history: History) -> None:
        closes = history.adj_close
        returns = [later / earlier - 1 for earlier, later in pairwise(closes)]
        self._history = history
        self._volumes = list(accumulate(history.volume, initial=0.0))
        self._returns = list(accumulate(returns, initial=0.0))
        self._squares = list(accumulate([value * value for value in returns], initial=0.0))

    def at(self, day: date) -> tuple[float | None, float]:
        known = bisect_right(self._history.dates, day)
        days = min(known, VOLUME_DAYS)
        volume = (self._volumes[known] - self._volumes[known - days]) / days
        money = volume * self._history.close[known - 1] if volume > 0 else None
        return money, self._deviation(known - 1)

    def _deviation(self, known: int) -> float:
        """Sample standard deviation of the last of `known` returns."""
        n = min(known, VOLATILITY_DAYS)
        if n < 2:
            return _FALLBACK_VOLATILITY
        total = self._returns[known] - self._returns[known - n]
        squares = self._squares[known] - self._squares[known - n]
        return math.sqrt(max(0.0, squares - total * total / n) / (n - 1))


class _Bet(NamedTuple):
    """What an order on a forecast needs: each configuration's probability, and what came of it."""

    views: dict[str, float]
    base_rate: float
    value: float
    volume: float | None
    volatility: float


def trading(resolved: Sequence[Resolved], histories: Mapping[str, History], settings: Settings) -> Trading:
    """The fused forecast and each agent on its own, as so many configurations tried."""
    market = Market(histories)
    agents = sorted({part.agent_id for outcome in resolved for part in outcome.forecast.parts})
    by_day: dict[date, list[Resolved]] = defaultdict(list)
    for outcome in resolved:
        by_day[outcome.forecast.day].append(outcome)
    bets = [([_bet(one, market) for one in by_day[day]], by_day[day]) for day in sorted(by_day)]
    tried = {
        name: [_day(name, day, outcomes, settings) for day, outcomes in bets] for name in (FUSED, *agents)
    }
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


def _bet(outcome: Resolved, market: Market) -> _Bet:
    made = outcome.forecast
    views = {part.agent_id: part.p_up for part in made.parts}
    views[FUSED] = made.p_up
    return _Bet(views, made.base_rate, outcome.value, *market.at(made.asset, made.day))


def _day(name: str, bets: Sequence[_Bet], outcomes: Sequence[Resolved], settings: Settings) -> DayOfTrading:
    orders = [
        (bet, p > bet.base_rate)
        for bet in bets
        if (p := bet.views.get(name)) is not None and abs(p - bet.base_rate) >= settings.least_edge
    ]
    share = 1 / max(LEAST_POSITIONS, len(orders)) / settings.horizon
    notional = settings.capital * share
    gross = cost = 0.0
    for bet, long in orders:
        gross += share * (bet.value if long else -bet.value)
        cost += expected_cost(
            settings.costs,
            side="buy" if long else "sell",
            horizon=settings.horizon,
            notional=notional,
            volume_share=notional / bet.volume if bet.volume else None,
            daily_volatility=bet.volatility,
        )
    held = [outcome.benchmark for outcome in outcomes if outcome.benchmark is not None]
    return DayOfTrading(
        day=max([outcome.leave for outcome in outcomes]),
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
