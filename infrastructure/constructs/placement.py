"""What a function's role needs to run in a network."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

_CONNECT = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_LOOK = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


class NetworkAccess(iam.Policy):
    """Lets Lambda connect functions with this role to the network, and nobody who only runs in one.

    The service does it in the role's name, so the role must allow it; a call that comes from a function's
    code carries `lambda:SourceFunctionArn` and is denied (AWS Lambda Developer Guide, "Giving Lambda
    functions access to resources in an Amazon VPC", which also says that deleting an interface must be
    allowed on all resource ids).
    """

    def __init__(self, scope: Construct, construct_id: str, *, role: iam.Role) -> None:
        anything = Stack.of(role).format_arn(service="ec2", resource="*", resource_name="*")
        super().__init__(
            scope,
            construct_id,
            roles=[role],
            statements=[
                iam.PolicyStatement(actions=list(_CONNECT), resources=[anything]),
                iam.PolicyStatement(actions=list(_LOOK), resources=["*"]),
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    actions=[*_CONNECT, *_LOOK],
                    resources=["*"],
                    conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
                ),
            ],
        )
