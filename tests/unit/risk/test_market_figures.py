"""Tail losses, liquidity and staleness: which method, which limit, and what a clamp leaves."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from scipy import stats

from bellwether.domain.entities import Asset
from bellwether.domain.limits import Controls, RiskLimits
from bellwether.domain.market_checks import largest_within
from bellwether.domain.prices import History
from bellwether.domain.proposals import Check, RiskResult
from bellwether.domain.risk import check_order, failed_codes, settled
from bellwether.domain.risk_order import CheckedOrder, Order, Situation
from bellwether.domain.value_at_risk import cornish_fisher, historical
from tests.unit.trading import NOW, bars, score, situation, wave

pytestmark = pytest.mark.req("A6")

YESTERDAY = NOW.date() - timedelta(days=1)
WIDE = RiskLimits(
    position=1,
    gross_exposure=9,
    net_exposure=9,
    asset_concentration=1,
    sector_concentration=1,
    var_95=1,
    es_97_5=1,
    drawdown=1,
    volume_share=1,
    unproven_position=1,
)


def controls(**limits: Any) -> Controls:
    return Controls(limits=structs.replace(WIDE, **limits))


def check_of(result: RiskResult, code: str) -> Check:
    return next(check for check in result.checks if check.code == code)


def fat_tailed() -> list[float]:
    """Closes whose returns are the quantiles of a Student's t with eight degrees, well shuffled."""
    moves = [float(x) * 0.01 for x in stats.t(8).ppf((np.arange(400) + 0.5) / 400)]
    np.random.default_rng(5).shuffle(moves)
    closes = [100.0]
    for move in moves:
        closes.append(closes[-1] * (1 + move))
    return closes


def test_the_method_of_the_limits_measures_the_var() -> None:
    history = bars("ACME", fat_tailed(), last=YESTERDAY)
    value, returns = 50 * history.close[-1], history.returns(NOW)
    profits = [value * r for r in returns]
    fitted, plain = cornish_fisher(profits, 0.95), historical(profits, 0.95)
    assert fitted is not None
    assert plain is not None
    assert fitted != pytest.approx(plain.var, rel=1e-3)
    for method, expected in (("cornish_fisher", fitted), ("historical", plain.var)):
        where = situation(histories=[history], controls=controls(var_method=method))
        found = check_of(check_order(Order(asset="ACME", side="buy", quantity=50), where), "VAR_95")
        assert found.observed == pytest.approx(expected / 100_000)
        assert (found.limit, found.unit) == (1, "of equity")


@pytest.mark.parametrize(("code", "name"), [("VAR_95", "var_95"), ("ES_97_5", "es_97_5")])
def test_a_loss_of_exactly_its_limit_passes(code: str, name: str) -> None:
    order = Order(asset="ACME", side="buy", quantity=100)
    observed = check_of(check_order(order, situation(controls=controls())), code).observed
    assert observed is not None
    at = check_order(order, situation(controls=controls(**{name: observed})))
    below = check_order(order, situation(controls=controls(**{name: observed * 0.999})))
    assert check_of(at, code).outcome == "pass"
    assert check_of(below, code).outcome == "clamp"
    assert check_of(below, code).limit == pytest.approx(observed * 0.999)


def test_a_hedge_passes_although_the_book_stays_above_its_limit() -> None:
    """Selling a fifth of what is held lowers the loss from five parts to four; the limit is three."""
    plain = situation(positions={"ACME": 500}, cash=0, controls=controls())
    sell = Order(asset="ACME", side="sell", quantity=100)
    before = check_of(check_order(sell, plain), "VAR_95").observed
    assert before is not None
    limit = before * 0.75
    where = situation(positions={"ACME": 500}, cash=0, controls=controls(var_95=limit))
    found = check_of(check_order(sell, where), "VAR_95")
    assert found.outcome == "pass"
    assert found.observed == pytest.approx(before)
    assert found.detail == (
        f"one-day VaR 95 % would be {before:.2%} of equity, at most {limit:.2%}; "
        f"the order lowers it from {before * 1.25:.2%}"
    )
    more = check_of(check_order(Order(asset="ACME", side="buy", quantity=1), where), "VAR_95")
    assert more.outcome == "deny"
    assert "lowers" not in more.detail


