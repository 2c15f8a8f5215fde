"""Every code passes, clamps or denies for its own reason, and nothing unknown passes."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bellwether.domain.entities import Asset
from bellwether.domain.limits import Controls, RiskLimits, SizingPolicy, checked_controls, read_controls
from bellwether.domain.prices import History
from bellwether.domain.problems import InvalidInput
from bellwether.domain.proposals import Check, RiskResult, Side
from bellwether.domain.risk import check_order, failed_codes, settled
from bellwether.domain.risk_order import Order, Situation, whole_lots
from bellwether.domain.scores import Concentration
from bellwether.domain.value_at_risk import historical
from tests.unit.trading import NOW, bars, desk, score, situation, wave

CODES = {
    "POSITION_LIMIT",
    "GROSS_EXPOSURE",
    "NET_EXPOSURE",
    "CONCENTRATION",
    "VAR_95",
    "ES_97_5",
    "DRAWDOWN",
    "LIQUIDITY",
    "STALE_PRICE",
    "STALE_SIGNAL",
    "DUPLICATE",
    "RESTRICTED_LIST",
    "COOLDOWN",
    "UNPROVEN_AGENT",
    "MANIPULATION",
    "KILL_SWITCH",
}
WIDE = RiskLimits(
    position=1,
    gross_exposure=9,
    net_exposure=9,
    asset_concentration=1,
    sector_concentration=1,
    var_95=1,
    es_97_5=1,
    volume_share=1,
    unproven_position=1,
)


def limited(**limits: Any) -> Controls:
    """Controls in which only the named limits bind."""
    return Controls(limits=structs.replace(WIDE, **limits))


def buy(quantity: float = 5, asset: str = "ACME", side: Side = "buy") -> Order:
    return Order(asset=asset, side=side, quantity=quantity)


def check_of(result: RiskResult, code: str) -> Check:
    """The strictest check of a code."""
    found = [check for check in result.checks if check.code == code]
    return max(found, key=lambda check: ("pass", "clamp", "deny").index(check.outcome))


@pytest.mark.req("A6")
def test_every_check_of_the_specification_is_made_on_every_order() -> None:
    result = check_order(buy(), situation(), score=score())
    assert {check.code for check in result.checks} == CODES
    assert result.verdict == "pass"
    assert result.allowed_quantity == 5
    assert all(check.detail and check.unit for check in result.checks)


@pytest.mark.parametrize("quantity", [0.0, -5.0, float("nan"), float("inf")])
def test_an_unknown_size_is_denied_by_every_check(quantity: float) -> None:
    result = check_order(buy(quantity), situation(), score=score())
    assert result.verdict == "deny"
    assert result.allowed_quantity == 0
    assert all(check.outcome == "deny" for check in result.checks)


def test_an_unknown_price_is_denied() -> None:
    nothing = situation(histories=[History("ACME")])
    result = check_order(buy(), nothing, score=score())
    assert result.verdict == "deny"
    for code in ("POSITION_LIMIT", "GROSS_EXPOSURE", "VAR_95", "LIQUIDITY", "STALE_PRICE"):
        check = check_of(result, code)
        assert (check.outcome, check.observed) == ("deny", None)


def test_a_holding_without_a_price_denies_even_other_orders() -> None:
    result = check_order(buy(), situation(positions={"GONE": 5}), score=score())
    assert result.verdict == "deny"
    assert "GONE" in check_of(result, "POSITION_LIMIT").detail


def test_an_untracked_asset_is_denied() -> None:
    result = check_order(buy(), situation(assets=[]), score=score())
    assert check_of(result, "RESTRICTED_LIST").outcome == "deny"


def test_controls_that_cannot_be_read_deny_everything() -> None:
    controls = read_controls({"state": "ASLEEP"})
    result = check_order(buy(), situation(controls=controls), score=score())
    switch = check_of(result, "KILL_SWITCH")
    assert (switch.outcome, switch.observed, result.state) == ("deny", None, "HALTED")
    with pytest.raises(InvalidInput, match="state"):
        checked_controls({"state": "ASLEEP"})
    with pytest.raises(InvalidInput, match="var95"):
        checked_controls({"limits": {"var95": 0.1}})


def test_controls_are_the_defaults_when_nothing_is_stored_and_survive_storage() -> None:
    assert read_controls({}) == Controls()
    stored = msgspec.to_builtins(limited(position=0.5))
    assert read_controls(stored) == limited(position=0.5)


@pytest.mark.parametrize(
    ("code", "limits", "allowed"),
    [
        ("POSITION_LIMIT", {"position": 0.05}, 0.05),
        ("CONCENTRATION", {"asset_concentration": 0.04}, 0.04),
        ("CONCENTRATION", {"sector_concentration": 0.03}, 0.03),
        ("GROSS_EXPOSURE", {"gross_exposure": 0.06}, 0.06),
        ("NET_EXPOSURE", {"net_exposure": 0.07}, 0.07),
        ("UNPROVEN_AGENT", {"unproven_position": 0.01}, 0.01),
    ],
)
def test_exposure_is_cut_to_its_limit(code: str, limits: dict[str, float], allowed: float) -> None:
    where = situation(controls=limited(**limits))
    price = where.book.market.quote("ACME")
    assert price is not None
    result = settled(buy(500), where, score=score())
    assert (result.verdict, failed_codes(result)) == ("clamp", [code])
    assert result.allowed_quantity == whole_lots(allowed * 100_000 / price.close, 1.0)
    check = check_of(result, code)
    assert check.limit == allowed
    assert check.observed == pytest.approx(500 * price.close / 100_000)


def test_an_order_that_only_shrinks_a_position_passes_however_large_the_position() -> None:
    where = situation(
        positions={"ACME": 900}, cash=10_000, controls=limited(position=0.05, gross_exposure=0.1)
    )
    result = check_order(buy(100, side="sell"), where, score=score())
    assert result.verdict == "pass"
    more = check_order(buy(100), where, score=score())
    assert more.verdict == "deny"
    assert set(failed_codes(more)) >= {"POSITION_LIMIT", "GROSS_EXPOSURE"}


def test_an_order_through_zero_is_cut_to_the_limit_on_the_other_side() -> None:
    where = situation(positions={"ACME": 10}, controls=limited(position=0.05))
    equity, quote = where.book.equity, where.book.market.quote("ACME")
    assert equity is not None
    assert quote is not None
    result = settled(buy(500, side="sell"), where, score=score())
    assert result.allowed_quantity == whole_lots(10 + 0.05 * equity / quote.close, 1.0)


def test_tail_losses_are_those_of_the_book_with_the_order() -> None:
    """VAR_95 and ES_97_5 by formula over the last 500 days' profits of both holdings, over equity."""
    where = situation(positions={"OTHER": 200})
    result = check_order(buy(50), where, score=score())
    book = where.book
    acme, other = book.market.histories["ACME"], book.market.histories["OTHER"]
    value = {"ACME": 50 * acme.close[-1], "OTHER": 200 * other.close[-1]}
    profits = [
        value["ACME"] * a + value["OTHER"] * o
        for a, o in zip(acme.returns(NOW), other.returns(NOW), strict=True)
    ]
    var, es = historical(profits, 0.95), historical(profits, 0.975)
    assert var is not None
    assert es is not None
    assert book.equity is not None
    assert check_of(result, "VAR_95").observed == pytest.approx(var.var / book.equity)
    assert check_of(result, "ES_97_5").observed == pytest.approx(es.es / book.equity)


