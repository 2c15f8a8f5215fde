"""Customer keys."""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infrastructure.settings import StageSettings

ADMINISTRATION = (
    "CancelKeyDeletion",
    "CreateAlias",
    "DeleteAlias",
    "DescribeKey",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListResourceTags",
    "PutKeyPolicy",
    "ReplicateKey",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "SynchronizeMultiRegionKey",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
)
"""What managing a key takes. No use of it, and no grant, which would be a use lent to somebody."""

USE = (
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
)

BY_GRANTS = frozenset({"dynamodb"})
"""Services that take a grant on the key when a resource is made, and use it in their own time."""


class CustomerKey(kms.Key):
    """A multi-region key, rotated every year.

    The account manages it (without that nobody could ever again), but whoever in the account has the right
    to use it can do so only in the hands of the AWS services named in `through` (`dynamodb`, `s3`, …): a row
    or an object is read by reading it, and an administrator's rights open no ciphertext. AWS services that
    act in their own name are let in one by one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        purpose: str,
        settings: StageSettings,
        through: Sequence[str] = (),
    ) -> None:
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
            policy=iam.PolicyDocument(statements=_account(Stack.of(scope), through)),
        )

    def let_service(self, service: str, *, sources: Sequence[str] = ()) -> None:
        """Lets an AWS service encrypt with the key in its own name, on behalf of this account alone.

        `sources` narrows it to ARNs (patterns) of what the service acts for.
        """
        conditions: dict[str, Mapping[str, object]] = {
            "StringEquals": {"aws:SourceAccount": self.stack.account}
        }
        if sources:
            conditions["ArnLike"] = {"aws:SourceArn": list(sources)}
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"Use{service.partition('.')[0].capitalize()}",
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=["*"],
                conditions=conditions,
            )
        )

    def let_logs(self, settings: StageSettings) -> None:
        """Lets CloudWatch Logs use the key, for log groups of this stage alone."""
        groups = [
            self.stack.format_arn(
                service="logs",
                resource="log-group",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for name in (f"{settings.prefix}-*", f"aws-waf-logs-{settings.prefix}*")
        ]
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UseLogs",
                principals=[iam.ServicePrincipal(f"logs.{self.stack.region}.amazonaws.com")],
                actions=[f"kms:{action}" for action in ("DescribeKey", *USE)],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )


def _account(stack: Stack, through: Sequence[str]) -> list[iam.PolicyStatement]:
    """What the account may give its own roles: to manage the key, and to use it through services."""
    account = iam.AccountRootPrincipal()
    statements = [
        iam.PolicyStatement(
            sid="Manage",
            principals=[account],
            actions=[f"kms:{action}" for action in ADMINISTRATION],
            resources=["*"],
        )
    ]
    if through:
        statements.append(
            iam.PolicyStatement(
                sid="UseThroughServices",
                principals=[account],
                actions=[f"kms:{action}" for action in USE],
                resources=["*"],
                conditions={"StringEquals": {"kms:ViaService": _services(stack, through)}},
            )
        )
    if lending := [service for service in through if service in BY_GRANTS]:
        statements.append(
            iam.PolicyStatement(
                sid="LendToServices",
                principals=[account],
                actions=["kms:CreateGrant"],
                resources=["*"],
                conditions={
                    "Bool": {"kms:GrantIsForAWSResource": "true"},
                    "StringEquals": {"kms:ViaService": _services(stack, lending)},
                },
            )
        )
    return statements


def _services(stack: Stack, names: Sequence[str]) -> list[str]:
    return [f"{name}.{stack.region}.amazonaws.com" for name in names]
