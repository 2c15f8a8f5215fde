"""Ways from the network to AWS's services that never touch the internet."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.endpoints import GATEWAYS, Service, services_called
from infrastructure.settings import StageSettings

_GATEWAYS = {
    "dynamodb": ec2.GatewayVpcEndpointAwsService.DYNAMODB,
    "s3": ec2.GatewayVpcEndpointAwsService.S3,
}
_INTERFACES = {
    "sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "secretsmanager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
}


class ServiceEndpoints(Construct):
    """An endpoint for each service the functions call.

    Each lets through this account's own principals alone, and only to what the stage owns: a function that
    was taken over could not carry data into somebody else's bucket or queue. `secrets` are the ARNs of the
    stage's secrets; the other resources are known by the prefix CloudFormation gives their names.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        group: ec2.ISecurityGroup,
        secrets: Mapping[str, str],
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc = vpc
        self._group = group
        self._prefix = settings.prefix
        self._secrets = list(secrets.values())
        for service in sorted(services_called()):
            endpoint = self._gateway(service) if service in GATEWAYS else self._interface(service)
            for statement in self._statements(service):
                endpoint.add_to_policy(statement)

    def _gateway(self, service: Service) -> ec2.VpcEndpoint:
        return ec2.GatewayVpcEndpoint(
            self,
            service.capitalize(),
            vpc=self._vpc,
            service=_GATEWAYS[service],
            subnets=[
                ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
                ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ],
        )

    def _interface(self, service: Service) -> ec2.VpcEndpoint:
        return ec2.InterfaceVpcEndpoint(
            self,
            service.capitalize(),
            vpc=self._vpc,
            service=_INTERFACES[service],
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_groups=[self._group],
            private_dns_enabled=True,
            open=False,
        )

    def _statements(self, service: Service) -> list[iam.PolicyStatement]:
        stack = Stack.of(self)
        if service == "dynamodb":
            tables = stack.format_arn(service="dynamodb", resource="table", resource_name=f"{self._prefix}-*")
            names = ["dynamodb:ListTables", "dynamodb:ListBackups"]
            return [self._allow(["dynamodb:*"], [tables]), self._allow(names, ["*"])]
        if service == "s3":
            bucket = f"arn:{stack.partition}:s3:::{self._prefix}-*"
            assets = f"arn:{stack.partition}:s3:::cdk-*-assets-{stack.account}-{stack.region}/*"
            # Packages of batch jobs lie where every deployment puts its own.
            return [self._allow(["s3:*"], [bucket, f"{bucket}/*"]), self._allow(["s3:GetObject"], [assets])]
        if service == "sqs":
            return [self._allow(["sqs:*"], [stack.format_arn(service="sqs", resource=f"{self._prefix}-*")])]
        return [self._allow(["secretsmanager:GetSecretValue"], self._secrets)]

    def _allow(self, actions: list[str], resources: list[str]) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=actions,
            resources=resources,
            conditions={"StringEquals": {"aws:PrincipalAccount": Stack.of(self).account}},
        )
