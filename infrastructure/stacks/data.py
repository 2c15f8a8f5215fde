"""Tables and buckets: everything that must outlive a deployment."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.buckets import Lake, LedgerBucket
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.tables import DeskTables
from infrastructure.settings import StageSettings
from infrastructure.stacks.environment import environment
from infrastructure.stacks.security import SecurityStack


class DataStack(Stack):
    """The tables, the lake and the ledger's bucket."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StageSettings, security: SecurityStack
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        self.tables = DeskTables(self, "Tables", key=security.table_key, settings=settings)
        self.lake = Lake(self, "Lake", key=security.lake_key, settings=settings)
        self.ledger = LedgerBucket(self, "Ledger", key=security.lake_key, settings=settings)
        for name, table in self.tables.by_name.items():
            publish(self, f"{name}_table", table.table_name, f"Table {name}")
        publish(self, "lake_bucket", self.lake.bucket.bucket_name, "Bucket of the lake")
        publish(self, "ledger_bucket", self.ledger.bucket.bucket_name, "Bucket of the decision ledger")
        publish(self, "signals_table_prefix", settings.signals_prefix, "Signal tables are this and yyyymm")
