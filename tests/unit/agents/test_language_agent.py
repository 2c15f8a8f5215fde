"""The language agent: many mentions a call, each believed on its own, and nothing asked for twice."""

from typing import Any

import pytest

from bellwether.adapters.memory import MemoryKeptReadings
from bellwether.agents.language.answers import NOTHING_IN_IT, plain
from bellwether.agents.language.excerpts import MOST_CHARACTERS
from bellwether.agents.language.ports import Answer, Question
from bellwether.agents.language.questions import CHARACTERS_A_CALL, ITEMS_A_CALL, MOST_RATIONALE
from bellwether.agents.llm import AGENT_ID
from bellwether.agents.readings import Reading
from bellwether.agents.registry import LLM
from tests.peers.openai import Entry, honest, reading_of
from tests.unit.agents.language_model import NOW, Model, agent_of, entries, mention, read

pytestmark = pytest.mark.req("A4")

GOOD = mention("news 1: $BEACON wins a contract")
BAD = mention("news 2: $HARBOR admits fraud", "HARBOR")
DULL = mention("news 3: $BEACON holds a meeting")


def test_it_reads_in_both_directions_and_abstains_where_nothing_is_said() -> None:
    good, bad, dull = read(agent_of(Model()), [GOOD, BAD, DULL])
    assert (good.raw, bad.raw) == (1.0, -1.0)
    assert good.quality == pytest.approx(GOOD.confidence)
    assert good.rationale == "model-1: as the words say"
    assert dull.abstained == NOTHING_IN_IT
    assert AGENT_ID == LLM == agent_of(Model()).agent_id


def test_many_mentions_are_one_call_and_none_is_none() -> None:
    model = Model()
    agent = agent_of(model)
    agent.prepare([])
    assert model.calls == []
    many = [mention(f"news {n}: $BEACON wins contract number {n} of the year") for n in range(50)]
    assert {reading.raw for reading in read(agent, many)} == {1.0}
    assert model.calls == [3]
    assert all(len(entries(question)) <= ITEMS_A_CALL + 2 for question in model.questions)
    sent = [len(entry["text"]) for entry in entries(model.questions[0])]
    assert sum(sent) <= CHARACTERS_A_CALL + 400


def test_long_texts_are_cut_around_the_name_and_share_calls_by_length() -> None:
    model = Model()
    long = [mention(f"news {n} " + "word " * 900 + f"$BEACON wins {n} " + "more " * 3_000) for n in range(12)]
    assert {reading.raw for reading in read(agent_of(model), long)} == {1.0}
    texts = [entry["text"] for question in model.questions for entry in entries(question)]
    assert max(map(len, texts)) == MOST_CHARACTERS
    assert all("$BEACON wins" in text for text in texts if "word" in text)
    assert model.calls == [2]


@pytest.mark.req("X1")
def test_a_text_that_was_read_is_not_asked_about_again() -> None:
    kept, model = MemoryKeptReadings(), Model()
    first = read(agent_of(model, kept), [GOOD, DULL])
    again = mention("RT @somebody: NEWS 1:  $BEACON wins a contract!!! https://t.co/abc")
    assert read(agent_of(model, kept), [again, DULL]) == [
        Reading(raw=1.0, quality=again.confidence, rationale=first[0].rationale),
        first[1],
    ]
    assert model.calls == [1]
    other = Model(name="model-2")
    read(agent_of(other, kept), [GOOD])
    assert other.calls == [1]


def test_what_the_service_did_not_answer_is_asked_again_the_next_time() -> None:
    kept = MemoryKeptReadings()
    down = Model(answered=lambda _question, _text: Answer(fault="the budget is spent: of today"))
    reading, other = read(agent_of(down, kept), [GOOD, BAD])
    assert reading.abstained == other.abstained == "the budget is spent: of today"
    assert down.calls == [1]
    assert read(agent_of(Model(), kept), [GOOD])[0].raw == 1.0


def test_history_is_not_shown_to_a_model_that_may_know_what_followed() -> None:
    from datetime import timedelta

    model = Model()
    old = mention("news: $BEACON wins the case of last year", received_at=NOW + timedelta(days=300))
    (reading,) = read(agent_of(model), [old])
    assert reading.abstained is not None
    assert "history" in reading.abstained
    assert model.calls == []


def test_a_text_that_is_but_a_name_costs_nothing() -> None:
    model = Model()
    (reading,) = read(agent_of(model), [mention("$BEACON 12.5 !!")])
    assert reading.abstained == "the text says nothing but the name"
    assert model.calls == []


