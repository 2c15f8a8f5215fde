"""Customer keys."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infrastructure.settings import StageSettings


class CustomerKey(kms.Key):
    """A multi-region key, rotated every year. Its policy leaves the decision to IAM and to the services
    named.

    The account's own roles get its use through their policies, each limited to one service (`grants.py`).
    """

    def __init__(self, scope: Construct, construct_id: str, *, purpose: str, settings: StageSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            alias=f"alias/{settings.prefix}/{construct_id.lower()}",
            description=f"{settings.prefix}: {purpose}",
            enable_key_rotation=True,
            rotation_period=Duration.days(365),
            multi_region=True,
            pending_window=Duration.days(30 if settings.retain_data else 7),
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )

    def let_service(self, service: str) -> None:
        """Lets an AWS service of this account encrypt with the key in its own name."""
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"Use{service.partition('.')[0].capitalize()}",
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": self.stack.account}},
            )
        )
