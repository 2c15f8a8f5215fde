"""When which machine's API key is exchanged."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infrastructure.constructs.function import DeskFunction
from infrastructure.settings import Feature, StageSettings

EVERY_DAYS = 90


class ClientKeyRotation(Construct):
    """Lets Secrets Manager call the rotation, and has it do so for each machine's secret.

    `secrets` are ARNs by the machines' names. The first rotation follows the deployment: it is what makes the
    desk know a new machine's key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: DeskFunction,
        secrets: Mapping[str, str],
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        if not settings.has(Feature.SECRET_ROTATION):
            return
        function.function.add_permission(
            "SecretsManager",
            principal=iam.ServicePrincipal("secretsmanager.amazonaws.com"),
            source_account=Stack.of(self).account,
        )
        for name, arn in secrets.items():
            schedule = secretsmanager.CfnRotationSchedule(
                self,
                f"{name.capitalize()}Key",
                secret_id=arn,
                rotation_lambda_arn=function.function.function_arn,
                rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                    schedule_expression=f"rate({EVERY_DAYS} days)", duration="4h"
                ),
            )
            schedule.node.add_dependency(function)