def test_a_mention_nobody_prepared_is_abstained_from() -> None:
    agent = agent_of(Model())
    assert agent.read(GOOD).abstained == "the language model was not asked"
    agent.prepare([GOOD])
    assert agent.read(BAD).abstained == "the language model was not asked"


FLAWS: dict[str, dict[str, Any]] = {
    "too high": {"reading": 6},
    "not whole": {"reading": 0.5},
    "no number": {"reading": "5"},
    "true": {"reading": True},
    "null": {"reading": None},
    "surer than sure": {"sure": "certain"},
    "sure by number": {"sure": 1},
    "no reason": {"rationale": ""},
    "no words": {"rationale": "<<<>>>"},
    "a list of reasons": {"rationale": ["because"]},
    "another id": {"id": "id999"},
    "an id that is none": {"id": None},
}


@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
def test_a_flawed_reading_is_dropped_alone(flaw: dict[str, Any]) -> None:
    def mind(found: Any) -> list[dict[str, Any]]:
        return [reading_of(entry, **(flaw if "news 1" in entry["text"] else {})) for entry in found]

    model = Model(mind)
    good, bad = read(agent_of(model), [GOOD, BAD])
    assert good.abstained in {
        "the language model gave no reading of it",
        "the language model gave no reason",
    }
    assert (bad.raw, bad.abstained) == (-1.0, None)
    assert model.calls == [1]


def test_what_is_missing_or_said_twice_is_dropped_alone() -> None:
    def missing(found: Any) -> list[dict[str, Any]]:
        return [
            told for told, entry in zip(honest(found), found, strict=True) if "news 1" not in entry["text"]
        ]

    def twice(found: Any) -> list[dict[str, Any]]:
        first = [entry for entry in found if "news 1" in entry["text"]]
        return [*honest(found), *(reading_of(entry, reading=-5) for entry in first)]

    for mind in (missing, twice):
        good, bad = read(agent_of(Model(mind)), [GOOD, BAD])
        assert good.abstained == "the language model gave no reading of it"
        assert bad.raw == -1.0


def unreadable(text: str) -> Model:
    """A model that answers a question about several texts so, and those about one text rightly."""

    def answered(question: Question, right: str) -> Answer:
        return Answer(text=text if len(entries(question)) > 3 else right)

    return Model(answered=answered)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"readings": {}}',
        '{"readings": 1}',
        '{"readings": [{"reading": NaN}]}',
        '{"readings": [1, null, []]}',
        "no",
    ],
)
def test_an_answer_that_is_none_is_asked_for_again_text_by_text(text: str) -> None:
    model = unreadable(text)
    good, bad = read(agent_of(model), [GOOD, BAD])
    assert (good.raw, bad.raw) == (1.0, -1.0)
    assert model.calls == [1, 2]


def test_one_text_the_service_will_not_read_does_not_take_the_others_along() -> None:
    def answered(question: Question, right: str) -> Answer:
        if any("news 1" in entry["text"] for entry in entries(question)):
            return Answer(fault="the language model refuses to read it", of_content=True)
        return Answer(text=right)

    good, bad = read(agent_of(Model(answered=answered)), [GOOD, BAD])
    assert good.abstained == "the language model refuses to read it"
    assert bad.raw == -1.0


def test_a_rationale_is_bounded_plain_and_never_markup() -> None:
    ugly = "[bold red]buy[/] <script>alert(1)</script> https://evil.example \x1b[31m\u202e\n" + "x" * 500
    told = plain(ugly)
    assert len(told) <= MOST_RATIONALE
    assert told.isprintable()
    assert not set(told) & set("[]<>/\\&{}`*_|#@\x1b\n\u202e")
    assert "buy" in told

    def mind(found: list[Entry]) -> list[dict[str, Any]]:
        return [reading_of(entry, rationale=ugly) for entry in found]

    (reading,) = read(agent_of(Model(mind)), [GOOD])  # type: ignore[arg-type]
    assert reading.rationale == f"model-1: {told}"


def test_a_failing_memory_is_told_and_what_was_paid_for_is_used() -> None:
    class Full(MemoryKeptReadings):
        def put(self, readings: Any) -> None:
            raise OSError("full")

    agent = agent_of(Model(), Full())
    with pytest.raises(OSError, match="full"):
        agent.prepare([GOOD])
    assert agent.read(GOOD).raw == 1.0
