"""Checking orders and proposals without writing anything."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bellwether.domain.problems import InvalidInput, NotFound
from bellwether.usecases.check_risk import CheckRisk, RiskRequest
from tests.unit.trading import NOW, Desk, desk


def checking(made: Desk) -> CheckRisk:
    return CheckRisk(
        entities=made.entities,
        prices=made.prices,
        controls=made.controls,
        proposals=made.proposals,
        lake=made.lake,
    )


def asked(**values: Any) -> RiskRequest:
    return msgspec.convert(values, RiskRequest)


def order(asset: str = "ACME", side: str = "buy", quantity: float = 10) -> dict[str, Any]:
    return {"asset": asset, "side": side, "quantity": quantity}


@pytest.mark.req("A6")
def test_a_proposal_is_checked_as_things_are_now_and_does_not_stand_in_its_own_way() -> None:
    made = desk()
    proposal = made.proposed()
    later = NOW + timedelta(hours=1)
    (result,) = checking(made)(asked(proposal_id=proposal.proposal_id), now=later).results
    assert (result.verdict, result.proposal_id, result.as_of) == ("pass", proposal.proposal_id, later)
    made.controls.change({"kill_switch": True}, later)
    (halted,) = checking(made)(asked(proposal_id=proposal.proposal_id), now=later).results
    assert (halted.verdict, halted.state) == ("deny", "HALTED")
    assert len(list(made.ledger.entries())) == 1


def test_orders_are_a_basket_each_with_those_before_it() -> None:
    """Of three orders of 4 % under a net limit of 10 % the third is cut to what is left."""
    made = desk("AAA", "BBB", "CCC")
    made.controls.change({"limits": {"net_exposure": 0.10}}, NOW)
    price = made.prices.history("AAA").close[-1]
    quantity = 40_000 // price
    orders = [order(symbol, quantity=quantity) for symbol in ("AAA", "BBB", "CCC")]
    results = checking(made)(asked(portfolio="core", orders=orders), now=NOW).results
    assert [r.verdict for r in results] == ["pass", "pass", "clamp"]
    assert results[2].allowed_quantity == pytest.approx((100_000 - 2 * quantity * price) // price)


def test_the_past_is_checked_as_of_the_past() -> None:
    made = desk()
    past = NOW - timedelta(days=20)
    (result,) = checking(made)(asked(portfolio="core", orders=[order()], as_of=past), now=NOW).results
    assert result.as_of == past
    assert result.verdict == "pass"


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({}, "$.portfolio"),
        ({"portfolio": "core"}, "$.orders"),
        ({"proposal_id": "P", "portfolio": "core"}, "$.proposal_id"),
        ({"portfolio": "core", "orders": [order()], "as_of": NOW + timedelta(days=1)}, "$.as_of"),
        ({"portfolio": "core", "orders": [order()], "as_of": datetime.min.replace(tzinfo=UTC)}, "$.as_of"),
    ],
)
def test_a_request_that_says_too_little_or_too_much_is_refused(request_: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checking(desk())(asked(**request_), now=NOW)
    assert refused.value.path == path


@pytest.mark.parametrize("quantity", [0, -1])
def test_an_order_without_a_size_is_no_order(quantity: float) -> None:
    with pytest.raises(msgspec.ValidationError, match="quantity"):
        asked(portfolio="core", orders=[order(quantity=quantity)])


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="NONE"):
        checking(desk())(asked(proposal_id="NONE"), now=NOW)
    with pytest.raises(NotFound, match="nobody"):
        checking(desk())(asked(portfolio="nobody", orders=[order()]), now=NOW)
