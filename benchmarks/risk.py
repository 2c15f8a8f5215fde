"""How long the full risk check of a thousand orders takes against a large portfolio, in one process.

    uv run python benchmarks/risk.py

A portfolio of 100 assets with 500 days of bars (a seeded random walk: only the amount of work matters),
1,000 orders, every check of the specification on each: alone, as a basket in which each order changes the
book, and with a VaR limit so tight that every order has to be cut by bisection. Target: one second each.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from bellwether.domain.entities import Asset, Portfolio, Position
from bellwether.domain.limits import Controls
from bellwether.domain.portfolio_value import Market, valued
from bellwether.domain.prices import History
from bellwether.domain.risk import settled
from bellwether.domain.risk_order import Order, Situation
from bellwether.usecases.check_risk import basket

AS_OF = datetime(2024, 6, 3, tzinfo=UTC)
ASSETS, DAYS, ORDERS = 100, 501, 1_000


def walk(symbol: str, days: list[date], chance: random.Random) -> History:
    """Bars of a geometric random walk of 1 % a day."""
    closes = [100.0]
    for _ in days[1:]:
        closes.append(closes[-1] * (1 + chance.gauss(0, 0.01)))
    return History(symbol, days, closes, closes, closes, closes, closes, [1e6] * len(closes))


def situation(controls: Controls) -> Situation:
    """The portfolio, valued: part of what is measured."""
    market = Market(as_of=AS_OF, histories=HISTORIES, assets=TRACKED, days=controls.limits.var_days)
    return Situation(as_of=AS_OF, controls=controls, book=valued(market, PORTFOLIO))


def measured(what: str, work: Callable[[], object]) -> None:
    """Prints the best of three."""
    took = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    print(f"{what:<48} {min(took):6.3f} s")


def alone(controls: Controls) -> None:
    """Each order against the same book."""
    where = situation(controls)
    for order in ORDERED:
        settled(order, where)


CHANCE = random.Random(1)
DATES = [day for n in range(720) if (day := date(2022, 7, 1) + timedelta(n)).weekday() < 5][-DAYS:]
HISTORIES = {f"S{n}": walk(f"S{n}", DATES, CHANCE) for n in range(ASSETS)}
TRACKED = {s: Asset(symbol=s, name=s, sector=f"sector {n % 10}") for n, s in enumerate(HISTORIES)}
PORTFOLIO = Portfolio(
    name="core", cash=1e6, positions=tuple(Position(symbol=s, quantity=50, cost=100) for s in HISTORIES)
)
ORDERED = [Order(asset=f"S{n % ASSETS}", side="buy", quantity=10 + n % 50) for n in range(ORDERS)]

if __name__ == "__main__":
    plain = Controls()
    before = situation(plain).book.profits_with("S0", 0.0)
    worst = sorted(before)[24] * -1
    equity = situation(plain).book.equity or 1.0
    tight = replace(plain, limits=replace(plain.limits, var_95=worst / equity))
    measured(f"{ORDERS} orders, each alone", lambda: alone(plain))
    measured(f"{ORDERS} orders as one basket", lambda: basket(ORDERED, situation(plain)))
    measured(f"{ORDERS} orders against a VaR limit that binds", lambda: alone(tight))
