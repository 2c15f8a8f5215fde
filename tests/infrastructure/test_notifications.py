"""The way from an alarm to somebody: action, topic, rights on topic and key, subscribers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from infrastructure.app import build
from infrastructure.packaging import Layer
from infrastructure.settings import Chat, settings_of
from tests.infrastructure.synthesis import Resource, Synthesis, listed, new_app, read

NOTIFYING = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Production with two addresses and a chat channel."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "layer").mkdir()
    app = new_app(folder / "out")
    settings = replace(
        settings_of("production"),
        alarm_emails=("ops@example.org", "desk@example.org"),
        chat=Chat(workspace="T0123ABCD", channel="C0456EFGH"),
    )
    build(app, settings, Layer(cloud=True, folder=folder / "layer"))
    app.synth()
    return read(settings, folder / "out")


def by_id(synthesis: Synthesis, kind: str) -> dict[tuple[str, str], Resource]:
    return {(one.stack, one.logical_id): one for one in synthesis.of(kind)}


def statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from policy["PolicyDocument"]["Statement"]


def may_publish(synthesis: Synthesis, stack: str, topic: str, service: str) -> bool:
    """Whether the topic's policy lets a service of this account publish, and of no other account."""
    return any(
        statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": service}
        and statement["Action"] == "sns:Publish"
        and statement["Resource"] == {"Ref": topic}
        and statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        for policy in synthesis.of("AWS::SNS::TopicPolicy", stack)
        if {"Ref": topic} in policy.properties["Topics"]
        for statement in statements(policy.properties)
    )


def may_use_key(synthesis: Synthesis, stack: str, topic: Resource, service: str) -> bool:
    """Whether the policy of the topic's key lets the service encrypt what it publishes."""
    wanted = synthesis.target(stack, topic.properties["KmsMasterKeyId"])
    (key,) = [one for one in synthesis.of("AWS::KMS::Key") if one.logical_id == wanted]
    return any(
        statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": service}
        and {"kms:Decrypt", "kms:GenerateDataKey"} <= set(listed(statement["Action"]))
        for statement in key.properties["KeyPolicy"]["Statement"]
    )


@pytest.mark.req("B4")
@pytest.mark.parametrize("stage", ["production", "staging", "local"])
def test_every_alarm_reaches_a_topic_it_may_publish_to(stage: str, request: pytest.FixtureRequest) -> None:
    synthesis: Synthesis = request.getfixturevalue(stage)
    topics = by_id(synthesis, "AWS::SNS::Topic")
    for alarm in (one for kind in NOTIFYING for one in synthesis.of(kind)):
        for when in ("AlarmActions", "OKActions"):
            (action,) = alarm.properties[when]
            topic = topics[alarm.stack, action["Ref"]]
            assert may_publish(synthesis, topic.stack, topic.logical_id, "cloudwatch.amazonaws.com")
            assert may_use_key(synthesis, topic.stack, topic, "cloudwatch.amazonaws.com")


@pytest.mark.req("B4")
@pytest.mark.parametrize("stage", ["production", "local"])
def test_what_is_published_is_kept_in_a_queue(stage: str, request: pytest.FixtureRequest) -> None:
    synthesis: Synthesis = request.getfixturevalue(stage)
    queues = by_id(synthesis, "AWS::SQS::Queue")
    topics = [topic for topic in synthesis.of("AWS::SNS::Topic") if topic.stack == "observability"]
    assert len(topics) == 2
    for topic in topics:
        (kept,) = [
            one
            for one in synthesis.of("AWS::SNS::Subscription", "observability")
            if one.properties["Protocol"] == "sqs" and one.properties["TopicArn"] == {"Ref": topic.logical_id}
        ]
        queue = synthesis.target("observability", kept.properties["Endpoint"])
        assert queues["observability", queue].properties["MessageRetentionPeriod"] == 14 * 86_400
        allowed = [
            statement
            for policy in synthesis.of("AWS::SQS::QueuePolicy", "observability")
            if {"Ref": queue} in policy.properties["Queues"]
            for statement in statements(policy.properties)
            if statement["Principal"] == {"Service": "sns.amazonaws.com"}
            and statement["Condition"]["ArnEquals"]["aws:SourceArn"] == {"Ref": topic.logical_id}
        ]
        assert [statement["Action"] for statement in allowed] == ["sqs:SendMessage"]


@pytest.mark.req("B4")
def test_addresses_hear_pages_tickets_and_costs(told: Synthesis) -> None:
    heard = {
        (one.stack, one.properties["TopicArn"]["Ref"], one.properties["Endpoint"])
        for one in told.of("AWS::SNS::Subscription")
        if one.properties["Protocol"] == "email"
    }
    topics = {(topic.stack, topic.logical_id) for topic in told.of("AWS::SNS::Topic")}
    assert heard == {
        (*topic, address) for topic in topics for address in ("ops@example.org", "desk@example.org")
    }


@pytest.mark.req("B4")
def test_what_a_subscriber_does_not_take_raises_an_alarm(told: Synthesis) -> None:
    assert all("RedrivePolicy" in one.properties for one in told.of("AWS::SNS::Subscription"))


@pytest.mark.req("B4")
def test_the_chat_channel_hears_all_topics_and_may_do_nothing(told: Synthesis) -> None:
    (chat,) = told.of("AWS::Chatbot::SlackChannelConfiguration")
    assert chat.stack == "billing"
    assert len(chat.properties["SnsTopicArns"]) == 3
    text = str(chat.properties["SnsTopicArns"])
    for name in ("bellwether-production-pages", "bellwether-production-tickets"):
        assert name in text
        assert "eu-central-2" in text
    role = told.target("billing", chat.properties["IamRoleArn"])
    assert not [
        policy
        for policy in told.of("AWS::IAM::Policy", "billing")
        if {"Ref": role} in policy.properties["Roles"]
    ]


@pytest.mark.req("B4")
def test_without_settings_nobody_is_written_to(production: Synthesis) -> None:
    assert {one.properties["Protocol"] for one in production.of("AWS::SNS::Subscription")} == {"sqs"}
    assert not production.of("AWS::Chatbot::SlackChannelConfiguration")


@pytest.mark.req("B4")
def test_symptoms_page_and_causes_wait(production: Synthesis) -> None:
    pages, tickets = (
        {
            str(alarm.properties.get("AlarmName")).removeprefix("bellwether-production-")
            for kind in NOTIFYING
            for alarm in production.of(kind, "observability")
            if topic in alarm.properties["AlarmActions"][0]["Ref"]
        }
        for topic in ("Pages", "Tickets")
    )
    composites = production.of("AWS::CloudWatch::CompositeAlarm")
    assert len(composites) == 4
    assert not pages & tickets
    assert all("Pages" in one.properties["AlarmActions"][0]["Ref"] for one in composites)


@pytest.mark.req("B4")
def test_a_stage_without_composite_alarms_pages_by_the_alarm_itself(local: Synthesis) -> None:
    paging = [
        alarm.properties["AlarmName"]
        for alarm in local.of("AWS::CloudWatch::Alarm")
        if "Pages" in alarm.properties["AlarmActions"][0]["Ref"]
    ]
    assert "bellwether-local-server-errors" in paging
    assert "bellwether-local-dead-letters-ingest" in paging
    assert not any("function-errors" in name for name in paging)
