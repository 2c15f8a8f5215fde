"""The dashboard of what the desk costs, and what drives it."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_logs as logs
from constructs import Construct

from bellwether.handlers.figure_names import DIMENSIONS
from infrastructure.conditions.condition import HOUR, figure
from infrastructure.constructs.dashboard import DeskDashboard, graph
from infrastructure.constructs.function import DeskFunction
from infrastructure.provider_terms import monthly_dollars
from infrastructure.settings import BILLING_REGION, StageSettings

_BILLED = Duration.hours(6)


class CostDashboard(DeskDashboard):
    """The bill so far, providers' dollars, and the usage each service bills by."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.RestApi,
        functions: Sequence[DeskFunction],
        tables: Mapping[str, dynamodb.ITableV2],
        settings: StageSettings,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            kind="cost",
            title="Cost",
            answers=(
                f"What has the month cost so far, of {settings.monthly_budget} dollars for AWS and "
                f"{monthly_dollars(settings):,.0f} for data and models?",
                "What drives it: calls, compute, tables or logs?",
                "Would a savings plan pay? It does once Lambda's duration is steady for a month: see the "
                "recommendations of Cost Explorer with the base of the graph of compute.",
            ),
            runbooks=("budget", "estimated-charges", "provider-spend", "cost-anomaly"),
            settings=settings,
        )
        charges = cloudwatch.Metric(
            namespace="AWS/Billing",
            metric_name="EstimatedCharges",
            dimensions_map={"Currency": "USD"},
            statistic="Maximum",
            period=_BILLED,
            region=BILLING_REGION,
            label="the account's month so far",
        )
        self.row(
            graph("Estimated charges of AWS (dollars)", charges),
            graph(
                "Data providers (dollars an hour)",
                *(
                    figure(settings, "ProviderDollars", period=HOUR, provider=provider, label=provider)
                    for provider in DIMENSIONS["provider"]
                ),
            ),
        )
        self.row(
            graph(
                "Calls to providers",
                *(
                    figure(settings, "ProviderCalls", period=HOUR, provider=provider, label=provider)
                    for provider in DIMENSIONS["provider"]
                ),
            ),
            graph("Requests to the API", api.deployment_stage.metric_count(period=HOUR)),
        )
        self.row(
            graph(
                "Tokens of language models",
                *(
                    figure(settings, "LlmTokens", period=HOUR, direction=direction, label=direction)
                    for direction in DIMENSIONS["direction"]
                ),
            ),
        )
        self._compute(functions)
        self.row(*self._storage(tables, functions))

    def _compute(self, functions: Sequence[DeskFunction]) -> None:
        self.row(
            graph(
                "Compute: duration of functions (ms an hour)",
                *(f.function.metric_duration(statistic="Sum", period=HOUR, label=f.name) for f in functions),
            ),
            graph(
                "Calls of functions",
                *(f.function.metric_invocations(period=HOUR, label=f.name) for f in functions),
            ),
        )

    @staticmethod
    def _storage(
        tables: Mapping[str, dynamodb.ITableV2], functions: Sequence[DeskFunction]
    ) -> list[cloudwatch.IWidget]:
        return [
            graph(
                "Tables: units consumed an hour",
                *(
                    table.metric(f"Consumed{kind}CapacityUnits", statistic="Sum", period=HOUR, label=name)
                    for name, table in tables.items()
                    for kind in ("Read", "Write")
                ),
            ),
            graph(
                "Logs taken in (bytes an hour)",
                *(_log_bytes(f.log_group, f.name) for f in functions),
            ),
        ]


def _log_bytes(group: logs.ILogGroup, name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Logs",
        metric_name="IncomingBytes",
        dimensions_map={"LogGroupName": group.log_group_name},
        statistic="Sum",
        period=HOUR,
        label=name,
    )
