"""The one way a function is built: one role, one typed environment, one log group."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from bellwether.handlers.figure_names import namespace
from infrastructure.constructs.function_findings import accept_function_findings
from infrastructure.constructs.network import DeskNetwork
from infrastructure.constructs.placement import NetworkAccess
from infrastructure.constructs.retention import RETENTION
from infrastructure.constructs.warm_alias import WarmAlias
from infrastructure.functions import FunctionRow
from infrastructure.grants import Resources
from infrastructure.settings import Feature, StageSettings

__all__ = ["RETENTION", "DeskFunction"]


class DeskFunction(Construct):
    """A row of the functions' table as a function.

    `values` holds the values of all environment names; the function gets those its row lists. `invoked` is
    what triggers call: the warm alias where there is one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        row: FunctionRow,
        settings: StageSettings,
        code: lambda_.Code,
        layer: lambda_.ILayerVersion,
        given: Resources,
        values: Mapping[str, str],
        network: DeskNetwork | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self.row = row
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=given.log_key,
            retention=RETENTION[settings.log_days[row.logs]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(
            self,
            "Role",
            description=f"{settings.prefix} {name}: {row.purpose}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        self.log_group.grant_write(self.role)
        for grant in row.grants:
            for statement in grant.statements(given, Stack.of(self)):
                self.role.add_to_policy(statement)
        place = network.place(row) if network else None
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"{row.purpose} ({settings.name})",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"bellwether.handlers.{name}.handler",
            code=code,
            layers=[layer],
            role=self.role,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            tracing=lambda_.Tracing.ACTIVE,
            recursive_loop=lambda_.RecursiveLoop.TERMINATE,
            runtime_management_mode=lambda_.RuntimeManagementMode.AUTO,
            vpc=place.vpc if place else None,
            vpc_subnets=place.subnets if place else None,
            security_groups=[place.group] if place else None,
            timeout=Duration.seconds(row.timeout),
            memory_size=row.memory,
            reserved_concurrent_executions=row.reserved,
            environment={
                "STAGE": settings.name,
                "POWERTOOLS_SERVICE_NAME": "bellwether",
                "POWERTOOLS_METRICS_NAMESPACE": namespace(settings.name),
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **{key: values[key] for key in row.environment},
            },
        )
        if place:
            # Lambda checks at creation that the role may join.
            self.function.node.add_dependency(NetworkAccess(self, "Network", role=self.role))
        accept_function_findings(self.function, in_network=place is not None)
        self.invoked: lambda_.IFunction = self.function
        if row.critical and settings.provisioned and settings.has(Feature.PROVISIONED_CONCURRENCY):
            self.invoked = WarmAlias(self, "Warm", function=self.function, settings=settings).alias
