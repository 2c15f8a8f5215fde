"""Alarms, dashboards, saved queries and logs: what is watched, and that nothing is named nobody tells."""

import json
import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bellwether.cli.main import app
from bellwether.handlers.figure_names import DIMENSIONS, FIGURES
from infrastructure.conditions.silence import EXPECTED
from infrastructure.constructs.saved_queries import QUESTIONS
from infrastructure.constructs.schedules import TIMETABLE
from infrastructure.functions import FUNCTIONS
from infrastructure.routes import ROUTES
from tests.alarms.evaluation import metrics_of
from tests.infrastructure.synthesis import ROOT, Resource, Synthesis

RUNBOOKS = ROOT / "docs" / "runbooks"
ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
OTHER_RUNBOOKS = {"README", "budget", "cost-anomaly"}
"""The index, and what AWS Budgets and Cost Anomaly Detection tell without an alarm."""
PROCEDURES = {"fail-over", "mfa-delete"}
"""What people carry out without an alarm; each has an order of its own."""
SECTIONS = ("## What it means", "## Look", "## Likely causes", "## Mend", "## Verify")


def alarms(synthesis: Synthesis) -> dict[str, Resource]:
    prefix = f"{synthesis.settings.prefix}-"
    found = synthesis.of("AWS::CloudWatch::Alarm", "observability")
    return {str(alarm.properties["AlarmName"]).removeprefix(prefix): alarm for alarm in found}


@pytest.mark.req("B4")
def test_failing_and_slow_answers_alarm_as_specified(production: Synthesis) -> None:
    errors = alarms(production)["server-errors"].properties
    assert (errors["MetricName"], errors["Statistic"], errors["Threshold"]) == ("5XXError", "Average", 0.05)
    assert errors["Period"] * errors["EvaluationPeriods"] == 300
    slow = alarms(production)["slow-answers"].properties
    assert (slow["MetricName"], slow["ExtendedStatistic"], slow["Threshold"]) == ("Latency", "p95", 2_000)
    assert slow["Period"] * slow["EvaluationPeriods"] == 600


@pytest.mark.req("B4", "C4")
def test_every_queue_of_failures_alarms_within_a_minute(production: Synthesis) -> None:
    watched = {
        production.target("observability", dimension["Value"])
        for alarm in alarms(production).values()
        if alarm.properties.get("MetricName") == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm.properties["Dimensions"]
        if (alarm.properties["Threshold"], alarm.properties["Period"]) == (0, 60)
    }
    ending = {
        queue.logical_id
        for queue in production.of("AWS::SQS::Queue")
        if "RedrivePolicy" not in queue.properties and queue.stack not in {"account", "billing"}
    }
    assert ending - watched == {queue for queue in ending if queue.startswith("NotificationsSent")}, (
        "only the record of notifications is a queue nobody works off"
    )
    assert len(ending - watched) == 1
    assert watched <= ending


@pytest.mark.req("B4")
def test_every_function_alarms_when_it_keeps_failing(production: Synthesis) -> None:
    watched = {
        production.target("observability", alarm.properties["Dimensions"][0]["Value"])
        for alarm in alarms(production).values()
        if alarm.properties.get("MetricName") == "Errors"
    }
    assert watched == {production.function(name).logical_id for name in FUNCTIONS if name != "authorizer"}


@pytest.mark.req("B4")
def test_alarms_of_the_engine_need_no_metric_math(local: Synthesis) -> None:
    assert all("Metrics" not in alarm.properties for alarm in alarms(local).values())


@pytest.mark.req("B4")
def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm(production: Synthesis) -> None:
    named = {
        re.search(r"Runbook: docs/runbooks/([a-z-]+)\.md$", alarm.properties["AlarmDescription"])
        for kind in ALARMS
        for alarm in production.of(kind)
    }
    assert None not in named
    there = {path.stem for path in RUNBOOKS.glob("*.md")}
    assert there == {found[1] for found in named if found} | OTHER_RUNBOOKS | PROCEDURES


@pytest.mark.req("B4")
@pytest.mark.parametrize(
    "runbook",
    sorted(path for path in RUNBOOKS.glob("[a-z]*.md") if path.stem not in PROCEDURES),
    ids=lambda path: path.stem,
)
def test_a_runbook_says_what_to_look_at_and_how_to_mend(runbook: Path) -> None:
    text = runbook.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == list(SECTIONS)
    assert all(len(part.split()) >= 5 for part in text.split("## ")[1:])
    commands = re.findall(r"`bellwether ([^`]+)`", text)
    for command in commands:
        check_command(shlex.split(command))
    asked = re.findall(r"query `([^`]+)`", text)
    assert set(asked) <= set(QUESTIONS), runbook.name
    assert commands or asked or "aws " in text, "it says nothing one could type"
    for link in re.findall(r"\]\(([a-z-]+\.md)\)", text):
        assert (RUNBOOKS / link).exists(), link


