"""The lake as tables: what Athena knows its objects by, without a crawler and without a partition to add."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from aws_cdk import Duration, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.columns import columns_of
from infrastructure.constructs.lake_queries import LAKE_QUERIES
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.private_bucket import PrivateBucket, tidied
from infrastructure.settings import Feature, StageSettings

MOST_BYTES = 10 * 2**30
"""A query stops after reading so much: at 5 dollars a terabyte, five cents."""
RESULT_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class CatalogueRow:
    """One table: the record a line is (`module:Type`), and where the lines lie.

    `partition` names the partition key and its Java date format; each of its values since `since` is a
    folder, projected by Athena, so that nobody has to register it.
    """

    record: str
    folder: str
    bucket: str = "lake"
    partition: tuple[str, str, str] | None = None
    since: str = ""


_DAY = ("day", "yyyy/MM/dd", "DAYS")
CATALOGUE: Mapping[str, CatalogueRow] = {
    "items": CatalogueRow(
        record="bellwether.domain.items:RawBatch",
        folder="raw-data/",
        partition=("hour", "yyyy/MM/dd/HH", "HOURS"),
        since="2026/01/01/00",
    ),
    "prices": CatalogueRow(record="bellwether.domain.prices:History", folder="curated-data/prices/"),
    "signals": CatalogueRow(
        record="bellwether.domain.signals:Signal",
        folder="curated-data/signals/",
        partition=("month", "yyyyMM", "MONTHS"),
        since="202501",
    ),
    "scores": CatalogueRow(
        record="bellwether.domain.scores:Score",
        folder="features/scores/",
        partition=_DAY,
        since="2000/01/01",
    ),
    "evaluations": CatalogueRow(
        record="bellwether.usecases.evaluate:Report", folder="eval/", partition=_DAY, since="2026/01/01"
    ),
    "equity": CatalogueRow(record="bellwether.domain.equity:EquityDay", folder="eval/equity/"),
    "ledger": CatalogueRow(record="bellwether.domain.ledger:Entry", folder="ledger/", bucket="ledger"),
}


def record_of(row: CatalogueRow) -> type:
    """The type a table's lines are written from."""
    module, _, name = row.record.partition(":")
    found: type = getattr(import_module(module), name)
    return found


class LakeCatalogue(Construct):
    """A database with a table for each kind of record, and a workgroup that bounds what a query may cost."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: s3.IBucket,
        ledger: s3.IBucket,
        key: kms.IKey,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._buckets = {"lake": lake, "ledger": ledger}
        account = Stack.of(self).account
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=settings.prefix.replace("-", "_"),
                description=f"The lake and the ledger of {settings.prefix}",
            ),
        )
        for name, row in CATALOGUE.items():
            self._table(name, row, account)
        self.workgroup = self._workgroup(key, settings)
        if settings.has(Feature.LAKE_QUERIES):
            self._save_queries(lake)
        publish(Stack.of(self), "catalogue", self.database.ref, "Database of the lake's catalogue")
        publish(Stack.of(self), "workgroup", self.workgroup.name, "Athena workgroup of the lake's queries")

    def _table(self, name: str, row: CatalogueRow, account: str) -> None:
        location = f"s3://{self._buckets[row.bucket].bucket_name}/{row.folder}"
        column = glue.CfnTable.ColumnProperty
        table = glue.CfnTable(
            self,
            name.capitalize(),
            catalog_id=account,
            database_name=self.database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=row.record,
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "json", "EXTERNAL": "TRUE", **_projected(row, location)},
                partition_keys=[column(name=row.partition[0], type="string")] if row.partition else [],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[column(name=n, type=t) for n, t in columns_of(record_of(row))],
                    location=location,
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe",
                        parameters={"ignore.malformed.json": "false"},
                    ),
                ),
            ),
        )
        table.node.add_dependency(self.database)

    def _workgroup(self, key: kms.IKey, settings: StageSettings) -> athena.CfnWorkGroup:
        results = PrivateBucket(
            self,
            "Results",
            key=key,
            settings=settings,
            uncopied="Asking again makes a result again.",
            lifecycle_rules=[
                s3.LifecycleRule(id="results-are-made-again", expiration=Duration.days(RESULT_DAYS)),
                tidied(days=1),
            ],
        )
        group = athena.CfnWorkGroup
        return group(
            self,
            "Workgroup",
            name=f"{settings.prefix}-lake",
            description=f"Queries of the lake of {settings.prefix}",
            recursive_delete_option=not settings.retain_data,
            work_group_configuration=group.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                bytes_scanned_cutoff_per_query=MOST_BYTES,
                publish_cloud_watch_metrics_enabled=True,
                requester_pays_enabled=False,
                engine_version=group.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
                result_configuration=group.ResultConfigurationProperty(
                    output_location=f"s3://{results.bucket_name}/",
                    encryption_configuration=group.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )

    def _save_queries(self, lake: s3.IBucket) -> None:
        for name, (purpose, text) in LAKE_QUERIES.items():
            query = athena.CfnNamedQuery(
                self,
                f"Query{''.join(part.capitalize() for part in name.split('-'))}",
                name=name,
                description=purpose,
                database=self.database.ref,
                query_string=text.replace("{lake}", lake.bucket_name),
                work_group=self.workgroup.name,
            )
            query.node.add_dependency(self.workgroup)


def _projected(row: CatalogueRow, location: str) -> dict[str, str]:
    """The parameters that let Athena work out the folders of a partitioned table by itself."""
    if row.partition is None:
        return {}
    name, pattern, unit = row.partition
    return {
        "projection.enabled": "true",
        f"projection.{name}.type": "date",
        f"projection.{name}.format": pattern,
        f"projection.{name}.range": f"{row.since},NOW",
        f"projection.{name}.interval": "1",
        f"projection.{name}.interval.unit": unit,
        "storage.location.template": f"{location}${{{name}}}/",
    }
