"""What is no number is refused where it comes in; it must never read as the least probability there is."""

import math
from typing import Any

import pytest

from bellwether.agents.readings import Reading
from bellwether.domain.base_rate import BaseRate
from bellwether.domain.fusion import View, fuse
from bellwether.domain.log_odds import log_odds, probability
from tests.unit.score.desk_in_memory import MemoryDesk, part, post

pytestmark = pytest.mark.req("A4")

NAN = float("nan")


class Broken:
    """A text model gone wrong: every probability it gives is NaN."""

    p_negative = p_neutral = p_positive = NAN

    def read(self, *_: Any, **__: Any) -> "Broken":
        return self


@pytest.mark.parametrize("of", [log_odds, probability])
def test_no_probability_is_made_of_what_is_no_number(of: Any) -> None:
    with pytest.raises(ValueError, match="no number"):
        of(NAN)
    assert of(0.5) == pytest.approx({"log_odds": 0.0, "probability": 0.6224593312}[of.__name__])


@pytest.mark.parametrize(("value", "expected"), [(math.inf, 0.99), (-math.inf, 0.01)])
def test_an_infinite_view_is_clipped_like_any_extreme_one(value: float, expected: float) -> None:
    assert probability(value) == expected


def test_a_pool_with_a_view_that_is_no_number_fails_instead_of_selling() -> None:
    view = View(agent_id="a", log_odds=NAN, evidence=5.0, reliability=0.5)
    with pytest.raises(ValueError, match="no number"):
        fuse([view], BaseRate(p_up=0.5, log_odds=0.0, error=0.1), lambda *_: 1.0)


@pytest.mark.parametrize(
    ("raw", "quality"), [(NAN, 1.0), (math.inf, 1.0), (0.0, NAN), (0.0, -0.001), (0.0, 1.001)]
)
def test_a_reading_that_says_nothing_cannot_be_made(raw: float, quality: float) -> None:
    with pytest.raises(ValueError, match="says nothing"):
        Reading(raw=raw, quality=quality)
    assert Reading(raw=-1e6, quality=0.0).quality == 0.0
    assert Reading(raw=1e6, quality=1.0).quality == 1.0


def test_an_agent_that_reads_no_numbers_abstains_and_is_counted() -> None:
    desk = MemoryDesk()
    desk.process = desk.processor(sentiment=Broken())
    desk.take_in([post()])
    contribution = part(desk.score())
    assert contribution.abstained is not None
    assert contribution.signals == 1
    assert desk.ports.counts.totals()['bellwether_agent_failures_total{agent="sentiment"}'] == 1
