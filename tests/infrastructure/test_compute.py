"""Functions, queues and schedules."""

import json
from typing import Any

import pytest

from bellwether.usecases.leases import LEASE
from infrastructure.conditions.work import INGEST_LAG_SECONDS
from infrastructure.constructs.schedules import TIMETABLE
from infrastructure.functions import FUNCTIONS
from tests.infrastructure.synthesis import Resource, Synthesis

ACCOUNT_CONCURRENCY, UNRESERVED = 1_000, 100
CRITICAL = {"authorizer", "ingest", "score", "decide"}


@pytest.mark.req("C1")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_runs_on_arm_with_its_own_role_log_and_limits(production: Synthesis, name: str) -> None:
    properties = production.function(name).properties
    row = FUNCTIONS[name]
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]
    assert properties["MemorySize"] == row.memory
    assert properties["Timeout"] == row.timeout
    assert properties["ReservedConcurrentExecutions"] == row.reserved
    assert len(properties["Layers"]) == 1
    assert "LogGroup" in properties["LoggingConfig"]


@pytest.mark.req("C1", "S3")
def test_no_two_functions_share_a_role_or_a_log_group(production: Synthesis) -> None:
    functions = production.of("AWS::Lambda::Function")
    roles = [json.dumps([f.stack, f.properties["Role"]]) for f in functions]
    logs = [json.dumps([f.stack, f.properties["LoggingConfig"]["LogGroup"]]) for f in functions]
    assert len(set(roles)) == len(set(logs)) == len(functions)


def test_there_are_no_functions_beside_the_table_but_the_one_that_answers(production: Synthesis) -> None:
    handlers = {f.properties["Handler"] for f in production.of("AWS::Lambda::Function")}
    assert handlers == {f"bellwether.handlers.{name}.handler" for name in FUNCTIONS} | {"index.handler"}


def test_reserved_concurrency_leaves_the_account_some(production: Synthesis) -> None:
    functions = production.of("AWS::Lambda::Function")
    reserved = sum(f.properties["ReservedConcurrentExecutions"] for f in functions)
    # Staging and production may share an account.
    assert 2 * reserved <= ACCOUNT_CONCURRENCY - UNRESERVED


@pytest.mark.req("C1", "B1")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_is_traced_patched_ended_when_it_loops_and_logs_encrypted(
    production: Synthesis, name: str
) -> None:
    function = production.function(name)
    assert function.properties["TracingConfig"] == {"Mode": "Active"}
    assert function.properties["RecursiveLoop"] == "Terminate"
    assert function.properties["RuntimeManagementConfig"] == {"UpdateRuntimeOn": "Auto"}
    group = function.properties["LoggingConfig"]["LogGroup"]["Ref"]
    (log,) = [g for g in production.of("AWS::Logs::LogGroup", function.stack) if g.logical_id == group]
    assert production.target(function.stack, log.properties["KmsKeyId"]).startswith("Logs")


def test_no_function_has_an_address_of_its_own(production: Synthesis) -> None:
    assert production.of("AWS::Lambda::Url") == []


