"""The desk's tables, all of one kind: on demand with a ceiling, encrypted, restorable, protected."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import CfnTag, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infrastructure.settings import PRODUCT, RECOVERY_REGION, StageSettings


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """Key attributes as `name:type` with type S or N; each index as (name, partition key, sort key)."""

    partition: str
    sort: str | None = None
    indexes: Sequence[tuple[str, str, str]] = ()
    expires: bool = False
    streams: bool = False
    replicated: bool = False
    """Also in the second region: what cannot be made again from the lake and is needed to decide."""


TABLES: dict[str, TableRow] = {
    "proposals": TableRow(
        partition="proposal_id:S",
        sort="created_at:S",
        indexes=(("by_status", "status:S", "created_at:S"), ("by_day", "created_day:S", "created_at:S")),
        replicated=True,
    ),
    "outcomes": TableRow(
        partition="outcome_id:S",
        sort="evaluated_at:S",
        indexes=(("by_day", "evaluated_day:S", "evaluated_at:S"),),
        replicated=True,
    ),
    "agents_config": TableRow(partition="agent_id:S", sort="version:N", replicated=True),
    "tracked_entities": TableRow(partition="entity_type:S", sort="entity_id:S", replicated=True),
    "asset_state": TableRow(partition="asset:S", sort="day:S"),
    "claims": TableRow(partition="pk:S", expires=True),
    "events": TableRow(partition="day:S", sort="id:S", expires=True, streams=True),
    "connections": TableRow(partition="connection_id:S", expires=True),
}
TTL_ATTRIBUTE = "expires"
_RESTORABLE = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)


class DeskTables(Construct):
    """All tables of fixed name-by-role, or those of them that are named.

    The monthly signal tables are created by `roll_signal_tables`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        settings: StageSettings,
        recovery_key: kms.IKey | None = None,
        names: Sequence[str] = tuple(TABLES),
    ) -> None:
        super().__init__(scope, construct_id)
        self._recovery_key = recovery_key
        self.by_name = {
            name: self._table(name, row, key, settings) for name, row in TABLES.items() if name in names
        }

    def _table(self, name: str, row: TableRow, key: kms.IKey, settings: StageSettings) -> dynamodb.TableV2:
        replica_key = self._recovery_key if row.replicated else None
        return dynamodb.TableV2(
            self,
            "".join(part.capitalize() for part in name.split("_")),
            partition_key=_attribute(row.partition),
            sort_key=_attribute(row.sort) if row.sort else None,
            billing=dynamodb.Billing.on_demand(
                max_read_request_units=settings.table_read_limit,
                max_write_request_units=settings.table_write_limit,
            ),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(
                key, replica_key_arns={RECOVERY_REGION: replica_key.key_arn} if replica_key else None
            ),
            point_in_time_recovery_specification=_RESTORABLE,
            replicas=[_replica(settings)] if replica_key else None,
            deletion_protection=settings.retain_data,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
            time_to_live_attribute=TTL_ATTRIBUTE if row.expires else None,
            dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE if row.streams else None,
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=index, partition_key=_attribute(partition), sort_key=_attribute(sort)
                )
                for index, partition, sort in row.indexes
            ],
        )


def _replica(settings: StageSettings) -> dynamodb.ReplicaTableProps:
    """The same table in the second region. A replica takes over none of the settings of the first."""
    tags = {"product": PRODUCT, "stage": settings.name}
    return dynamodb.ReplicaTableProps(
        region=RECOVERY_REGION,
        deletion_protection=settings.retain_data,
        point_in_time_recovery_specification=_RESTORABLE,
        max_read_request_units=settings.table_read_limit,
        tags=[CfnTag(key=key, value=value) for key, value in tags.items()],
    )


def _attribute(told: str) -> dynamodb.Attribute:
    name, _, kind = told.partition(":")
    return dynamodb.Attribute(
        name=name, type=dynamodb.AttributeType.NUMBER if kind == "N" else dynamodb.AttributeType.STRING
    )
