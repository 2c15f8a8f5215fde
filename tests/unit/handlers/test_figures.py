"""What handlers record: valid lines, known names, bounded dimensions, and who records each of them."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bellwether.adapters.memory import MemoryProviderRecords
from bellwether.adapters.providers.provider import Cost, Cursor, Fetched, Health
from bellwether.adapters.providers.tally import Tally
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.problems import Unauthenticated
from bellwether.domain.provider_record import ProviderRecord, reserve
from bellwether.domain.provider_terms import Quota
from bellwether.handlers import authorizer, provider_spend
from bellwether.handlers.figure_names import DIMENSIONS, FIGURES, OTHER
from bellwether.handlers.figures import embedded, record
from bellwether.handlers.provider_terms import read_terms
from bellwether.handlers.queue_function import QueueFunction
from bellwether.handlers.scheduled_function import Failed, ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from tests.unit.handlers.embedded_format import Sample, of_line, samples
from tests.unit.handlers.events import Context, authorizer_event, sqs_event
from tests.unit.handlers.test_queue_functions import NOW

HANDLERS = Path(str(authorizer.__file__)).parent
MOST_SERIES = 128
"""About 0.30 dollars each a month, if there is one: a provider that is never asked makes none."""


@pytest.mark.req("B2")
@given(st.dictionaries(st.sampled_from(sorted(FIGURES)), st.floats(0, 1e6), min_size=1), st.text())
def test_whatever_is_recorded_is_a_valid_line(values: dict[str, float], split: str) -> None:
    line = embedded(values, dict.fromkeys(DIMENSIONS, split))
    found = list(of_line(line))
    assert {sample.name for sample in found} == set(values)
    for name, value in values.items():
        of_name = [sample for sample in found if sample.name == name]
        assert {sample.value for sample in of_name} == {value}
        assert (("service", "bellwether"),) in {sample.dimensions for sample in of_name}
        assert len(of_name) == (2 if FIGURES[name].by else 1)


@pytest.mark.req("B2")
def test_a_value_nobody_foresaw_makes_no_series_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    record({"route": "/a/route/from/a/scanner"}, AnswerMilliseconds=1)
    record({"route": "/score"}, AnswerMilliseconds=1)
    told = {sample.dimensions[-1] for sample in samples(capsys.readouterr().out)}
    assert told == {("service", "bellwether"), ("route", OTHER), ("route", "/score")}


@pytest.mark.req("B2")
def test_all_series_together_stay_affordable() -> None:
    series = sum(1 + (len(DIMENSIONS[figure.by]) + 1 if figure.by else 0) for figure in FIGURES.values())
    assert series <= MOST_SERIES


@pytest.mark.req("B2")
def test_only_what_the_table_names_can_be_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError, match="Surprises"):
        record(Surprises=1)
    with pytest.raises(KeyError, match="route"):
        record(AnswerMilliseconds=1)
    record(Brier=math.nan)
    record(Brier=math.inf, HitRate=0.5)
    assert [sample.name for sample in samples(capsys.readouterr().out)] == ["HitRate"]


@pytest.mark.req("B2")
def test_every_figure_of_the_table_is_recorded_by_some_handler() -> None:
    texts = [path.read_text() for path in HANDLERS.glob("*.py") if path.name != "figure_names.py"]
    recorded = {name for text in texts for name in re.findall(r'"?(\w+)"?(?:=|: )', text)}
    recorded |= {name for text in texts for name in re.findall(r'"(\w+)"', text)}
    assert {name for name, figure in FIGURES.items() if figure.source == "handlers"} - recorded == set()


def work(body: bytes, _parts: None) -> dict[str, str]:
    if body == b"poison":
        raise ValueError
    return {}


def totals(found: list[Sample], name: str) -> list[float]:
    return [sample.value for sample in found if sample.name == name and len(sample.dimensions) == 1]


@pytest.mark.req("B2")
def test_a_queue_function_tells_how_its_messages_went(capsys: pytest.CaptureFixture[str]) -> None:
    function = QueueFunction(FunctionSettings, lambda _settings: None, work)
    function.serve(sqs_event("a", "poison"), Context(), None)
    found = samples(capsys.readouterr().out)
    assert totals(found, "Messages") == [1, 1]
    assert totals(found, "MessageFailures") == [0, 1]
    assert all(wait >= 0 for wait in totals(found, "MessageWaitSeconds"))
    assert ("function", OTHER) in {sample.dimensions[-1] for sample in found}


@pytest.mark.req("B2")
def test_a_scheduled_run_that_fails_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    def run(event: dict[str, bool], _parts: None, _seconds: float) -> dict[str, str]:
        if event.get("fail"):
            raise ValueError
        return {}

    function = ScheduledFunction(FunctionSettings, lambda _settings: None, run)  # type: ignore[arg-type]
    function.serve({}, Context(), lambda: None)
    with pytest.raises(Failed):
        function.serve({"fail": True}, Context(), lambda: None)
    found = samples(capsys.readouterr().out)
    assert totals(found, "Runs") == [1, 1]
    assert totals(found, "RunFailures") == [0, 1]


@pytest.mark.req("B2", "B4")
def test_an_unknown_caller_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    class Nobody:
        def user(self, _token: str) -> None:
            raise Unauthenticated("no such token")

    class Broken:
        def user(self, _token: str) -> None:
            raise OSError

    event = authorizer_event(headers={"Authorization": "Bearer a.b.c"})
    for tokens, failure in ((Nobody(), authorizer.Unauthorized), (Broken(), RuntimeError)):
        parts = authorizer.Parts(tokens=tokens, logins=None, clients=None)  # type: ignore[arg-type]
        with pytest.raises(failure):
            authorizer.handler.serve(event, Context(), parts)
    found = samples(capsys.readouterr().out)
    assert totals(found, "Unauthorized") == [1]
    assert totals(found, "AuthorizerFaults") == [1]


def asked(provider: str, state: str, **cost: float) -> Fetched:
    health = Health(provider=provider, target="t", state=state, checked_at=NOW)  # type: ignore[arg-type]
    return Fetched(items=[], cursor=Cursor(), health=health, cost=Cost(**cost))  # type: ignore[arg-type]


@pytest.mark.req("B2", "X2")
def test_calls_to_providers_are_metered_in_dollars(capsys: pytest.CaptureFixture[str]) -> None:
    tallies = {"x": Tally(), "rss": Tally()}
    for fetched in (
        asked("x", "ok", calls=2, dollars=0.5),
        asked("x", "failing", calls=1, dollars=0.25),
        asked("x", "waiting"),
        asked("rss", "ok", calls=1),
    ):
        tallies[fetched.health.provider].add(fetched)
    records = MemoryProviderRecords()
    spent, _ = reserve(ProviderRecord(name="x"), TERMS["x"], NOW, 4.0)
    assert records.put(structs.replace(spent, version=1))
    provider_spend.tell(tallies, records, TERMS, NOW)
    found = samples(capsys.readouterr().out)
    assert sum(totals(found, "ProviderDollars")) == pytest.approx(0.75)
    assert sum(totals(found, "ProviderCalls")) == 4
    assert sum(totals(found, "ProviderFailures")) == 1
    # only what has a budget can use it up: 4 of 5 dollars a day
    assert totals(found, "ProviderBudgetUsed") == [pytest.approx(0.8)]
    assert totals(found, "ProviderLagSeconds") == []
    assert {s.dimensions[-1] for s in found if len(s.dimensions) == 2} == {
        ("provider", "x"),
        ("provider", "rss"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"x": {"call_dollars": "free"}}',
        '{"x": {"call_dollars": -1}}',
        '{"x": {"daily_dollars": 1e999}}',
        '{"x": {"quotas": [{"calls": 0, "seconds": 1}]}}',
        '{"x": {"quotas": [{"calls": 1, "seconds": 1, "burst": 2}]}}',
        '{"x": {"colour": 1}}',
        '{"nobody": {}}',
    ],
)
def test_a_meter_that_cannot_be_read_stops_the_function(text: str) -> None:
    with pytest.raises(ValueError, match=r"PROVIDER_TERMS|Expected"):
        read_terms(text)


def test_a_stage_says_otherwise_of_what_it_names_and_of_nothing_else() -> None:
    told = read_terms('{"x": {"monthly_dollars": 7, "quotas": [{"calls": 3, "seconds": 60}]}}')
    assert (told["x"].monthly_dollars, told["x"].quotas) == (7.0, (Quota(calls=3, seconds=60),))
    assert told["x"].item_dollars == TERMS["x"].item_dollars
    assert {name: row for name, row in told.items() if name != "x"} == {
        name: row for name, row in TERMS.items() if name != "x"
    }
