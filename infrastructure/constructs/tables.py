"""The desk's tables, all of one kind: on demand with a ceiling, encrypted, restorable, protected."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infrastructure.settings import StageSettings


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """Key attributes as `name:type` with type S or N; each index as (name, partition key, sort key)."""

    partition: str
    sort: str | None = None
    indexes: Sequence[tuple[str, str, str]] = ()
    expires: bool = False
    streams: bool = False


TABLES: dict[str, TableRow] = {
    "proposals": TableRow(
        partition="proposal_id:S",
        sort="created_at:S",
        indexes=(("by_status", "status:S", "created_at:S"), ("by_day", "created_day:S", "created_at:S")),
    ),
    "outcomes": TableRow(
        partition="outcome_id:S",
        sort="evaluated_at:S",
        indexes=(("by_day", "evaluated_day:S", "evaluated_at:S"),),
    ),
    "agents_config": TableRow(partition="agent_id:S", sort="version:N"),
    "tracked_entities": TableRow(partition="entity_type:S", sort="entity_id:S"),
    "asset_state": TableRow(partition="asset:S", sort="day:S"),
    "claims": TableRow(partition="pk:S", expires=True),
    "events": TableRow(partition="day:S", sort="id:S", expires=True, streams=True),
    "connections": TableRow(partition="connection_id:S", expires=True),
}
TTL_ATTRIBUTE = "expires"


class DeskTables(Construct):
    """All tables of fixed name-by-role; the monthly signal tables are created by `roll_signal_tables`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        self.by_name = {name: self._table(name, row, key, settings) for name, row in TABLES.items()}

    def _table(self, name: str, row: TableRow, key: kms.IKey, settings: StageSettings) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "".join(part.capitalize() for part in name.split("_")),
            partition_key=_attribute(row.partition),
            sort_key=_attribute(row.sort) if row.sort else None,
            billing=dynamodb.Billing.on_demand(
                max_read_request_units=settings.table_read_limit,
                max_write_request_units=settings.table_write_limit,
            ),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
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


def _attribute(told: str) -> dynamodb.Attribute:
    name, _, kind = told.partition(":")
    return dynamodb.Attribute(
        name=name, type=dynamodb.AttributeType.NUMBER if kind == "N" else dynamodb.AttributeType.STRING
    )
