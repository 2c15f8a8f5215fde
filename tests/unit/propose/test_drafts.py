"""A draft's figures worked by hand, and each reason why there is none in the words the analyst reads."""

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from bellwether.domain.drafts import (
    Terms,
    Without,
    clamp_step,
    cost_of,
    drafted,
    limit_price,
    room_in,
    sized_order,
    with_proposal,
)
from bellwether.domain.entities import Asset
from bellwether.domain.limits import Controls, CostModel, RiskLimits, SizingPolicy
from bellwether.domain.prices import History
from bellwether.domain.proposals import Proposal
from bellwether.domain.risk import check_order
from bellwether.domain.risk_order import Order, Situation
from tests.unit.trading import NOW, bars, score, situation, wave

pytestmark = pytest.mark.req("A5")

YESTERDAY = NOW.date() - timedelta(days=1)
TERMS = Terms(proposal_id="0" * 26, portfolio="core", proposed_by="ana", now=NOW)


def proposed(of: Any = None, where: Situation | None = None) -> Proposal:
    made = drafted(of or score(), where or situation(), TERMS)
    assert isinstance(made, Proposal), made
    return made


def refused(of: Any = None, where: Situation | None = None) -> Without:
    made = drafted(of or score(), where or situation(), TERMS)
    assert isinstance(made, Without)
    return made


def test_a_draft_carries_all_its_terms() -> None:
    made = proposed()
    assert (made.proposal_id, made.portfolio, made.proposed_by) == ("0" * 26, "core", "ana")
    assert (made.created_at, made.as_of, made.expires_at) == (NOW, NOW, NOW + timedelta(hours=24))
    assert (made.status, made.price_as_of) == ("pending", NOW.replace(hour=0))


def test_agents_that_abstained_are_not_among_the_versions() -> None:
    spoke = score().contributions[0]
    silent = structs.replace(spoke, agent_id="llm", abstained="the budget is spent")
    made = proposed(score(contributions=(spoke, silent)))
    assert made.agent_versions == {"sentiment": 0}


@pytest.mark.parametrize(
    ("changes", "where", "code", "reason"),
    [
        ({"p_up": None, "edge": None}, {}, "abstained", "no agent has a live view of it"),
        (
            {"p_up": 0.511, "edge": 0.001},
            {},
            "no_edge",
            "p_up is 0.0010 from the base rate, 0.002 is the least worth an order",
        ),
        (
            {"p_up": 0.51, "edge": 0.0},
            {},
            "no_edge",
            "p_up is 0.0000 from the base rate, 0.002 is the least worth an order",
        ),
        ({}, {"histories": [History("ACME")]}, "no_price", "no bar is known at 2026-03-04"),
        ({}, {"positions": {"GONE": 5, "LOST": 1}}, "no_equity", "no price of GONE, LOST"),
        ({}, {"cash": -1.0}, "no_equity", "the portfolio is worth nothing"),
        ({"horizon": 3}, {"histories": [bars("ACME", wave(62), last=YESTERDAY)]}, "no_price_history", None),
    ],
)
def test_the_reason_for_no_draft(changes: Any, where: Any, code: str, reason: str | None) -> None:
    found = refused(score(**changes), situation(**where))
    assert (found.asset, found.code, found.checks) == ("ACME", code, ())
    assert found.reason == (reason or "59 returns are too few to size on")


def test_what_is_not_worth_an_order_says_how_little_it_is() -> None:
    """1 % of 9,000 is 90 and below the least notional of 100; the price is near 120."""
    found = refused(where=situation(cash=9_000))
    price = wave()[-1]
    assert (found.asset, found.code) == ("ACME", "too_small")
    assert found.reason == f"1.0000% of equity is 0 shares at {price:g}, not worth an order"


@pytest.mark.parametrize(("least", "enough"), [(1_000.0, True), (1_000.01, False)])
def test_an_order_of_exactly_the_least_notional_is_worth_it(least: float, enough: bool) -> None:
    """1 % of 100,000 at 10 a share is 100 shares or 1,000."""
    closes = [10 * x / wave(320)[-1] for x in wave(320)]
    closes[-1] = 10.0
    policy = structs.replace(Controls().sizing, least_notional=least)
    where = situation(
        histories=[bars("ACME", closes, last=YESTERDAY)], controls=Controls(sizing=policy), cash=100_000
    )
    made = drafted(score(), where, TERMS)
    assert isinstance(made, Proposal) is enough
    if isinstance(made, Proposal):
        assert (made.quantity, made.notional) == (100, 1_000)


