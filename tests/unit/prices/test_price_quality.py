"""The gate before bars are merged: each fault by itself, and that what is real passes."""

import math
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.corporate_actions import Actions, Dividend, Split
from bellwether.domain.market_days import Market, is_session
from bellwether.domain.price_quality import HeldBar, believed
from bellwether.domain.prices import History

NO_ACTIONS = Actions("KO")
START = date(2024, 1, 2)
BARS = 100


def sessions(count: int, first: date = START) -> list[date]:
    days: list[date] = []
    day = first
    while len(days) < count:
        if is_session(day, "us"):
            days.append(day)
        day += timedelta(days=1)
    return days


def walk(count: int = BARS, seed: int = 1, daily: float = 0.012) -> History:
    """Bars of a random walk, as traded on New York's days."""
    random, close = Random(seed), 60.0
    columns: list[list[float]] = [[] for _ in range(6)]
    for _ in range(count):
        opened = close * math.exp(random.gauss(0, daily / 2))
        close = opened * math.exp(random.gauss(0, daily))
        high, low = max(opened, close) * 1.004, min(opened, close) * 0.996
        volume = 1e6 * math.exp(random.gauss(0, 0.2))
        for column, value in zip(columns, (opened, high, low, close, close, volume), strict=True):
            column.append(value)
    return History("KO", sessions(count), *columns)


def judge(
    history: History,
    actions: Actions = NO_ACTIONS,
    *,
    known: History | None = None,
    market: Market = "us",
    tells_actions: bool = True,
) -> tuple[History, list[HeldBar]]:
    last = max(history.dates, default=START)
    return believed(
        history,
        known=known or History("KO"),
        actions=actions,
        market=market,
        last=last,
        tells_actions=tells_actions,
    )


def prices_times(history: History, rows: range, factor: float, volume: float = 1.0) -> None:
    for row in rows:
        for column in (history.open, history.high, history.low, history.close, history.adj_close):
            column[row] *= factor
        history.volume[row] *= volume


def codes(held: list[HeldBar]) -> dict[date, str]:
    return {one.date: one.code for one in held}


@given(st.integers(0, 500))
def test_a_plain_walk_passes_whole(seed: int) -> None:
    history = walk(seed=seed)
    good, held = judge(history)
    assert held == []
    assert good is history


@pytest.mark.parametrize("ratio", [2.0, 3.0, 1.5, 7.0, 20.0, 0.1, 0.25])
def test_a_split_nobody_told_stops_the_history_there(ratio: float) -> None:
    history = walk()
    prices_times(history, range(70, BARS), 1 / ratio, ratio)
    good, held = judge(history)
    assert good.dates == history.dates[:70]
    assert {one.code for one in held} == {"missed_split"}
    assert held[0].date == history.dates[70]
    assert held[0].limit == pytest.approx(max(ratio, 1 / ratio))


@pytest.mark.parametrize("ratio", [2.0, 7.0, 0.1])
def test_a_split_that_is_told_passes_where_the_adjusted_close_goes_on(ratio: float) -> None:
    history = walk()
    adjusted = list(history.adj_close)
    prices_times(history, range(70, BARS), 1 / ratio, ratio)
    # on the scale of the last bar
    history.adj_close[:] = [close / ratio for close in adjusted]
    told = Actions("KO", (Split(date=history.dates[70], ratio=ratio),))
    assert judge(history, told)[1] == []


def test_a_fall_by_half_on_news_is_no_split() -> None:
    history = walk()
    prices_times(history, range(70, BARS), 0.5)
    history.volume[70] *= 15
    assert judge(history)[1] == []


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_prices_in_other_units_are_held_back_until_they_are_right_again(factor: float) -> None:
    history = walk()
    prices_times(history, range(70, 75), factor)
    good, held = judge(history)
    assert codes(held) == dict.fromkeys(history.dates[70:75], "units")
    assert len(good.dates) == BARS - 5
    assert held[0].observed == pytest.approx(factor, rel=0.1)


@pytest.mark.parametrize("factor", [0.55, 0.8, 1.3, 4.4])
def test_a_tick_that_comes_back_the_next_day_is_one_bar(factor: float) -> None:
    history = walk()
    prices_times(history, range(70, 71), factor)
    good, held = judge(history)
    assert list(codes(held)) == [history.dates[70]]
    assert held[0].code in {"bad_tick", "missed_split"}
    assert len(good.dates) == BARS - 1


