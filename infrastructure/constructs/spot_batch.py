"""Spare capacity for backtests: containers that exist while a job runs, and may be taken away at any time."""

from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from infrastructure.batch import start
from infrastructure.constructs.network import DeskNetwork
from infrastructure.constructs.retention import RETENTION
from infrastructure.grants import Grant, Listing, Objects, Resources
from infrastructure.packaging import SOURCE, BatchPackage
from infrastructure.settings import StageSettings

IMAGE = "public.ecr.aws/docker/library/python:3.13-slim-bookworm"
_START = Path(str(start.__file__))
_NOBODY = "65534"
READS = ("raw-data/", "curated-data/", "backtests/")
GRANTS: tuple[Grant, ...] = (
    *(Objects("lake", f"{folder}*", "GetObject") for folder in READS),
    Objects("lake", "backtests/*", "PutObject"),
    Listing("lake", *READS),
)


class SpotBatch(Construct):
    """A queue and a job definition for backtests on Fargate's spare arm64 capacity.

    A job that is taken away starts again, twice at most: a replay is a function of its files.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: DeskNetwork,
        given: Resources,
        log_key: kms.IKey,
        package: BatchPackage,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._archives = [
            assets.Asset(self, "Dependencies", path=str(package.path())),
            assets.Asset(self, "Product", path=str(SOURCE), exclude=["**/__pycache__"]),
        ]
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=log_key,
            retention=RETENTION[settings.log_days["operations"]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        environment = batch.FargateComputeEnvironment(
            self,
            "Spare",
            vpc=network.vpc,
            # The image comes from a public registry, which no endpoint leads to.
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            security_groups=[network.egress_group],
            spot=True,
            maxv_cpus=settings.batch_cpus,
        )
        self.queue = batch.JobQueue(self, "Queue")
        self.queue.add_compute_environment(environment, 1)
        self.role = self._role(given)
        self.job = batch.EcsJobDefinition(
            self,
            "Backtest",
            container=self._container(given),
            parameters={"companies": "-", "horizon": "1", "seed": "0"},
            propagate_tags=True,
            retry_attempts=3,
            retry_strategies=[
                batch.RetryStrategy.of(
                    batch.Action.RETRY, batch.Reason.custom(on_status_reason="*Spot*interrupt*")
                ),
                batch.RetryStrategy.of(batch.Action.EXIT, batch.Reason.custom(on_reason="*")),
            ],
            timeout=Duration.hours(6),
        )

    def _container(self, given: Resources) -> batch.EcsFargateContainerDefinition:
        told = [f"Ref::{name}" for name in ("items", "prices", "companies", "name")]
        return batch.EcsFargateContainerDefinition(
            self,
            "Container",
            image=ecs.ContainerImage.from_registry(IMAGE),
            fargate_cpu_architecture=ecs.CpuArchitecture.ARM64,
            fargate_operating_system_family=ecs.OperatingSystemFamily.LINUX,
            cpu=4,
            memory=Size.gibibytes(16),
            ephemeral_storage_size=Size.gibibytes(40),
            user=_NOBODY,
            assign_public_ip=False,
            execution_role=iam.Role(
                self,
                "Starting",
                description=f"{self._settings.prefix}: starts a backtest's container and writes its log",
                assumed_by=_containers(Stack.of(self)),
            ),
            job_role=self.role,
            logging=ecs.LogDriver.aws_logs(stream_prefix="backtest", log_group=self.log_group),
            command=[
                "python",
                "-c",
                _START.read_text(),
                *told,
                "--horizon",
                "Ref::horizon",
                "--seed",
                "Ref::seed",
                "--json",
            ],
            environment={
                "LAKE_BUCKET": given.buckets["lake"].bucket_name,
                "PACKAGE_BUCKET": self._archives[0].s3_bucket_name,
                "PACKAGE_KEYS": ",".join(archive.s3_object_key for archive in self._archives),
                "AWS_REGION": self._settings.region,
                "AWS_DEFAULT_REGION": self._settings.region,
            },
        )

    def _role(self, given: Resources) -> iam.Role:
        stack = Stack.of(self)
        role = iam.Role(
            self,
            "Role",
            description=f"{self._settings.prefix}: reads the lake and writes backtests",
            assumed_by=_containers(stack),
        )
        archives = [archive.bucket.arn_for_objects(archive.s3_object_key) for archive in self._archives]
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=archives))
        for grant in GRANTS:
            for statement in grant.statements(given, stack):
                role.add_to_policy(statement)
        return role


def _containers(stack: Stack) -> iam.ServicePrincipal:
    return iam.ServicePrincipal(
        "ecs-tasks.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
    )