def test_a_denial_names_each_check_and_what_it_said() -> None:
    banned = [Asset(symbol="ACME", name="Acme", restricted=True)]
    halted = Controls(state="HALTED", reason="a review")
    found = refused(where=situation(assets=banned, controls=halted))
    assert (found.asset, found.code) == ("ACME", "denied")
    assert found.checks == ("RESTRICTED_LIST", "KILL_SWITCH")
    assert found.reason == (
        "RESTRICTED_LIST: ACME is on the restricted list; KILL_SWITCH: the desk is HALTED (a review)"
    )


def test_what_risk_cut_is_the_last_step_of_sizing() -> None:
    """A tenth of a per cent of a volume of 4,000 is four shares; equity 100,000 at the last close."""
    controls = Controls(limits=structs.replace(RiskLimits(), volume_share=0.001))
    history = bars("ACME", wave(), last=YESTERDAY, volume=4_000)
    made = proposed(where=situation(histories=[history], controls=controls))
    last = made.sizing[-1]
    assert (made.quantity, last.step) == (4.0, "risk_clamp")
    assert last.value == pytest.approx(4 * wave()[-1] / 100_000)
    asked = 0.01 * 100_000 // wave()[-1]
    assert last.detail == f"LIQUIDITY let 4 of {asked:g} shares pass"


def test_each_check_that_cut_is_named_in_the_last_step() -> None:
    banned = [Asset(symbol="ACME", name="Acme", restricted=True)]
    where = situation(assets=banned, controls=Controls(state="HALTED", reason="a review"))
    cut = check_order(Order(asset="ACME", side="buy", quantity=5.0), where)
    assert clamp_step(cut, where).detail == "RESTRICTED_LIST, KILL_SWITCH let 0 of 5 shares pass"


def test_what_risk_cut_of_a_portfolio_nobody_can_value_is_nothing() -> None:
    cut = check_order(Order(asset="ACME", side="buy", quantity=5.0), situation())
    for where in (situation(cash=-1.0), situation(histories=[History("ACME")])):
        assert clamp_step(cut, where).value == 0.0


def test_the_expected_cost_is_that_of_what_risk_allows() -> None:
    """Round trip: notional·(2·(spread + commission) + 2·impact·σ·√(quantity/volume)), σ over sixty days."""
    costs = CostModel(half_spread=0.0002, commission=0.0001, impact=0.6)
    where = situation(
        controls=Controls(costs=costs), histories=[bars("ACME", wave(), last=YESTERDAY, volume=2_000)]
    )
    made = proposed(where=where)
    closes = np.array(wave())
    sigma = float(np.std((closes[1:] / closes[:-1] - 1)[-60:], ddof=1))
    impact = 0.6 * sigma * math.sqrt(made.quantity / 2_000)
    assert made.expected_cost == pytest.approx(made.notional * (0.0006 + 2 * impact))


def test_without_a_known_volume_or_volatility_only_the_fixed_cost_is_left() -> None:
    history = bars("ACME", [100.0], last=YESTERDAY, volume=0.0)
    where = situation(histories=[history])
    quote = where.book.market.quote("ACME")
    assert quote is not None
    result = structs.replace(
        check_order(Order(asset="ACME", side="buy", quantity=5), where), allowed_quantity=5.0
    )
    assert cost_of(result, where, history, quote, 1) == pytest.approx(500 * 0.0002)


@pytest.mark.parametrize(
    ("side", "price", "band", "limit"),
    [("buy", 100.0, 0.005, 100.5), ("sell", 100.0, 0.005, 99.5), ("buy", 3.33333, 0.01, 3.3667)],
)
def test_a_limit_price_is_a_band_beyond_the_close(side: Any, price: float, band: float, limit: float) -> None:
    assert limit_price(price, side, band) == limit


