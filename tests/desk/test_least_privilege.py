"""Least privilege both ways: nothing a function needs is missing, nothing it was given is idle.

The report of the same comparison: `uv run python -m benchmarks.least_privilege`.
"""

import pytest

from tests.desk.conftest import Desk
from tests.desk.exercise import Exercise
from tests.desk.least_privilege import compared, report
from tests.desk.rights_used import Comparison


@pytest.fixture(scope="module")
def comparison(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    Exercise(desk, tmp_path_factory.mktemp("exercise")).run()
    found = compared(desk)
    print(report(desk, found))
    return found


@pytest.mark.req("S3")
def test_nothing_a_function_needs_is_missing(comparison: Comparison) -> None:
    assert comparison.used
    assert comparison.denied == []


@pytest.mark.req("S3")
def test_nothing_a_function_was_given_is_idle_without_a_reason(comparison: Comparison) -> None:
    assert comparison.idle == []


@pytest.mark.req("S3")
def test_every_reason_still_excuses_something(comparison: Comparison) -> None:
    assert comparison.dead == []
