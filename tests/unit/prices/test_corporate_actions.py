"""Adjusted closes by hand, and actions over days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.corporate_actions import Actions, Dividend, Split, adjusted_closes, merge_actions

DAYS = [date(2024, 1, 1) + timedelta(days=number) for number in range(5)]


def split(row: int, ratio: float) -> Split:
    return Split(date=DAYS[row], ratio=ratio)


def dividend(row: int, cash: float) -> Dividend:
    return Dividend(date=DAYS[row], cash=cash)


def test_a_dividend_takes_its_share_of_the_price_before_off_all_closes_before() -> None:
    # 1 - 2 / 100 = 0.98 before the ex-date
    told = adjusted_closes(DAYS[:3], [99.0, 100.0, 98.0], Actions("KO", (), (dividend(2, 2.0),)))
    assert told == pytest.approx([97.02, 98.0, 98.0])


def test_splits_and_dividends_multiply() -> None:
    actions = Actions("AAPL", (split(2, 7.0),), (dividend(3, 1.0),))
    told = adjusted_closes(DAYS[:4], [645.0, 644.0, 92.0, 91.0], actions)
    factor = 1 - 1 / 92
    assert told == pytest.approx([645 / 7 * factor, 92 * factor, 92 * factor, 91.0])


def test_what_lies_outside_the_days_changes_nothing() -> None:
    actions = Actions("KO", (split(0, 2.0), split(4, 2.0)), (dividend(0, 1.0), dividend(4, 1.0)))
    assert adjusted_closes(DAYS[:3], [10.0, 11.0, 12.0], actions) == [10.0, 11.0, 12.0]
    assert adjusted_closes([], [], actions) == []


def test_an_ex_date_without_a_bar_counts_from_the_next_one() -> None:
    told = adjusted_closes([DAYS[0], DAYS[3]], [10.0, 10.0], Actions("KO", (), (dividend(2, 1.0),)))
    assert told == pytest.approx([9.0, 10.0])


def test_a_dividend_of_more_than_the_price_is_passed_over() -> None:
    assert adjusted_closes(DAYS[:2], [10.0, 1.0], Actions("KO", (), (dividend(1, 10.0),))) == [10.0, 1.0]


@given(
    st.lists(st.floats(1, 1_000), min_size=3, max_size=5),
    st.floats(0.1, 20),
    st.floats(0, 0.5),
)
def test_adjusted_returns_are_those_of_holding(closes: list[float], ratio: float, share: float) -> None:
    """One share: split on day 1, paid on day 2, the payment put in at the close before the ex-date."""
    cash = share * closes[1]
    actions = Actions("KO", (split(1, ratio),), (dividend(2, cash),) if cash else ())
    told = adjusted_closes(DAYS[: len(closes)], closes, actions)
    assert told[1] / told[0] == pytest.approx(closes[1] * ratio / closes[0])
    assert told[2] / told[1] == pytest.approx(closes[2] / (closes[1] - cash))


def test_cash_and_ratio_between_two_days() -> None:
    actions = Actions("KO", (split(1, 2.0), split(3, 3.0)), (dividend(2, 1.0), dividend(3, 0.5)))
    assert actions.ratio_between(DAYS[0], DAYS[4]) == 6.0
    assert actions.ratio_between(DAYS[1], DAYS[2]) == 1.0
    # two shares since the split of day 1, both get both payments
    assert actions.cash_between(DAYS[0], DAYS[4]) == pytest.approx(2 * 1.0 + 2 * 0.5)
    assert actions.cash_between(DAYS[3], DAYS[4]) == 0.0


def test_actions_are_merged_by_day_and_kind() -> None:
    old = Actions("KO", (split(1, 2.0),), (dividend(2, 1.0),))
    new = Actions("KO", (split(1, 3.0), split(0, 2.0)), (dividend(2, 1.0),))
    merged, changed = merge_actions(old, new)
    assert changed == 2
    assert merged == Actions("KO", (split(0, 2.0), split(1, 3.0)), (dividend(2, 1.0),))
    assert merge_actions(merged, new) == (merged, 0)
