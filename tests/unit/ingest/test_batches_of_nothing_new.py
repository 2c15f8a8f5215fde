"""A batch whose items all belong to others, and a signal's boundaries."""

from datetime import timedelta

import pytest

from bellwether.agents.readings import Mention, Reading
from bellwether.agents.registry import DEFAULTS, SENTIMENT
from bellwether.domain.entities import Asset
from bellwether.domain.items import Item, settle
from bellwether.usecases.process_batch import signal_from
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, post

pytestmark = pytest.mark.req("A2")


def test_a_batch_of_others_items_is_finished_and_says_nothing() -> None:
    desk = MemoryDesk()
    item = post()
    desk.take_in([item])
    told = len(desk.ports.changes.after(None))
    answer = desk.send([item, item], batch_id="batch-again")
    assert (answer.accepted, answer.duplicates) == (0, 2)
    for message in desk.messages():
        assert desk.process(message, now=NOW).signals == 0
    assert len(desk.ports.changes.after(None)) == told


def mention(hours: float) -> Mention:
    sent = Item(
        source="x",
        source_id="1",
        published_at=NOW - timedelta(hours=hours),
        observed_at=NOW,
        text="$BEACON shares rise",
        engagement={"author_age_days": 30.0},
    )
    asset = Asset(symbol="BEACON", name="Beacon")
    item = settle(sent, kind="social", received_at=NOW, salt=b"s")
    return Mention(item=item, asset=asset, text=item.words, start=0, end=7, confidence=0.9)


@pytest.mark.parametrize(("hours", "faded"), [(24 * 6.64, False), (24 * 6.65, True)])
def test_what_is_a_hundredth_when_it_becomes_known_has_faded(hours: float, faded: bool) -> None:
    """A half-life of 24 hours leaves a hundredth after log₂100 = 6.644 of them."""
    made = signal_from(
        mention(hours), DEFAULTS[SENTIMENT], Reading(raw=0.5, quality=0.9), copy=False, sketch=None
    )
    assert made.abstained is faded
    assert (made.quality, made.raw) == ((0.0, 0.0) if faded else (0.9, 0.5))
    assert made.p_up == (0.5 if faded else pytest.approx(0.5411, abs=1e-4))  # σ(0.33·0.5)
    assert made.young_author is False
