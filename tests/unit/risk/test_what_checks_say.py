"""Every check's figures and sentence on one book worked by hand: what a refused order is explained by.

ACME 100 × 100, OTHER −200 × 50, THIRD 1,500 × 20 and 70,000 in cash: equity 100,000, gross 50,000 and net
30,000. Prices never moved.
"""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from bellwether.domain.entities import Asset
from bellwether.domain.limits import Controls, read_controls
from bellwether.domain.prices import History
from bellwether.domain.proposals import Check, Side
from bellwether.domain.risk import check_order
from bellwether.domain.risk_order import Finding, Order, Situation
from bellwether.domain.scores import Concentration, Score
from tests.unit.trading import NOW, bars, desk, score, situation

pytestmark = pytest.mark.req("A6")

YESTERDAY = NOW.date() - timedelta(days=1)
HISTORIES = [
    bars(symbol, [price] * 300, last=YESTERDAY)
    for symbol, price in (("ACME", 100.0), ("OTHER", 50.0), ("THIRD", 20.0))
]
ALONE = Concentration(items=0, authors=0, top_author_share=0, top_cluster_share=0, young_author_share=0)


def book(**more: Any) -> Situation:
    held = {"ACME": 100, "OTHER": -200, "THIRD": 1500}
    return situation(**{"histories": HISTORIES, "cash": 70_000, "positions": held, **more})


def said(
    code: str,
    where: Situation | None = None,
    *,
    side: Side = "buy",
    quantity: float = 40,
    asset: str = "ACME",
    of: Score | None = None,
    last: bool = False,
) -> Check:
    """The first check of a code (the last with `last`) on an order."""
    order = Order(asset=asset, side=side, quantity=quantity)
    result = check_order(order, where or book(), score=of)
    return [check for check in result.checks if check.code == code][-1 if last else 0]


def check(
    code: str, outcome: Any, limit: float | None, observed: float | None, unit: str, detail: str
) -> Check:
    figure = None if observed is None else pytest.approx(observed, abs=1e-12)
    return Check(code=code, outcome=outcome, limit=limit, observed=figure, unit=unit, detail=detail)  # type: ignore[arg-type]


def test_the_book_is_what_it_was_worked_out_to_be() -> None:
    made = book().book
    assert (made.equity, made.gross, made.net) == (100_000, 50_000, 30_000)


@pytest.mark.parametrize(
    ("code", "limit", "bought", "sold", "what"),
    [
        ("POSITION_LIMIT", 0.05, 0.14, 0.06, "the position in ACME"),
        ("GROSS_EXPOSURE", 1.5, 0.54, 0.46, "gross exposure"),
        ("NET_EXPOSURE", 1.0, 0.34, 0.26, "net exposure"),
        ("CONCENTRATION", 0.10, 0.14, 0.06, "ACME with open proposals"),
        ("UNPROVEN_AGENT", 0.01, 0.14, 0.06, "with agents unproven, the position"),
    ],
)
def test_exposures_after_forty_shares_either_way(
    code: str, limit: float, bought: float, sold: float, what: str
) -> None:
    for side, after in (("buy", bought), ("sell", sold)):
        outcome = "pass" if side == "sell" or after <= limit else "deny"
        detail = f"{what} would be {after:.2%} of equity, at most {limit:.2%}"
        expected = check(code, outcome, limit, after, "of equity", detail)
        assert said(code, side=side, of=score()) == expected  # type: ignore[arg-type]


def test_a_sector_adds_up_longs_and_shorts() -> None:
    detail = "sector S with open proposals would be 54.00% of equity, at most 30.00%"
    expected = check("CONCENTRATION", "deny", 0.3, 0.54, "of equity", detail)
    assert said("CONCENTRATION", last=True) == expected
    detail = "sector unclassified with open proposals would be 4.00% of equity, at most 30.00%"
    assets = [
        Asset(symbol=s, name=s, sector="S" if s != "ACME" else None) for s in ("ACME", "OTHER", "THIRD")
    ]
    where = book(assets=assets, positions={"OTHER": -200, "THIRD": 1500}, cash=80_000)
    expected = check("CONCENTRATION", "pass", 0.3, 0.04, "of equity", detail)
    assert said("CONCENTRATION", where, last=True) == expected


@pytest.mark.parametrize(
    ("changes", "quantity", "what"),
    [
        ({}, float("nan"), "the size"),
        ({"histories": [History("ACME"), *HISTORIES[1:]], "positions": {}}, 40, "the price of ACME"),
        ({"histories": HISTORIES[:1]}, 40, "the price of OTHER, THIRD"),
        ({"cash": -30_000}, 40, "positive equity"),
        ({"cash": -40_000}, 40, "positive equity"),
    ],
)
def test_what_is_unknown_is_named(changes: dict[str, Any], quantity: float, what: str) -> None:
    for code in ("POSITION_LIMIT", "GROSS_EXPOSURE", "NET_EXPOSURE", "UNPROVEN_AGENT"):
        found = said(code, book(**changes), quantity=quantity, of=score())
        assert (found.outcome, found.observed, found.unit) == ("deny", None, "of equity")
        assert found.detail == f"{what} is unknown, so the order is denied"