def test_an_order_through_zero_is_no_mere_reduction() -> None:
    """Selling 900 of 500 shares leaves a short of 400: less of a loss than 500, but not only a reduction."""
    where = situation(positions={"ACME": 500}, cash=0, controls=controls(es_97_5=0.0001))
    found = check_of(check_order(Order(asset="ACME", side="sell", quantity=900), where), "ES_97_5")
    assert found.outcome == "deny"
    assert "lowers" not in found.detail


def test_what_is_left_of_a_bisection_is_within_a_thousandth_of_the_limit() -> None:
    where = situation(controls=controls())
    order = CheckedOrder(order=Order(asset="ACME", side="buy", quantity=1_000), situation=where)
    price = where.book.market.histories["ACME"].close[-1]
    worst = max(-r for r in where.book.market.histories["ACME"].returns(NOW))
    limit = 400 * price * worst

    def measure(profits: Sequence[float]) -> float:
        return max(-p for p in profits)

    found = largest_within(order, measure, limit)
    assert 399 <= found <= 400
    assert largest_within(order, measure, -1.0) == 0.0
    assert largest_within(order, lambda _: None, limit) == 0.0
    assert largest_within(order, lambda _: 0.0, 0.0) == pytest.approx(1_000, abs=1)


def test_a_tail_that_cannot_be_measured_says_so() -> None:
    short = [bars("ACME", wave(15), last=YESTERDAY)]
    result = check_order(Order(asset="ACME", side="buy", quantity=5), situation(histories=short))
    for code, limit, what in (("VAR_95", 0.02, "VaR 95 %"), ("ES_97_5", 0.03, "ES 97.5 %")):
        found = check_of(result, code)
        assert (found.outcome, found.limit, found.observed, found.unit) == ("deny", limit, None, "of equity")
        assert found.detail.startswith(f"one-day {what}: too few days with returns of all holdings")
    nothing = check_order(Order(asset="ACME", side="buy", quantity=5), situation(histories=[History("ACME")]))
    assert "the size, the price or the equity is unknown" in check_of(nothing, "VAR_95").detail
    assert (check_of(nothing, "VAR_95").limit, check_of(nothing, "VAR_95").unit) == (0.02, "of equity")


@pytest.mark.parametrize(("quantity", "outcome"), [(20, "pass"), (21, "clamp"), (20.5, "clamp")])
def test_a_share_of_volume_up_to_its_limit_passes(quantity: float, outcome: str) -> None:
    history = bars("ACME", wave(), last=YESTERDAY, volume=1_000)
    where = situation(histories=[history], controls=controls(volume_share=0.02))
    found = check_of(check_order(Order(asset="ACME", side="buy", quantity=quantity), where), "LIQUIDITY")
    assert (found.outcome, found.limit, found.unit) == (outcome, 0.02, "of average daily volume")
    assert found.observed == pytest.approx(quantity / 1_000)
    assert f"{quantity / 1_000:.2%} of the average volume of 20 days, at most 2.00%" in found.detail


def test_unknown_volumes_and_prices_are_named() -> None:
    result = check_order(Order(asset="ACME", side="buy", quantity=5), situation(histories=[History("ACME")]))
    volume, price = check_of(result, "LIQUIDITY"), check_of(result, "STALE_PRICE")
    assert (volume.outcome, volume.limit, volume.unit) == ("deny", 0.02, "of average daily volume")
    assert volume.detail.startswith("the volume of ACME or the size is unknown")
    assert (price.outcome, price.limit, price.unit, price.observed) == ("deny", 5.0, "days", None)
    assert price.detail.startswith("the price of ACME is unknown")


