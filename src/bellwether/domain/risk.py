"""The risk check of an order: every check every time, the strictest decides, nothing unknown passes."""

from collections.abc import Callable

from msgspec import structs

from bellwether.domain import conduct_checks, exposure_checks, market_checks
from bellwether.domain.proposals import RiskResult, Verdict
from bellwether.domain.risk_order import CheckedOrder, Finding, Order, Situation, whole_lots
from bellwether.domain.scores import Score

CHECKS: tuple[Callable[[CheckedOrder], Finding], ...] = (
    exposure_checks.position_limit,
    exposure_checks.gross_exposure,
    exposure_checks.net_exposure,
    exposure_checks.asset_concentration,
    exposure_checks.sector_concentration,
    market_checks.var_95,
    market_checks.es_97_5,
    market_checks.drawdown,
    market_checks.liquidity,
    market_checks.stale_price,
    conduct_checks.stale_signal,
    conduct_checks.duplicate,
    conduct_checks.restricted_list,
    conduct_checks.cooldown,
    exposure_checks.unproven_agent,
    conduct_checks.manipulation,
    conduct_checks.kill_switch,
)


def check_order(
    order: Order, situation: Situation, *, score: Score | None = None, proposal_id: str | None = None
) -> RiskResult:
    """Runs every check of the specification on one order.

    `allowed_quantity` is the largest number of whole lots that every check lets pass, 0 when any denies. An
    order without a `score` passes the checks that judge a score.
    """
    checked = CheckedOrder(order=order, situation=situation, score=score)
    findings = [check(checked) for check in CHECKS]
    allowed = min(finding.allowed for finding in findings)
    verdict = _verdict(findings)
    if verdict == "clamp":
        allowed = whole_lots(allowed, situation.controls.sizing.lot)
    return RiskResult(
        asset=order.asset,
        side=order.side,
        quantity=order.quantity,
        allowed_quantity=0.0 if verdict == "deny" else allowed,
        verdict=verdict,
        state=situation.controls.desk_state,
        checks=tuple(finding.check for finding in findings),
        as_of=situation.as_of,
        proposal_id=proposal_id,
    )


def _verdict(findings: list[Finding]) -> Verdict:
    outcomes = {finding.check.outcome for finding in findings}
    if "deny" in outcomes:
        return "deny"
    return "clamp" if "clamp" in outcomes else "pass"


def failed_codes(result: RiskResult) -> list[str]:
    """Codes of the checks that did not pass, each once, in the order they were made."""
    return list(dict.fromkeys(check.code for check in result.checks if check.outcome != "pass"))


def settled(
    order: Order, situation: Situation, *, score: Score | None = None, proposal_id: str | None = None
) -> RiskResult:
    """`check_order`, with what a clamp leaves checked again: if that does not pass, the order is denied.

    The answer is that of the first check, so that what was clamped and why stays on record.
    """
    result = check_order(order, situation, score=score, proposal_id=proposal_id)
    if result.verdict != "clamp":
        return result
    smaller = structs.replace(order, quantity=result.allowed_quantity)
    if check_order(smaller, situation, score=score).verdict == "pass":
        return result
    return structs.replace(result, verdict="deny", allowed_quantity=0.0)
