"""What handlers record: valid lines, known names, bounded dimensions, and who records each of them."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.providers.provider import Health
from bellwether.domain.problems import Unauthenticated
from bellwether.handlers import authorizer, provider_spend
from bellwether.handlers.figure_names import DIMENSIONS, FIGURES, OTHER
from bellwether.handlers.figures import embedded, record
from bellwether.handlers.provider_spend import read_prices, spent
from bellwether.handlers.queue_function import QueueFunction
from bellwether.handlers.scheduled_function import Failed, ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from tests.unit.handlers.embedded_format import Sample, of_line, samples
from tests.unit.handlers.events import Context, authorizer_event, sqs_event
from tests.unit.handlers.test_queue_functions import NOW

HANDLERS = Path(str(authorizer.__file__)).parent
MOST_SERIES = 120
"""About 0.30 dollars each a month."""


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


def health(provider: str, state: str) -> Health:
    return Health(provider=provider, target="t", state=state, checked_at=NOW)  # type: ignore[arg-type]


@pytest.mark.req("B2", "X2")
def test_calls_to_providers_are_metered_in_dollars(capsys: pytest.CaptureFixture[str]) -> None:
    round_ = [
        health("reddit", "ok"),
        health("reddit", "failing"),
        health("reddit", "waiting"),
        health("rss", "ok"),
    ]
    spending = spent(round_, {"reddit": 0.01})
    assert spending == {"reddit": (2, 1, 0.02), "rss": (1, 0, 0.0)}
    provider_spend.tell(spending)
    found = samples(capsys.readouterr().out)
    assert sum(totals(found, "ProviderDollars")) == pytest.approx(0.02)
    assert {s.dimensions[-1] for s in found if len(s.dimensions) == 2} == {
        ("provider", "reddit"),
        ("provider", "rss"),
    }


@pytest.mark.parametrize("text", ["", "[]", '{"a": "free"}', '{"a": -1}', '{"a": 1e999}'])
def test_a_meter_that_cannot_be_read_stops_the_function(text: str) -> None:
    with pytest.raises(ValueError, match="PROVIDER_PRICES"):
        read_prices(text)
