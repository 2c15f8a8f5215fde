"""The gate before bars are merged: how many real bars it holds back, and how many faults it finds.

    uv run python -m benchmarks.price_quality

Reads StockNet's prices (87 US symbols, September 2012 to September 2015, as Yahoo told them) under
`$BELLWETHER_DATA` (default: `../shared/data` beside the repository) and says so when they are not there.
Those closes are adjusted for splits, `adj_close` for dividends too: dividends are read off the ratio of the
two. Faults are put into the real bars one at a time, at places drawn with a fixed seed; one is found when a
bar it spoiled is held back. Newest bars are judged as the desk judges them every night: as the last of the
bars there are.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from time import process_time

import pyarrow.parquet as pq

from bellwether.domain.corporate_actions import Actions, Dividend
from bellwether.domain.price_quality import HeldBar, believed
from bellwether.domain.prices import History

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
COLUMNS = ("open", "high", "low", "close", "adj_close", "volume")
PLACES = 400
CENTS = 5e-5
"""A dividend of less than this share of the price is rounding of the adjusted close."""

Fault = Callable[[dict[str, list[float]], list[date], int, Random], list[int]]
"""Spoils columns at a row; gives the rows it spoiled."""


def histories(path: Path) -> Iterator[History]:
    """The bars by symbol."""
    table = pq.read_table(path).to_pydict()
    rows: dict[str, list[int]] = {}
    for row, symbol in enumerate(table["symbol"]):
        rows.setdefault(symbol, []).append(row)
    for symbol, of_symbol in rows.items():
        of_symbol.sort(key=lambda row: table["date"][row])
        days = [date.fromisoformat(table["date"][row]) for row in of_symbol]
        yield History(symbol, days, *([table[name][row] for row in of_symbol] for name in COLUMNS))


def actions_of(history: History) -> Actions:
    """Dividends as the ratio of adjusted close to close tells them."""
    scale = [adjusted / close for adjusted, close in zip(history.adj_close, history.close, strict=True)]
    dividends = [
        Dividend(date=history.dates[row], cash=(1 - scale[row - 1] / scale[row]) * history.close[row - 1])
        for row in range(1, len(scale))
        if 1 - scale[row - 1] / scale[row] > CENTS
    ]
    return Actions(history.symbol, (), tuple(dividends))


def judged(history: History, actions: Actions, known: History | None = None) -> list[HeldBar]:
    """What is held back of a history when it is taken in one piece."""
    return believed(
        history,
        known=known or History(history.symbol),
        actions=actions,
        market="us",
        last=max(history.dates[-1], date(2015, 9, 30)),
        tells_actions=True,
    )[1]


def newest(history: History, actions: Actions) -> list[HeldBar]:
    """What is held back when each bar comes as the newest one, the others being believed."""
    held = []
    for row in range(70, len(history.dates)):
        known = cut(history, row - 70, row)
        held += judged(cut(history, row, row + 1), actions, known)
    return held


def cut(history: History, first: int, last: int) -> History:
    """Some of the rows."""
    columns = [getattr(history, name)[first:last] for name in COLUMNS]
    return History(history.symbol, history.dates[first:last], *columns)


def scaled(columns: dict[str, list[float]], rows: range, factor: float) -> None:
    """Multiplies the prices of rows."""
    for name in COLUMNS[:5]:
        for row in rows:
            columns[name][row] *= factor


def a_split(columns: dict[str, list[float]], days: list[date], row: int, random: Random) -> list[int]:
    """From the row on as traded after a split nobody told."""
    ratio = random.choice([2, 3, 1.5, 4, 7, 10, 0.1, 0.2, 20])
    rows = range(row, len(days))
    scaled(columns, rows, 1 / ratio)
    for later in rows:
        columns["volume"][later] *= ratio
    return [row]


def pence(columns: dict[str, list[float]], days: list[date], row: int, random: Random) -> list[int]:
    scaled(columns, range(row, len(days)), random.choice([100, 0.01]))
    return [row]


def pence_for_a_day(columns: dict[str, list[float]], _: list[date], row: int, random: Random) -> list[int]:
    scaled(columns, range(row, row + 1), random.choice([100, 0.01]))
    return [row]


def a_bad_close(columns: dict[str, list[float]], _: list[date], row: int, random: Random) -> list[int]:
    """One close 20 to 80 % off, with the range to go with it."""
    factor = random.choice([random.uniform(0.2, 0.8), random.uniform(1.2, 1.8)])
    for name in ("close", "adj_close"):
        columns[name][row] *= factor
    columns["high"][row] = max(columns[name][row] for name in ("open", "high", "close"))
    columns["low"][row] = min(columns[name][row] for name in ("open", "low", "close"))
    return [row]


def no_trade(columns: dict[str, list[float]], _: list[date], row: int, __: Random) -> list[int]:
    """The last bar told again for eight days, without volume."""
    for later in range(row, row + 8):
        for name in COLUMNS[:5]:
            columns[name][later] = columns[name][row - 1]
        columns["volume"][later] = 0.0
    return list(range(row + 5, row + 8))


def yesterday_again(columns: dict[str, list[float]], _: list[date], row: int, __: Random) -> list[int]:
    for name in COLUMNS:
        columns[name][row] = columns[name][row - 1]
    return [row]


def high_below_low(columns: dict[str, list[float]], _: list[date], row: int, __: Random) -> list[int]:
    columns["high"][row], columns["low"][row] = columns["low"][row], columns["high"][row]
    return [row]


def a_spike(columns: dict[str, list[float]], _: list[date], row: int, random: Random) -> list[int]:
    columns["high"][row] *= random.uniform(2.5, 10)
    return [row]


def unadjusted(columns: dict[str, list[float]], _: list[date], row: int, random: Random) -> list[int]:
    """An adjusted close that leaves a payment of 1 to 5 % out."""
    for earlier in range(row):
        columns["adj_close"][earlier] *= 1 - random.uniform(0.01, 0.05)
    return [row]


def on_a_sunday(_: dict[str, list[float]], days: list[date], row: int, __: Random) -> list[int]:
    monday = next(place for place in range(row, len(days)) if days[place].weekday() == 0)
    days[monday] -= timedelta(days=1)
    return [monday]


FAULTS: dict[str, Fault] = {
    "missed split": a_split,
    "pence for good": pence,
    "pence for a day": pence_for_a_day,
    "bad close, 20-80 % off": a_bad_close,
    "no trade for eight days": no_trade,
    "yesterday told again": yesterday_again,
    "high below low": high_below_low,
    "spike of the high": a_spike,
    "payment left out of adj_close": unadjusted,
    "bar of a Sunday": on_a_sunday,
}


def found(fault: Fault, all_of: list[tuple[History, Actions]], *, last: bool) -> tuple[int, Counter[str]]:
    """How many of the faults were held back, and as what; `last` cuts the bars at the spoiled one."""
    random, hits, codes = Random(7), 0, Counter[str]()
    for _ in range(PLACES):
        history, actions = random.choice(all_of)
        row = random.randrange(80, len(history.dates) - 20)
        days = list(history.dates)
        columns = {name: list(getattr(history, name)) for name in COLUMNS}
        spoiled = fault(columns, days, row, random)
        end = spoiled[-1] + 1 if last else len(days)
        spoiled_history = History(history.symbol, days, *(columns[name] for name in COLUMNS))
        held = {one.date: one.code for one in judged(cut(spoiled_history, row - 80, end), actions)}
        code = next((held[days[one]] for one in spoiled if days[one] in held), None)
        hits += code is not None
        codes[code or "believed"] += 1
    return hits, codes


def bad_dividends(all_of: list[tuple[History, Actions]]) -> tuple[int, Counter[str]]:
    """Dividends that are told and were not paid: 30 to 90 % of the price."""
    random, hits, codes = Random(7), 0, Counter[str]()
    for _ in range(PLACES):
        history, actions = random.choice(all_of)
        row = random.randrange(80, len(history.dates) - 20)
        told = Dividend(date=history.dates[row], cash=history.close[row - 1] * random.uniform(0.3, 0.9))
        more = tuple(sorted((*actions.dividends, told), key=lambda one: one.date))
        held = {
            one.date: one.code
            for one in judged(cut(history, row - 80, row + 1), Actions(history.symbol, (), more))
        }
        hits += told.date in held
        codes[held.get(told.date, "believed")] += 1
    return hits, codes


def main() -> int:
    """Prints the figures; 0 also when there is nothing to measure with."""
    path = DATA / "stocknet" / "prices.parquet"
    if not path.is_file():
        print(f"no prices to judge: {path} is absent (set BELLWETHER_DATA)")
        return 0
    all_of = [(history, actions_of(history)) for history in histories(path)]
    bars = sum(len(history.dates) for history, _ in all_of)
    began = process_time()
    whole = [held for history, actions in all_of for held in judged(history, actions)]
    seconds = process_time() - began
    print(f"{bars:,} real bars of {len(all_of)} symbols, {bars / seconds:,.0f} a second of processor time")
    print(f"held back, a history at once:  {len(whole)} ({len(whole) / bars:.4%})")
    for one in whole:
        print(f"    {one.symbol} {one.date} {one.code}: {one.detail}")
    single = [held for history, actions in all_of for held in newest(history, actions)]
    judged_bars = bars - 70 * len(all_of)
    print(
        f"held back, each as the newest: {len(single)} of {judged_bars:,} ({len(single) / judged_bars:.4%})"
    )
    for one in single:
        print(f"    {one.symbol} {one.date} {one.code}: {one.detail}")
    print(f"\n{'fault':32} {'within':>7} {'newest':>7}   as")
    for name, fault in FAULTS.items():
        within, codes = found(fault, all_of, last=False)
        as_last, _ = found(fault, all_of, last=True)
        told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
        print(f"{name:32} {within / PLACES:>7.1%} {as_last / PLACES:>7.1%}   {told}")
    hits, codes = bad_dividends(all_of)
    told = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    print(f"{'dividend of 30-90 % not paid':32} {'':>7} {hits / PLACES:>7.1%}   {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