def test_the_room_of_an_order_by_hand() -> None:
    """Equity 100,000; ACME 20 × 100 held and 5 more on order; sector S holds that and 100 × 50 of OTHER."""
    flat = [bars("ACME", [100.0] * 90, last=YESTERDAY), bars("OTHER", [50.0] * 90, last=YESTERDAY)]
    where = situation(histories=flat, cash=93_000, positions={"ACME": 20, "OTHER": 100})
    where = with_proposal(where, structs.replace(proposed(), asset="ACME", side="buy", quantity=5.0))
    bought, sold = room_in(where, "ACME", "buy", 100_000), room_in(where, "ACME", "sell", 100_000)
    assert bought.position == pytest.approx(0.05 - 0.02)
    assert bought.unproven == pytest.approx(0.01 - 0.02)
    assert bought.sector_share == pytest.approx(0.3 - 0.075)
    assert bought.sector == sold.sector == "S"
    assert sold.position == pytest.approx(0.05 + 0.02)
    assert sold.unproven == pytest.approx(0.01 + 0.02)
    assert sold.sector_share == pytest.approx(0.3 - 0.075 + 2 * 0.025)
    untouched = room_in(where, "THIRD", "buy", 100_000)
    assert untouched.position == pytest.approx(0.05)
    assert untouched.sector == "unclassified"
    assert untouched.sector_share == pytest.approx(0.3, rel=1e-12), "not a cent is committed there"


def test_what_is_held_leaves_that_much_less_to_buy_and_more_to_sell() -> None:
    """Of a cap of 1 % of 100,000 shares at 100, 9 of 10 are held: one may be bought, nineteen sold."""
    flat = [bars("ACME", [100.0 + n % 2 for n in range(319)] + [100.0], last=YESTERDAY)]
    where = situation(histories=flat, cash=99_100, positions={"ACME": 9})
    bearish = score(p_up=0.44, edge=-0.07, interval=(0.40, 0.48))
    bought, sold = sized_order(score(), "buy", where), sized_order(bearish, "sell", where)
    assert not isinstance(bought, Without)
    assert not isinstance(sold, Without)
    assert (bought[0].quantity, sold[0].quantity) == (1.0, 19.0)


def test_without_short_selling_no_more_is_sold_than_is_held() -> None:
    policy = structs.replace(SizingPolicy(), short_selling=False)
    bearish = score(p_up=0.44, edge=-0.07, interval=(0.40, 0.48))
    where = situation(positions={"ACME": 3}, controls=Controls(sizing=policy))
    assert proposed(bearish, where).quantity == 3
    short = situation(positions={"ACME": 3})
    assert proposed(bearish, short).quantity > 3
    nothing = refused(bearish, situation(controls=Controls(sizing=policy)))
    assert nothing.code == "too_small"


def test_sizing_reads_the_returns_the_policy_asks_for() -> None:
    """Wild until a quarter ago and calm since: volatility over sixty days is that of the calm."""
    rng = np.random.default_rng(8)
    moves = [*rng.normal(0, 0.05, 260), *rng.normal(0, 0.01, 60)]
    closes = list(100 * np.exp(np.cumsum(moves)))
    where = situation(histories=[bars("ACME", closes, last=YESTERDAY)])
    made = proposed(score(p_up=0.7, edge=0.19, horizon=5), where)
    calm = np.diff(closes)[-60:] / np.array(closes)[-61:-1]
    yearly = float(np.std(calm, ddof=1)) * math.sqrt(252)
    assert made.sizing[1].detail.startswith(f"volatility {yearly:.2%} a year")
    weekly = np.array(closes)[5:] / np.array(closes)[:-5] - 1
    win, loss = weekly[weekly > 0].mean(), -weekly[weekly < 0].mean()
    assert f"gain {win:.4%} and loss {loss:.4%} over 5 d" in made.sizing[0].detail
    short = structs.replace(SizingPolicy(), return_days=100)
    recent = proposed(
        score(p_up=0.7, edge=0.19, horizon=5),
        situation(histories=[bars("ACME", closes, last=YESTERDAY)], controls=Controls(sizing=short)),
    )
    last = weekly[-100:]
    win, loss = last[last > 0].mean(), -last[last < 0].mean()
    assert f"gain {win:.4%} and loss {loss:.4%} over 5 d" in recent.sizing[0].detail


def test_one_more_proposal_counts_as_filled_and_as_open() -> None:
    before = situation()
    made = proposed(where=before)
    after = with_proposal(before, made)
    assert list(after.open_proposals) == [made]
    assert after.book.shares["ACME"] == made.quantity
    again = with_proposal(after, structs.replace(made, side="sell", quantity=1.0))
    assert len(again.open_proposals) == 2
    assert again.book.shares["ACME"] == made.quantity - 1.0
    assert refused(where=after).checks == ("DUPLICATE",)
