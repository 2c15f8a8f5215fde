"""Tables and buckets: everything that must outlive a deployment."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.access_trail import AccessTrail
from infrastructure.constructs.buckets import Lake, LedgerBucket
from infrastructure.constructs.catalogue import LakeCatalogue
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.tables import DeskTables
from infrastructure.settings import Feature, StageSettings
from infrastructure.stacks.environment import environment
from infrastructure.stacks.recovery import RecoveryStack, key_elsewhere
from infrastructure.stacks.security import SecurityStack


class DataStack(Stack):
    """The tables, the lake, the ledger's bucket, who accessed them, and what queries know them by.

    With a `recovery` stack its region holds copies of all that cannot be made again.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        security: SecurityStack,
        recovery: RecoveryStack | None = None,
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        copies = recovery.copies(self) if recovery else None
        self.tables = DeskTables(
            self,
            "Tables",
            key=security.table_key,
            settings=settings,
            recovery_key=key_elsewhere(self, "ReplicaKey", recovery.table_key) if recovery else None,
        )
        self.lake = Lake(self, "Lake", key=security.lake_key, settings=settings, copies=copies)
        self.ledger = LedgerBucket(self, "Ledger", key=security.lake_key, settings=settings, copies=copies)
        self.catalogue = LakeCatalogue(
            self,
            "Catalogue",
            lake=self.lake.bucket,
            ledger=self.ledger.bucket,
            key=security.lake_key,
            settings=settings,
        )
        if settings.has(Feature.ACCESS_TRAIL):
            AccessTrail(
                self,
                "AccessTrail",
                buckets=[self.lake.bucket, self.ledger.bucket, *(copies.buckets.values() if copies else ())],
                all_regions=copies is not None,
                settings=settings,
            )
        for name, table in self.tables.by_name.items():
            publish(self, f"{name}_table", table.table_name, f"Table {name}")
        publish(self, "lake_bucket", self.lake.bucket.bucket_name, "Bucket of the lake")
        publish(self, "ledger_bucket", self.ledger.bucket.bucket_name, "Bucket of the decision ledger")
        publish(self, "signals_table_prefix", settings.signals_prefix, "Signal tables are this and yyyymm")
