"""The key of all logs."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.constructs.keys import CustomerKey
from infrastructure.settings import StageSettings


class LogKey(CustomerKey):
    """A customer key that CloudWatch Logs may use, and only for log groups of this account and region."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(scope, construct_id, purpose="logs", settings=settings)
        groups = f"arn:{self.stack.partition}:logs:{settings.region}:{self.stack.account}:log-group:*"
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UseLogs",
                principals=[iam.ServicePrincipal(f"logs.{settings.region}.amazonaws.com")],
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )
