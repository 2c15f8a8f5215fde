"""Posts of a campaign through the whole chain: they raise MANIPULATION, not the score."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether.domain.conduct_checks import campaign
from bellwether.domain.limits import RiskLimits
from bellwether.domain.scores import Score
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, part, post

RUMOUR = "$BEACON will be bought out next week at a large premium, shares to soar, say people at the bank"
VARIANTS = (
    "{}",
    "RT @a{n}: {}",
    "{} #stocks",
    "Wow. {}",
    "{} http://t.co/{n}",
    "{} $ZZZ",
)


def rumour(n: int, **fields: Any) -> dict[str, Any]:
    words = VARIANTS[n % len(VARIANTS)].replace("{n}", str(n)).replace("{}", RUMOUR)
    return post(text=words, engagement={"author_age_days": 4}, **fields)


def sentiment(score: Score) -> float:
    return part(score).evidence


def ordinary() -> list[dict[str, Any]]:
    return [post(text=f"$BEACON quiet day number {n} at work {n * 7}") for n in range(40)]


@pytest.mark.req("A6")
def test_hundreds_of_young_accounts_raise_manipulation_instead_of_the_score() -> None:
    desk, undisturbed = MemoryDesk(), MemoryDesk()
    for one in (desk, undisturbed):
        one.take_in(ordinary())
    undisturbed.take_in([rumour(0)])
    for start in range(0, 300, 100):
        at = NOW + timedelta(minutes=start)
        desk.take_in([rumour(n, published_at=at) for n in range(start, start + 100)], at=at)
    later = NOW + timedelta(hours=5)
    score, calm = desk.score(now=later), undisturbed.score(now=later)
    assert sentiment(score) == pytest.approx(sentiment(calm), rel=0.05)
    assert score.p_up == pytest.approx(calm.p_up, abs=1e-3)
    found = campaign(score.concentration, RiskLimits())
    assert found is not None
    assert found[0] > 100
    assert campaign(calm.concentration, RiskLimits()) is None


def test_a_past_score_sees_of_a_campaign_what_was_known_then() -> None:
    desk = MemoryDesk()
    desk.take_in(ordinary())
    for minutes in (10, 60):
        at = NOW + timedelta(minutes=minutes)
        desk.take_in([rumour(n, published_at=at) for n in range(60)], at=at)
    before = desk.score(as_of=NOW + timedelta(minutes=5), now=NOW + timedelta(hours=2))
    during = desk.score(as_of=NOW + timedelta(minutes=30), now=NOW + timedelta(hours=2))
    after = desk.score(now=NOW + timedelta(hours=2))
    texts = [score.concentration.repeated_text for score in (before, during, after)]
    assert [text.items if text else 0 for text in texts] == [0, 60, 120]


def test_a_copy_carries_what_it_is_a_copy_of() -> None:
    desk = MemoryDesk()
    desk.take_in([rumour(0)])
    desk.take_in([rumour(3)], at=NOW + timedelta(minutes=1))
    first, second = desk.ports.signals.of_day("BEACON", "20261120")
    assert (first.near_copy_of, second.near_copy_of) == (None, first.item_ids[0])
    assert (first.evidence > 0, second.evidence) == (True, 0.0)
    assert desk.ports.counts.totals()['bellwether_signals_total{agent="sentiment",outcome="copy"}'] == 1
