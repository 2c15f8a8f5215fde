"""A sentiment signal names its words, as long as the item still reads the way it did."""

import dataclasses

import pytest
from msgspec.structs import replace

from bellwether.agents.reasons import Reasons
from bellwether.agents.text import SentimentModel
from bellwether.domain.entities import Asset
from bellwether.usecases.trace import TraceNode
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, post

MODEL = SentimentModel.load()
GOOD = "$BEACON shares soar after record profit"


def traced(desk: MemoryDesk, reasons: Reasons | None) -> TraceNode:
    (signal,) = desk.ports.signals.of_day("BEACON", "20261120")
    return dataclasses.replace(desk.trace, reasons=reasons)(signal.signal_id, now=NOW)


@pytest.fixture
def desk() -> MemoryDesk:
    made = MemoryDesk()
    made.take_in([post(text=GOOD)])
    return made


def test_a_signal_names_its_words_with_what_each_adds(desk: MemoryDesk) -> None:
    node = traced(desk, Reasons.of_assets(desk.ports.entities.assets(), MODEL))
    words = node.facts["words"]
    assert words[0].startswith("soar +")
    assert "soar +" in node.title
    assert len(words) <= 4
    assert node.intact


def test_without_reasons_there_are_none(desk: MemoryDesk) -> None:
    node = traced(desk, None)
    assert "words" not in node.facts
    assert "soar" not in node.title


def test_words_of_another_reading_are_not_told(desk: MemoryDesk) -> None:
    (signal,) = desk.ports.signals.of_day("BEACON", "20261120")
    reasons = Reasons.of_assets(desk.ports.entities.assets(), MODEL)
    item = next(item for item in desk.ports.raw.get(next(desk.ports.raw.keys(NOW))).items)
    assert reasons.words(item, "BEACON", signal.raw)
    assert reasons.words(item, "BEACON", signal.raw + 0.01) == []
    assert reasons.words(item, "HARBOR", signal.raw) == []
    assert reasons.words(replace(item, lang="de"), "BEACON", signal.raw) == []
    gone = Reasons.of_assets([Asset(symbol="OTHER", name="Other")], MODEL)
    assert gone.words(item, "BEACON", signal.raw) == []
