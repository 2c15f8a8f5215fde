"""New York's closings by known years, and whose sessions a symbol follows."""

from datetime import date

import pytest

from bellwether.domain.market_days import easter, is_session, last_session, market_of, us_closings


@pytest.mark.parametrize(
    ("year", "days"),
    [
        # nyse.com, holidays and trading hours
        (2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25"),
        (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
        (2012, "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25"),
        (1997, "01-01 02-17 03-28 05-26 07-04 09-01 11-27 12-25"),
    ],
)
def test_closings_of_known_years(year: int, days: str) -> None:
    assert us_closings(year) == {date.fromisoformat(f"{year}-{day}") for day in days.split()}


@pytest.mark.parametrize("day", ["1961-04-02", "2000-04-23", "2024-03-31", "2025-04-20", "2038-04-25"])
def test_easter_of_known_years(day: str) -> None:
    assert easter(int(day[:4])) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("symbol", "market"),
    [
        ("KO", "us"), ("BRK.B", "us"), ("BF-B", "us"), ("VOD.UK", "weekdays"), ("SAP.DE", "weekdays"),
        ("BTC-USD", "always"), ("EURUSD=X", "always"), ("^SPX", "us"),
    ],
)  # fmt: skip
def test_whose_sessions_a_symbol_follows(symbol: str, market: str) -> None:
    assert market_of(symbol) == market


def test_a_session_is_a_weekday_that_is_no_closing() -> None:
    christmas, sunday = date(2026, 12, 25), date(2026, 11, 22)
    assert [is_session(christmas, market) for market in ("us", "weekdays", "always")] == [False, True, True]
    assert [is_session(sunday, market) for market in ("us", "weekdays", "always")] == [False, False, True]
    assert last_session(date(2026, 11, 29), "us") == date(2026, 11, 27)
    assert last_session(date(2026, 11, 26), "us") == date(2026, 11, 25)
    assert last_session(sunday, "always") == sunday
