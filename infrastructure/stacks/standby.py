"""What the stateless stacks are given in the second region: replicas, copies, and tables of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aws_cdk import Environment, Fn, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.outputs import output_name, publish
from infrastructure.constructs.tables import TABLES, DeskTables
from infrastructure.settings import RECOVERY_REGION, Feature, StageSettings
from infrastructure.stacks.data import DataStack
from infrastructure.stacks.recovery import RecoveryStack
from infrastructure.stacks.security import SecurityStack, secret_name_output

_COLD = "nobody calls it before a fail-over, and environments kept warm are paid for around the clock"
_PAID = "gateways and endpoints are paid for around the clock; a fail-over runs the functions without them"


def standby_settings(settings: StageSettings) -> StageSettings:
    """The stage's settings, in the second region: nothing runs by the clock, nothing is kept warm."""
    lacks = {
        Feature.PROVISIONED_CONCURRENCY: _COLD,
        Feature.NETWORK: _PAID,
        Feature.SPOT_BATCH: "backtests wait for the first region",
        Feature.EDGE: "the edge is one for both regions; a fail-over points it here",
        Feature.RECOVERY_REGION: "it is the second region",
    }
    return replace(settings, region=RECOVERY_REGION, standby=True, lacks={**settings.lacks, **lacks})


@dataclass(frozen=True)
class _Tables:
    by_name: Mapping[str, dynamodb.ITableV2]


@dataclass(frozen=True)
class _Secrets:
    arns: Mapping[str, str]


class StandbyStack(Stack):
    """Stands in for SecurityStack and DataStack in the second region.

    Names of replicas are those of the first region's tables, read while this is deployed: that happens with
    every release, not in the hour of need. What is not replicated (sums, claims, changes, connections)
    begins empty; `recover` fills it from the lake's copy.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        security: SecurityStack,
        data: DataStack,
        recovery: RecoveryStack,
    ) -> None:
        super().__init__(scope, construct_id, env=Environment(region=RECOVERY_REGION))
        self.table_key = recovery.table_key
        self.lake_key = recovery.lake_key
        self.secret_key = recovery.secret_key
        self.alarm_key = CustomerKey(
            self, "Alarms", purpose="alarm notifications", settings=settings, through=("sns",)
        )
        self.alarm_key.let_service("cloudwatch.amazonaws.com")
        self.log_key = CustomerKey(self, "Logs", purpose="log groups", settings=settings)
        self.log_key.let_logs(settings)
        self.lake = recovery.lake
        self.ledger = recovery.ledger
        self.add_dependency(security)
        self.secrets = _Secrets({name: self._replica_of(name, security) for name in security.secrets.arns})
        own = [name for name, row in TABLES.items() if not row.replicated]
        made = DeskTables(self, "Tables", key=self.table_key, settings=settings, names=own)
        self.tables = _Tables({**made.by_name, **self._replicas(data)})
        for name, table in self.tables.by_name.items():
            publish(self, f"{name}_table", table.table_name, f"Table {name}")
        publish(self, "lake_bucket", self.lake.bucket.bucket_name, "Copy of the lake")
        publish(self, "ledger_bucket", self.ledger.bucket.bucket_name, "Copy of the decision ledger")
        publish(self, "signals_table_prefix", settings.signals_prefix, "Signal tables are this and yyyymm")

    def _replicas(self, data: DataStack) -> dict[str, dynamodb.ITableV2]:
        return {
            name: dynamodb.TableV2.from_table_attributes(
                self,
                f"Replica{table.node.id}",
                table_name=_name_of(table),
                global_indexes=[index for index, _, _ in TABLES[name].indexes],
            )
            for name, table in data.tables.by_name.items()
            if TABLES[name].replicated
        }

    def _replica_of(self, secret: str, security: SecurityStack) -> str:
        """A replica's ARN is that of its secret, with another region."""
        output = output_name(secret_name_output(secret))
        name = Fn.get_stack_output(security.stack_name, output, security.region)
        return f"arn:{self.partition}:secretsmanager:{self.region}:{self.account}:secret:{name}"


def _name_of(table: dynamodb.TableV2) -> str:
    resource = table.node.default_child
    if not isinstance(resource, dynamodb.CfnGlobalTable):
        raise TypeError(f"{table.node.path} is no global table")
    return resource.ref
