"""A price that is no price is unknown, and what is unknown is denied."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bellwether.domain.drafts import Terms, Without, drafted
from bellwether.domain.problems import InvalidInput
from bellwether.domain.risk import check_order, settled
from bellwether.domain.risk_order import Order, whole_lots
from bellwether.usecases.check_risk import CheckRisk, OrderRequest, RiskRequest
from bellwether.usecases.situation import moment
from tests.unit.trading import NOW, Desk, bars, score, situation, wave

pytestmark = pytest.mark.req("A6")

YESTERDAY = NOW.date() - timedelta(days=1)
PRICES = [float("nan"), float("inf"), -5.0, 0.0]


@pytest.mark.parametrize("last", PRICES)
def test_an_order_at_no_price_is_denied(last: float) -> None:
    where = situation(histories=[bars("ACME", [*wave(300), last], last=YESTERDAY)])
    result = settled(Order(asset="ACME", side="buy", quantity=5), where)
    assert (result.verdict, result.allowed_quantity) == ("deny", 0.0)
    found = {check.code: (check.outcome, check.observed) for check in result.checks}
    for code in ("POSITION_LIMIT", "GROSS_EXPOSURE", "NET_EXPOSURE", "VAR_95", "ES_97_5"):
        assert found[code] == ("deny", None), code


@pytest.mark.parametrize("last", [float("nan"), float("inf"), -5.0])
def test_a_score_at_no_price_leads_to_no_proposal(last: float) -> None:
    where = situation(histories=[bars("ACME", [*wave(300), last], last=YESTERDAY)])
    terms = Terms(proposal_id="0" * 26, portfolio="core", proposed_by="ana", now=NOW)
    assert isinstance(drafted(score(), where, terms), Without)


def test_a_holding_at_no_price_makes_the_equity_unknown() -> None:
    histories = [
        bars("ACME", wave(), last=YESTERDAY),
        bars("OTHER", [*wave(300), float("nan")], last=YESTERDAY),
    ]
    where = situation(histories=histories, positions={"OTHER": 10})
    assert where.book.equity is None
    assert check_order(Order(asset="ACME", side="buy", quantity=5), where).verdict == "deny"


@pytest.mark.parametrize(
    ("quantity", "lot", "lots"),
    [(7.9, 1, 7), (7.9, 2.5, 7.5), (0.3, 0.1, 0.3), (0.99, 1, 0), (-3, 1, 0), (12, 100, 0), (5, 1, 5)],
)
def test_whole_lots_by_hand(quantity: float, lot: float, lots: float) -> None:
    """0.3 holds three lots of 0.1 although 0.3/0.1 is a hair below 3 in binary."""
    assert whole_lots(quantity, lot) == pytest.approx(lots)


@pytest.mark.parametrize("quantity", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_holds_no_lot(quantity: float) -> None:
    assert whole_lots(quantity, 1.0) == 0.0


def test_a_moment_is_in_utc_wherever_the_caller_is() -> None:
    """One o'clock on the 5th in Kiribati is eleven on the 4th in UTC: a bar of the 27th is five days old."""
    kiribati = timezone(timedelta(hours=14))
    asked = datetime(2026, 3, 5, 1, tzinfo=kiribati)
    assert moment(asked, NOW).utcoffset() == timedelta(0)
    assert moment(asked, NOW) == datetime(2026, 3, 4, 11, tzinfo=UTC)
    made = Desk()
    made.track("ACME", wave(), last=datetime(2026, 2, 27, tzinfo=UTC).date())
    check = CheckRisk(
        entities=made.entities,
        prices=made.prices,
        controls=made.controls,
        proposals=made.proposals,
        lake=made.lake,
    )
    orders = [OrderRequest(asset="ACME", side="buy", quantity=5)]
    (result,) = check(RiskRequest(portfolio="core", orders=orders, as_of=asked), now=NOW).results
    (stale,) = [c for c in result.checks if c.code == "STALE_PRICE"]
    assert (stale.outcome, stale.observed) == ("pass", 5.0)
    assert result.as_of.utcoffset() == timedelta(0)


def test_a_moment_is_now_unless_it_is_past() -> None:
    assert moment(None, NOW) == NOW
    assert moment(NOW + timedelta(minutes=5), NOW) == NOW
    for wrong in (NOW + timedelta(minutes=5, seconds=1), datetime(1969, 12, 31, tzinfo=UTC)):
        with pytest.raises(InvalidInput) as fault:
            moment(wrong, NOW)
        assert fault.value.path == "$.as_of"
    assert moment(datetime(1970, 1, 1, tzinfo=UTC), NOW).year == 1970
