"""Answers of providers into the desk: on one scale, whatever happened in between."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bellwether.adapters.memory import MemoryPrices
from bellwether.domain.corporate_actions import Actions, Dividend
from bellwether.domain.prices import History
from bellwether.usecases.take_prices import Answer, Taken, TakePrices
from tests.unit.prices.test_price_quality import prices_times, walk


def part(history: History, first: int, last: int) -> History:
    return History("KO", *(getattr(history, name)[first:last] for name in History.__struct_fields__[1:]))


def answer(history: History, actions: Actions | None = None, *, tells: bool = True) -> Answer:
    return Answer(history=history, refused=[], actions=actions or Actions("KO"), tells_actions=tells)


def take(prices: MemoryPrices, told: Answer, **more: object) -> Taken:
    return TakePrices(prices)(told, last=told.history.dates[-1], **more)  # type: ignore[arg-type]


@pytest.mark.req("A3")
def test_new_days_are_added_and_the_same_again_changes_nothing() -> None:
    prices, history = MemoryPrices(), walk()
    take(prices, answer(part(history, 0, 90)))
    taken = take(prices, answer(part(history, 85, 100)))
    assert (taken.bars, taken.changed, taken.held, taken.refetched) == (15, 10, [], False)
    assert take(prices, answer(part(history, 85, 100))).changed == 0
    assert prices.history("KO") == history


@pytest.mark.req("A3")
def test_when_the_scale_has_moved_everything_is_asked_for_again() -> None:
    prices, history = MemoryPrices(), walk()
    take(prices, answer(part(history, 0, 90)))
    paid = Actions("KO", (), (Dividend(date=history.dates[95], cash=0.05 * history.close[94]),))
    after = part(history, 0, 100)
    after.adj_close[:95] = [close * 0.95 for close in after.adj_close[:95]]
    asked: list[date] = []

    def again(first: date) -> Answer:
        asked.append(first)
        return answer(after, paid)

    taken = take(prices, answer(part(after, 85, 100), paid), again=again)
    assert asked == [history.dates[0]]
    assert (taken.refetched, taken.rescaled) == (True, 0)
    assert prices.history("KO") == after
    assert prices.actions("KO") == paid


@pytest.mark.req("A3")
def test_older_bars_a_provider_does_not_have_are_put_on_the_new_scale() -> None:
    prices, history = MemoryPrices(), walk()
    take(prices, answer(part(history, 0, 90)))
    paid = Actions("KO", (), (Dividend(date=history.dates[95], cash=0.05 * history.close[94]),))
    after = part(history, 0, 100)
    after.adj_close[:95] = [close * 0.95 for close in after.adj_close[:95]]
    taken = take(prices, answer(part(after, 85, 100), paid))
    assert taken.rescaled == 85
    kept = prices.history("KO")
    assert kept.adj_close == pytest.approx(after.adj_close)
    assert kept.close == history.close


@pytest.mark.req("A3")
def test_a_whole_answer_in_other_units_changes_nothing() -> None:
    prices, history = MemoryPrices(), walk()
    take(prices, answer(part(history, 0, 90)))
    pence = part(history, 0, 100)
    prices_times(pence, range(100), 100.0)
    taken = take(prices, answer(part(pence, 85, 100)), again=lambda _: answer(pence))
    assert (taken.bars, taken.changed) == (0, 0)
    assert {one.code for one in taken.held} == {"units"}
    assert prices.history("KO").dates == history.dates[:90]


@pytest.mark.req("A3")
def test_a_held_back_newest_bar_leaves_the_price_to_grow_old() -> None:
    prices, history = MemoryPrices(), walk()
    prices_times(history, range(99, 100), 100.0)
    take(prices, answer(history))
    week = datetime.combine(history.dates[99] + timedelta(days=7), datetime.min.time(), UTC)
    last = prices.history("KO").last_known(week)
    assert last is not None
    assert last.date == history.dates[98]


def test_actions_of_bars_that_are_not_believed_are_not_kept() -> None:
    prices, history = MemoryPrices(), walk()
    wrong = Dividend(date=history.dates[70], cash=0.9 * history.close[69])
    taken = take(prices, answer(history, Actions("KO", (), (wrong,))))
    assert taken.held[0].code == "bad_dividend"
    assert prices.actions("KO").dividends == ()


def test_after_a_long_gap_the_last_known_bar_says_nothing() -> None:
    prices, history = MemoryPrices(), walk()
    prices_times(history, range(60, 100), 0.5)
    take(prices, answer(part(history, 0, 40)))
    assert take(prices, answer(part(history, 60, 100))).held == []


def test_when_asking_again_fails_nothing_is_merged() -> None:
    prices, history = MemoryPrices(), walk()
    take(prices, answer(part(history, 0, 90)))
    moved = part(history, 85, 100)
    moved.adj_close[:] = [close * 2 for close in moved.adj_close]

    def again(_: date) -> Answer:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        take(prices, answer(moved), again=again)
    assert prices.history("KO") == part(history, 0, 90)
