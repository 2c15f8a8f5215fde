"""The default security group of a network, without a rule: what lands there by mistake reaches nothing."""

from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.answering import default_group
from infrastructure.constructs.function_findings import accept_deployment_findings
from infrastructure.constructs.retention import RETENTION
from infrastructure.settings import StageSettings

_CODE = Path(str(default_group.__file__))
_TIMEOUT = 60


class ClosedDefaultGroup(Construct):
    """Takes the default group's rules out while the stack is deployed."""

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.Vpc, log_key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        group = vpc.vpc_default_security_group
        log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=log_key,
            retention=RETENTION[settings.log_days["audit"]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = self._role(group, settings)
        log_group.grant_write(role)
        function = lambda_.Function(
            self,
            "Answering",
            description=f"Closes the network's default security group ({settings.name})",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="index.handler",
            code=lambda_.Code.from_inline(_CODE.read_text()),
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            timeout=Duration.seconds(_TIMEOUT),
            memory_size=256,
            reserved_concurrent_executions=1,
        )
        function.node.add_dependency(role)
        accept_deployment_findings(function)
        CustomResource(
            self,
            "Closed",
            resource_type="Custom::ClosedDefaultGroup",
            service_token=function.function_arn,
            service_timeout=Duration.seconds(2 * _TIMEOUT),
            properties={"Group": group},
        )

    def _role(self, group: str, settings: StageSettings) -> iam.Role:
        stack = Stack.of(self)
        role = iam.Role(
            self,
            "Role",
            description=f"{settings.prefix}: closes the network's default security group",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["ec2:DescribeSecurityGroupRules"], resources=["*"]))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"],
                resources=[
                    stack.format_arn(service="ec2", resource="security-group", resource_name=group),
                ],
            )
        )
        return role
