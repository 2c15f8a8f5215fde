"""The sentiment text model: labels, entities, explanations, and what inference may cost."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.agents.text import Reading, SentimentModel
from bellwether.agents.text.model import PACKAGED, Weights
from bellwether.agents.text.tokens import fold, locate, tokenise

MODEL = SentimentModel.load()


@pytest.mark.parametrize(
    ("text", "entity", "label"),
    [
        ("Tata Steel shares surge 8% after record quarterly profit", "Tata Steel", "positive"),
        ("Tata Steel shares plunge 8% after quarterly loss", "Tata Steel", "negative"),
        ("Infosys to announce quarterly results on Friday", "Infosys", "neutral"),
        ("$XYZQ - Credit Suisse downgrades to underperform", "XYZQ", "negative"),
        ("Operating profit rose to EUR 13.1 mn from EUR 8.7 mn", None, "positive"),
        ("Net sales decreased by 12% and the loss widened", None, "negative"),
        ("The annual general meeting will be held in Helsinki", None, "neutral"),
        ("XYZQ stock price target cut to $12", None, "negative"),
    ],
)
def test_plain_sentences(text: str, entity: str | None, label: str) -> None:
    assert MODEL.read(text, entity).label == label


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        ("Gold shines on seasonal demand; Silver slips", "Gold", "Silver"),
        ("Wipro falls 3%, Infosys gains on order win", "Infosys", "Wipro"),
        ("Cipla rallies 4%; Lupin tumbles after USFDA warning", "Cipla", "Lupin"),
        ("Sensex slips 100 points while rupee strengthens", "rupee", "Sensex"),
        ("Apple beats, Nokia slumps", "Apple", "Nokia"),
    ],
)
def test_entities_of_one_title_may_conflict(text: str, up: str, down: str) -> None:
    assert MODEL.read(text, up).label == "positive"
    assert MODEL.read(text, down).label == "negative"


def test_who_is_quoted_is_neutral() -> None:
    text = "Good time to accumulate quality stocks like Voltas: Angel Broking"
    assert MODEL.read(text, "Angel Broking").label == "neutral"
    assert MODEL.read(text, "Voltas").label == "positive"


def test_the_name_of_a_company_does_not_matter() -> None:
    one, other = (MODEL.read(f"{name} posts quarterly loss", name) for name in ("Suzlon", "Blorptech"))
    assert one == other


def test_any_of_the_names_finds_the_entity() -> None:
    text = "Gold shines on seasonal demand; $SLVR slips"
    by_ticker = MODEL.read(text, "SLVR")
    assert by_ticker == MODEL.read(text, names=["Silver Corp", "$SLVR"])
    start = text.index("$SLVR")
    assert by_ticker == MODEL.read(text, span=(start, start + 5))
    assert by_ticker.about_entity


def test_an_entity_that_is_not_there_is_read_as_a_whole() -> None:
    text = "Gold shines on seasonal demand"
    reading = MODEL.read(text, "Platinum")
    assert not reading.about_entity
    assert reading == MODEL.read(text)
    assert not MODEL.read("Goldman shines", "Gold").about_entity


def test_explanation_names_the_words_and_their_place() -> None:
    text = "Silver slips, Gold shines on demand"
    words = MODEL.explain(text, "Gold")
    assert words[0].word == "shines"
    assert words[0].weight > 0
    assert all(text[word.start : word.end] == word.word for word in words)
    assert "Gold" not in [word.word for word in words]
    assert len(MODEL.explain(text, "Gold", limit=2)) == 2
    assert MODEL.explain("") == []


def test_explanation_follows_a_repeated_mention() -> None:
    text = "Gold up; analysts cheer Gold"
    assert {word.word for word in MODEL.explain(text, span=(24, 28))} <= {"Gold", "up", "analysts", "cheer"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.one_of(st.none(), st.text(max_size=10)))
def test_any_text_gives_probabilities(text: str, entity: str | None) -> None:
    reading = MODEL.read(text, entity)
    total = reading.p_negative + reading.p_neutral + reading.p_positive
    assert total == pytest.approx(1.0)
    assert min(reading.p_negative, reading.p_neutral, reading.p_positive) >= 0.0
    best = max(reading.p_negative, reading.p_neutral, reading.p_positive)
    assert getattr(reading, f"p_{reading.label}") == best


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_folding_keeps_offsets(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_a_long_article_is_read_around_its_entity() -> None:
    filler = "The committee met again and discussed the agenda of the day. " * 400
    text = f"{filler}Cipla shares surge on record profit. {filler}"
    assert MODEL.read(text, "Cipla").label == "positive"
    assert 0.0 < MODEL.read(text).p_neutral < 1.0


def test_caches_do_not_change_readings() -> None:
    fresh = SentimentModel(msgspec.msgpack.decode(PACKAGED.read_bytes(), type=Weights))
    text = "Cipla rallies 4%; Lupin tumbles after USFDA warning"
    first = fresh.read(text, "Lupin")
    for number in range(3000):
        fresh.read(f"word{number} and word{number + 1} rise", f"word{number}")
    assert fresh.read(text, "Lupin") == first == MODEL.read(text, "Lupin")


def test_model_files_can_be_loaded_from_elsewhere(tmp_path: Path) -> None:
    copy = tmp_path / "weights.bin"
    copy.write_bytes(PACKAGED.read_bytes())
    text = "Profit falls at Voltas"
    assert SentimentModel.load(copy).read(text) == MODEL.read(text)
    assert SentimentModel.load() is SentimentModel.load()


def test_weights_stay_small() -> None:
    assert PACKAGED.stat().st_size < 3_000_000


def test_tokens() -> None:
    assert tokenise(fold("$AAPL’s Q3 profit up 12.5%: @x https://t.co/a")) == [
        "$x", "'s", "q0", "profit", "up", "00.0", "%", ":", "@x",
    ]  # fmt: skip
    assert locate("pay $t, t-mobile", ["t-mobile", "t"]) == (4, 6)
    assert locate("goldman", ["gold"]) is None


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its peak memory from /proc")
def test_inference_needs_neither_numpy_nor_scikit_learn_and_little_memory() -> None:
    program = (
        "import pathlib, sys\n"
        "from bellwether.agents.text import SentimentModel\n"
        "model = SentimentModel.load()\n"
        "for n in range(20000):\n"
        "    model.read(f'Firm{n} gains {n} on plan{n} while rival{n} slips', f'Firm{n}')\n"
        "assert not {'numpy', 'scipy', 'sklearn', 'csv', 'typer'} & set(sys.modules)\n"
        "print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert int(done.stdout) < 64 * 1024  # kilobytes, interpreter included


def test_a_reading_is_a_value() -> None:
    assert MODEL.read("Profit falls") == MODEL.read("Profit falls")
    assert isinstance(MODEL.read("Profit falls"), Reading)
