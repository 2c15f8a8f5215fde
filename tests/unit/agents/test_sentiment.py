"""The sentiment agent: a reading per entity, and what it declines to read."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import Mention
from bellwether.agents.sentiment import SentimentAgent
from bellwether.agents.text import SentimentModel
from bellwether.domain.entities import Asset
from bellwether.domain.items import Item, StoredItem, settle

pytestmark = pytest.mark.req("A4")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ASSETS = [Asset(symbol="BEACON", name="Beacon Industries"), Asset(symbol="HARBOR", name="Harbor Group")]
AGENT = SentimentAgent(SentimentModel.load())


def item(text: str, **fields: Any) -> StoredItem:
    sent = Item(source="x", source_id=text, published_at=NOW, text=text, **fields)
    return settle(sent, kind="social", received_at=NOW, salt=b"salt")


def mentions(text: str, **fields: Any) -> dict[str, Mention]:
    return {mention.asset.symbol: mention for mention in Mentions(ASSETS).of(item(text, **fields))}


def test_it_reads_each_entity_for_itself() -> None:
    found = mentions("$BEACON shares surge after record profit, while $HARBOR shares plunge on fraud charges")
    readings = {symbol: AGENT.read(mention) for symbol, mention in found.items()}
    assert set(readings) == {"BEACON", "HARBOR"}
    assert readings["BEACON"].raw > 0.3
    assert readings["HARBOR"].raw < readings["BEACON"].raw
    assert all(-1 <= reading.raw <= 1 for reading in readings.values())


def test_the_quality_of_a_reading_is_that_of_its_link() -> None:
    (mention,) = mentions("$BEACON shares surge after record profit").values()
    unsure = msgspec.structs.replace(mention, confidence=0.4)
    assert AGENT.read(unsure).quality == 0.4
    assert AGENT.read(unsure).raw == AGENT.read(mention).raw


@pytest.mark.parametrize(
    ("text", "lang", "why"),
    [
        ("$BEACON Aktie steigt nach Rekordgewinn", "de", "English"),
        ("$BEACON 🚀🚀 https://t.co/abc", "en", "nothing but the name"),
        ("$BEACON", None, "nothing but the name"),
    ],
)
def test_it_abstains_from_what_it_cannot_read(text: str, lang: str | None, why: str) -> None:
    reading = AGENT.read(mentions(text, lang=lang)["BEACON"])
    assert reading.abstained is not None
    assert why in reading.abstained
    assert reading.quality == 0.0


@pytest.mark.parametrize("lang", [None, "en", "en-US", "und"])
def test_it_reads_english_however_it_is_marked(lang: str | None) -> None:
    assert AGENT.read(mentions("$BEACON shares surge", lang=lang)["BEACON"]).abstained is None


def test_only_the_beginning_of_a_very_long_text_is_read() -> None:
    long = "word " * 10_000
    assert mentions(f"$BEACON rises {long}")
    assert not mentions(f"{long} $BEACON rises")


def test_a_plug_in_needs_no_more_than_an_id_and_read() -> None:
    assert {field.name for field in dataclasses.fields(SentimentAgent)} == {"model", "agent_id"}
