"""The sentiment agent over many mentions at once: what it reads one by one, and where it abstains."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.agents.readings import Mention
from bellwether.agents.sentiment import SentimentAgent
from bellwether.agents.sentiment_many import raw_readings
from bellwether.agents.text import Reading, SentimentModel
from bellwether.domain.entities import Asset
from bellwether.domain.items import Item, StoredItem, settle

pytestmark = pytest.mark.req("A4")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AGENT = SentimentAgent(SentimentModel.load())
BEACON = Asset(symbol="BEACON", name="Beacon Industries", aliases=("Beacon", "$BCN"))
HARBOR = Asset(symbol="HARBOR", name="Harbor Group")


def item(lang: str | None) -> StoredItem:
    sent = Item(source="x", source_id="1", published_at=NOW, text="Beacon", lang=lang)
    return settle(sent, kind="social", received_at=NOW, salt=b"salt")


ITEMS = {lang: item(lang) for lang in (None, "en", "EN-gb", "und", "de", "fr")}

WORDS = [
    "profit",
    "loss",
    "rises",
    "falls",
    "not",
    "at",
    "but",
    "losses narrow",
    "Harbor",
    "$BCN",
    "12%",
    "12 (8)",
]
ODD = ["https://t.co/x", "😀", "🚀🚀", "…", "\x01", "\x02", "İ", ". The"]
words = st.lists(st.sampled_from([*WORDS, *ODD]), max_size=20).map(" ".join)


@st.composite
def mentions(draw: st.DrawFn) -> Mention:
    asset = draw(st.sampled_from([BEACON, HARBOR]))
    before, after = draw(words), draw(words) * draw(st.sampled_from([1, 1, 9]))
    surface = draw(st.sampled_from([asset.symbol, f"${asset.symbol}", asset.name]))
    gap = draw(st.sampled_from(["", " "]))
    text = f"{before}{gap}{surface}{gap}{after}"
    start = len(before) + len(gap)
    return Mention(
        item=draw(st.sampled_from(list(ITEMS.values()))),
        asset=asset,
        text=text,
        start=start,
        end=start + len(surface),
        confidence=0.9,
    )


@given(st.lists(mentions(), max_size=8))
def test_it_reads_what_the_agent_reads(found: list[Mention]) -> None:
    one_by_one = list(map(AGENT.read, found))
    at_once = raw_readings(AGENT, found)
    assert [raw is None for raw in at_once] == [reading.abstained is not None for reading in one_by_one]
    for raw, reading in zip(at_once, one_by_one, strict=True):
        assert raw is None or raw == pytest.approx(reading.raw, abs=1e-12)
    assert raw_readings(AGENT, found[::-1]) == at_once[::-1]
    assert [raw_readings(AGENT, [mention])[0] for mention in found] == at_once


class Cheerful:
    """A model of another make."""

    def read(self, text: str, entity: str | None = None, **known: object) -> Reading:
        return Reading(0.25, 0.0, 0.75, "positive", about_entity=True)


def test_any_other_model_reads_one_by_one() -> None:
    text = "Beacon profit rises"
    mention = Mention(item=ITEMS["en"], asset=BEACON, text=text, start=0, end=6, confidence=1.0)
    strange = Mention(item=ITEMS["de"], asset=BEACON, text=text, start=0, end=6, confidence=1.0)
    assert raw_readings(replace(AGENT, model=Cheerful()), [mention, strange]) == [0.5, None]


def test_nothing_is_read_of_nothing() -> None:
    assert raw_readings(AGENT, []) == []