def test_the_smaller_cap_is_for_scores_without_a_record() -> None:
    unit = "of equity"
    detail = "an order without a score has no agents behind it"
    assert said("UNPROVEN_AGENT") == check("UNPROVEN_AGENT", "pass", 0.01, None, unit, detail)
    detail = "the agents behind the score have a track record"
    expected = check("UNPROVEN_AGENT", "pass", None, None, unit, detail)
    assert said("UNPROVEN_AGENT", of=score(track_record="proven")) == expected


@pytest.mark.parametrize(
    ("hours", "outcome"), [(0.0, "pass"), (71.96, "pass"), (72.0, "pass"), (72.01, "deny")]
)
def test_a_signal_is_as_old_as_its_newest_event(hours: float, outcome: str) -> None:
    detail = f"the newest signal is {hours:.1f} hours old, at most 72"
    expected = check("STALE_SIGNAL", outcome, 72.0, hours, "hours", detail)
    assert said("STALE_SIGNAL", of=score(last_event=NOW - timedelta(hours=hours))) == expected


def test_an_event_ahead_of_time_is_fresh_and_none_is_unknown() -> None:
    assert said("STALE_SIGNAL", of=score(last_event=NOW + timedelta(hours=3))).observed == 0.0
    detail = "an order without a score rests on no signal"
    assert said("STALE_SIGNAL") == check("STALE_SIGNAL", "pass", 72.0, None, "hours", detail)
    detail = "the time of the newest signal is unknown, so the order is denied"
    expected = check("STALE_SIGNAL", "deny", 72.0, None, "hours", detail)
    assert said("STALE_SIGNAL", of=score(last_event=None)) == expected


def test_a_score_of_prices_alone_is_as_old_as_its_last_bar() -> None:
    """The bar of the 3rd is complete at midnight, fifteen hours before three in the afternoon of the 4th."""
    alone = score(last_event=None, concentration=ALONE)
    assert said("STALE_SIGNAL", of=alone).observed == 15.0
    assert said("STALE_SIGNAL", book(histories=[], positions={}), of=alone).observed is None


def test_the_open_proposal_that_asks_for_the_same_is_named() -> None:
    earlier = desk().proposed()
    others = [structs.replace(earlier, side="sell"), structs.replace(earlier, asset="OTHER")]
    where = book(open_proposals=[*others, earlier, earlier])
    detail = f"{earlier.proposal_id} asks for the same and is open"
    assert said("DUPLICATE", where) == check("DUPLICATE", "deny", 0.0, 2.0, "proposals", detail)
    detail = "no open proposal asks for the same"
    expected = check("DUPLICATE", "pass", 0.0, 0.0, "proposals", detail)
    assert said("DUPLICATE", book(open_proposals=others)) == expected


def test_the_restricted_list_says_who_is_on_it() -> None:
    code = "RESTRICTED_LIST"
    expected = check(code, "pass", 0.0, 0.0, "listed", "ACME is not on the restricted list")
    assert said(code) == expected
    banned = book(assets=[Asset(symbol="ACME", name="Acme", restricted=True)])
    assert said(code, banned) == check(code, "deny", 0.0, 1.0, "listed", "ACME is on the restricted list")
    detail = "ACME is not tracked: whether it is restricted is unknown, so the order is denied"
    assert said(code, book(assets=[])) == check(code, "deny", 0.0, None, "listed", detail)


@pytest.mark.parametrize(("hours", "outcome"), [(0.0, "deny"), (5.5, "deny"), (6.0, "pass"), (9.0, "pass")])
def test_a_decision_cools_down_from_the_youngest_on_the_asset(hours: float, outcome: str) -> None:
    decided = structs.replace(desk().proposed(), status="rejected", as_of=NOW - timedelta(hours=hours))
    older = structs.replace(decided, as_of=NOW - timedelta(hours=hours + 40))
    elsewhere = structs.replace(decided, asset="OTHER", as_of=NOW)
    later = structs.replace(decided, as_of=NOW + timedelta(hours=1))
    detail = f"a proposal of {hours:.1f} hours ago on this asset was decided, wait 6"
    found = said("COOLDOWN", book(recent=[older, decided, elsewhere, later]))
    assert found == check("COOLDOWN", outcome, 6.0, hours, "hours", detail)
    detail = "nothing on this asset was decided of late"
    nothing = said("COOLDOWN", book(recent=[elsewhere, later, structs.replace(decided, status="pending")]))
    assert nothing == check("COOLDOWN", "pass", 6.0, None, "hours", detail)