def check_command(words: list[str]) -> None:
    """Fails unless the command line has this command, with these options."""
    command: Any = get_command(app)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    assert command.name != "main", words
    options = {name for parameter in command.params for name in parameter.opts}
    for word in words:
        assert not word.startswith("-") or word in options, (command.name, word)
    given = [word for word in words if word.startswith("-")]
    places = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    assert len(words) - 2 * len(given) <= len(places), (command.name, words)


def metrics_shown(body: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of the desk's own metrics in a dashboard's body."""
    for widget in json.loads(body)["widgets"]:
        for row in widget["properties"].get("metrics", []):
            told = [part for part in row if isinstance(part, str)]
            if told and told[0].startswith("Bellwether/"):
                yield told[0], told[1], dict(zip(told[2::2], told[3::2], strict=True))


def body_of(dashboard: Resource) -> str:
    body = dashboard.properties["DashboardBody"]
    if isinstance(body, str):
        return body
    return "".join(part if isinstance(part, str) else "x" for part in body["Fn::Join"][1])


def dashboards(synthesis: Synthesis) -> dict[str, str]:
    found = synthesis.of("AWS::CloudWatch::Dashboard")
    return {str(one.properties["DashboardName"]).rpartition("-")[2]: body_of(one) for one in found}


@pytest.mark.req("B2", "B3", "B4")
@pytest.mark.parametrize("stage", ["production", "staging", "local"])
def test_no_alarm_and_no_dashboard_names_a_figure_nobody_records(
    stage: str, request: pytest.FixtureRequest
) -> None:
    synthesis: Synthesis = request.getfixturevalue(stage)
    read = [
        (metric.namespace, metric.name, {name: value.strip("'") for name, value in metric.dimensions})
        for alarm in alarms(synthesis).values()
        for metric in metrics_of(alarm.properties)
        if metric.namespace.startswith("Bellwether")
    ]
    read += [shown for body in dashboards(synthesis).values() for shown in metrics_shown(body)]
    assert read
    for space, name, dimensions in read:
        assert space == f"Bellwether/{stage}"
        figure = FIGURES[name]
        split = {key: value for key, value in dimensions.items() if key != "service"}
        assert split.keys() <= {figure.by}
        assert all(value in DIMENSIONS[key] for key, value in split.items())
        assert ("service" in dimensions) == (figure.source == "handlers")


@pytest.mark.req("B2", "B4")
def test_every_schedule_is_watched_for_silence_and_counted_by_name() -> None:
    assert set(EXPECTED) | {"clean_up"} == set(TIMETABLE)
    assert set(TIMETABLE) | {"signal_worker", "project_ledger"} == set(DIMENSIONS["function"])
    assert set(DIMENSIONS["route"]) == {route.path for route in ROUTES}


@pytest.mark.req("B2")
def test_functions_record_where_alarms_look(production: Synthesis) -> None:
    spaces = {
        function.properties["Environment"]["Variables"].get("POWERTOOLS_METRICS_NAMESPACE")
        for function in production.of("AWS::Lambda::Function")
        if str(function.properties["Handler"]).startswith("bellwether.")
    }
    assert spaces == {"Bellwether/production"}


@pytest.mark.req("B2")
def test_what_the_access_log_tells_is_counted_under_the_same_name(production: Synthesis) -> None:
    filters = production.of("AWS::Logs::MetricFilter")
    told = {
        (t["MetricNamespace"], t["MetricName"])
        for f in filters
        for t in f.properties["MetricTransformations"]
    }
    counted = {name for name, figure in FIGURES.items() if figure.source == "access log"}
    assert told >= {("Bellwether/production", name) for name in counted}


@pytest.mark.req("B3")
def test_there_are_four_dashboards_that_say_what_they_answer(production: Synthesis) -> None:
    shown = dashboards(production)
    assert set(shown) == {"health", "business", "cost", "security"}
    for body in shown.values():
        text = json.loads(body)["widgets"][0]
        assert text["type"] == "text"
        assert text["properties"]["markdown"].count("?") >= 3
        linked = re.findall(r"\]\(docs/runbooks/([a-z-]+)\.md\)", text["properties"]["markdown"])
        assert linked
        assert all((RUNBOOKS / f"{name}.md").exists() for name in linked)


@pytest.mark.req("B3")
@pytest.mark.parametrize(
    ("kind", "titles"),
    {
        "health": ("Alarms", "Answers a minute", "Time to answer (ms)", "Failures waiting"),
        "business": ("Proposals and decisions", "Hit rate, Brier score and calibration error"),
        "cost": ("Estimated charges of AWS (dollars)", "Data providers (dollars an hour)"),
        "security": ("Sign-ins", "Calls turned away", "Firewall: all"),
    }.items(),
)
def test_each_dashboard_shows_its_subject(production: Synthesis, kind: str, titles: tuple[str, ...]) -> None:
    body = dashboards(production)[kind]
    assert all(title in body for title in titles)


@pytest.mark.req("B1")
def test_every_log_group_is_kept_its_time_and_encrypted(production: Synthesis) -> None:
    groups = production.of("AWS::Logs::LogGroup")
    assert groups
    keys: dict[str, set[str]] = {}
    for group in groups:
        assert group.properties["RetentionInDays"] in (30, 90, 365)
        key = production.target(group.stack, group.properties["KmsKeyId"])
        keys.setdefault(production.region(group.stack), set()).add(key)
    (here,), (edge,) = keys.pop("eu-central-2"), keys.pop("us-east-1")
    assert here.startswith("Logs")
    assert edge.startswith("Edge")
    assert not keys
    days = {
        name: production.of("AWS::Logs::LogGroup", production.function(name).stack)
        for name in ("ingest", "authorizer", "decide")
    }
    kept = {name: next(g for g in found if name.capitalize() in g.logical_id) for name, found in days.items()}
    assert [group.properties["RetentionInDays"] for group in kept.values()] == [30, 90, 365]


@pytest.mark.req("B1", "S1")
def test_the_keys_of_the_logs_serve_this_accounts_log_groups_alone(production: Synthesis) -> None:
    for start, region in (("Logs", "eu-central-2"), ("Edge", "us-east-1")):
        (key,) = [one for one in production.of("AWS::KMS::Key") if one.logical_id.startswith(start)]
        (statement,) = [s for s in key.properties["KeyPolicy"]["Statement"] if s.get("Sid") == "UseLogs"]
        assert statement["Principal"] == {"Service": f"logs.{region}.amazonaws.com"}
        condition = json.dumps(statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
        assert f":logs:{region}:" in condition
        assert "AWS::AccountId" in condition


@pytest.mark.req("B1", "S1")
@pytest.mark.parametrize("stage", ["production", "staging", "standby"])
def test_the_key_of_a_log_group_lets_it_be_written(stage: str, request: pytest.FixtureRequest) -> None:
    """A group whose name the key's policy does not know could not be made."""
    synthesis: Synthesis = request.getfixturevalue(stage)
    named = [g for g in synthesis.of("AWS::Logs::LogGroup") if "LogGroupName" in g.properties]
    assert named
    for group in named:
        wanted = synthesis.target(group.stack, group.properties["KmsKeyId"])
        (key,) = [one for one in synthesis.of("AWS::KMS::Key") if one.logical_id == wanted]
        (statement,) = [s for s in key.properties["KeyPolicy"]["Statement"] if s.get("Sid") == "UseLogs"]
        told = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
        patterns = [one["Fn::Join"][1][-1].removeprefix(":log-group:") for one in told]
        assert any(fnmatch(group.properties["LogGroupName"], pattern) for pattern in patterns), group


FIELDS_OF_LOGS = {
    *(
        "level",
        "message",
        "function",
        "correlation_id",
        "route",
        "method",
        "status",
        "milliseconds",
        "caller",
    ),
    *("message_id", "received", "fault", "aws_code", "reason", "provider", "code", "failures"),
    *("symbol", "day", "observed", "allowed"),
    *FIGURES,
}
FIELDS_OF_THE_ACCESS_LOG = {"ip", "caller", "route", "status", "milliseconds", "refused_because"}
WORDS = {
    *("filter", "fields", "stats", "sort", "limit", "by", "as", "and", "or", "in", "like", "desc", "asc"),
    *("count", "sum", "max", "pct", "latest", "bin", "ispresent"),
}


def fields_asked(query: str) -> set[str]:
    """The fields a query reads: its words but those of the language, its own names, texts and `@` fields."""
    text = re.sub(r'"[^"]*"|\'[^\']*\'|@\w+|\b\d+\w*\b', " ", query)
    own = set(re.findall(r"\bas (\w+)", text))
    return set(re.findall(r"[A-Za-z_]\w*", text)) - WORDS - own


@pytest.mark.req("B1")
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_saved_query_asks_for_what_the_logs_hold(name: str) -> None:
    question = QUESTIONS[name]
    known = FIELDS_OF_THE_ACCESS_LOG if question.access else FIELDS_OF_LOGS
    assert fields_asked(question.query) <= known
    assert set(question.of) <= set(FUNCTIONS)


@pytest.mark.req("B1")
def test_the_operators_questions_are_saved(production: Synthesis) -> None:
    saved = {
        str(query.properties["Name"]): query.properties
        for query in production.of("AWS::Logs::QueryDefinition")
    }
    assert set(saved) == {f"bellwether-production/{name}" for name in QUESTIONS}
    path: dict[str, Any] = saved["bellwether-production/one correlation id"]
    assert len(path["LogGroupNames"]) == len(FUNCTIONS)
    assert all(query["LogGroupNames"] for query in saved.values())
