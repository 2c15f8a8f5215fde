"""What a month of AWS may cost, and who hears when it does not stay there."""

from collections.abc import Iterator, Sequence

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_ce as ce
from aws_cdk import aws_sns as sns
from constructs import Construct

from infrastructure.settings import PRODUCT, StageSettings

ACTUAL_PERCENT = (50, 80, 100)
FORECAST_PERCENT = (80, 100)


class MonthlyBudget(Construct):
    """A budget of one stage's own resources, known by their tags.

    The tags `product` and `stage` must be activated once as cost allocation tags in the billing console; AWS
    counts by them from then on, and not backwards.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, topic: sns.ITopic, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"{settings.prefix}-monthly",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=settings.monthly_budget, unit="USD"),
                metrics=["UnblendedCost"],
                filter_expression=budgets.CfnBudget.ExpressionProperty(
                    and_=[_tagged("product", PRODUCT), _tagged("stage", settings.name)]
                ),
            ),
            notifications_with_subscribers=list(_notifications(topic.topic_arn, settings.alarm_emails)),
            resource_tags=[
                budgets.CfnBudget.ResourceTagProperty(key="product", value=PRODUCT),
                budgets.CfnBudget.ResourceTagProperty(key="stage", value=settings.name),
            ],
        )


def _tagged(key: str, value: str) -> budgets.CfnBudget.ExpressionProperty:
    return budgets.CfnBudget.ExpressionProperty(
        tags=budgets.CfnBudget.TagValuesProperty(key=key, values=[value], match_options=["EQUALS"])
    )


def _notifications(
    topic_arn: str, emails: Sequence[str]
) -> Iterator[budgets.CfnBudget.NotificationWithSubscribersProperty]:
    subscriber = budgets.CfnBudget.SubscriberProperty
    heard_by = [subscriber(address=topic_arn, subscription_type="SNS")]
    heard_by += [subscriber(address=address, subscription_type="EMAIL") for address in emails[:10]]
    for kind, percents in (("ACTUAL", ACTUAL_PERCENT), ("FORECASTED", FORECAST_PERCENT)):
        for percent in percents:
            yield budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                ),
                subscribers=heard_by,
            )


class CostAnomalies(Construct):
    """AWS's own detection of unusual costs of this stage, told at once."""

    def __init__(
        self, scope: Construct, construct_id: str, *, topic: sns.ITopic, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        monitor = ce.CfnAnomalyMonitor(
            self,
            "Monitor",
            monitor_name=f"{settings.prefix}-costs",
            monitor_type="CUSTOM",
            monitor_specification=(
                '{"Tags":{"Key":"stage","Values":["' + settings.name + '"],"MatchOptions":["EQUALS"]}}'
            ),
        )
        ce.CfnAnomalySubscription(
            self,
            "Subscription",
            subscription_name=f"{settings.prefix}-costs",
            frequency="IMMEDIATE",
            monitor_arn_list=[monitor.attr_monitor_arn],
            subscribers=[ce.CfnAnomalySubscription.SubscriberProperty(address=topic.topic_arn, type="SNS")],
            threshold_expression=(
                '{"Dimensions":{"Key":"ANOMALY_TOTAL_IMPACT_ABSOLUTE","MatchOptions":["GREATER_THAN_OR_EQUAL"],'
                f'"Values":["{settings.anomaly_dollars}"]}}}}'
            ),
        )