@pytest.mark.parametrize(
    ("spread", "outcome", "limit", "observed", "detail"),
    [
        (
            {},
            "pass",
            0.5,
            0.1,
            "10% of 40 items, weighed by age, come from one cluster of copies, at most 50%",
        ),
        (
            {"top_author_share": 0.2},
            "pass",
            0.5,
            0.2,
            "20% of 40 items, weighed by age, come from one author, at most 50%",
        ),
        (
            {"top_author_share": 0.6},
            "deny",
            0.5,
            0.6,
            "60% of 40 items, weighed by age, come from one author, at most 50%",
        ),
        (
            {"young_author_share": 0.75, "top_author_share": 0.6},
            "deny",
            0.5,
            0.75,
            "75% of 40 items, weighed by age, come from young accounts, at most 50%",
        ),
        ({"authors": 0, "top_author_share": 0.9}, "pass", 0.5, 0.1, None),
    ],
)
def test_the_share_furthest_above_its_limit_is_named(
    spread: dict[str, float], outcome: str, limit: float, observed: float, detail: str | None
) -> None:
    of = score(concentration=structs.replace(score().concentration, **spread))
    found = said("MANIPULATION", of=of)
    assert found == check("MANIPULATION", outcome, limit, observed, "share of items", detail or found.detail)


def test_each_share_is_held_to_its_own_limit() -> None:
    """30 % copies against 20 %, 40 % young accounts against 35 %, 60 % of one author against 55 %."""
    limits = structs.replace(Controls().limits, cluster_share=0.2, young_author_share=0.35, author_share=0.55)
    shares = {"top_cluster_share": 0.3, "young_author_share": 0.4, "top_author_share": 0.6}
    of = score(concentration=structs.replace(score().concentration, **shares))
    found = said("MANIPULATION", book(controls=Controls(limits=limits)), of=of)
    assert (found.outcome, found.limit, found.observed) == ("deny", 0.2, 0.3)


def test_without_items_there_is_nothing_to_manipulate() -> None:
    expected = check("MANIPULATION", "pass", None, None, "share of items", "no items are behind the order")
    assert said("MANIPULATION") == expected
    assert said("MANIPULATION", of=score(concentration=ALONE)) == expected


@pytest.mark.parametrize(
    ("controls", "outcome", "observed", "detail"),
    [
        (Controls(), "pass", 0.0, "the desk is ACTIVE"),
        (Controls(reason="all is well"), "pass", 0.0, "the desk is ACTIVE (all is well)"),
        (Controls(state="HALTED", reason="a review"), "deny", 1.0, "the desk is HALTED (a review)"),
        (Controls(kill_switch=True), "deny", 1.0, "the desk is HALTED, the kill switch is on"),
        (
            Controls(state="REDUCING", reason="year end"),
            "deny",
            0.5,
            "the desk is REDUCING (year end): exposure may only fall",
        ),
    ],
)
def test_the_switch_says_why(controls: Controls, outcome: str, observed: float, detail: str) -> None:
    expected = check("KILL_SWITCH", outcome, 0.0, observed, "halted", detail)
    assert said("KILL_SWITCH", book(controls=controls)) == expected


def test_a_state_nobody_understands_is_unknown() -> None:
    found = said("KILL_SWITCH", book(controls=read_controls({"state": "ASLEEP"})))
    assert (found.outcome, found.limit, found.observed, found.unit) == ("deny", 0.0, None, "halted")
    assert found.detail.startswith("the desk's state (the stored controls cannot be read: Invalid enum value")


def test_a_finding_lets_pass_what_a_check_allows() -> None:
    """A hair of rounding passes, less than a lot denies, anything between is cut."""
    from bellwether.domain.risk_order import CheckedOrder

    order = CheckedOrder(order=Order(asset="ACME", side="buy", quantity=40), situation=book())

    def found(allowed: float) -> tuple[str, float]:
        finding: Finding = order.found(
            "X", limit=1.0, observed=2.0, unit="u", allowed=allowed, detail="because"
        )
        assert finding.check == Check(
            code="X", outcome=finding.check.outcome, limit=1.0, observed=2.0, unit="u", detail="because"
        )
        return finding.check.outcome, finding.allowed

    assert found(40 * (1 - 5e-10)) == ("pass", 40)
    assert found(40 * (1 - 2e-9)) == ("clamp", 40 * (1 - 2e-9))
    assert found(1.0) == ("clamp", 1.0)
    assert found(0.999) == ("deny", 0.0)
    assert found(100.0) == ("pass", 40)
