"""Execution environments kept warm, as many as the traffic asks for."""

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

TARGET = 0.7
MOST = 5


class WarmAlias(Construct):
    """The alias `live` of a function's current version, with provisioned concurrency that follows its use."""

    def __init__(
        self, scope: Construct, construct_id: str, *, function: lambda_.Function, environments: int
    ) -> None:
        super().__init__(scope, construct_id)
        self.alias = lambda_.Alias(
            self,
            "Live",
            alias_name="live",
            version=function.current_version,
            provisioned_concurrent_executions=environments,
        )
        scaling = self.alias.add_auto_scaling(min_capacity=environments, max_capacity=environments * MOST)
        scaling.scale_on_utilization(utilization_target=TARGET)
