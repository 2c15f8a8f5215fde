"""The evaluator against the worked examples of CloudWatch's own documentation, and its figures by hand."""

import pytest

from tests.alarms.composites import Malformed, holds
from tests.alarms.evaluation import Metric, Missing, Rule, State, rule_of, state_of, states, values_of
from tests.alarms.metric_math import NotUnderstood, Series, evaluate
from tests.alarms.statistics import percentile, statistic

KEPT: State = "OK"
"""What the alarm was before, where the documentation says that it keeps its state."""
SETTINGS: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")

THREE_OF_THREE = [
    ("0 - X - X", ("OK", "OK", "OK", "OK")),
    ("0 - - - -", ("OK", "OK", "OK", "OK")),
    ("- - - - -", ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK")),
    ("0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("- - X - -", ("ALARM", KEPT, "ALARM", "OK")),
]
TWO_OF_THREE = [
    ("0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("0 - X - -", ("OK", "OK", "ALARM", "OK")),
    ("- - - - 0", ("OK", "OK", "ALARM", "OK")),
    ("- - - X -", ("ALARM", KEPT, "ALARM", "OK")),
]


def points(text: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[one] for one in text.split()]


def rule(to_alarm: int, missing: Missing) -> Rule:
    return Rule(
        threshold=0, comparison="GreaterThanThreshold", evaluated=3, to_alarm=to_alarm, missing=missing
    )


@pytest.mark.parametrize(("given", "expected"), THREE_OF_THREE)
def test_three_of_three_as_documented(given: str, expected: tuple[State, ...]) -> None:
    assert tuple(state_of(rule(3, missing), points(given), KEPT) for missing in SETTINGS) == expected


@pytest.mark.parametrize(("given", "expected"), TWO_OF_THREE)
def test_two_of_three_as_documented(given: str, expected: tuple[State, ...]) -> None:
    assert tuple(state_of(rule(2, missing), points(given), KEPT) for missing in SETTINGS) == expected


@pytest.mark.parametrize("given", ["- - - - X", "- - - X -"])
def test_a_breach_that_has_just_come_is_not_taken_for_more(given: str) -> None:
    """ "The alarm does not go immediately into ALARM state" when datapoints to alarm is 3."""
    for before in ("OK", "INSUFFICIENT_DATA"):
        assert state_of(rule(3, "missing"), points(given), before) == before


def test_the_evaluation_range_of_the_examples() -> None:
    assert rule(3, "missing").looked_at == 5


def test_dynamodb_ignores_missing_data_whatever_the_alarm_says() -> None:
    alarm = {
        "Namespace": "AWS/DynamoDB",
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
    }
    assert rule_of(alarm).missing == "ignore"
    assert rule_of({**alarm, "Namespace": "AWS/SQS"}).missing == "notBreaching"


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("GreaterThanThreshold", [False, False, True]),
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_comparisons_at_the_threshold(comparison: str, expected: list[bool]) -> None:
    compared = Rule(threshold=2, comparison=comparison, evaluated=1, to_alarm=1)
    assert [compared.breaches(value) for value in (1, 2, 3)] == expected


def test_statistics_of_a_period() -> None:
    samples = [4.0, 1.0, 3.0, 2.0]
    found = {
        name: statistic(name, samples) for name in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
    }
    assert found == {"SampleCount": 4, "Sum": 10, "Average": 2.5, "Minimum": 1, "Maximum": 4}
    assert statistic("Sum", []) is None
    with pytest.raises(ValueError, match="Median"):
        statistic("Median", samples)


def test_percentiles() -> None:
    assert percentile(range(101), 95) == 95
    assert percentile([7.0], 99.9) == 7
    assert percentile([0.0, 10.0], 50) == 5
    assert statistic("p100", [1.0, 5.0]) == 5


def test_metric_math() -> None:
    series: dict[str, Series] = {"a": [1.0, None, 3.0], "b": [2.0, 2.0, 0.0]}
    assert evaluate("a + b * 2", series, 3) == [5, None, 3]
    assert evaluate("FILL(a, 0) + b", series, 3) == [3, 2, 3]
    assert evaluate("a / b", series, 3) == [0.5, None, None]
    assert evaluate("IF(a > 1 AND b < 1, 1, 0)", series, 3) == [0, None, 1]
    assert evaluate("IF(FILL(a, 0) >= 1 OR b < 1, 1, -1)", series, 3) == [1, -1, 1]


@pytest.mark.parametrize("expression", ["RATE(a)", "a; b", "c", "a % 2", "__import__('os')", "FILL(a)"])
def test_what_is_not_understood_is_never_passed_over(expression: str) -> None:
    with pytest.raises(NotUnderstood):
        evaluate(expression, {"a": [1.0]}, 1)


def test_states_over_time() -> None:
    metric = Metric("N", "M")
    alarm = {
        "Namespace": "N",
        "MetricName": "M",
        "Statistic": "Sum",
        "Period": 60,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 2,
        "TreatMissingData": "notBreaching",
    }
    samples = {metric: [[1.0], [3.0, 3.0], [9.0], [], [], []]}
    assert values_of(alarm, samples, 6) == [1, 6, 9, None, None, None]
    assert states(alarm, samples, 6) == ["OK", "OK", "ALARM", "ALARM", "OK", "OK"]


def test_rules_of_composite_alarms() -> None:
    known: dict[str, State] = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA"}
    assert holds('ALARM("a")', known)
    assert not holds("ALARM(b)", known)
    assert holds('(ALARM("b") OR ALARM("a"))', known)
    assert not holds("ALARM(a) AND ALARM(b)", known)
    assert holds("ALARM(a) AND NOT ALARM(b)", known)
    assert holds("ALARM(b) OR ALARM(a) AND INSUFFICIENT_DATA(c)", known)
    assert not holds("NOT (ALARM(a) OR OK(b))", known)
    assert holds("TRUE AND NOT FALSE", known)


@pytest.mark.parametrize("wrong", ["", "ALARM(a", "ALARM(a) ALARM(b)", "(ALARM(a)", "a OR b", "OR ALARM(a)"])
def test_a_malformed_rule_is_no_rule(wrong: str) -> None:
    with pytest.raises(Malformed):
        holds(wrong, {"a": "OK", "b": "OK"})


def test_a_rule_about_an_alarm_nobody_knows_is_a_fault() -> None:
    with pytest.raises(KeyError):
        holds("ALARM(missing)", {})
