"""Every log group is encrypted with the desk's own key."""

import jsii
from aws_cdk import Aspects, IAspect, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from infrastructure.constructs.keys import CustomerKey


def encrypt_logs(scope: IConstruct, key: CustomerKey) -> None:
    """Encrypts the log groups of all stacks in the key's region that name no key of their own.

    An aspect, so that a log group somebody adds later, or a library makes, is not forgotten.
    """
    _let_logs(key)
    Aspects.of(scope).add(_EncryptLogs(key))


def _let_logs(key: CustomerKey) -> None:
    """Lets CloudWatch Logs of this region use the key, for log groups of this account alone."""
    stack = Stack.of(key)
    groups = stack.format_arn(service="logs", resource="*")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="UseLogs",
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
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


@jsii.implements(IAspect)
class _EncryptLogs:
    def __init__(self, key: CustomerKey) -> None:
        self._arn = key.key_arn
        self._region = Stack.of(key).region

    def visit(self, node: IConstruct) -> None:
        """Called by the library with every construct."""
        if isinstance(node, logs.CfnLogGroup) and Stack.of(node).region == self._region:
            node.kms_key_id = node.kms_key_id or self._arn
