"""What an operator sees of a desk: one id through the logs, figures, and alarms that reach somebody."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.desk.conftest import Desk, eventually
from tests.desk.material import good_posts


def service(desk: Desk, name: str) -> Any:
    """A client of the desk's engine with its owner's rights."""
    make: Callable[..., Any] = boto3.client
    return make(
        name,
        endpoint_url=desk.outputs["endpoints"]["engine_url"],
        region_name="eu-central-2",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def lines(desk: Desk, function: str) -> list[dict[str, Any]]:
    """The JSON lines a function logged in the last minutes."""
    events = desk.json("logs", function, "--minutes", "10")["events"]
    return [json.loads(e["message"]) for e in events if e["message"].startswith("{")]


def output(desk: Desk, name: str) -> str:
    found = [values[name] for values in desk.outputs["stacks"].values() if name in values]
    return str(found[0])


def notified(desk: Desk, alarm: str) -> bool:
    """Whether the queue of what was sent holds a notification that the alarm is on."""
    queue = service(desk, "sqs")
    url = output(desk, "NotificationsQueueUrl")
    messages = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1)
    told = [json.loads(message["Body"]) for message in messages.get("Messages", [])]
    return any(one["AlarmName"] == alarm and one["NewStateValue"] == "ALARM" for one in told)


@pytest.mark.req("B1")
def test_one_id_is_found_in_the_logs_of_all_it_set_off(desk: Desk) -> None:
    symbol, correlation = "WATCHER", f"op-{uuid.uuid4()}"
    desk.json("track", "add", symbol, "--name", "Watcher Industries")
    answer = desk.call(
        "POST",
        "/ingest/social",
        role="analyst",
        body={"items": good_posts(symbol, 12)},
        headers={"X-Correlation-Id": correlation},
    )
    assert answer.status_code == 202, answer.text

    def worked() -> list[dict[str, Any]]:
        told = [line for line in lines(desk, "signal_worker") if line.get("message") == "done"]
        return [line for line in told if line["correlation_id"] == correlation]

    done = eventually(worked, what="a line of the worker with the request's id")
    assert {"batch_id", "signals"} <= done[0]["result"].keys()
    asked = [line for line in lines(desk, "ingest") if line.get("correlation_id") == correlation]
    assert [line["status"] for line in asked if line.get("message") == "answered"] == [202]
    pushed = eventually(
        lambda: [line for line in lines(desk, "broadcast") if correlation in line.get("set_off_by", [])],
        what="the broadcast of what the request set off",
    )
    assert pushed


@pytest.mark.req("B2")
def test_what_functions_record_is_shown_by_status_once(desk: Desk) -> None:
    before = desk.json("status").get("figures", {})
    symbol = "FIGURES"
    answer = desk.call("POST", "/ingest/social", role="analyst", body={"items": good_posts(symbol, 7)})
    assert answer.json()["accepted"] == 7

    def after() -> dict[str, float]:
        return dict(desk.json("status")["figures"])

    eventually(
        lambda: after().get("ItemsAccepted", 0) == before.get("ItemsAccepted", 0) + 7,
        what="seven more items in the figures",
    )
    assert after()["Answers"] > before.get("Answers", 0)
    assert after()["ItemsAccepted"] == before.get("ItemsAccepted", 0) + 7


@pytest.mark.req("B4")
@pytest.mark.parametrize(
    ("alarm", "namespace", "metric"),
    [
        ("server-errors", "AWS/ApiGateway", "5XXError"),
        ("dead-letters-ingest", "AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ],
)
def test_an_alarm_reaches_the_queue_behind_its_topic(
    desk: Desk, alarm: str, namespace: str, metric: str
) -> None:
    """The engine tells no figures of APIs and queues, so these are put; the rest of the way is real."""
    data = [{"MetricName": metric, "Value": 1.0}]
    service(desk, "cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)
    eventually(lambda: notified(desk, f"bellwether-local-{alarm}"), what=f"the notification of {alarm}")


@pytest.mark.req("B2", "B4")
def test_a_figure_a_function_logs_raises_its_alarm(desk: Desk) -> None:
    """From a line of a function by its figure, the alarm and the topic to the queue: nothing is put by hand.

    Somebody known calls a function again and again without the role for it. The engine keeps no lines of
    authorizers, so the gateway is left out.
    """
    functions, name = service(desk, "lambda"), output(desk, "SummariseFunction")
    caller = {"username": "somebody", "roles": "nothing"}
    event = {
        "httpMethod": "GET",
        "resource": "/v1/dashboard/summary",
        "requestContext": {"authorizer": caller},
    }

    def call() -> int:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
        return int(json.loads(answer["Payload"].read())["statusCode"])

    assert {call() for _ in range(22)} == {403}

    def one_more() -> bool:
        call()
        return notified(desk, "bellwether-local-forbidden-calls-functions")

    eventually(one_more, within=60, every=1, what="the notification of forbidden calls")
