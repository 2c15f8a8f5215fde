"""The signal tables of this month and the next exist from the first deployment on."""

from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure import answering
from infrastructure.constructs.function import RETENTION, DeskFunction
from infrastructure.constructs.function_findings import accept_deployment_findings, accept_environment
from infrastructure.settings import StageSettings

_CODE = Path(str(answering.__file__)).with_name("index.py")
_SLACK = 60


class SignalTablesAtDeployment(Construct):
    """Calls `roll_signal_tables` while the stack is deployed; a daily schedule calls it from then on.

    Where the stage keeps its data, deleting the stack leaves the resource, and with it the tables, alone.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, roller: DeskFunction, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        if not settings.retain_data:
            _let_delete(roller, settings)
        longest = roller.row.timeout + _SLACK
        answering_function = self._answering(roller, longest, settings)
        resource = CustomResource(
            self,
            "Months",
            resource_type="Custom::SignalTables",
            service_token=answering_function.function_arn,
            # Without it a stack whose function cannot start would wait an hour.
            service_timeout=Duration.seconds(longest + _SLACK),
            properties={"Prefix": settings.signals_prefix},
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        resource.node.add_dependency(roller.role, answering_function)

    def _answering(self, roller: DeskFunction, timeout: int, settings: StageSettings) -> lambda_.Function:
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=RETENTION[settings.log_days["audit"]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            self,
            "Role",
            description=f"{settings.prefix}: answers CloudFormation for the signal tables",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        log_group.grant_write(role)
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[roller.function.function_arn])
        )
        function = lambda_.Function(
            self,
            "Answering",
            description=f"Answers CloudFormation for the signal tables ({settings.name})",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="index.handler",
            code=lambda_.Code.from_inline(_CODE.read_text()),
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            timeout=Duration.seconds(timeout),
            memory_size=256,
            reserved_concurrent_executions=1,
            environment={"FUNCTION_ARN": roller.function.function_arn},
        )
        function.node.add_dependency(role)
        accept_deployment_findings(function)
        accept_environment(function)
        return function


def _let_delete(roller: DeskFunction, settings: StageSettings) -> None:
    """Only where a stage may lose its data does anything that runs by itself have the right to delete
    tables.
    """
    family = Stack.of(roller).format_arn(
        service="dynamodb", resource="table", resource_name=f"{settings.signals_prefix}*"
    )
    roller.role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:DeleteTable"], resources=[family]))
