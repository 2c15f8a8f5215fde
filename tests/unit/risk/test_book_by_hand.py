"""A book's figures by hand: values, exposures, the common calendar, profits and drawdowns."""

from datetime import date, timedelta
from typing import Any

import pytest

from bellwether.domain.entities import Asset, Portfolio, Position
from bellwether.domain.portfolio_value import Book, Market, added, direction, valued
from bellwether.domain.prices import History
from tests.unit.trading import NOW, bars, weekdays

pytestmark = pytest.mark.req("A6")

YESTERDAY = NOW.date() - timedelta(days=1)


def history(symbol: str, days: list[date], p: list[float], volumes: list[float]) -> History:
    """Bars whose prices of a day are all the same."""
    return History(symbol, days, p, p, p, p, p, volumes)


def market(
    histories: list[History], *, days: int = 500, sectors: dict[str, str | None] | None = None
) -> Market:
    assets = {s: Asset(symbol=s, name=s, sector=sector) for s, sector in (sectors or {}).items()}
    return Market(as_of=NOW, histories={h.symbol: h for h in histories}, assets=assets, days=days)


def book(
    histories: list[History],
    held: dict[str, float],
    *,
    cash: float = 1_000.0,
    cost: float = 10.0,
    orders: Any = (),
    days: int = 500,
) -> Book:
    positions = tuple(Position(symbol=s, quantity=q, cost=cost) for s, q in held.items())
    return valued(market(histories, days=days), Portfolio(name="p", cash=cash, positions=positions), orders)


A = bars("A", [10.0, 11.0, 9.9, 9.9], last=YESTERDAY)
B = bars("B", [20.0, 20.0, 25.0], last=YESTERDAY)


def test_values_and_exposures_with_and_without_what_is_on_order() -> None:
    made = book([A, B], {"A": 10, "B": -4}, orders=[("A", 5.0), ("A", -1.0), ("C", 0.0)])
    assert made.shares == {"A": 14.0, "B": -4.0, "C": 0.0}
    assert made.unpriced == []
    assert made.value("A") == pytest.approx(14 * 9.9)
    assert made.value("A", with_open=False) == pytest.approx(99.0)
    assert made.value("C") == made.value("nowhere") == 0.0
    assert made.values == pytest.approx({"A": 138.6, "B": -100.0, "C": 0.0})
    assert made.gross == pytest.approx(238.6)
    assert made.net == pytest.approx(38.6)
    assert made.equity == pytest.approx(1_000 + 99 - 100)


def test_positions_of_one_asset_are_added_up() -> None:
    positions = (Position(symbol="A", quantity=3, cost=1), Position(symbol="A", quantity=4, cost=1))
    made = valued(market([A]), Portfolio(name="p", cash=0, positions=positions))
    assert made.held == {"A": 7.0}


@pytest.mark.parametrize(("cash", "equity"), [(-98.0, 1.0), (-99.0, None), (-200.0, None), (0.5, 99.5)])
def test_what_is_worth_nothing_has_no_equity(cash: float, equity: float | None) -> None:
    assert book([A], {"A": 10}, cash=cash).equity == (None if equity is None else pytest.approx(equity))


def test_a_holding_or_order_without_a_price_is_named_and_makes_the_worth_unknown() -> None:
    made = book([A], {"A": 10, "Z": 1, "Y": 2, "X": 0})
    assert made.unpriced == ["Y", "Z"]
    assert made.equity is None
    assert made.value("Z") is None
    assert made.drawdown(5) is None
    assert book([A], {"A": 10}, orders=[("Z", 1.0)]).unpriced == ["Z"]


def test_sectors_add_up_absolute_values_and_those_without_share_one() -> None:
    histories = [A, B, bars("C", [5.0] * 4, last=YESTERDAY)]
    positions = tuple(Position(symbol=s, quantity=q, cost=1) for s, q in (("A", 10), ("B", -4), ("C", 2)))
    known = market(histories, sectors={"A": "energy", "B": "energy", "C": None})
    made = valued(known, Portfolio(name="p", cash=0, positions=positions))
    assert made.by_sector == pytest.approx({"energy": 199.0, "unclassified": 10.0})
    assert known.sector("A") == "energy"
    assert known.sector("C") == known.sector("unknown") == "unclassified"


def test_the_calendar_is_every_day_on_which_any_of_them_traded() -> None:
    days = weekdays(YESTERDAY, 4)
    assert market([A, B]).calendar == days
    assert market([A, B], days=2).calendar == days[-3:]
    gap = history("G", [days[0], days[3]], [4.0, 5.0], [1.0, 1.0])
    assert market([B, gap], days=3).calendar == days
    assert market([gap], days=1).calendar == [days[0], days[3]]


