"""How many findings are accepted. The number only falls."""

from collections import Counter

import pytest

from infrastructure.constructs.acknowledged import EVERYWHERE, WILDCARDS
from tests.infrastructure.synthesis import Synthesis

MOST = 81
"""Decisions to accept a finding (a rule for a reason). Lower it when one goes; a new one replaces another."""


def decisions(*stages: Synthesis) -> set[tuple[str, str]]:
    told = {(one.rule, one.reason) for stage in stages for one in stage.accepted}
    told |= {(row.rule, row.reason) for row in EVERYWHERE}
    return told | {(f"IAM5 {row.pattern}", row.reason) for row in WILDCARDS}


@pytest.mark.req("P9")
def test_acknowledgements_only_become_fewer(
    production: Synthesis, standby: Synthesis, staging: Synthesis, capsys: pytest.CaptureFixture[str]
) -> None:
    made = decisions(production, standby, staging)
    places = {(one.path, one.rule) for one in [*production.accepted, *standby.accepted]}
    by_scanner = Counter(scanner(rule) for rule, _ in made)
    with capsys.disabled():
        print(
            f"\naccepted findings: {len(made)} decisions at {len(places)} places of production; "
            + ", ".join(f"{name} {count}" for name, count in sorted(by_scanner.items()))
        )
    assert len(made) <= MOST, "more findings are accepted than before: fix one, or say why in the change"
    assert len(made) == MOST, f"fewer findings are accepted now: lower MOST to {len(made)}"


def test_every_acknowledgement_gives_a_reason(
    production: Synthesis, standby: Synthesis, staging: Synthesis
) -> None:
    assert [rule for rule, reason in decisions(production, standby, staging) if len(reason) < 15] == []


def scanner(rule: str) -> str:
    if rule.startswith("CKV"):
        return "checkov"
    return "cfn-lint" if rule[1:].isdigit() else rule.partition("-")[0].partition(" ")[0]
