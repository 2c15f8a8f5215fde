"""Backtests on spare capacity, where the stage has it."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.network import DeskNetwork
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.spot_batch import SpotBatch
from infrastructure.packaging import BatchPackage
from infrastructure.settings import StageSettings
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.environment import environment
from infrastructure.stacks.security import SecurityStack


class BatchStack(Stack):
    """The job queue and the job definition; costs nothing while no job runs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        security: SecurityStack,
        compute: ComputeStack,
        network: DeskNetwork,
        package: BatchPackage,
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        spot = SpotBatch(
            self,
            "Backtests",
            network=network,
            given=compute.given,
            log_key=security.log_key,
            package=package,
            settings=settings,
        )
        publish(self, "backtest_job_queue", spot.queue.job_queue_arn, "Job queue of backtests")
        publish(self, "backtest_job_definition", spot.job.job_definition_arn, "Job definition of backtests")
        publish(self, "backtests_log_group", spot.log_group.log_group_name, "Logs of backtests")