@pytest.mark.parametrize(("code", "limit"), [("VAR_95", {"var_95": 0.002}), ("ES_97_5", {"es_97_5": 0.002})])
def test_a_tail_loss_is_cut_to_its_limit_and_what_is_left_is_within(
    code: str, limit: dict[str, float]
) -> None:
    where = situation(controls=limited(**limit))
    result = settled(buy(800), where, score=score())
    assert (result.verdict, failed_codes(result)) == ("clamp", [code])
    at = check_of(check_order(buy(result.allowed_quantity), where, score=score()), code)
    above = check_of(check_order(buy(result.allowed_quantity + 4), where, score=score()), code)
    assert at.observed is not None
    assert at.observed <= 0.002
    assert above.observed is not None
    assert above.observed > 0.002


def test_too_short_a_history_leaves_the_tail_unknown() -> None:
    short = [bars("ACME", wave(39), last=NOW.date() - timedelta(days=1))]
    result = check_order(buy(), situation(histories=short), score=score())
    assert check_of(result, "VAR_95").outcome == "pass"
    assert (check_of(result, "ES_97_5").outcome, check_of(result, "ES_97_5").observed) == ("deny", None)


def test_cornish_fisher_falls_back_to_history_outside_its_domain() -> None:
    plain = check_order(buy(50), situation(controls=limited()), score=score())
    fitted = check_order(buy(50), situation(controls=limited(var_method="cornish_fisher")), score=score())
    # A wave has thinner tails than the normal: outside the expansion's domain.
    assert check_of(fitted, "VAR_95").observed == check_of(plain, "VAR_95").observed


