"""Checks of the market at their limits and without a figure: limit, unit and sentence in full."""

from datetime import date, timedelta

import pytest

from bellwether.domain.equity import RecordedDrawdown
from bellwether.domain.prices import History
from bellwether.domain.proposals import Check
from bellwether.domain.risk import check_order
from bellwether.domain.risk_order import Situation
from tests.unit.risk.test_checks import buy, check_of, limited
from tests.unit.trading import NOW, bars, situation, wave

pytestmark = pytest.mark.req("A6")

OF_EQUITY = "of equity"


def said(code: str, where: Situation) -> Check:
    return check_of(check_order(buy(), where), code)


@pytest.mark.parametrize(
    ("code", "limit", "what"),
    [
        ("DRAWDOWN", 0.15, "the portfolio's drawdown or the size"),
        ("VAR_95", 0.02, "the size, the price or the equity"),
        ("ES_97_5", 0.03, "the size, the price or the equity"),
        ("POSITION_LIMIT", 0.05, "the price of ACME"),
    ],
)
def test_what_is_not_known_is_denied_with_its_limit(code: str, limit: float, what: str) -> None:
    found = said(code, situation(histories=[History("ACME")], positions={"GONE": 5}))
    assert (found.outcome, found.observed, found.limit, found.unit) == ("deny", None, limit, OF_EQUITY)
    assert found.detail == f"{what} is unknown, so the order is denied"


@pytest.mark.parametrize(("code", "name"), [("VAR_95", "VaR 95 %"), ("ES_97_5", "ES 97.5 %")])
def test_too_few_days_to_measure_a_loss_are_no_measure(code: str, name: str) -> None:
    young = bars("ACME", wave(5), last=NOW.date() - timedelta(days=1))
    found = said(code, situation(histories=[young], controls=limited(var_95=0.5, es_97_5=0.5)))
    assert (found.outcome, found.observed, found.limit, found.unit) == ("deny", None, 0.5, OF_EQUITY)
    assert found.detail == (
        f"one-day {name}: too few days with returns of all holdings, it is unknown, so the order is denied"
    )


@pytest.mark.parametrize(("day", "old"), [(3, "1 day old"), (2, "2 days old")])
def test_the_age_of_a_price_is_told_in_days(day: int, old: str) -> None:
    found = said("STALE_PRICE", situation(histories=[bars("ACME", wave(), last=date(2026, 3, day))]))
    assert found.detail == f"the last bar of ACME is of 2026-03-0{day}, {old}, at most 5"


def drawn(value: float, limit: float) -> Check:
    """The check of a portfolio of cash, whose recorded equity is so far below its best."""
    record = RecordedDrawdown(value=value, days=9, since=date(2026, 2, 20))
    return said("DRAWDOWN", situation(controls=limited(drawdown=limit), recorded=record))


def test_a_drawdown_of_exactly_the_limit_passes() -> None:
    assert drawn(0.125, 0.125).outcome == "pass"
    beyond = drawn(0.126, 0.125)
    assert (beyond.outcome, beyond.observed, beyond.limit) == ("deny", 0.126, 0.125)
    best = "the equity is 12.60% below its best of 9 recorded days since 2026-02-20"
    assert beyond.detail == f"{best}, at most 12.50%"
