"""A score in plain words, whole sentences at a time."""

from typing import Any

import pytest

from bellwether.domain.explanation import explanation
from bellwether.domain.fusion import Fused
from bellwether.domain.scores import Contribution

pytestmark = pytest.mark.req("A4")


def part(agent: str, share: float, **more: Any) -> Contribution:
    values = {
        "agent_version": 1,
        "weight": 0.25,
        "log_odds": 0.4,
        "evidence": 3.0,
        "reliability": 0.3,
        **more,
    }
    return Contribution(agent_id=agent, share=share, **values)


def fused(p_up: float | None = 0.56, interval: tuple[float, float] | None = (0.48, 0.64)) -> Fused:
    return Fused(p_up=p_up, weights=(), shares=(), n_eff=1.0, disagreement=None, interval=interval)


def test_what_moved_it_most_comes_first_and_who_is_silent_last() -> None:
    said = explanation(
        "ACME",
        1,
        0.51,
        fused(),
        [
            part("attention", 0.0, rationale="as usual"),
            part("sentiment", 0.1234, track_record="proven", rationale="good news"),
            part("momentum", -0.5),
            part("llm", 0.0, abstained="the budget is spent"),
            part("other", 0.0, abstained="it is off"),
        ],
    )
    assert said == (
        "ACME is given a 56.0% chance to rise over the next trading day, against 51.0% anyway. "
        "momentum (unproven, weight 0.250) points down by 0.5000 log-odds: no rationale given. "
        "sentiment (proven, weight 0.250) points up by 0.1234 log-odds: good news. "
        "attention (unproven, weight 0.250) points nowhere: as usual. "
        "With 90 % probability the chance lies between 48.0% and 64.0%, which includes the base rate: "
        "no edge is shown. llm abstains: the budget is spent; other abstains: it is off."
    )


@pytest.mark.parametrize(
    ("interval", "shown"),
    [((0.51, 0.6), False), ((0.4, 0.51), False), ((0.511, 0.6), True), ((0.4, 0.509), True)],
)
def test_an_edge_is_shown_when_the_interval_leaves_the_base_rate_out(
    interval: tuple[float, float], shown: bool
) -> None:
    said = explanation("ACME", 5, 0.51, fused(interval=interval), [part("sentiment", 0.1)])
    assert "over the next 5 trading days" in said
    end = "." if shown else ", which includes the base rate: no edge is shown."
    assert said.endswith(f"between {interval[0]:.1%} and {interval[1]:.1%}{end}")


@pytest.mark.parametrize("what", [fused(None, None), fused(0.5, None), fused(None, (0.4, 0.6))])
def test_without_a_view_it_says_who_abstained_and_why(what: Fused) -> None:
    said = explanation("ACME", 1, 0.5, what, [part("llm", 0.0, abstained="no signal")])
    assert said == "No agent has a view of ACME for the next trading day. llm abstains: no signal."
