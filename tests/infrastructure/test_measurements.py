"""Memory and timeout of the functions' table against what was measured (`benchmarks/functions.csv`)."""

from pathlib import Path

import pytest

from infrastructure.functions import FUNCTIONS
from infrastructure.measurements import WHOLE_PROCESSOR, Measurement, recorded
from infrastructure.routes import ROUTES

MEASURED = recorded()
AS_ANOTHER = {"fetch_social": "fetch_news"}
"""Functions whose peers this machine cannot play; they run the same code over smaller answers."""
MORE_THAN_MEASURED = {"clean_up"}
"""Measured with no table to retire; it exports whole months."""
GATEWAY_SECONDS = 29
TOO_MUCH = 8.0
"""Memory above so many times the peak needs another reason than memory: the processor that comes with it."""


def measurement(name: str) -> Measurement:
    return MEASURED[AS_ANOTHER.get(name, name)]


@pytest.mark.req("C1")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_memory_leaves_room_above_the_measured_peak(name: str) -> None:
    assert FUNCTIONS[name].memory >= measurement(name).least_memory()


@pytest.mark.req("C1")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_timeout_leaves_room_above_the_measured_time(name: str) -> None:
    row = FUNCTIONS[name]
    assert row.timeout >= measurement(name).least_timeout(row.memory)


@pytest.mark.req("C1")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_memory_is_no_larger_than_its_use_or_its_work_asks_for(name: str) -> None:
    """Memory is paid for: much of it is right for who waits, or for work a smaller share would make long."""
    row, one = FUNCTIONS[name], measurement(name)
    waited_for = name in {route.function for route in ROUTES} or row.critical or row.of_the_pool
    assert (
        row.memory <= max(512, one.peak * TOO_MUCH)
        or waited_for
        or one.processor > 1
        or (name in MORE_THAN_MEASURED)
    )
    assert row.memory <= WHOLE_PROCESSOR


@pytest.mark.req("C1")
def test_who_answers_the_gateway_ends_no_later_than_it() -> None:
    late = {r.function for r in ROUTES if FUNCTIONS[r.function].timeout > GATEWAY_SECONDS}
    # Its schedule needs longer; over HTTP it answers with what was found by then.
    assert late == {"evaluate"}


def test_nothing_is_recorded_that_is_not_in_the_table() -> None:
    assert set(MEASURED) <= set(FUNCTIONS)
    assert set(FUNCTIONS) - set(MEASURED) == set(AS_ANOTHER)


def test_a_share_of_a_processor_takes_longer(tmp_path: Path) -> None:
    path = tmp_path / "functions.csv"
    path.write_text("function,input,peak_mb,processor_s\nscore,much,100,2\n")
    one = recorded(path)["score"]
    assert one.least_memory() == 150
    assert one.seconds_with(1_769) == one.seconds_with(3_538) == 2
    assert one.seconds_with(442) == pytest.approx(8.0, rel=0.01)
    assert one.least_timeout(1_769) == 6