def test_a_scenario_is_flat_without_a_bar_and_unknown_before_the_first() -> None:
    days = weekdays(YESTERDAY, 4)
    gap = history("G", [days[1], days[3]], [4.0, 5.0], [1.0, 1.0])
    made = market([A, gap])
    assert made.scenario("A") == pytest.approx([0.1, -0.1, 0.0])
    assert made.scenario("G") == [None, 0.0, 0.25]
    assert made.scenario("nowhere") == [None, None, None]


def test_profits_are_those_of_todays_holdings_where_all_are_known() -> None:
    """A 10 × 9.90 and B −4 × 25 on A's four days; B is unknown on the first of three returns."""
    made = book([A, B], {"A": 10, "B": -4})
    assert made.profits == [None, pytest.approx(-9.9), pytest.approx(-25.0)]
    assert made.profits_with("A", 0.0) == pytest.approx([-9.9, -25.0])
    assert made.profits_with("B", 100.0) == pytest.approx([-9.9, 0.0])
    ordered = book([A, B], {"A": 10}, orders=[("B", -4.0)])
    assert ordered.profits == made.profits


def test_one_more_order_moves_values_and_profits_alike() -> None:
    before = book([A, B], {"A": 10})
    after = before.with_order("B", -4.0).with_order("B", 1.0)
    assert after.open_orders == {"B": -3.0}
    assert after.profits == book([A, B], {"A": 10}, orders=[("B", -3.0)]).profits
    assert after.equity == before.equity
    unknown = before.with_order("Z", 2.0)
    assert unknown.unpriced == ["Z"]
    assert unknown.profits == [None, None, None]


def test_a_day_unknown_to_either_is_unknown_to_both() -> None:
    assert added([1.0, None, 1.0, None], [0.1, 0.1, None, None], 10.0) == [2.0, None, None, None]
    with pytest.raises(ValueError, match="zip"):
        added([1.0], [0.1, 0.2], 10.0)


def test_a_drawdown_by_hand_over_two_holdings() -> None:
    """100 A over 10, 11, 9.9, 9.9 and 10 B over –, 20, 20, 25; 500 in cash.

    Worth now 500 + 990 + 250 = 1,740. A day back 500 + 990 + 200, two back 500 + 1,100 + 200 = 1,800; three
    back B is not known and what it was worth since stays: 500 + 1,000 + 200. Cost 500 + 110 · 10 = 1,600.
    """
    made = book([A, B], {"A": 100, "B": 10}, cash=500)
    assert made.drawdown(63) == pytest.approx(1 - 1_740 / 1_800)
    assert made.drawdown(1) == pytest.approx(0.0)
    assert made.drawdown(2) == pytest.approx(1 - 1_740 / 1_800)
    dear = book([A, B], {"A": 100, "B": 10}, cash=500, cost=20.0)
    assert dear.drawdown(63) == pytest.approx(1 - 1_740 / (500 + 110 * 20))


def test_open_orders_play_no_part_in_a_drawdown() -> None:
    plain = book([A], {"A": 100}, cash=0)
    assert plain.with_order("A", 500.0).drawdown(63) == plain.drawdown(63)
    ordered = book([A], {"A": 100}, cash=0).with_order("A", 500.0)
    assert ordered.drawdown(63) == plain.drawdown(63), "not because somebody asked before the order"


def test_a_portfolio_in_cash_has_no_exposure_and_no_drawdown() -> None:
    made = book([], {})
    assert (made.equity, made.gross, made.net, made.drawdown(63), made.profits) == (1_000, 0, 0, 0, [])


@pytest.mark.parametrize(("days", "volume"), [(1, 40.0), (2, 35.0), (4, 25.0), (9, 25.0)])
def test_an_average_volume_is_that_of_the_last_days(days: int, volume: float) -> None:
    made = market([history("V", weekdays(YESTERDAY, 4), [1.0] * 4, [10.0, 20.0, 30.0, 40.0])])
    assert made.average_volume("V", days) == volume
    assert made.average_volume("V", days) == volume
    assert made.average_volume("nowhere", days) is None
    assert market([History("E")]).average_volume("E", days) is None


def test_a_quote_is_the_last_complete_bar() -> None:
    bars_of_v = history("V", [date(2026, 3, 3), date(2026, 3, 4)], [1.0, 2.0], [5.0, 6.0])
    quote = market([bars_of_v]).quote("V")
    assert quote is not None
    assert (quote.date, quote.close, quote.volume) == (date(2026, 3, 3), 1.0, 5.0)
    assert market([]).quote("V") is None


def test_a_side_has_a_sign() -> None:
    assert (direction("buy"), direction("sell")) == (1, -1)