@pytest.mark.req("C1")
def test_the_critical_path_is_kept_warm_and_follows_its_use(production: Synthesis) -> None:
    warm = production.of("AWS::Lambda::Alias")
    names = {
        name
        for name in FUNCTIONS
        for alias in warm
        if alias.properties["FunctionName"] == {"Ref": production.function(name).logical_id}
        and alias.stack == production.function(name).stack
    }
    assert names == CRITICAL
    for alias in warm:
        assert alias.properties["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 2}
    targets = production.of("AWS::ApplicationAutoScaling::ScalableTarget")
    assert len(targets) == len(CRITICAL)
    assert {(t.properties["MinCapacity"], t.properties["MaxCapacity"]) for t in targets} == {(2, 10)}
    for target in targets:
        planned = {
            (s["Schedule"], s["Timezone"], s["ScalableTargetAction"]["MinCapacity"])
            for s in target.properties["ScheduledActions"]
        }
        assert planned == {
            ("cron(0 8 ? * MON-FRI *)", "Europe/Zurich", 2),
            ("cron(0 22 ? * MON-FRI *)", "Europe/Zurich", 1),
        }


@pytest.mark.req("C1")
def test_whoever_calls_a_warm_function_calls_its_alias(production: Synthesis) -> None:
    """A permission or an integration on the function itself would start cold, and pass every other test."""
    functions = {production.function(name).logical_id for name in CRITICAL}
    aliases = {alias.logical_id for alias in production.of("AWS::Lambda::Alias")}
    permitted = [
        production.target(permission.stack, permission.properties["FunctionName"])
        for permission in production.of("AWS::Lambda::Permission")
    ]
    assert not functions & set(permitted)
    assert aliases <= set(permitted)
    for kind in ("AWS::ApiGateway::Method", "AWS::ApiGateway::Authorizer", "AWS::ApiGatewayV2::Authorizer"):
        for resource in production.of(kind):
            told = json.dumps(resource.properties)
            for function in functions:
                assert f'"Fn::GetAtt": ["{function}", "Arn"]' not in told
                assert f"FnGetAtt{function}Arn" not in told


@pytest.mark.req("B1")
def test_logs_are_kept_by_class(production: Synthesis) -> None:
    days = {"operations": 30, "security": 90, "audit": 365}
    groups = {
        (g.stack, g.logical_id): g.properties["RetentionInDays"] for g in production.of("AWS::Logs::LogGroup")
    }
    for name, row in FUNCTIONS.items():
        function = production.function(name)
        group = function.properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert groups[(function.stack, group)] == days[row.logs]


def queues(synthesis: Synthesis) -> dict[tuple[str, str], Resource]:
    return {(q.stack, q.logical_id): q for q in synthesis.of("AWS::SQS::Queue")}


@pytest.mark.req("C4")
def test_a_message_stays_invisible_for_six_timeouts_of_its_function(production: Synthesis) -> None:
    found = queues(production)
    checked = 0
    for name in ("signal_worker", "project_ledger"):
        function = production.function(name)
        (mapping,) = [
            m
            for m in production.of("AWS::Lambda::EventSourceMapping", "compute")
            if m.properties["FunctionName"] == {"Ref": function.logical_id}
        ]
        queue = found[("compute", mapping.properties["EventSourceArn"]["Fn::GetAtt"][0])]
        assert queue.properties["VisibilityTimeout"] >= 6 * function.properties["Timeout"]
        assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        checked += 1
    assert checked == 2


@pytest.mark.req("C4")
def test_a_lease_outlives_its_worker_and_ends_before_the_message_of_a_killed_one_comes_back(
    production: Synthesis,
) -> None:
    worker = production.function("signal_worker")
    mapping = mapping_of(production, "signal_worker")
    queue = queues(production)[("compute", mapping["EventSourceArn"]["Fn::GetAtt"][0])]
    seconds = LEASE.total_seconds()
    assert worker.properties["Timeout"] + 60 <= seconds < queue.properties["VisibilityTimeout"]
    assert seconds < INGEST_LAG_SECONDS, "a message that waits for a lease wakes nobody"
    assert queue.properties["RedrivePolicy"]["maxReceiveCount"] >= 3


@pytest.mark.req("C4")
def test_every_queue_is_encrypted_tls_only_and_ends_in_a_queue_of_failures(production: Synthesis) -> None:
    found = queues(production)
    dead = {
        (stack, queue.properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0])
        for (stack, _), queue in found.items()
        if "RedrivePolicy" in queue.properties
    }
    assert len(dead) == 2
    secured = {
        (p.stack, q["Ref"]) for p in production.of("AWS::SQS::QueuePolicy") for q in p.properties["Queues"]
    }
    for identity, queue in found.items():
        assert queue.properties["SqsManagedSseEnabled"] is True
        assert identity in secured
        if "RedrivePolicy" not in queue.properties:
            assert queue.properties["MessageRetentionPeriod"] == 14 * 86_400
    for stack, dead_letters in dead:
        assert "RedrivePolicy" not in found[(stack, dead_letters)].properties


