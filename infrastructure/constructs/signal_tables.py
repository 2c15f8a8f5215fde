"""The signal tables of this month and the next exist from the first deployment on."""

from aws_cdk import CustomResource, Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infrastructure.settings import StageSettings


ANSWERS_WITHIN = Duration.minutes(6)
"""Longer than the function may run; without it a stack whose function cannot start would wait an hour."""


class SignalTablesAtDeployment(Construct):
    """Calls `roll_signal_tables` while the stack is deployed; a daily schedule calls it from then on.

    The function answers CloudFormation itself (it is given `ResponseURL`). Deleting the resource deletes no table.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, function: lambda_.IFunction, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        resource = CustomResource(
            self,
            "Months",
            resource_type="Custom::SignalTables",
            service_token=function.function_arn,
            service_timeout=ANSWERS_WITHIN,
            properties={"Prefix": settings.signals_prefix},
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        resource.node.add_dependency(function)
