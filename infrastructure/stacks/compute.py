"""Queues, functions and schedules: everything that works without being asked over HTTP."""

from aws_cdk import Stack
from constructs import Construct

from bellwether.adapters.composition import NO_COPY
from infrastructure.constructs.function_set import FunctionSet
from infrastructure.constructs.network import DeskNetwork
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.queues import WorkQueue, failure_queue
from infrastructure.constructs.rotations import ClientKeyRotation
from infrastructure.constructs.schedules import TIMETABLE, Schedule
from infrastructure.constructs.signal_tables import SignalTablesAtDeployment
from infrastructure.constructs.triggers import feed_from_queue, keep_failed_runs
from infrastructure.functions import FUNCTIONS
from infrastructure.grants import CLIENT, Resources
from infrastructure.packaging import Layer
from infrastructure.provider_terms import terms_of
from infrastructure.settings import RECOVERY_REGION, StageSettings
from infrastructure.stacks.environment import environment
from infrastructure.stacks.holdings import Holdings, Keys
from infrastructure.stacks.recovery import RecoveryStack

OF_THE_API = ("authorizer", "socket", "broadcast")
"""Functions that need to know an API live in ApiStack, or the two stacks would need each other."""

BATCHES_AT_A_TIME = 5
WORKERS = 10


class ComputeStack(Stack):
    """The queues, and the functions that need nothing of the APIs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        security: Keys,
        data: Holdings,
        layer: Layer,
        network: DeskNetwork | None = None,
        recovery: RecoveryStack | None = None,
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        self._lake_copy = recovery.lake_for(self) if recovery else None
        self.network = network
        self.ingest = WorkQueue(
            self, "Ingest", prefix=settings.prefix, timeout=FUNCTIONS["signal_worker"].timeout
        )
        self.decisions = WorkQueue(
            self,
            "Decisions",
            prefix=settings.prefix,
            timeout=FUNCTIONS["project_ledger"].timeout,
            fifo=True,
        )
        self.failed_runs = failure_queue(self, "FailedRuns")
        self.failure_queues = {
            "ingest": self.ingest.failures,
            "decisions": self.decisions.failures,
            "failed_runs": self.failed_runs,
        }
        self.given = self._resources(settings, security, data)
        self.values = self._values(settings, security)
        names = [name for name, row in FUNCTIONS.items() if name not in OF_THE_API and not row.of_the_pool]
        self.functions = FunctionSet(
            self,
            "Functions",
            names=names,
            settings=settings,
            layer=layer,
            given=self.given,
            values=self.values,
            network=network,
        )
        self._connect(settings)
        self._publish()

    def _resources(self, settings: StageSettings, security: Keys, data: Holdings) -> Resources:
        return Resources(
            tables=data.tables.by_name,
            buckets={"lake": data.lake.bucket, "ledger": data.ledger.bucket},
            queues={
                "ingest": self.ingest.queue,
                "ingest_dlq": self.ingest.failures,
                "decisions": self.decisions.queue,
                "decisions_dlq": self.decisions.failures,
            },
            secrets=security.secrets.arns,
            table_key=security.table_key,
            lake_key=security.lake_key,
            secret_key=security.secret_key,
            log_key=security.log_key,
            signals_prefix=settings.signals_prefix,
            lake_copy=self._lake_copy,
        )

    def _values(self, settings: StageSettings, security: Keys) -> dict[str, str]:
        """The values of the environment names in the functions' table."""
        given = self.given
        return {
            **{f"{name.upper()}_TABLE": table.table_name for name, table in given.tables.items()},
            **{f"{name.upper()}_BUCKET": bucket.bucket_name for name, bucket in given.buckets.items()},
            **{f"{name.upper()}_SECRET_ARN": arn for name, arn in given.secrets.items()},
            "INGEST_QUEUE_URL": self.ingest.queue.queue_url,
            "INGEST_DLQ_URL": self.ingest.failures.queue_url,
            "DECISIONS_QUEUE_URL": self.decisions.queue.queue_url,
            "DECISIONS_DLQ_URL": self.decisions.failures.queue_url,
            "SIGNALS_TABLE_PREFIX": settings.signals_prefix,
            "TABLE_KEY_ARN": security.table_key.key_arn,
            "PROVIDER_TERMS": terms_of(settings),
            # by its ARN as it is: another stack's output cannot be taken apart in a template
            "LAKE_COPY_ARN": self._lake_copy.bucket_arn if self._lake_copy else NO_COPY,
            "LAKE_COPY_REGION": RECOVERY_REGION if self._lake_copy else NO_COPY,
            "DELETION_PROTECTION": "true" if settings.retain_data else "false",
            "TABLE_READ_LIMIT": str(settings.table_read_limit),
            "TABLE_WRITE_LIMIT": str(settings.table_write_limit),
        }

    def _connect(self, settings: StageSettings) -> None:
        feed_from_queue(
            self.functions["signal_worker"],
            self.ingest.queue,
            batch=BATCHES_AT_A_TIME,
            concurrency=WORKERS,
        )
        feed_from_queue(self.functions["project_ledger"], self.decisions.queue, batch=10)
        for name, timing in TIMETABLE.items():
            function = self.functions[name]
            keep_failed_runs(function, self.failed_runs)
            Schedule(
                self,
                f"{function.node.id}Schedule",
                name=name,
                timing=timing,
                function=function.invoked,
                failures=self.failed_runs,
                settings=settings,
            )
        ClientKeyRotation(
            self,
            "ClientKeys",
            function=self.functions["rotate_client_key"],
            secrets={name: self.given.secrets[f"{CLIENT}{name}"] for name in settings.api_clients},
            settings=settings,
        )
        SignalTablesAtDeployment(
            self, "SignalTables", roller=self.functions["roll_signal_tables"], settings=settings
        )

    def _publish(self) -> None:
        publish(self, "ingest_queue_url", self.ingest.queue.queue_url, "Queue of batches")
        publish(self, "ingest_dlq_url", self.ingest.failures.queue_url, "Batches that could not be processed")
        publish(self, "decisions_queue_url", self.decisions.queue.queue_url, "Queue of ledger entries")
        publish(
            self,
            "decisions_dlq_url",
            self.decisions.failures.queue_url,
            "Entries that could not be projected",
        )
        publish(self, "failed_runs_queue_url", self.failed_runs.queue_url, "Scheduled runs that failed")
        publish_functions(self, self.functions)


def publish_functions(stack: Stack, functions: FunctionSet) -> None:
    """Each function's name and log group, for `logs`, `recover` and the reports."""
    for name, function in functions.by_name.items():
        publish(stack, f"{name}_function", function.function.function_name, function.row.purpose)
        publish(stack, f"{name}_log_group", function.log_group.log_group_name, f"Logs of {name}")