@pytest.mark.req("C4")
def test_a_queue_of_failures_takes_those_of_its_own_queue_alone(production: Synthesis) -> None:
    found = queues(production)
    of_queues = set()
    for (stack, _), queue in found.items():
        if "RedrivePolicy" not in queue.properties:
            continue
        dead = queue.properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        allowed = found[(stack, dead)].properties["RedriveAllowPolicy"]
        (source,) = allowed["sourceQueueArns"]
        assert allowed["redrivePermission"] == "byQueue"
        assert source["Fn::Join"][1][-1].endswith(f":{queue.properties['QueueName']}")
        assert queue.properties["RedrivePolicy"]["maxReceiveCount"] == 5
        of_queues |= {(stack, dead)}
    others = {identity for identity, q in found.items() if "RedrivePolicy" not in q.properties} - of_queues
    assert len(of_queues) == 2
    assert len(others) > 2
    for identity in others:
        assert found[identity].properties["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


@pytest.mark.req("C4")
def test_decisions_are_first_in_first_out_to_the_end(production: Synthesis) -> None:
    ordered = {key[1]: q for key, q in queues(production).items() if q.properties.get("FifoQueue")}
    assert {name[:16] for name in ordered} == {"DecisionsQueue88", "DecisionsFailure"}


def mapping_of(synthesis: Synthesis, name: str) -> dict[str, Any]:
    function = synthesis.function(name)
    (mapping,) = [
        m.properties
        for m in synthesis.of("AWS::Lambda::EventSourceMapping", function.stack)
        if m.properties["FunctionName"] == {"Ref": function.logical_id}
    ]
    return mapping


def test_workers_are_bounded_below_their_reserved_concurrency(production: Synthesis) -> None:
    mapping = mapping_of(production, "signal_worker")
    most = mapping["ScalingConfig"]["MaximumConcurrency"]
    assert 2 <= most <= FUNCTIONS["signal_worker"].reserved
    assert mapping["BatchSize"] <= 5


@pytest.mark.req("A13")
def test_changes_reach_the_broadcaster_and_what_is_counted_does_not(production: Synthesis) -> None:
    mapping = mapping_of(production, "broadcast")
    assert "Events" in production.target("api", mapping["EventSourceArn"])
    (pattern,) = mapping["FilterCriteria"]["Filters"]
    told = json.loads(pattern["Pattern"])
    assert told["eventName"] == ["INSERT"]
    assert told["dynamodb"]["Keys"]["day"]["S"] == [{"anything-but": ["counters", "providers"]}]
    assert "OnFailure" in mapping["DestinationConfig"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == 300


@pytest.mark.req("C5")
@pytest.mark.parametrize("name", TIMETABLE)
def test_schedules_run_in_zurich_time_with_retries_and_a_queue_of_failures(
    production: Synthesis, name: str
) -> None:
    function = production.function(name)
    (schedule,) = [
        s.properties
        for s in production.of("AWS::Scheduler::Schedule")
        if s.properties["Target"]["Arn"] == {"Fn::GetAtt": [function.logical_id, "Arn"]}
    ]
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Zurich"
    assert "MaximumRetryAttempts" in schedule["Target"]["RetryPolicy"]
    assert schedule["Target"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].startswith("FailedRuns")
    assert json.loads(schedule["Target"]["Input"])["schedule"] == name


@pytest.mark.req("C5")
def test_the_timetable_is_the_specified_one() -> None:
    assert {name: timing.expression for name, timing in TIMETABLE.items()} == {
        "fetch_social": "rate(1 minute)",
        "fetch_news": "rate(5 minutes)",
        "fetch_prices": "cron(30 0,1,6 * * ? *)",
        "recover": "rate(1 hour)",
        "comply": "rate(1 hour)",
        "evaluate": "cron(0 2 * * ? *)",
        "clean_up": "cron(0 4 ? * SUN *)",
        "back_up": "cron(0 3 * * ? *)",
        "roll_signal_tables": "cron(30 3 * * ? *)",
    }


@pytest.mark.req("C5")
def test_runs_nobody_waits_for_end_in_a_queue_when_they_fail(production: Synthesis) -> None:
    configured = production.of("AWS::Lambda::EventInvokeConfig")
    assert len(configured) == len(TIMETABLE)
    for config in configured:
        target = config.properties["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
        assert target.startswith("FailedRuns")


@pytest.mark.req("D1")
def test_signal_tables_are_made_at_deployment_and_outlive_it(production: Synthesis) -> None:
    (months,) = production.of("Custom::SignalTables")
    assert months.rest["DeletionPolicy"] == "Retain"
    assert int(months.properties["ServiceTimeout"]) > FUNCTIONS["roll_signal_tables"].timeout
    environment = production.function("roll_signal_tables").properties["Environment"]["Variables"]
    assert environment["DELETION_PROTECTION"] == "true"
    assert environment["SIGNALS_TABLE_PREFIX"] == "bellwether-production-signals_"


def test_nothing_that_runs_by_itself_may_delete_protected_tables(
    production: Synthesis, staging: Synthesis
) -> None:
    def may_delete(synthesis: Synthesis) -> bool:
        told = json.dumps(synthesis.statements("roll_signal_tables"))
        return "dynamodb:DeleteTable" in told

    assert not may_delete(production)
    assert may_delete(staging)
