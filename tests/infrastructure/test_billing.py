"""Budgets, cost anomalies and the bill's alarm, in the region where AWS tells costs."""

import json
from typing import Any

import pytest

from infrastructure.settings import STAGES, Feature
from tests.infrastructure.synthesis import Synthesis
from tests.infrastructure.test_notifications import may_publish, may_use_key


def budget_of(synthesis: Synthesis) -> dict[str, Any]:
    (budget,) = synthesis.of("AWS::Budgets::Budget")
    assert budget.stack == "billing"
    return budget.properties


@pytest.mark.req("B4", "X2")
@pytest.mark.parametrize(("stage", "dollars"), [("production", 100), ("staging", 60)])
def test_the_month_tells_at_half_four_fifths_and_all_of_the_budget(
    stage: str, dollars: int, request: pytest.FixtureRequest
) -> None:
    properties = budget_of(request.getfixturevalue(stage))
    assert properties["Budget"]["BudgetLimit"] == {"Amount": dollars, "Unit": "USD"}
    assert properties["Budget"]["TimeUnit"] == "MONTHLY"
    told = {
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"])
        for one in properties["NotificationsWithSubscribers"]
    }
    assert told >= {("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
    assert len(properties["NotificationsWithSubscribers"]) <= 5, "AWS takes five for each budget"
    for one in properties["NotificationsWithSubscribers"]:
        assert one["Notification"]["ThresholdType"] == "PERCENTAGE"
        assert {s["SubscriptionType"] for s in one["Subscribers"]} == {"SNS"}


@pytest.mark.req("X2")
def test_the_budget_counts_what_carries_the_stages_tags(production: Synthesis) -> None:
    budget = budget_of(production)["Budget"]
    tags = {tag["Tags"]["Key"]: tag["Tags"]["Values"] for tag in budget["FilterExpression"]["And"]}
    assert tags == {"product": ["bellwether"], "stage": ["production"]}
    assert budget["Metrics"] == ["UnblendedCost"]
    assert "CostFilters" not in budget


@pytest.mark.req("X2")
def test_unusual_costs_are_told_at_once(production: Synthesis) -> None:
    (monitor,) = production.of("AWS::CE::AnomalyMonitor")
    watched = json.loads(monitor.properties["MonitorSpecification"])
    assert watched == {"Tags": {"Key": "stage", "Values": ["production"], "MatchOptions": ["EQUALS"]}}
    (subscription,) = production.of("AWS::CE::AnomalySubscription")
    assert subscription.properties["Frequency"] == "IMMEDIATE"
    least = json.loads(subscription.properties["ThresholdExpression"])["Dimensions"]
    assert least["Key"] == "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
    assert least["Values"] == ["20"]


@pytest.mark.req("B4", "X2")
@pytest.mark.parametrize("service", ["budgets", "costalerts", "cloudwatch"])
def test_what_tells_costs_may_publish_to_the_encrypted_topic(production: Synthesis, service: str) -> None:
    (topic,) = production.of("AWS::SNS::Topic", "billing")
    assert may_publish(production, "billing", topic.logical_id, f"{service}.amazonaws.com")
    assert may_use_key(production, "billing", topic, f"{service}.amazonaws.com")


@pytest.mark.req("B4")
def test_the_bill_is_watched_where_it_is_told(production: Synthesis) -> None:
    (alarm,) = production.of("AWS::CloudWatch::Alarm", "billing")
    assert alarm.properties["Namespace"] == "AWS/Billing"
    assert alarm.properties["Threshold"] == 0.8 * 100


@pytest.mark.req("X2")
def test_everything_that_can_be_tagged_says_product_and_stage(production: Synthesis) -> None:
    untagged = []
    for resource in production.all():
        tags = resource.properties.get("Tags") or resource.properties.get("UserPoolTags")
        if isinstance(tags, list):
            tags = {tag["Key"]: tag["Value"] for tag in tags}
        if tags is not None and not tags.items() >= {("product", "bellwether"), ("stage", "production")}:
            untagged.append(f"{resource.stack}/{resource.logical_id}")
    assert untagged == []


@pytest.mark.req("X2")
def test_a_desk_on_one_machine_has_no_bill(local: Synthesis) -> None:
    assert "billing" not in local.templates
    assert not STAGES["local"].has(Feature.BILLING)