def test_a_drawdown_lets_only_reductions_pass() -> None:
    falling = [100 - 0.3 * max(0, n - 220) for n in range(320)]
    last = NOW.date() - timedelta(days=1)
    histories = [bars("ACME", falling, last=last), bars("OTHER", wave(), last=last)]
    where = situation(
        positions={"ACME": 900}, cash=10_000, histories=histories, controls=limited(drawdown=0.1)
    )
    more = check_order(buy(10, "OTHER"), where, score=score("OTHER"))
    assert failed_codes(more) == ["DRAWDOWN"]
    peak, now = 10_000 + 900 * 100, 10_000 + 900 * falling[-1]
    assert check_of(more, "DRAWDOWN").observed == pytest.approx(1 - now / peak)
    assert check_of(check_order(buy(10, side="sell"), where, score=score()), "DRAWDOWN").outcome == "pass"


def test_a_drawdown_is_measured_from_the_best_day_of_the_window() -> None:
    """100 shares from 100 up to 130 and back to 117, nothing in cash but 3,000: 1 − 14,700/16,000."""
    closes = [*[100.0] * 300, 105.0, 110.0, 130.0, 125.0, 117.0]
    history = bars("ACME", closes, last=NOW.date() - timedelta(days=1))
    where = situation(positions={"ACME": 100}, cash=3_000, histories=[history])
    assert where.book.drawdown(63) == pytest.approx(1 - 14_700 / 16_000)
    assert where.book.drawdown(1) == pytest.approx(1 - 14_700 / 15_500)


def test_a_holding_below_its_cost_is_in_drawdown_even_without_a_better_day() -> None:
    history = bars("ACME", [80.0] * 100, last=NOW.date() - timedelta(days=1))
    where = situation(positions={"ACME": 100}, cash=0, histories=[history])
    assert where.book.drawdown(63) == pytest.approx(0.2)


def test_liquidity_is_a_share_of_average_volume_and_none_is_unknown() -> None:
    last = NOW.date() - timedelta(days=1)
    thin = situation(
        histories=[bars("ACME", wave(), last=last, volume=1_000)], controls=limited(volume_share=0.02)
    )
    result = settled(buy(50), thin, score=score())
    assert (result.verdict, result.allowed_quantity) == ("clamp", 20)
    dry = situation(histories=[bars("ACME", wave(), last=last, volume=0)])
    assert check_of(check_order(buy(), dry, score=score()), "LIQUIDITY").observed is None


@pytest.mark.parametrize(("age", "outcome"), [(1, "pass"), (5, "pass"), (6, "deny")])
def test_a_price_is_stale_after_five_calendar_days(age: int, outcome: str) -> None:
    history = bars("ACME", wave(), last=date(2026, 3, 2))
    as_of = NOW.replace(month=3, day=2) + timedelta(days=age)
    where = situation(histories=[history], as_of=as_of)
    check = check_of(check_order(buy(), where, score=score(last_event=as_of)), "STALE_PRICE")
    assert (check.outcome, check.observed) == (outcome, age)


def test_a_signal_is_stale_by_its_newest_event_and_prices_by_their_bar() -> None:
    def outcome(**changes: Any) -> tuple[str, float | None]:
        check = check_of(check_order(buy(), situation(), score=score(**changes)), "STALE_SIGNAL")
        return check.outcome, check.observed

    none = Concentration(items=0, authors=0, top_author_share=0, top_cluster_share=0, young_author_share=0)
    assert outcome(last_event=NOW - timedelta(hours=72)) == ("pass", 72)
    assert outcome(last_event=NOW - timedelta(hours=73)) == ("deny", 73)
    assert outcome(last_event=None) == ("deny", None)
    assert outcome(last_event=None, concentration=none) == ("pass", 15)


def test_restricted_assets_are_denied() -> None:
    banned = [Asset(symbol="ACME", name="Acme", restricted=True)]
    assert failed_codes(check_order(buy(), situation(assets=banned), score=score())) == ["RESTRICTED_LIST"]


def test_the_same_side_of_an_asset_is_proposed_once() -> None:
    earlier = desk().proposed()
    where = situation(open_proposals=[earlier])
    assert failed_codes(check_order(buy(), where, score=score())) == ["DUPLICATE"]
    assert check_order(buy(side="sell"), where, score=score()).verdict == "pass"
    assert check_order(buy(asset="OTHER"), where, score=score("OTHER")).verdict == "pass"


@pytest.mark.parametrize(
    ("status", "hours", "outcome"),
    [
        ("rejected", 1, "deny"),
        ("approved", 5.9, "deny"),
        ("revoked", 6, "pass"),
        ("pending", 1, "pass"),
        ("expired", 1, "pass"),
    ],
)
def test_what_was_decided_cools_down(status: Any, hours: float, outcome: str) -> None:
    earlier = structs.replace(desk().proposed(), status=status, as_of=NOW - timedelta(hours=hours))
    check = check_of(check_order(buy(), situation(recent=[earlier]), score=score()), "COOLDOWN")
    assert check.outcome == outcome


