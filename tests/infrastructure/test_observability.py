"""Alarms and the dashboard."""

import json

import pytest

from infrastructure.functions import FUNCTIONS
from tests.infrastructure.synthesis import Resource, Synthesis


def alarms(synthesis: Synthesis) -> dict[str, Resource]:
    return {
        a.logical_id.removeprefix("Alarms")[:-8]: a
        for a in synthesis.of("AWS::CloudWatch::Alarm", "observability")
    }


@pytest.mark.req("B4")
def test_failing_and_slow_answers_alarm_as_specified(production: Synthesis) -> None:
    errors = alarms(production)["ServerErrors"].properties
    assert (errors["MetricName"], errors["Statistic"], errors["Threshold"]) == ("5XXError", "Average", 0.05)
    assert errors["Period"] * errors["EvaluationPeriods"] == 300
    slow = alarms(production)["SlowAnswers"].properties
    assert (slow["MetricName"], slow["ExtendedStatistic"], slow["Threshold"]) == ("Latency", "p95", 2_000)
    assert slow["Period"] * slow["EvaluationPeriods"] == 600


@pytest.mark.req("B4", "C4")
def test_every_queue_of_failures_alarms_within_a_minute(production: Synthesis) -> None:
    watched = {
        production.target("observability", dimension["Value"])
        for alarm in alarms(production).values()
        if alarm.properties["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm.properties["Dimensions"]
        if (alarm.properties["Threshold"], alarm.properties["Period"]) == (0, 60)
    }
    # The account's own queue has its alarm beside it (test_account.py).
    ending = {
        queue.logical_id
        for queue in production.of("AWS::SQS::Queue")
        if "RedrivePolicy" not in queue.properties and queue.stack != "account"
    }
    assert watched == ending


@pytest.mark.req("B4")
def test_every_function_alarms_when_it_keeps_failing(production: Synthesis) -> None:
    watched = {
        production.target("observability", alarm.properties["Dimensions"][0]["Value"])
        for alarm in alarms(production).values()
        if alarm.properties["MetricName"] == "Errors"
    }
    assert watched == {production.function(name).logical_id for name in FUNCTIONS}


@pytest.mark.req("B4")
def test_all_alarms_notify_the_one_encrypted_topic(production: Synthesis) -> None:
    (topic,) = production.of("AWS::SNS::Topic", "observability")
    assert production.target("observability", topic.properties["KmsMasterKeyId"]).startswith("Alarms")
    for alarm in alarms(production).values():
        assert alarm.properties["AlarmActions"] == [{"Ref": topic.logical_id}]
        assert alarm.properties["TreatMissingData"] == "notBreaching"


@pytest.mark.req("B4")
def test_no_alarm_needs_metric_math(production: Synthesis) -> None:
    assert all("Metrics" not in alarm.properties for alarm in alarms(production).values())


@pytest.mark.req("B3")
def test_the_dashboard_shows_alarms_traffic_and_failures(production: Synthesis) -> None:
    (dashboard,) = production.of("AWS::CloudWatch::Dashboard")
    body = json.dumps(dashboard.properties["DashboardBody"])
    for title in ("Alarms", "Answers a minute", "Time to answer (ms)", "Failures waiting"):
        assert title in body