def test_a_jump_of_the_newest_bar_waits_for_the_next_day_to_confirm_it() -> None:
    history = walk()
    prices_times(history, range(70, BARS), 1.8)
    newest = History("KO", *(getattr(history, name)[:71] for name in History.__struct_fields__[1:]))
    assert codes(judge(newest)[1]) == {history.dates[70]: "unconfirmed_jump"}
    assert judge(history)[1] == []
    newest.volume[70] *= 10
    assert judge(newest)[1] == []


def test_an_adjusted_close_has_to_follow_from_the_dividends() -> None:
    history = walk()
    cash = 0.03 * history.close[69]
    factor = 1 - cash / history.close[69]
    for row in range(70):
        history.adj_close[row] *= factor
    told = Actions("KO", (), (Dividend(date=history.dates[70], cash=cash),))
    assert judge(history, told)[1] == []
    # nothing told: everything from there on is on a scale nobody explains
    assert codes(judge(history)[1]) == dict.fromkeys(history.dates[70:], "bad_adjustment")
    # whoever tells no actions at all is not held to them
    assert judge(history, tells_actions=False)[1] == []


@pytest.mark.parametrize("share", [0.3, 0.9, 1.5])
def test_a_dividend_out_of_proportion_that_the_price_does_not_show(share: float) -> None:
    history = walk()
    told = Actions("KO", (), (Dividend(date=history.dates[70], cash=share * history.close[69]),))
    held = judge(history, told)[1]
    assert (held[0].date, held[0].code) == (history.dates[70], "bad_dividend")
    assert held[0].observed == pytest.approx(share)


def test_a_large_dividend_that_the_price_shows_was_paid() -> None:
    history = walk()
    cash = 0.4 * history.close[69]
    prices_times(history, range(70, BARS), 0.6)
    history.adj_close[:] = [*(close * 0.6 for close in history.close[:70]), *history.close[70:]]
    told = Actions("KO", (), (Dividend(date=history.dates[70], cash=cash),))
    held = codes(judge(history, told)[1])
    assert "bad_dividend" not in held.values()
    assert "bad_adjustment" not in held.values()


def frozen(history: History, rows: range, volume: float) -> None:
    for row in rows:
        for column in (history.open, history.high, history.low, history.close, history.adj_close):
            column[row] = column[row - 1]
        history.volume[row] = volume


def test_days_without_trade_are_kept_for_a_week_and_then_stale() -> None:
    history = walk()
    frozen(history, range(70, 78), 0.0)
    _, held = judge(history)
    # the first day without volume still differs from the traded one before it
    assert codes(held) == dict.fromkeys(history.dates[75:78], "stale_bars")
    assert [one.observed for one in held] == [5.0, 6.0, 7.0]


def test_known_bars_count_toward_days_without_trade() -> None:
    history = walk()
    frozen(history, range(70, BARS), 0.0)
    known = History("KO", *(getattr(history, name)[:80] for name in History.__struct_fields__[1:]))
    night = History("KO", *(getattr(history, name)[80:81] for name in History.__struct_fields__[1:]))
    assert codes(judge(night, known=known)[1]) == {history.dates[80]: "stale_bars"}


def test_yesterday_told_again_as_today() -> None:
    history = walk()
    frozen(history, range(70, 71), history.volume[69])
    assert codes(judge(history)[1]) == {history.dates[70]: "repeated_bar"}


def swap(history: History) -> None:
    history.high[70], history.low[70] = history.low[70], history.high[70]


def outside(history: History) -> None:
    history.high[70] = history.close[70] * 0.97
    history.open[70] = history.close[70]
    history.low[70] = history.high[70] * 0.99


def spike(history: History) -> None:
    history.high[70] = history.close[70] * 3


def hole(history: History) -> None:
    history.low[70] = history.close[70] / 3


@pytest.mark.parametrize(
    ("spoil", "code"),
    [(swap, "impossible"), (outside, "impossible"), (spike, "bad_tick"), (hole, "bad_tick")],
)
def test_a_range_that_cannot_be(spoil: Callable[[History], None], code: str) -> None:
    history = walk()
    spoil(history)
    assert codes(judge(history)[1]) == {history.dates[70]: code}


def test_bars_of_days_without_a_market_and_of_days_to_come() -> None:
    history = walk()
    history.dates[-1] = date(2024, 5, 25)
    held = judge(history)[1]
    assert codes(held) == {date(2024, 5, 25): "no_session"}
    assert judge(history, market="always")[1] == []
    early = believed(
        history,
        known=History("KO"),
        actions=NO_ACTIONS,
        market="us",
        last=history.dates[-3],
        tells_actions=True,
    )[1]
    assert [one.code for one in early] == ["in_the_future", "in_the_future"]
    assert early[0].observed == 1.0


def test_nothing_is_judged_as_nothing() -> None:
    assert judge(History("KO")) == (History("KO"), [])