def falling() -> Situation:
    """800 shares bought at 100 that are at 90 now, and 20,000 in cash: 8 % below their cost."""
    closes = [100.0] * 200 + [90.0] * 3
    history = bars("ACME", closes, last=YESTERDAY)
    return situation(positions={"ACME": 800}, cash=20_000, histories=[history])


@pytest.mark.parametrize(("limit", "outcome"), [(0.08, "pass"), (0.0799, "deny")])
def test_a_drawdown_up_to_its_limit_lets_everything_pass(limit: float, outcome: str) -> None:
    where = falling()
    where = situation(
        positions={"ACME": 800},
        cash=20_000,
        histories=list(where.book.market.histories.values()),
        controls=controls(drawdown=limit),
    )
    found = check_of(check_order(Order(asset="ACME", side="buy", quantity=5), where), "DRAWDOWN")
    assert found.observed == pytest.approx(0.08)
    assert (found.outcome, found.limit, found.unit) == (outcome, limit, "of equity")
    through = check_of(check_order(Order(asset="ACME", side="sell", quantity=900), where), "DRAWDOWN")
    assert through.outcome == ("pass" if outcome == "pass" else "clamp")


def test_an_unknown_drawdown_is_denied() -> None:
    found = check_of(
        check_order(Order(asset="ACME", side="buy", quantity=5), situation(positions={"GONE": 1})), "DRAWDOWN"
    )
    assert (found.code, found.outcome, found.limit, found.unit) == ("DRAWDOWN", "deny", 0.15, "of equity")
    assert found.observed is None


def test_a_clamp_that_would_not_pass_itself_is_denied() -> None:
    """A large hedge would bring the loss within its limit; the part the position limit leaves would not."""
    histories = [bars(symbol, wave(), last=YESTERDAY) for symbol in ("ACME", "TWIN")]
    price = wave()[-1]
    held = {"ACME": 600.0}
    cash = 100_000 - 600 * price
    apart = [Asset(symbol=h.symbol, name=h.symbol, sector=h.symbol) for h in histories]
    given: dict[str, Any] = {"histories": histories, "positions": held, "cash": cash, "assets": apart}
    full = situation(**given, controls=controls())
    hedge = Order(asset="TWIN", side="sell", quantity=500)
    hedged = check_of(check_order(hedge, full), "VAR_95").observed
    assert hedged is not None
    limits = controls(var_95=hedged * 1.5, position=0.05)
    where = situation(**given, controls=limits)
    first = check_order(hedge, where, score=score("TWIN"), proposal_id="P")
    assert (first.verdict, failed_codes(first)) == ("clamp", ["POSITION_LIMIT"])
    result = settled(hedge, where, score=score("TWIN"), proposal_id="P")
    assert (result.verdict, result.allowed_quantity) == ("deny", 0.0)
    assert result.checks == first.checks
    assert (result.proposal_id, result.quantity, result.asset) == ("P", 500, "TWIN")


def test_a_settled_order_that_passes_or_fails_at_once_is_the_first_answer() -> None:
    passing, failing = (
        Order(asset="ACME", side="buy", quantity=5),
        Order(asset="NONE", side="buy", quantity=5),
    )
    for order in (passing, failing):
        assert settled(order, situation(), proposal_id="P") == check_order(
            order, situation(), proposal_id="P"
        )
    assert math.isclose(settled(passing, situation()).allowed_quantity, 5)
    assert settled(failing, situation()).allowed_quantity == 0.0


def test_what_a_clamp_leaves_is_judged_with_the_same_score() -> None:
    """Unproven agents clamp to 1 %; judged again without the score the check would not even look."""
    limits = controls(unproven_position=0.01)
    result = settled(Order(asset="ACME", side="buy", quantity=500), situation(controls=limits), score=score())
    assert (result.verdict, failed_codes(result)) == ("clamp", ["UNPROVEN_AGENT"])
    assert result.allowed_quantity == 1_000 // wave()[-1]