@pytest.mark.parametrize(
    ("spread", "outcome"),
    [
        ({"top_author_share": 0.6}, "deny"),
        ({"top_cluster_share": 0.6}, "deny"),
        ({"young_author_share": 0.6}, "deny"),
        ({"top_author_share": 0.5, "top_cluster_share": 0.5, "young_author_share": 0.5}, "pass"),
        ({"authors": 0, "top_author_share": 1.0}, "pass"),
        ({"items": 0, "authors": 0, "top_cluster_share": 1.0}, "pass"),
    ],
)
def test_a_score_driven_by_few_is_manipulation(spread: dict[str, float], outcome: str) -> None:
    shares = structs.replace(score().concentration, **spread)
    result = check_order(buy(), situation(), score=score(concentration=shares))
    assert check_of(result, "MANIPULATION").outcome == outcome


def test_a_proven_score_has_the_full_cap() -> None:
    controls = limited(unproven_position=0.01)
    result = check_order(buy(40), situation(controls=controls), score=score(track_record="proven"))
    assert result.verdict == "pass"


@pytest.mark.parametrize("controls", [Controls(state="HALTED"), Controls(kill_switch=True)])
def test_a_halted_desk_denies_even_reductions(controls: Controls) -> None:
    where = situation(positions={"ACME": 50}, controls=controls)
    result = check_order(buy(10, side="sell"), where, score=score())
    assert (failed_codes(result), result.state) == (["KILL_SWITCH"], "HALTED")


def test_a_reducing_desk_lets_exposure_fall_only() -> None:
    where = situation(positions={"ACME": 50}, controls=Controls(state="REDUCING", limits=WIDE))
    assert settled(buy(10), where, score=score()).verdict == "deny"
    assert settled(buy(50, side="sell"), where, score=score()).verdict == "pass"
    through = settled(buy(80, side="sell"), where, score=score())
    assert (through.verdict, through.allowed_quantity) == ("clamp", 50)


def test_an_order_without_a_score_skips_what_judges_scores() -> None:
    result = check_order(buy(), situation())
    assert result.verdict == "pass"
    for code in ("STALE_SIGNAL", "UNPROVEN_AGENT", "MANIPULATION"):
        assert check_of(result, code).observed is None


limits = st.floats(0.001, 0.2)


@given(
    quantity=st.integers(1, 3_000),
    held=st.integers(-300, 300),
    other=st.integers(-300, 300),
    side=st.sampled_from(["buy", "sell"]),
    position=limits,
    gross=st.floats(0.01, 2),
    var=st.floats(0.0001, 0.05),
    lot=st.sampled_from([1.0, 0.1, 10.0]),
)
def test_what_risk_lets_pass_passes_again(
    quantity: int, held: int, other: int, side: Side, position: float, gross: float, var: float, lot: float
) -> None:
    where = situation(
        positions={"ACME": held, "OTHER": other},
        controls=Controls(
            limits=structs.replace(RiskLimits(), position=position, gross_exposure=gross, var_95=var),
            sizing=SizingPolicy(lot=lot),
        ),
    )
    result = settled(buy(quantity, side=side), where, score=score())
    assert 0 <= result.allowed_quantity <= quantity
    assert (result.allowed_quantity > 0) == (result.verdict != "deny")
    if result.verdict == "clamp":
        assert result.allowed_quantity == pytest.approx(round(result.allowed_quantity / lot) * lot)
        again = check_order(buy(result.allowed_quantity, side=side), where, score=score())
        assert again.verdict == "pass"


@given(st.integers(1, 400), st.integers(1, 400))
def test_more_of_the_same_never_lowers_the_var_of_an_empty_book(one: int, two: int) -> None:
    def observed(quantity: int) -> float:
        check = check_of(check_order(buy(quantity), situation(), score=score()), "VAR_95")
        assert check.observed is not None
        return check.observed

    low, high = sorted((one, two))
    assert observed(low) <= observed(high) + 1e-15


def test_bars_after_as_of_change_nothing() -> None:
    early = situation()
    late = [
        bars("ACME", [*wave(), 1.0, 500.0], last=NOW.date() + timedelta(days=1)),
        bars("OTHER", [*wave(level=50, size=0.01), 1.0, 500.0], last=NOW.date() + timedelta(days=1)),
    ]
    shifted: Situation = replace(early, book=situation(histories=late).book)
    assert check_order(buy(), shifted, score=score()) == check_order(buy(), early, score=score())
